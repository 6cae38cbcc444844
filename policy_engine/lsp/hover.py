"""What is said of the name or the key at a caret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from policy_engine.frontend.context import Context
from policy_engine.frontend.syntax import RulesetSyntax
from policy_engine.language.types import members_below
from policy_engine.lsp import index
from policy_engine.lsp.describing import Described, described_names, of_decision, of_fact, of_function, of_key
from policy_engine.lsp.forms import key_at, shape_of_file
from policy_engine.lsp.places import place_at
from policy_engine.lsp.symbols import Symbol, with_article
from policy_engine.lsp.workspace import Snapshot
from policy_engine.source import Span

KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Hover:
    """What is said of a name: its words, what it is, and where it stands."""

    name: str
    described: Described
    span: Span

    @property
    def text(self) -> str:
        """All of it, in Markdown."""
        about = f"\n\n{self.described.text}" if self.described.text else ""
        return f"`{self.name}`: {self.described.summary}{about}"


def hover_at(snapshot: Snapshot, path: Path, lines: Sequence[str], line: int, column: int) -> Hover | None:
    """What is said at a caret, by the number of its line and of the characters before it, from 0; None where there is nothing."""
    key = _key(path, lines, line, column)
    if key is not None:
        return key
    found = index.at(snapshot, path, line + 1, column + 1)
    described = described_symbol(snapshot, path, found.symbol) if found is not None else None
    return Hover(found.symbol.name, described, found.span) if found is not None and described is not None else None


def _key(path: Path, lines: Sequence[str], line: int, column: int) -> Hover | None:
    """What is said of a key of the file format."""
    if path.suffix not in (".yaml", ".yml") or line >= len(lines):
        return None
    word = next((word for word in KEY.finditer(lines[line]) if word.start() <= column <= word.end()), None)
    if word is None or not re.match(r"\s*:(\s|$)", lines[line][word.end() :]):
        return None
    place = place_at(lines, line, word.end())
    if place is None or place.within:
        return None
    key = key_at(shape_of_file(path, "\n".join(lines[:50])), (*place.path, word.group()))
    span = Span(str(path), line + 1, word.start() + 1, len(word.group()))
    return None if key is None else Hover(key.name, of_key(key), span)


def described_symbol(snapshot: Snapshot, path: Path, symbol: Symbol) -> Described | None:
    """What there is to say of something with a name, as a file uses it."""
    if symbol.kind == "function":
        return of_function(symbol.name)
    if symbol.kind == "fact":
        return _fact(snapshot, symbol)
    files = (file for file in snapshot.checked.values() if file.syntax.id.value == symbol.owner.partition("/")[0])
    contexts = [context for file in files if (context := snapshot.context(file.file.path)) is not None]
    own = [context for context in contexts if context.syntax.span.path == str(path)]
    for context in own or contexts:
        found = _named(context, symbol) or _part(context.syntax, symbol)
        if found is not None:
            return found
    return Described(with_article(symbol.kind)) if contexts else None


def _named(context: Context, symbol: Symbol) -> Described | None:
    """What there is to say of a decision, or of a name of the one namespace."""
    if symbol.kind == "decision":
        return of_decision(context, symbol.name)
    named = (each for each in described_names(context) if (each.kind, each.name) == (symbol.kind, symbol.name))
    return next((each.described for each in named), None)


def _fact(snapshot: Snapshot, symbol: Symbol) -> Described | None:
    facts = next((facts for facts in index.schemas_of(snapshot).values() if facts.name == symbol.owner), None)
    members = dict(members_below(facts.type)) if facts is not None else {}
    member = members.get(symbol.name)
    return None if member is None else of_fact(member, f"the schema `{symbol.owner}`")


def _part(syntax: RulesetSyntax, symbol: Symbol) -> Described | None:
    """What there is to say of a source, a choice or a rule."""
    match symbol.kind:
        case "source":
            source = next((source for source in syntax.sources if source.id == symbol.name), None)
            return None if source is None else Described("a source", (source.title, source.edition, source.url or ""))
        case "choice":
            reading = symbol.owner.partition("/")[2]
            choices = (
                c for r in syntax.readings if r.name.value == reading for c in r.choices if c.name == symbol.name
            )
            choice = next(choices, None)
            return None if choice is None else Described(f"a choice of `{reading}`", (choice.argument,))
        case "rule":
            decision = symbol.owner.partition("/")[2]
            rules = (
                r for d in syntax.decisions if d.name.value == decision for r in d.rules if r.id.value == symbol.name
            )
            rule = next(rules, None)
            because = rule.conclusion.because if rule is not None else None
            return None if because is None else Described(f"a rule of `{decision}`", (because.value,))
    return None
