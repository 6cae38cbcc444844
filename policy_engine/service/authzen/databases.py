"""Tables of entities in databases, read whole by the client of each, which is imported when it is first needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.service.authzen.permissions import EntityTable


def rows_of(table: EntityTable) -> Any:
    """The rows of a table of a database; raises `CannotRun` where they cannot be read."""
    return _of_duckdb(table) if table.duckdb is not None else _of_postgres(table)


def _of_duckdb(table: EntityTable) -> pl.DataFrame:
    duckdb = _client("duckdb", "duckdb", table)
    if not table.duckdb or not table.duckdb.is_file():
        raise CannotRun(f"{table.span}: there is no file `{table.duckdb}`")
    try:
        with duckdb.connect(str(table.duckdb), read_only=True) as connection:
            return pl.DataFrame(connection.sql(_query(table)))
    except duckdb.Error as error:
        raise _unread(table, f"`{table.duckdb}`", error) from None


def _of_postgres(table: EntityTable) -> pl.DataFrame:
    psycopg = _client("psycopg", "postgres", table)
    try:
        psycopg.conninfo.conninfo_to_dict(table.postgres)
    except psycopg.Error:  # whose message may tell a password
        told = "`postgres` says how to connect: `service=permissions`, or `host=db.example dbname=crm user=reader`"
        raise CannotRun(f"{table.span}: {told}") from None
    try:
        with psycopg.connect(table.postgres, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            cursor = connection.execute(_query(table))
            names = [column.name for column in cursor.description or ()]
            return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
    except psycopg.Error as error:
        raise _unread(table, "the PostgreSQL database", error) from None


CONNECT_SECONDS = 10


def _query(table: EntityTable) -> str:
    return table.query or f"SELECT * FROM {'.'.join(map(_quoted, table.table.split('.')))}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _client(name: str, extra: str, table: EntityTable) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        told = f'this table needs the package `{name}`: pip install "policy_engine[{extra}]"'
        raise CannotRun(f"{table.span}: {told}") from None


def _unread(table: EntityTable, what: str, error: Exception) -> CannotRun:
    """What is said of a database; its message is of one line, and never how to connect to it."""
    why = (str(error).strip() or type(error).__name__).split("\n")[0]
    return CannotRun(f"{table.span}: {what} does not give the rows: {why}")
