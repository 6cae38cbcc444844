"""Validation of facts in columns of any type: each column becomes canonical, and each row is accepted or rejected.

What is built here are Polars expressions, once for a schema and the types of the columns. An accepted row is valid by its JSON
Schema. A rejected one need not be invalid: `tables/row_validation.py` looks at it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.columns import Column, column, together
from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.openings import Level, levels_of, record_column
from policy_engine.backends.columnar.plan import at_once
from policy_engine.backends.parts import Part, part_of
from policy_engine.language.rulesets import FactsSchema

FITS, UNKNOWN = "(fits)", "(unknown)"
RAW = "(raw) "
"""Begins the name of a raw column beside the canonical ones."""
Schema = tuple[tuple[str, pl.DataType], ...]


class Fitted(NamedTuple):
    """A canonical frame, and for each of its rows whether it surely is valid."""

    frame: pl.DataFrame
    fits: pl.Series


@dataclass(frozen=True, slots=True)
class ColumnValidation:
    """How columns of certain types are read and validated: an expression for each fact.

    `names` are the raw columns, of which `same` are canonical already. `fits` is a condition for each fact by itself and for the
    columns that the schema does not have (`UNKNOWN`), none of them ever null; that required facts are there is asked apart.
    """

    part: Part
    names: tuple[str, ...]
    same: frozenset[str]
    canonical: tuple[pl.Expr, ...]
    fits: Mapping[str, pl.Expr]
    present: Mapping[str, pl.Expr]
    levels: tuple[Level, ...] = ()
    """Columns that are added before, each level from the one before it."""

    def reading(self, columns: Mapping[str, Column], added: Level = ()) -> ColumnValidation:
        """The same plan with some facts read in another way from the columns of their names, or from those that are added."""
        canonical = zip(self.part.members, self.canonical, strict=True)
        return replace(
            self,
            same=self.same.difference(columns) | {name for name, read in columns.items() if read.same},
            canonical=tuple(columns[name].value.alias(name) if name in columns else own for name, own in canonical),
            fits={**self.fits, **{name: together(read.conditions) for name, read in columns.items()}},
            levels=(added, *self.levels) if added else self.levels,
        )

    def opened(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """The raw columns, and those that large records are taken apart into."""
        for level in self.levels:
            raw = raw.with_columns(level)
        return raw

    def validated(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Canonical columns, whether each row surely is valid (`FITS`), and what is needed to have the `raw` columns again."""
        every = pl.all_horizontal([*self.fits.values(), *self.present.values()] or [pl.lit(value=True)])
        kept = [pl.col(name).alias(RAW + name) for name in self.names if name not in self.same]
        return self.opened(raw).select(pl.col(ROW), *self.canonical, every.alias(FITS), *kept)

    def raw(self, validated: pl.DataFrame) -> pl.DataFrame:
        """The columns from which a validated frame was made."""
        return validated.select(
            ROW, *(pl.col(name if name in self.same else RAW + name).alias(name) for name in self.names)
        )

    def fitted(self, raw: pl.DataFrame) -> Fitted:
        """The canonical frame and whether each row surely is valid."""
        made = at_once(self.validated(raw.lazy()).select(ROW, *self.part.members, FITS))
        return Fitted(made.drop(FITS), made[FITS])

    def flags(self, frame: pl.DataFrame) -> pl.DataFrame:
        """For each fact, and for `UNKNOWN`, whether it surely is as it should be where it is there."""
        return at_once(self.opened(frame.lazy()).select(ROW, *(fits.alias(name) for name, fits in self.fits.items())))


def fitted(frame: pl.DataFrame, facts: FactsSchema) -> Fitted:
    """A frame with the column `ROW` and facts in columns of any types as canonical columns, and which rows surely are valid."""
    return column_validation(facts, frame.schema).fitted(frame)


def column_validation(
    facts: FactsSchema, schema: Mapping[str, pl.DataType], *, in_units: bool = False
) -> ColumnValidation:
    """The plan for columns of certain types; `in_units` where numbers are integers of their type's units already."""
    return _validation(facts, tuple(schema.items()), in_units)


@lru_cache(maxsize=64)
def _validation(facts: FactsSchema, schema: Schema, in_units: bool) -> ColumnValidation:
    dtypes = {name: dtype for name, dtype in schema if name != ROW}
    part = part_of(facts)
    columns = {
        name: column(member, dtypes[name], record_column(name, member, dtypes[name]), in_units=in_units)
        for name, member in part.members.items()
        if name in dtypes
    }
    return replace(validation_of_columns(part, columns, tuple(dtypes)), levels=levels_of(part, dtypes))


def validation_of_columns(part: Part, columns: Mapping[str, Column], names: tuple[str, ...]) -> ColumnValidation:
    """The plan of facts already read, each from its column; those that have none are absent. `names` are all raw columns."""
    absent = {name: Column.absent(member) for name, member in part.members.items() if name not in columns}
    every = {**columns, **absent}
    nothing_else = together([pl.col(name).is_null() for name in names if name not in part.members])
    return ColumnValidation(
        part,
        names,
        frozenset(name for name, read in columns.items() if read.same),
        tuple(every[name].value.alias(name) for name in part.members),
        {
            **{name: together(read.conditions) for name, read in columns.items() if read.conditions},
            UNKNOWN: nothing_else,
        },
        {name: every[name].raw.is_not_null() for name in part.required},
    )
