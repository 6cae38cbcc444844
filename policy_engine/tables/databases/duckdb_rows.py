"""Rows of a DuckDB database, or of a query that reads files by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.tables.databases.arrow_rows import frame_of, write_frames
from policy_engine.tables.databases.base import ROWS, DatabaseColumn, said
from policy_engine.tables.databases.places import DUCKDB, EXAMPLES, DatabasePlace


@dataclass(slots=True)
class DuckDBRows:
    """A connection to DuckDB, in a transaction, so that all queries see the same rows."""

    place: DatabasePlace
    connection: Any

    def columns(self, query: str) -> Mapping[str, DatabaseColumn]:
        """See `Database`."""
        self._refuse_several(query)
        with self._told():
            relation = self.connection.sql(query)
            dtypes = frame_of(relation.limit(0).to_arrow_table()).schema
            return {
                name: DatabaseColumn(dtypes[name], str(kind))
                for name, kind in zip(relation.columns, relation.types, strict=True)
            }

    def held(self, query: str) -> str:
        """See `Database`."""
        return query

    def write_facts(self, query: str, folder: Path) -> Path:
        """See `Database`."""
        return write_frames(partial(self._frames, query), folder / "facts.parquet")

    def frames(self, query: str, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """See `Database`."""
        return (frame.cast(schema) for frame in self._frames(query))

    def _frames(self, query: str) -> Iterator[pl.DataFrame]:
        """The rows, after a frame without any."""
        with self._told():
            relation = self.connection.sql(query)
            yield frame_of(relation.limit(0).to_arrow_table())
            yield from map(frame_of, relation.to_arrow_reader(ROWS))

    def _refuse_several(self, query: str) -> None:
        """Raise `CannotRun` unless a text is one SELECT: DuckDB would run whatever else stands in it."""
        with self._told():
            import duckdb  # noqa: PLC0415 - the connection is one of DuckDB, so that it is there

            statements = duckdb.extract_statements(query)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise CannotRun(f"`{self.place.shown}`: the query is not one SELECT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise `CannotRun` for what DuckDB says."""
        import duckdb  # noqa: PLC0415 - the same

        try:
            yield
        except duckdb.Error as error:
            raise CannotRun(f"`{self.place.shown}`: {said(error)}") from None


@contextmanager
def duckdb_rows(place: DatabasePlace, folder: Path) -> Iterator[DuckDBRows]:
    """A connection to a DuckDB file, read only; what DuckDB puts aside goes to a folder. Raises `CannotRun`."""
    duckdb = duckdb_of()
    if place.address and not Path(place.address).is_file():
        raise CannotRun(f"there is no file `{shown_text(place.address)}`; a table in one is written {EXAMPLES[DUCKDB]}")
    connect: Callable[[], Any] = partial(
        duckdb.connect,
        place.address or ":memory:",
        read_only=bool(place.address),
        config={"temp_directory": str(folder)},
    )
    try:
        connection = connect()
    except duckdb.Error as error:
        raise CannotRun(f"`{place.shown}` cannot be opened: {said(error)}") from None
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN TRANSACTION")
        yield DuckDBRows(place, connection)
    finally:
        connection.close()


def duckdb_of() -> Any:
    """The library; raises `CannotRun` where it is missing."""
    try:
        import duckdb  # noqa: PLC0415 - imported on use
    except ModuleNotFoundError:
        raise CannotRun("DuckDB is missing: `pip install policy_engine[duckdb]`") from None
    return duckdb
