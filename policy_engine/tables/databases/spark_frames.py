"""Frames of Spark in pieces: what is made of each is a frame of Polars, made on the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl

from policy_engine.tables.databases.arrow_rows import frame_of

Pieces = Callable[[Iterator[pl.DataFrame]], Iterator[pl.DataFrame]]
"""Makes of the pieces of a partition others."""


def empty_frame(table: Any) -> pl.DataFrame:
    """A frame with the columns of one of Spark, and no rows; nothing is worked out for it."""
    from pyspark.sql.pandas.types import to_arrow_schema  # noqa: PLC0415 - the frame is one of Spark, so that it is there

    return frame_of(to_arrow_schema(table.schema, timezone="UTC").empty_table())


def with_pieces(table: Any, pieces: Pieces, made: pl.DataFrame) -> Any:
    """A frame of Spark of what is made of another; `made` has its columns."""
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema  # noqa: PLC0415 - the same

    schema = from_arrow_schema(_in_arrow(made).schema, prefer_timestamp_ntz=True)
    return table.mapInArrow(partial(_batches, pieces, to_arrow_schema(schema, timezone="UTC")), schema)


def _batches(pieces: Pieces, schema: Any, batches: Iterator[Any]) -> Iterator[Any]:
    """The batches of a partition that are made of others; runs on a worker."""
    for piece in pieces(map(frame_of, batches)):
        yield from _in_arrow(piece).cast(schema).to_batches()


def _in_arrow(frame: pl.DataFrame) -> Any:
    """A frame as an Arrow table of types that Spark has: a set of texts is one of texts, and so is a time of day."""
    texts = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Enum | pl.Categorical | pl.Time)]
    return frame.with_columns(pl.col(texts).cast(pl.String)).to_arrow(compat_level=pl.CompatLevel.oldest())
