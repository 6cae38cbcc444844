"""Exact numbers in columns: integers of units, wider where 64 bits might not be enough.

A ratio is a struct of two integers, its denominator positive; null where the denominator is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from policy_engine.backends.columnar.refusals import Refused
from policy_engine.language.expressions import Node
from policy_engine.language.types import Number, Ratio

UNITS, WIDE = pl.Int64(), pl.Int128()
LARGEST: Mapping[pl.DataType, int] = MappingProxyType({UNITS: 2**63 - 1, WIDE: 2**127 - 1})
Pair = tuple[pl.Expr, pl.Expr]


def rescaled(expression: pl.Expr, kind: Number, places: int) -> pl.Expr:
    """Units as finer units; wider where they might not fit."""
    factor = 10 ** (places - kind.places)
    if factor == 1:
        return expression
    if bound_of(kind) * factor <= LARGEST[UNITS]:
        return expression * factor
    return expression.cast(WIDE) * pl.lit(factor, dtype=WIDE)


def bound_of(kind: Number) -> int:
    """The largest absolute value, in units."""
    return max(abs(kind.low), abs(kind.high))


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """A ratio of units, null where one of them is unknown or the denominator is zero."""
    sign = pl.when(denominator < 0).then(-1).otherwise(1)
    both = numerator.is_not_null() & (denominator != 0)
    return pl.when(both).then(pl.struct(n=numerator * sign, d=denominator * sign))


def compared(operator: str, left: tuple[Node, pl.Expr], right: tuple[Node, pl.Expr]) -> pl.Expr:
    """A comparison of numbers or ratios, by cross-multiplication where one is a ratio."""
    kinds = [left[0].type, right[0].type]
    if not any(isinstance(kind, Ratio) for kind in kinds):
        first, second = kinds
        assert isinstance(first, Number)
        assert isinstance(second, Number)
        places = max(first.places, second.places)
        return compare(operator, rescaled(left[1], first, places), rescaled(right[1], second, places))
    (a, b), (c, d) = fraction_of(*left), fraction_of(*right)
    return compare(operator, _product(left[0], a, d), _product(left[0], c, b))


COMPARE: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = MappingProxyType(
    {
        "==": pl.Expr.__eq__,
        "!=": pl.Expr.__ne__,
        "<": pl.Expr.__lt__,
        "<=": pl.Expr.__le__,
        ">": pl.Expr.__gt__,
        ">=": pl.Expr.__ge__,
    }
)


def compare(operator: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """A comparison of two columns."""
    return COMPARE[operator](left, right)


Scaled = tuple[pl.Expr, int]
"""A wide integer and a bound on its absolute value."""


def fraction_of(node: Node, expression: pl.Expr) -> tuple[Scaled, Scaled]:
    """A number or a ratio as numerator and denominator, powers of ten included."""
    match node.type:
        case Number(places=places) as kind:
            top, shift, bottom, most = expression, places, pl.lit(1, dtype=WIDE), 1
            bound = bound_of(kind)
        case Ratio(numerator=numerator, denominator=denominator):
            top, bottom = expression.struct.field("n"), expression.struct.field("d")
            shift = numerator.places - denominator.places
            bound, most = bound_of(numerator), bound_of(denominator)
        case kind:
            raise TypeError(kind)
    return _times(node, top, bound, 10 ** max(0, -shift)), _times(node, bottom, most, 10 ** max(0, shift))


def _times(node: Node, expression: pl.Expr, bound: int, factor: int) -> Scaled:
    if bound * factor > LARGEST[WIDE]:
        raise Refused(node.span, "the numbers of this ratio may have more digits than columns can hold")
    return expression.cast(WIDE) * pl.lit(factor, dtype=WIDE), bound * factor


def _product(node: Node, left: Scaled, right: Scaled) -> pl.Expr:
    if left[1] * right[1] > LARGEST[WIDE]:
        raise Refused(node.span, "the numbers of this ratio may have more digits than columns can hold")
    return left[0] * right[0]


def rounded(node: Node, expression: pl.Expr, places: int, mode: str) -> pl.Expr:
    """A number or a ratio in units of 10**-places, rounded once from its exact value."""
    (top, bound), (bottom, _) = fraction_of(node, expression)
    top, _ = _times(node, top, bound, 10**places)
    whole, rest = top.abs() // bottom, top.abs() % bottom
    away = MODES[mode](whole, rest * 2 - bottom, top < 0) & (rest != 0)
    size = whole + away.cast(WIDE)
    return pl.when(top < 0).then(size * -1).otherwise(size).cast(UNITS)


MODES: Mapping[str, Callable[[pl.Expr, pl.Expr, pl.Expr], pl.Expr]] = MappingProxyType(
    {
        "half_even": lambda whole, rest, negative: (rest > 0) | ((rest == 0) & (whole % 2 == 1)),
        "half_up": lambda whole, rest, negative: rest >= 0,
        "half_down": lambda whole, rest, negative: rest > 0,
        "up": lambda whole, rest, negative: pl.lit(True),
        "down": lambda whole, rest, negative: pl.lit(False),
        "ceiling": lambda whole, rest, negative: ~negative,
        "floor": lambda whole, rest, negative: negative,
    }
)
"""As `language.rounding` has them: whether a number between two whole ones goes away from zero."""


def presented(units: pl.Expr, places: int) -> pl.Expr:
    """Units as an exact decimal; 38 digits so that the division, by a power of ten, loses none."""
    if places == 0:
        return units
    wide = units.cast(pl.Decimal(38, places)) / pl.lit(10**places)
    return wide.cast(pl.Decimal(38, places))
