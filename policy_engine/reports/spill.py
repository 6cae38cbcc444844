"""Invalid rows on their way into a file of their own: they come piece by piece, and are written in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.tables.invalid import SCHEMA

MOST_HELD = 100_000
"""So many rows are kept in memory; what comes after them waits on the disk."""


@dataclass(frozen=True, slots=True)
class Part:
    """Invalid rows of one piece, in memory or in a file: the numbers of the first and the last, and where they are."""

    first: int
    last: int
    rows: pl.DataFrame | Path

    def read(self) -> pl.DataFrame:
        """The rows."""
        return pl.read_parquet(self.rows, glob=False) if isinstance(self.rows, Path) else self.rows


@dataclass(slots=True)
class Spill:
    """Takes invalid rows (`invalid.SCHEMA`) of pieces from several threads; `folder` is there for those that wait on the disk."""

    folder: Path
    parts: list[Part] = field(default_factory=list)
    held: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rows: pl.DataFrame) -> None:
        """The invalid rows of a piece, in the order of their numbers."""
        if not rows.height:
            return
        first, last = rows[ROW][0], rows[ROW][-1]
        with self.lock:
            waits = self.held >= MOST_HELD
            self.held += 0 if waits else rows.height
            path = self.folder / f"{len(self.parts)}.parquet"
            part = Part(first, last, path if waits else rows)
            self.parts.append(part)
        if waits:
            self.folder.mkdir(exist_ok=True)
            rows.write_parquet(path)

    def frames(self) -> Iterator[pl.DataFrame]:
        """All rows in the order of their numbers, piece by piece; what comes from one stretch of the table is put together."""
        yield SCHEMA.to_frame()
        together: list[Part] = []
        for part in sorted(self.parts, key=lambda part: part.first):
            if together and part.first > max(one.last for one in together):
                yield _merged(together)
                together = []
            together.append(part)
        if together:
            yield _merged(together)


def _merged(parts: list[Part]) -> pl.DataFrame:
    return pl.concat([part.read() for part in parts]).sort(ROW)
