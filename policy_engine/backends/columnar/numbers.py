"""Numbers of any column type as integers of their units (cents, say); a number that is not exactly so many is not read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import polars as pl

from policy_engine.backends.parts import Part
from policy_engine.language.types import Number

LARGEST = 2**63 - 1
SURE = 1e15
"""Below so many units only one decimal of that many places is near a binary float: its shortest form."""
Conditions = list[pl.Expr]
"""What must hold; a condition is null only where there is no fact."""


def units(kind: Number, dtype: pl.DataType, value: pl.Expr) -> tuple[pl.Expr, Conditions]:
    """A column's numbers as Int64 units of the type, and what must hold for that to be exact.

    A type of fewer than no places has units of tens, hundreds and so on.
    """
    if isinstance(dtype, pl.Float32):
        value = value.cast(pl.String).cast(pl.Float64)  # a float stands for its own shortest form
    if dtype.is_float() and kind.places < 0:
        whole, exact = _of_floats(replace(kind, places=0), value)
        value, shifted = _shifted(kind, whole, kind.places)
        return value, [*exact, *shifted]
    if dtype.is_float():
        return _of_floats(kind, value)
    if isinstance(dtype, pl.Decimal):
        return _shifted(kind, value.to_physical(), kind.places - dtype.scale)
    return _shifted(kind, value, kind.places)


def _of_floats(kind: Number, value: pl.Expr) -> tuple[pl.Expr, Conditions]:
    factor = 10.0**kind.places
    scaled = (value * factor).round()
    factors = scaled * 0 + factor  # as a column: by a number Polars divides as if by its inverse, which is not exact
    sure = (scaled.abs() < SURE) & (scaled / factors == value)
    return pl.when(sure).then(scaled).cast(pl.Int64, strict=False), [sure]


def _shifted(kind: Number, value: pl.Expr, places: int) -> tuple[pl.Expr, Conditions]:
    """Whole numbers times a power of ten, a negative one too; nothing overflows within the type's bounds."""
    low, high = kind.low, kind.high
    whole: Conditions = []
    if places < 0:
        finer = pl.lit(10**-places, dtype=pl.Int128)
        whole, value = [value % finer == 0], value // finer
    wide = value.cast(pl.Int64, strict=False)
    fits = wide.is_null() == value.is_null()
    if places <= 0:
        return wide, [*whole, fits]
    factor = 10**places
    within = wide.is_between(ceil(Fraction(low, factor)), floor(Fraction(high, factor)))
    return pl.when(within).then(wide * factor), [fits, within]


def number_conditions(part: Part, made: pl.Expr) -> Conditions:
    """What a schema asks of a number, of its units."""
    assert isinstance(part.type, Number)
    places = part.type.places
    found = [made >= low for low in _bounds(part, "minimum", "exclusiveMinimum", up=True)]
    found += [made <= high for high in _bounds(part, "maximum", "exclusiveMaximum", up=False)]
    if "multipleOf" in part.schema:
        found.extend(_multiple(_scaled(part.schema["multipleOf"], places), made))
    for closed in _closed_sets(part):
        exact = [_scaled(value, places) for value in closed]
        found.append(made.is_in([int(value) for value in exact if value.denominator == 1 and abs(value) <= LARGEST]))
    return found


def _bounds(part: Part, plain: str, exclusive: str, *, up: bool) -> list[int]:
    """The bounds as units that are themselves allowed."""
    assert isinstance(part.type, Number)
    places, step = part.type.places, 1 if up else -1
    found = []
    if plain in part.schema:
        bound = _scaled(part.schema[plain], places)
        found.append(ceil(bound) if up else floor(bound))
    if exclusive in part.schema:
        bound = _scaled(part.schema[exclusive], places)
        found.append((floor(bound) if up else ceil(bound)) + step)
    return [min(max(bound, -LARGEST), LARGEST) for bound in found]


def _multiple(step: Fraction, made: pl.Expr) -> Conditions:
    """Units are a multiple of a/b, in lowest terms, where they are one of a."""
    if step.numerator == 1:
        return []
    return [made % step.numerator == 0] if step.numerator <= LARGEST else [made == 0]


def _closed_sets(part: Part) -> list[list[Any]]:
    listed = [part.schema["enum"]] if "enum" in part.schema else []
    return [*listed, [part.schema["const"]]] if "const" in part.schema else listed


def _scaled(value: Any, places: int) -> Fraction:
    return Fraction(value) * Fraction(10**places)
