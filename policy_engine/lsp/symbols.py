"""What has a name, and where the name stands."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.source import Authored, Span


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """Something with a name, the same in all files.

    `kind` is fact, parameter, definition, reading, table, decision, rule, outcome, choice, source, value, ruleset, function,
    variable, column or schema. `owner` says whose it is: of a fact the schema's name, of others the id of the ruleset or
    library, with the decision or the reading behind a slash. The name of a member of a fact is its path.
    """

    kind: str
    owner: str
    name: str

    @property
    def word(self) -> str:
        """The name as it is written: of a path its last step."""
        return self.name.rpartition(".")[2] if self.kind == "fact" else self.name


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a symbol's name stands; `defines` where it is given its meaning there."""

    symbol: Symbol
    span: Span
    defines: bool = False


def with_article(word: str) -> str:
    """A word as a sentence says it."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def span_of(text: Authored) -> Span:
    """The place of a text without the quotes around it."""
    return text.part(0, len(text.value))


def holds(span: Span, path: str, line: int, column: int) -> bool:
    """Whether a caret is at a place, behind its last character included; line and column count from 1."""
    return span.path == path and span.line == line and span.column <= column <= span.column + span.length
