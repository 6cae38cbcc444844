"""The same facts as a Parquet file, a table of DuckDB and a table of PostgreSQL, in the column types that queries read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import polars as pl
import psycopg

from policy_engine.backends.sql.dialects.postgres import Postgres
from policy_engine.language.rulesets import Ruleset
from tests.support import postgres
from tests.support.conformance import json_text
from tests.support.sql_tables import ROW, arrow_table

Facts = Sequence[Mapping[str, Any]]
POSTGRES, DUCKDB = "postgres", "duckdb"


def in_order_of_keys(ruleset: Ruleset, facts: Facts) -> Facts:
    """Facts in the order in which rows of databases are read."""
    key = next(member.name for member in ruleset.facts.type.members if member.key)
    return sorted(facts, key=lambda each: str(each[key]))


def parquet_file(ruleset: Ruleset, facts: Facts, path: Path) -> str:
    """The name of a Parquet file with facts."""
    pl.DataFrame(pl.from_arrow(arrow_table(ruleset, facts).drop_columns([ROW]))).write_parquet(path)
    return str(path)


def table_of(engine: str, ruleset: Ruleset, facts: Facts, folder: Path) -> str:
    """The name of a table with facts in a database."""
    return _in_duckdb(ruleset, facts, folder) if engine == DUCKDB else _in_postgres(ruleset, facts)


def _in_duckdb(ruleset: Ruleset, facts: Facts, folder: Path) -> str:
    file = folder / "accounts.db"
    with duckdb.connect(str(file)) as connection:
        connection.register("given", arrow_table(ruleset, facts).drop_columns([ROW]))
        connection.execute("CREATE OR REPLACE TABLE accounts AS FROM given")
    return f"duckdb:{file}/accounts"


def _in_postgres(ruleset: Ruleset, facts: Facts) -> str:
    members = ruleset.facts.type.members
    columns = ", ".join(f'"{member.name}" {Postgres().column_kind(member.type)}' for member in members)
    execute(f"CREATE SCHEMA IF NOT EXISTS report; DROP TABLE IF EXISTS report.{ruleset.id}")
    execute(f"CREATE TABLE report.{ruleset.id} ({columns})")
    postgres.connection().execute(
        f"INSERT INTO report.{ruleset.id} SELECT * FROM json_populate_recordset(NULL::report.{ruleset.id}, %s)",
        [json_text(list(facts))],
    )
    return in_server(f"report.{ruleset.id}")


def execute(command: str) -> None:
    """Run commands in the server."""
    postgres.connection().execute(command)


def in_server(table: str = "", query: str = "", user: str = postgres.USER) -> str:
    """The name of a table, or of a query, in the server."""
    info: psycopg.ConnectionInfo = postgres.connection().info
    path = f"/{quote(table)}" if table else ""
    asked = f"&query={query}" if query else ""
    return f"postgresql://{user}@/{info.dbname}{path}?host={info.host}{asked}"
