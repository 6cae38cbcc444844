"""Writes tables of accounts, a batch at a time: the same bytes each time, at any size.

python -m benchmarks.tables.files FOLDER [ROWS]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from benchmarks.tables.accounts import KINDS
from benchmarks.tables.draw import Draw
from benchmarks.tables.words import ROW_GROUP

SEED = 20_250_728
ROWS = 10_000_000
ROWS_OF_TEXT = 1_000_000


def scan(kind: str, rows: int, seed: int = SEED) -> pl.LazyFrame:
    """So many accounts of a kind, made when they are collected or sunk."""

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for first in range(0, rows, ROW_GROUP):
            batch = KINDS[kind](Draw(first, min(ROW_GROUP, rows - first), seed))
            chosen = batch if columns is None else batch.select(columns)
            yield chosen if predicate is None else chosen.filter(predicate)

    return register_io_source(batches, schema=KINDS[kind](Draw(0, 1, seed)).schema)


def frame(kind: str, rows: int, seed: int = SEED) -> pl.DataFrame:
    """So many accounts of a kind, in memory."""
    return scan(kind, rows, seed).collect(engine="streaming").rechunk()


def parquet(kind: str, folder: Path, rows: int, row_group: int = ROW_GROUP) -> Path:
    """A Parquet file; one that is there already is taken as it is."""
    path = folder / f"{kind}_{rows}_{row_group}.parquet"
    return path if path.exists() else _written(path, scan(kind, rows), row_group_size=row_group)


def jsonl(kind: str, folder: Path, rows: int) -> Path:
    """A file of JSON Lines."""
    path = folder / f"{kind}_{rows}.jsonl"
    return path if path.exists() else _written(path, scan(kind, rows))


def csv(kind: str, folder: Path, rows: int) -> Path:
    """A CSV file, with nothing between the commas where a fact is absent."""
    path = folder / f"{kind}_{rows}.csv"
    return path if path.exists() else _written(path, scan(kind, rows))


def _written(path: Path, table: pl.LazyFrame, **options: Any) -> Path:
    part = path.with_suffix(".part")
    sinks: dict[str, Any] = {".parquet": table.sink_parquet, ".jsonl": table.sink_ndjson, ".csv": table.sink_csv}
    sinks[path.suffix](part, **options)
    return part.rename(path)


def main(folder: Path, rows: int) -> None:
    """Write a table of each kind, and one of moves as JSON Lines and as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [parquet(kind, folder, rows) for kind in KINDS]
    texts = min(rows, ROWS_OF_TEXT)
    made += [jsonl("account_move_texts", folder, texts), csv("account_move_texts", folder, texts)]
    for path in made:
        sys.stderr.write(f"{path} {path.stat().st_size / 1e6:.0f} MB\n")


if __name__ == "__main__":
    where, *size = islice(sys.argv[1:], 2)
    main(Path(where), int(size[0]) if size else ROWS)
