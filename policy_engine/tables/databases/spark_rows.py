"""Rows of Spark, in the session that there is, or one that is started as Spark's own settings say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.tables.databases.arrow_rows import frame_of, write_frames
from policy_engine.tables.databases.base import DatabaseColumn, said
from policy_engine.tables.databases.places import DatabasePlace

PART = "(part)"
"""The number of the partition that a row lies in; partitions of sorted rows are in order."""
MOST = 500_000
"""So many rows are fetched at a time: each time costs a job over all partitions."""
NUMBERS = count()
LOGGER = "SQLQueryContextLogger"


@dataclass(slots=True)
class SparkRows:
    """A session of Spark; `kept` are the frames that it holds for us."""

    place: DatabasePlace
    session: Any
    kept: list[Any] = field(default_factory=list)

    def columns(self, query: str) -> Mapping[str, DatabaseColumn]:
        """See `Database`."""
        with self._told():
            nothing = self.session.sql(f"SELECT * FROM (\n{query}\n) LIMIT 0")  # by itself Spark would run any command
            kinds = {field.name: field.dataType.simpleString() for field in nothing.schema}
            dtypes = frame_of(nothing.toArrow()).schema
            return {name: DatabaseColumn(dtypes[name], kind) for name, kind in kinds.items()}

    def held(self, query: str) -> str:
        """See `Database`: Spark reads tables anew for each query, so the rows are cached."""
        name = f"policy_rows_{next(NUMBERS)}"
        with self._told():
            frame = self.session.sql(query).persist()
            self.kept.append(frame)
            frame.createOrReplaceTempView(name)
        return f"SELECT * FROM {name}"

    def write_facts(self, query: str, folder: Path) -> Path:
        """See `Database`."""
        return write_frames(partial(self._frames, query), folder / "facts.parquet")

    def frames(self, query: str, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """See `Database`."""
        return (frame.cast(schema) for frame in self._frames(query))

    def _frames(self, query: str) -> Iterator[pl.DataFrame]:
        """The rows after a frame without any, some partitions at a time, so that not all of them are here at once."""
        from pyspark.sql import functions  # noqa: PLC0415 - the session is one of Spark, so that it is there

        with self._told():
            frame = self.session.sql(query).withColumn(PART, functions.spark_partition_id()).persist()
            self.kept.append(frame)
            counts = sorted((row[0], row[1]) for row in frame.groupBy(PART).count().collect())
            yield frame_of(frame.limit(0).drop(PART).toArrow())
            for first, last in _together(counts):
                yield frame_of(frame.where(functions.col(PART).between(first, last)).drop(PART).toArrow())

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise `CannotRun` for what Spark says, or where it says no more."""
        lost, failed = _failures()
        try:
            with _quiet():
                yield
        except lost:
            raise CannotRun(f"`{self.place.shown}`: the connection to Spark was lost; run it again") from None
        except failed as error:
            raise CannotRun(f"`{self.place.shown}`: {said(error)}") from None


def _together(counts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The first and the last of partitions that are fetched together: about `MOST` rows, or one partition that has more."""
    group: list[int] = []
    held = 0
    for part, rows in counts:
        if group and held + rows > MOST:
            yield group[0], group[-1]
            group, held = [], 0
        group.append(part)
        held += rows
    if group:
        yield group[0], group[-1]


def _failures() -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """What is raised where Spark does not answer any more, and what else comes from there."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - the session is one of Spark, so that it is there

    try:
        from py4j.protocol import Py4JError, Py4JNetworkError  # noqa: PLC0415 - comes with Spark, but not with its client
    except ModuleNotFoundError:
        return (ConnectionError,), (PySparkException,)
    return (ConnectionError, Py4JNetworkError), (PySparkException, Py4JError)


@contextmanager
def _quiet() -> Iterator[None]:
    """Spark logs each error that it raises, with Java's traceback; here it becomes a sentence."""
    logger = logging.getLogger(LOGGER)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def spark_rows(place: DatabasePlace) -> Iterator[SparkRows]:
    """A session of Spark; raises `CannotRun`."""
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - imported on use
        from pyspark.sql import SparkSession  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        raise CannotRun("PySpark is missing: `pip install policy_engine[spark]`") from None
    try:
        session = SparkSession.builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise CannotRun(f"`{place.shown}`: Spark cannot be started: {said(error)}") from None
    rows = SparkRows(place, session)
    try:
        yield rows
    finally:
        for frame in rows.kept:
            frame.unpersist()
