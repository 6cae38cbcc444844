"""Expressions of generated rulesets: a text and its type, and the small ones of which others are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.types import BOOLEAN, ListOf, Number, Record, Text, Type, fits, join, never_equal, number_of


@dataclass(frozen=True)
class Made:
    """An expression and its type."""

    text: str
    type: Type


def names_below(record: Record, prefix: str = "") -> Iterator[Made]:
    """A record's members, and those of the records in it, by their dotted names."""
    for member in record.members:
        name = f"{prefix}{member.name}"
        yield Made(name, member.type)
        if isinstance(member.type, Record):
            yield from names_below(member.type, f"{name}.")


def bracketed(text: str) -> Made:
    return Made(f"({text})", BOOLEAN)


def number_literal(text: str) -> Made:
    kind = number_of(Decimal(text) if "." in text else int(text))
    return Made(f"({text})" if text.startswith("-") else text, kind)


def quoted(word: str) -> Made:
    return Made(f'"{word}"', Text((word,)))


def is_settled(kind: Type) -> bool:
    """Whether a value of the type may stand anywhere: 18 digits are enough."""
    inner = kind.element if isinstance(kind, ListOf) else kind
    return not isinstance(inner, Number) or fits(inner)


def divisor(made: Made) -> Made:
    """A number that is not always zero, which the checker refuses to divide by."""
    assert isinstance(made.type, Number)
    return made if made.type.low or made.type.high else number_literal("3")


def is_whole(kind: Type) -> bool:
    return isinstance(kind, Number) and kind.places == 0


def may_equal(kind: Type, closed: Sequence[str]) -> bool:
    return isinstance(kind, Text) and (kind.values is None or bool(set(kind.values) & set(closed)))


def may_hold(kind: Type, item: Type) -> bool:
    if not (isinstance(kind, ListOf) and isinstance(kind.element, Text)):
        return False
    return never_equal(kind.element, item) is None


def call_of(name: str, parts: Sequence[Made]) -> Made | None:
    kind = FUNCTIONS[name].result(*(part.type for part in parts))
    if kind is None or not is_settled(kind):
        return None
    return Made(f"{name}({', '.join(part.text for part in parts)})", kind)


def list_literal(parts: Sequence[Made]) -> Made | None:
    kind: Type = parts[0].type
    for part in parts:
        joined = join(kind, part.type)
        if joined is None or isinstance(part.type, ListOf):
            return None
        kind = joined
    return Made(f"[{', '.join(part.text for part in parts)}]", ListOf(kind, len(parts))) if is_settled(kind) else None
