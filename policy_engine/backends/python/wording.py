"""How an answer is worded: its values by name, and the values that the sentences of its reason name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.runtime import form_of, present
from policy_engine.language.decisions import Said
from policy_engine.language.mentions import reads_sensitive
from policy_engine.language.rulesets import Ruleset, Template
from policy_engine.language.types import Type
from policy_engine.language.values import in_words


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a sentence names a value."""

    type: Type
    sensitive: bool


Blank = tuple[Said | Hole, ...]
"""A sentence whose holes are not filled yet."""


def blanks_of(ruleset: Ruleset, sentences: Sequence[Template]) -> tuple[Blank, ...]:
    """The sentences as they are before any facts are seen."""
    return tuple(
        tuple(
            Said(part) if isinstance(part, str) else Hole(part.tree.type, reads_sensitive(ruleset, part))
            for part in sentence.parts
        )
        for sentence in sentences
    )


def write(to: Expressions, sentences: Sequence[Template]) -> None:
    """Write the body of the function that gives the values for all holes."""
    parts = [part for sentence in sentences for part in sentence.parts if not isinstance(part, str)]
    codes = [to.writer.named(to.code(part.tree)) for part in parts]
    to.writer.line(f"return ({', '.join(codes)}{',' if codes else ''})")


def by_name(to: Expressions, types: Sequence[tuple[str, Type]], codes: Mapping[str, str]) -> str:
    """The text of an answer's values by name, in the form that callers see."""
    return f"{{{', '.join(f'{to.bind(name)}: {_seen(to, codes.get(name), kind)}' for name, kind in types)}}}"


def _seen(to: Expressions, code: str | None, kind: Type) -> str:
    form = form_of(kind)
    if code is None or form is None:
        return code or "None"
    value = to.writer.named(code)
    return f"None if {value} is None else {to.bind(form)}({value})"


def filled(blanks: Sequence[Blank], values: Sequence[Any]) -> list[tuple[Said, ...]]:
    """The sentences with their holes filled."""
    left = iter(values)
    return [tuple(_said(part, left) for part in blank) for blank in blanks]


def _said(part: Said | Hole, values: Iterator[Any]) -> Said:
    if isinstance(part, Said):
        return part
    return Said(in_words(present(next(values), part.type)), part.sensitive)


Values = Callable[[Any, date], Sequence[Any]]
"""Gives the values for the holes of sentences."""
