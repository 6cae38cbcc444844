"""What is asked of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl

ROWS = 50_000
"""So many rows are fetched at a time."""
JSON = pl.Object()
"""Stands for the type of a column that holds JSON."""


class DatabaseColumn(NamedTuple):
    """A column as Polars would have it, and its type as the database calls it."""

    dtype: pl.DataType
    kind: str


class Database(Protocol):
    """A connection. Everything raises `CannotRun` where the database says no, or is not there any more."""

    def columns(self, query: str) -> Mapping[str, DatabaseColumn]:
        """The columns of a query, of which no row is read."""
        ...

    def held(self, query: str) -> str:
        """A query for the same rows, the same each time it is asked until the connection is closed."""
        ...

    def write_facts(self, query: str, folder: Path) -> Path:
        """Write the rows of a query to a file in a folder, in their order: Parquet, or JSON Lines."""
        ...

    def frames(self, query: str, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """The rows of a query in their order, piece by piece, in columns of certain types."""
        ...


def said(error: BaseException) -> str:
    """The first line of what an engine says."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
