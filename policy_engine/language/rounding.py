"""Rounding a ratio or a decimal to a number of places, by name of the mode; in integers, so that no context matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from types import MappingProxyType

EXACT = Context(prec=80)
"""Decimals are exact whatever context the caller has set."""

SHORT: int = 10**60
"""A number with fewer digits than this one is exact in that context."""

MODES: Mapping[str, Callable[[int, int, bool], bool]] = MappingProxyType(
    {
        "half_even": lambda whole, rest, negative: rest > 0 or (rest == 0 and whole % 2 == 1),
        "half_up": lambda whole, rest, negative: rest >= 0,
        "half_down": lambda whole, rest, negative: rest > 0,
        "up": lambda whole, rest, negative: True,
        "down": lambda whole, rest, negative: False,
        "ceiling": lambda whole, rest, negative: not negative,
        "floor": lambda whole, rest, negative: negative,
    }
)
"""For a number between two whole ones, whether it goes away from zero.

Asked with the whole part, the rest against one half (below, at or above zero), and whether the number is negative. half_up
sends ties away from zero, up sends everything away from zero, down towards it.
"""


def rounded(value: int | Decimal | Fraction, places: int, mode: str) -> int | Decimal:
    """The number with `places` decimal places, an integer where there are none, rounded once from its exact value."""
    return number_of_units(rounded_units(Fraction(value), places, mode), places)


def rounded_units(value: Fraction | int, places: int, mode: str) -> int:
    """The rounded number in units of 10**-places."""
    exact = Fraction(value) * 10**places
    return rounded_quotient(exact.numerator, exact.denominator, mode)


def rounded_quotient(numerator: int, denominator: int, mode: str) -> int:
    """The quotient, whose denominator is positive, rounded to a whole number."""
    whole, rest = divmod(abs(numerator), denominator)
    if rest and MODES[mode](whole, 2 * rest - denominator, numerator < 0):
        whole += 1
    return -whole if numerator < 0 else whole


def percent_of(rate: int | Decimal, amount: int | Decimal) -> Decimal:
    """So many percent of an amount, exactly, with two places more than both have together."""
    return EXACT.scaleb(product(rate, amount), -2)


def product(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    """The product, exactly; nought has no sign, although decimals have a -0."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    made = EXACT.multiply(left, right)
    return made or abs(made)


def decimal_of(units: int, places: int) -> Decimal:
    """The decimal of so many units of 10**-places, exactly, whatever the context."""
    if -SHORT < units < SHORT:
        return Decimal(units).scaleb(-places, EXACT)
    return Decimal((int(units < 0), tuple(map(int, str(abs(units)))), -places))


def number_of_units(units: int, places: int) -> int | Decimal:
    """The number of so many units of 10**-places, an integer where there are no places."""
    return decimal_of(units, places) if places else units
