"""How wide the integers become by which tables compare ratios exactly: 38 digits, 127 bits, are what they can hold.

Rounding needs no more: its result has 18 digits at most, and so has a denominator.
"""

from __future__ import annotations

from policy_engine.language.types import Number, Ratio

WIDEST = 2**127 - 1
Bounds = tuple[int, int]
"""The largest absolute values of a numerator and of a denominator, powers of ten included."""


def bound_of(kind: Number) -> int:
    """The largest absolute value of a number, in units."""
    return max(abs(kind.low), abs(kind.high))


def powers_of(kind: Number | Ratio) -> tuple[int, int]:
    """By which powers of ten the units of numerator and denominator are multiplied, so that their quotient is the value."""
    shift = kind.places if isinstance(kind, Number) else kind.numerator.places - kind.denominator.places
    return 10 ** max(0, -shift), 10 ** max(0, shift)


def bounds_of(kind: Number | Ratio) -> Bounds:
    """The bounds of a number or a ratio as a fraction of integers."""
    top, bottom = powers_of(kind)
    if isinstance(kind, Number):
        return bound_of(kind) * top, bottom
    return bound_of(kind.numerator) * top, bound_of(kind.denominator) * bottom


def comparable(left: Number | Ratio, right: Number | Ratio) -> bool:
    """Whether the products of a comparison crosswise always fit."""
    (a, b), (c, d) = bounds_of(left), bounds_of(right)
    return max(a * d, c * b, a, b, c, d) <= WIDEST
