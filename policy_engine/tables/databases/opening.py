"""Connecting to the database that a place names, and checking that its columns can be facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.diagnostics import nearest, shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Time, Type
from policy_engine.tables.databases.base import JSON, Database, DatabaseColumn
from policy_engine.tables.databases.duckdb_rows import duckdb_rows
from policy_engine.tables.databases.places import DUCKDB, POSTGRES, DatabasePlace
from policy_engine.tables.databases.postgres_rows import postgres_rows
from policy_engine.tables.databases.spark_rows import spark_rows

Columns = Mapping[str, DatabaseColumn]


@contextmanager
def connected(place: DatabasePlace, folder: Path) -> Iterator[Database]:
    """The database of a place while it is asked; what it puts aside goes to a folder. Raises `CannotRun`."""
    if place.kind == POSTGRES:
        with postgres_rows(place) as database:
            yield database
    elif place.kind == DUCKDB:
        with duckdb_rows(place, folder) as other:
            yield other
    else:
        with spark_rows(place) as third:
            yield third


def refuse_unfit(place: DatabasePlace, columns: Columns, members: Sequence[Member], wanted: Mapping[str, str]) -> None:
    """Raise `CannotRun` for each column whose type cannot hold its fact as queries read it; `wanted` are the types that can."""
    faults = [
        f"`{place.shown}`: the column `{shown_text(member.name)}` is {columns[member.name].kind}, and the fact wants "
        f"{wanted[member.name]}; cast it in a query (`query=`), or in a view"
        for member in members
        if member.name in columns and not _fits(member.type, columns[member.name].dtype, place.kind)
    ]
    if faults:
        raise CannotRun("\n".join(faults))


def _fits(kind: Type, dtype: Any, engine: str) -> bool:
    """Whether values of a column are read as they are: no type is changed into another that loses something."""
    match kind:
        case ListOf() | Record() if dtype == JSON:
            return True
        case ListOf(element=element):
            return isinstance(dtype, pl.List) and _fits(element, dtype.inner, engine)
        case Record(members=members):
            fields = {field.name: field.dtype for field in dtype.fields} if isinstance(dtype, pl.Struct) else {}
            return all(m.name in fields and _fits(m.type, fields[m.name], engine) for m in members)
        case Number():
            return bool(dtype.is_integer() or dtype.is_decimal())
        case Instant():
            return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        case Time() if engine not in (POSTGRES, DUCKDB):
            return isinstance(dtype, pl.String)  # Spark has no type for times of day
    return isinstance(dtype, PLAIN[type(kind)])


PLAIN: Mapping[type, Any] = {Boolean: pl.Boolean, Text: pl.String, Date: pl.Date, Time: pl.Time}


def notes_of(place: DatabasePlace, columns: Columns, members: Sequence[Member]) -> tuple[str, ...]:
    """What to tell of facts that have no column: those that are required, and those to which a column has a name like."""
    known = {member.name for member in members}
    absent = [member for member in members if member.name not in columns]
    near = {nearest(name, [member.name for member in absent]): name for name in columns if name not in known}
    told = [
        f"`{place.shown}`: the column `{shown_text(column)}` is not read; did you mean `{fact}`? Name it so in a query"
        for fact, column in near.items()
        if fact is not None
    ]
    told += [
        f"`{place.shown}`: there is no column for the required fact `{member.name}`"
        for member in absent
        if member.required and member.name not in near
    ]
    return tuple(told)
