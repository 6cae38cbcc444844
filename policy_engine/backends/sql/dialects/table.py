"""The table of SQL dialects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.dialects.columns import Columns, DuckDBColumns, SparkColumns
from policy_engine.backends.sql.dialects.duckdb import DuckDB
from policy_engine.backends.sql.dialects.postgres import Postgres
from policy_engine.backends.sql.dialects.postgres_columns import PostgresColumns
from policy_engine.backends.sql.dialects.spark import Spark

DIALECTS: Mapping[str, Dialect] = MappingProxyType({each.name: each for each in (DuckDB(), Postgres(), Spark())})
COLUMNS: Mapping[str, Columns] = MappingProxyType(
    {
        "duckdb": DuckDBColumns(DIALECTS["duckdb"]),
        "postgres": PostgresColumns(DIALECTS["postgres"]),
        "spark": SparkColumns(DIALECTS["spark"]),
    }
)
