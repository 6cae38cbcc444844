"""Numbers in whole units, and ratios as pairs of them (sentences 9 and 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from policy_engine.backends.sql.build import FALSE, TRUE, Sql, choose, literal, nonzero, tight
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.language.types import LIMIT, Number, Ratio
from policy_engine.language.widths import bound_of, bounds_of, powers_of

Kind = Number | Ratio


class Fraction(NamedTuple):
    """A number as numerator and denominator in the widest type; the denominator is positive."""

    top: Sql
    bottom: Sql


def rescaled(to: Dialect, value: Sql, kind: Number, places: int) -> Sql:
    """Units as finer units; in the widest type where they might have more than 18 digits."""
    factor = 10 ** (places - kind.places)
    if factor == 1:
        return value
    if is_wide(kind, places):
        return to.widened(value) * to.widened(literal(factor))
    return value * literal(factor)


def is_wide(kind: Number, places: int) -> bool:
    """Whether numbers might have more than 18 digits in finer units."""
    factor: int = 10 ** (places - kind.places)
    return bound_of(kind) * factor > LIMIT


def modulo(value: Sql, divisor: Sql) -> Sql:
    """The remainder that has the sign of the divisor; unknown where that is zero."""
    divisor = nonzero(divisor)
    return (value.remainder(divisor) + divisor).remainder(divisor)


def floored(to: Dialect, value: Sql, divisor: Sql) -> Sql:
    """Division towards minus infinity; unknown where the divisor is zero."""
    return to.quotient(tight(value - modulo(value, divisor)), nonzero(divisor))


def fraction_of(to: Dialect, kind: Kind, value: Sql) -> Fraction:
    """A number or a ratio as a fraction, powers of ten included."""
    above, below = (to.widened(literal(power)) for power in powers_of(kind))
    if isinstance(kind, Number):
        return Fraction(to.widened(value) * above, below)
    return Fraction(to.widened(to.item(value, 1)) * above, to.widened(to.item(value, 2)) * below)


def fits(to: Dialect, *kinds: Kind) -> bool:
    """Whether two numbers can be compared crosswise in the widest type."""
    if to.widest is None:
        return True
    (a, b), (c, d) = (bounds_of(kind) for kind in kinds)
    return max(a * d, c * b, a, b, c, d) <= to.widest


def roundable(to: Dialect, kind: Kind, places: int) -> bool:
    """Whether a number can be rounded in the widest type."""
    top, bottom = bounds_of(kind)
    return to.widest is None or max(top * 10**places, 2 * bottom) <= to.widest


def rounded(to: Dialect, kept: Callable[[Sql], Sql], kind: Kind, value: Sql, places: int, mode: str) -> Sql:
    """A number in units of 10**-places, rounded once from its exact value."""
    top, bottom = fraction_of(to, kind, value)
    top, bottom = kept(top * to.widened(literal(10**places))), kept(bottom)
    negative = top < 0
    size = kept(choose([(negative, -top)], top))
    rest = kept(size.remainder(bottom))
    whole = kept(to.wide_quotient(tight(size - rest), bottom))
    away = MODES[mode](whole, kept(rest * 2 - bottom), negative) & rest.compared("!=", 0)
    grown = kept(choose([(away, whole + 1)], whole))
    return choose([(negative, -grown)], grown).cast("BIGINT")


MODES: Mapping[str, Callable[[Sql, Sql, Sql], Sql]] = MappingProxyType(
    {
        "half_even": lambda whole, rest, negative: (rest > 0) | (rest.equals(0) & whole.remainder(2).equals(1)),
        "half_up": lambda whole, rest, negative: rest >= 0,
        "half_down": lambda whole, rest, negative: rest > 0,
        "up": lambda whole, rest, negative: TRUE,
        "down": lambda whole, rest, negative: FALSE,
        "ceiling": lambda whole, rest, negative: ~negative,
        "floor": lambda whole, rest, negative: negative,
    }
)
"""For each mode of `language.rounding` whether a number between two whole ones is rounded away from zero."""
