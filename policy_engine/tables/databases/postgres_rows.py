"""Rows of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.tables.databases.base import JSON, ROWS, DatabaseColumn, said
from policy_engine.tables.databases.places import DatabasePlace

KINDS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "bool": pl.Boolean(),
        **dict.fromkeys(("int2", "int4", "int8"), pl.Int64()),
        "numeric": pl.Decimal(),
        **dict.fromkeys(("float4", "float8"), pl.Float64()),
        **dict.fromkeys(("text", "varchar"), pl.String()),
        "date": pl.Date(),
        "time": pl.Time(),
        "timestamp": pl.Datetime("us"),
        "timestamptz": pl.Datetime("us", "UTC"),
        **dict.fromkeys(("json", "jsonb"), JSON),
    }
)
"""Of the types of PostgreSQL those that can be facts, and those that people take for them."""


@dataclass(slots=True)
class PostgresRows:
    """A connection to PostgreSQL, in one transaction that sees the same rows all along and can change nothing."""

    place: DatabasePlace
    connection: Any

    def columns(self, query: str) -> Mapping[str, DatabaseColumn]:
        """See `Database`."""
        with self._told(), self.connection.cursor("columns") as cursor:
            cursor.execute(query, binary=True)  # which PostgreSQL takes one statement for
            return {column.name: self._column(column) for column in cursor.description}

    def held(self, query: str) -> str:
        """See `Database`."""
        return query

    def write_facts(self, query: str, folder: Path) -> Path:
        """See `Database`: rows as JSON, as PostgreSQL writes them."""
        path = folder / "facts.jsonl"
        with self._told(), self.connection.cursor("facts") as cursor, path.open("wb") as file:
            cursor.itersize = ROWS
            cursor.execute(query, binary=True)
            for (line,) in cursor:
                file.write(line.encode() + b"\n")
        return path

    def frames(self, query: str, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """See `Database`."""
        with self._told(), self.connection.cursor("answers") as cursor:
            cursor.execute(query, binary=True)
            yield schema.to_frame()
            while rows := cursor.fetchmany(ROWS):
                yield pl.DataFrame(list(zip(*rows, strict=True)), schema, orient="col")

    def _column(self, column: Any) -> DatabaseColumn:
        kind = self.connection.adapters.types.get(column.type_code)
        if kind is None:
            return DatabaseColumn(pl.Unknown(), column.type_display)
        is_array = kind.array_oid == column.type_code
        return DatabaseColumn(JSON if is_array else KINDS.get(kind.name, pl.Unknown()), column.type_display)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise `CannotRun` for what PostgreSQL says, or where it says no more."""
        import psycopg  # noqa: PLC0415 - the connection is one of psycopg, so that it is there

        try:
            yield
        except psycopg.Error as error:
            if self.connection.closed:
                raise CannotRun(
                    f"`{self.place.shown}`: the connection was lost ({said(error)}); run it again"
                ) from None
            raise CannotRun(f"`{self.place.shown}`: {said(error)}") from None


@contextmanager
def postgres_rows(place: DatabasePlace) -> Iterator[PostgresRows]:
    """A connection to PostgreSQL; raises `CannotRun`."""
    psycopg = psycopg_of()
    try:
        connection = psycopg.connect(place.address, client_encoding="utf8")
    except psycopg.Error as error:
        raise CannotRun(f"`{place.shown}` cannot be reached: {said(error)}") from None
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SET LOCAL TimeZone TO 'UTC'")
        yield PostgresRows(place, connection)


def psycopg_of() -> Any:
    """The library; raises `CannotRun` where it is missing."""
    try:
        import psycopg  # noqa: PLC0415 - imported on use
    except ModuleNotFoundError:
        raise CannotRun("psycopg is missing: `pip install policy_engine[postgres]`") from None
    return psycopg
