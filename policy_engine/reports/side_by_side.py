"""Two tables of rows read side by side, piece by piece, in the order of the rows' numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

ROWS_AT_ONCE = 50_000
"""The rows of a group in the files that are read, so that each is unpacked once."""


class Pieces(NamedTuple):
    """The rows of one stretch of numbers, in both tables."""

    old: pl.DataFrame
    new: pl.DataFrame

    def shared(self) -> Pieces:
        """The rows that both tables have."""
        return Pieces(
            *(mine.filter(is_in(mine, other)) for mine, other in ((self.old, self.new), (self.new, self.old)))
        )

    def only_old(self) -> pl.Series:
        """The numbers of rows that only the old table has."""
        return self.old["row"].filter(~is_in(self.old, self.new))

    def only_new(self) -> pl.Series:
        """The numbers of rows that only the new table has."""
        return self.new["row"].filter(~is_in(self.new, self.old))


def is_in(mine: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    """Of which rows of a frame another has the number."""
    return mine["row"].is_in(other["row"].implode())


def side_by_side(old: Path, new: Path, columns: list[str] | None = None) -> Iterator[Pieces]:
    """The pieces of two Parquet files with the column `row`, which rises; `columns` are those that are wanted."""
    readers = _Reader(old, columns), _Reader(new, columns)
    while ends := [reader.end() for reader in readers if reader.fill()]:
        yield Pieces(*(reader.take(min(ends)) for reader in readers))


class _Reader:
    """Gives the rows of a file up to a number."""

    def __init__(self, path: Path, columns: list[str] | None) -> None:
        table = pl.scan_parquet(path, glob=False)
        self.table = table if columns is None else table.select(columns)
        self.held = self.table.head(0).collect()
        self.at = 0

    def fill(self) -> bool:
        """Have rows at hand, and tell whether there are any."""
        if not self.held.height:
            self.held = self.table.slice(self.at, ROWS_AT_ONCE).collect()
            self.at += self.held.height
        return bool(self.held.height)

    def end(self) -> int:
        """The last number at hand."""
        return int(self.held["row"][-1])

    def take(self, end: int) -> pl.DataFrame:
        """The rows at hand up to a number; they are not given again."""
        upto = self.held["row"].search_sorted(end, "right")
        taken, self.held = self.held.head(upto), self.held.slice(upto)
        return taken
