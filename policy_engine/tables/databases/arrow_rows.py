"""Rows that a database gives as Arrow tables, as frames and in Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.tables.databases.base import ROWS
from policy_engine.tables.source import streamed


def frame_of(table: Any) -> pl.DataFrame:
    """An Arrow table or batch as a frame."""
    return pl.DataFrame(pl.from_arrow(table))


def write_frames(frames: Callable[[], Iterator[pl.DataFrame]], path: Path) -> Path:
    """Write frames of one schema, of which there is at least one, to a Parquet file."""
    waiting = frames()
    first = next(waiting)
    table = streamed(lambda: chain([first], waiting), first.schema)
    table.sink_parquet(path, row_group_size=ROWS, compression_level=1, engine="streaming")
    return path
