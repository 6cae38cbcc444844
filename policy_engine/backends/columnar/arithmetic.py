"""Exact numbers in columns: integers of units, wider where 64 bits might not be enough.

A ratio is a struct of two integers, its denominator positive; null where the denominator is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from policy_engine.diagnostics import say
from policy_engine.errors import RulesetError
from policy_engine.language.expressions import Node
from policy_engine.language.operators import MIRRORED
from policy_engine.language.types import Number, Ratio
from policy_engine.language.widths import bound_of, comparable, powers_of

UNITS, WIDE = pl.Int64(), pl.Int128()
LARGEST_UNITS = 2**63 - 1
Pair = tuple[pl.Expr, pl.Expr]


def rescaled(expression: pl.Expr, kind: Number, places: int) -> pl.Expr:
    """Units as finer units; wider where they might not fit."""
    factor = 10 ** (places - kind.places)
    if factor == 1:
        return expression
    if bound_of(kind) * factor <= LARGEST_UNITS:
        return expression * pl.lit(factor, dtype=UNITS)
    return expression.cast(WIDE) * pl.lit(factor, dtype=WIDE)


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """A ratio of units, null where one of them is unknown or the denominator is zero."""
    sign = pl.when(denominator < 0).then(-1).otherwise(1)
    both = numerator.is_not_null() & (denominator != 0)
    return pl.when(both).then(pl.struct(n=numerator * sign, d=denominator * sign))


def compared(operator: str, left: tuple[Node, pl.Expr], right: tuple[Node, pl.Expr]) -> pl.Expr:
    """A comparison of numbers or ratios, by cross-multiplication where one is a ratio."""
    first, second = left[0].type, right[0].type
    if isinstance(first, Number) and isinstance(second, Number):
        places = max(first.places, second.places)
        return compare(operator, rescaled(left[1], first, places), rescaled(right[1], second, places))
    assert isinstance(first, Number | Ratio)
    assert isinstance(second, Number | Ratio)
    if not comparable(first, second):
        raise RulesetError([say("too-wide-for-tables", left[0].span)])
    (a, b), (c, d) = fraction_of(first, left[1]), fraction_of(second, right[1])
    return compare(operator, a * d, c * b)


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
    """A comparison of two columns. A constant goes to the right: on the left of a column of nulls Polars returns a single row."""
    if right.meta.root_names() and not left.meta.root_names():
        return COMPARE[MIRRORED[operator]](right, left)
    return COMPARE[operator](left, right)


def fraction_of(kind: Number | Ratio, expression: pl.Expr) -> Pair:
    """A number or a ratio as numerator and denominator, powers of ten included."""
    top, bottom = expression, pl.lit(1, dtype=WIDE)
    if isinstance(kind, Ratio):
        top, bottom = expression.struct.field("n"), expression.struct.field("d")
    above, below = powers_of(kind)
    return top.cast(WIDE) * pl.lit(above, dtype=WIDE), bottom.cast(WIDE) * pl.lit(below, dtype=WIDE)


def rounded(node: Node, expression: pl.Expr, places: int, mode: str) -> pl.Expr:
    """A number or a ratio in units of 10**-places, rounded once from its exact value."""
    assert isinstance(node.type, Number | Ratio)
    top, bottom = fraction_of(node.type, expression)
    top = top * pl.lit(10**places, dtype=WIDE)
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
"""For each mode of `language.rounding` whether a number between two whole ones is rounded away from zero."""


def presented(units: pl.Expr, places: int) -> pl.Expr:
    """Units as an exact decimal; 38 digits so that the division, by a power of ten, loses none."""
    if places == 0:
        return units
    wide = units.cast(pl.Decimal(38, places)) / pl.lit(10**places)
    return wide.cast(pl.Decimal(38, places))
