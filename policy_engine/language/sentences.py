"""Sentences with placeholders as plain data, and filling them in with the values that an answer keeps.

A kept value is None where it is unknown, an integer of units of 10**-places for a decimal, a tuple for a list, and else a value.
Nothing in it can change, so an answer can be told at any time and in any process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from policy_engine.language.expressions import Expression
from policy_engine.language.formats import PLAINLY, Format, in_format, unknown_in, words_in
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Formatted, Quoted, Template
from policy_engine.language.types import Date, ListOf, Number, Text, Type
from policy_engine.language.values import Unknown, Value, in_words


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a reason; `sensitive` where it tells a fact that the schema marks `x-sensitive`."""

    text: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a sentence names a value: the places of its number, how it reads, and whether Python's `str` gives its words."""

    places: int = 0
    plain: bool = True
    sensitive: bool = False
    format: Format = PLAINLY


Sentence = tuple[str | Said | Placeholder, ...]
"""A sentence before any facts are seen; constant words that tell a sensitive fact are `Said`."""


def sentence_of(template: Template, is_sensitive: Callable[[Expression], bool]) -> Sentence:
    """The sentence of a template; `is_sensitive` says of which expressions the values are withheld from some readers."""
    return tuple(_part(part, is_sensitive) for part in template.parts)


def _part(
    part: str | Quoted | Expression | Formatted, is_sensitive: Callable[[Expression], bool]
) -> str | Said | Placeholder:
    if isinstance(part, str):
        return part
    if isinstance(part, Quoted):
        return Said(part.text, sensitive=True) if is_sensitive(part.expression) else part.text
    written, expression = (part.format, part.expression) if isinstance(part, Formatted) else (PLAINLY, part)
    kind = expression.tree.type
    places = _places(kind)
    plain = not written.name and not places and isinstance(kind, Number | Text | Date)
    return Placeholder(places, plain, is_sensitive(expression), written)


def _places(kind: Type) -> int:
    """The decimal places of a number, or of the numbers that a list holds."""
    if isinstance(kind, ListOf):
        return _places(kind.element)
    return kind.places if isinstance(kind, Number) else 0


def kept_value(value: Value, kind: Type) -> Any:
    """A value as an answer keeps it, from one as callers see it."""
    match value:
        case Unknown():
            return None
        case bool():
            return value
        case tuple() if isinstance(kind, ListOf):
            return tuple(kept_value(part, kind.element) for part in value)
        case int() | Decimal() if isinstance(kind, Number):
            return int(Fraction(value) * 10**kind.places)
        case _:
            return value


def pieces(sentences: Sequence[Sentence], values: Iterable[Any]) -> list[tuple[Said, ...]]:
    """Sentences filled in, in pieces."""
    left = iter(values)
    return [tuple([_piece(part, left) for part in sentence]) for sentence in sentences]


def _piece(part: str | Said | Placeholder, values: Iterator[Any]) -> Said:
    if isinstance(part, str):
        return Said(part)
    if isinstance(part, Said):
        return part
    return Said(words_of(next(values), part), part.sensitive)


def words_of(value: Any, place: Placeholder) -> str:
    """A kept value as it reads inside a sentence."""
    written = place.format
    if value is None:
        return unknown_in(written)
    if isinstance(value, tuple):
        return ", ".join([words_of(part, place) for part in value]) or words_in(written.language).none
    if written.name:
        return in_format(value, place.places, written)
    if isinstance(value, bool):
        return words_in(written.language).true if value else words_in(written.language).false
    return in_words(decimal_of(value, place.places) if place.places else value)


def pattern_of(sentences: Sequence[Sentence]) -> str | None:
    """The text of a reason with `%s` for each value; None where that is not enough to fill it in.

    It is enough for one sentence whose values are all plain. Of several sentences two may become equal when they are filled in.
    """
    parts = [part for sentence in sentences for part in sentence]
    if len(sentences) != 1 or any(isinstance(part, Placeholder) and not part.plain for part in parts):
        return None
    texts = ["%s" if isinstance(part, Placeholder) else text_of(part).replace("%", "%%") for part in parts]
    return "".join(texts)


def text_of(part: str | Said) -> str:
    """The text of constant words."""
    return part if isinstance(part, str) else part.text


def undetermined_text(missing: Sequence[str], causes: Sequence[str]) -> str:
    """Why there is no answer: for want of facts, or where none is missing, for what is not there."""
    return (
        f"This cannot be decided without {', '.join(missing)}."
        if missing
        else f"This cannot be decided: {', '.join(causes)}."
    )


def together(sentences: Iterable[tuple[Said, ...]]) -> Iterator[Said]:
    """The pieces of sentences with blanks between these; of equal sentences only one."""
    for number, sentence in enumerate(dict.fromkeys(sentences)):
        yield from ((Said(" "),) if number else ())
        yield from sentence
