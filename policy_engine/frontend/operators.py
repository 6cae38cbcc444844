"""The types of comparisons and arithmetic: what goes together, and how large the result can be."""

from __future__ import annotations

from policy_engine.language.types import (
    Anything,
    Boolean,
    Date,
    Instant,
    Number,
    Ratio,
    Text,
    Type,
    scaled,
)


def comparable(left: Type, right: Type) -> bool:
    """Whether two values can be asked to be equal."""
    if isinstance(left, Anything) or isinstance(right, Anything):
        return True
    if isinstance(left, Number | Ratio):
        return isinstance(right, Number | Ratio)
    return isinstance(left, Boolean | Text | Date | Instant) and type(left) is type(right)


def ordered(kind: Type) -> bool:
    """Whether values of a type have an order."""
    return isinstance(kind, Number | Ratio | Date | Instant | Anything)


def never_equal(left: Type, right: Type) -> tuple[str, tuple[str, ...]] | None:
    """The text that can never be, and the closed set it is not in; None where equality is possible."""
    if not (isinstance(left, Text) and isinstance(right, Text)) or left.values is None or right.values is None:
        return None
    if set(left.values) & set(right.values):
        return None
    single, closed = (left, right) if len(left.values) == 1 else (right, left)
    assert single.values is not None
    assert closed.values is not None
    return ", ".join(single.values), closed.values


def arithmetic(operator: str, left: Number, right: Number) -> Number | Ratio:
    """The type of an arithmetic expression, its bounds by interval arithmetic."""
    match operator:
        case "/":
            return Ratio(left, right)
        case "*":
            ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
            return Number(left.places + right.places, min(ends), max(ends))
        case "//":
            most = max(abs(left.low), abs(left.high)) + 1
            return Number(0, 0 if left.low >= 0 and right.low >= 0 else -most, most)
        case "%":
            return Number(0, min(0, right.low + 1), max(0, right.high - 1))
        case _:
            return _sum(operator, left, right)


def _sum(operator: str, left: Number, right: Number) -> Number:
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    if operator == "+":
        return Number(places, left.low + right.low, left.high + right.high)
    return Number(places, left.low - right.high, left.high - right.low)


def may_be_zero(kind: Type) -> bool:
    """Whether a denominator of this type may be zero."""
    return isinstance(kind, Number) and kind.low <= 0 <= kind.high
