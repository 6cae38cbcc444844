"""Writing a Parquet file into a database as a new table: whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.tables.databases.base import ROWS, said
from policy_engine.tables.databases.duckdb_rows import duckdb_of
from policy_engine.tables.databases.places import DUCKDB, POSTGRES, DatabasePlace
from policy_engine.tables.databases.postgres_rows import psycopg_of

LONGEST = 63
"""So many bytes PostgreSQL keeps of a name."""
KINDS: Mapping[Any, str] = MappingProxyType(
    {
        pl.Boolean: "BOOLEAN",
        pl.Int64: "BIGINT",
        pl.UInt32: "BIGINT",
        pl.Decimal: "NUMERIC",
        pl.String: "TEXT",
        pl.Enum: "TEXT",
        pl.Date: "DATE",
        pl.Datetime: "TIMESTAMPTZ",
        pl.Time: "TIME",
    }
)


def refuse_no_place(place: DatabasePlace) -> None:
    """Raise `CannotRun` for a place in which no table can be made."""
    if place.query is not None:
        raise CannotRun(f"`{place.shown}` is a query; name a table that is to be made")
    if place.kind not in (POSTGRES, DUCKDB):
        raise CannotRun(
            f"`{place.shown}`: tables of Spark are written by `decide_table`, not by a report; name another"
        )


def write_as_table(file: Path, place: DatabasePlace) -> None:
    """Make a table of the rows of a Parquet file; raises `CannotRun`, also where there is one of that name."""
    if place.kind == POSTGRES:
        _into_postgres(file, place)
    else:
        _into_duckdb(file, place)


def _into_duckdb(file: Path, place: DatabasePlace) -> None:
    duckdb, path = duckdb_of(), Path(place.address)
    is_new = not path.exists()
    try:
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE {_quoted(place)} AS FROM read_parquet(?)", [str(file)])
    except duckdb.Error as error:
        if is_new:
            path.unlink(missing_ok=True)
        raise CannotRun(f"`{place.shown}` cannot be written: {said(error)}") from None


def _into_postgres(file: Path, place: DatabasePlace) -> None:
    table = pl.scan_parquet(file, glob=False)
    schema = table.collect_schema()
    long = next((name for name in schema if len(name.encode()) > LONGEST), None)
    if long is not None:
        raise CannotRun(
            f"`{place.shown}` cannot have the column `{long}`: PostgreSQL cuts names off after {LONGEST} bytes"
        )
    columns = ", ".join(f"{_name(name)} {_kind(dtype)}" for name, dtype in schema.items())
    with _transaction(place) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {_quoted(place)} ({columns})")
        with cursor.copy(f"COPY {_quoted(place)} FROM STDIN") as copied:
            for piece in table.collect_batches(chunk_size=ROWS):
                for row in _cells(piece):
                    copied.write_row(row)


@contextmanager
def _transaction(place: DatabasePlace) -> Iterator[Any]:
    """A connection whose work is kept only if all went well; raises `CannotRun`."""
    psycopg = psycopg_of()
    try:
        with psycopg.connect(place.address, client_encoding="utf8") as connection:
            yield connection
    except psycopg.Error as error:
        raise CannotRun(f"`{place.shown}` cannot be written: {said(error)}") from None


def _cells(piece: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The rows of a piece as PostgreSQL takes them: records as JSON."""
    nested = [place for place, dtype in enumerate(piece.dtypes) if _kind(dtype) == "JSONB"]
    for row in piece.iter_rows():
        yield tuple(_json(cell) if place in nested else cell for place, cell in enumerate(row)) if nested else row


def _json(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell, default=str, ensure_ascii=False)


def _kind(dtype: Any) -> str:
    """The type of PostgreSQL's column; lists of records are JSON too."""
    if isinstance(dtype, pl.List):
        inner = _kind(dtype.inner)
        return inner if inner == "JSONB" else f"{inner}[]"
    return KINDS.get(type(dtype), "JSONB")


def _quoted(place: DatabasePlace) -> str:
    return ".".join(map(_name, place.table))


def _name(name: str) -> str:
    """A name in quotes, whatever is in it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
