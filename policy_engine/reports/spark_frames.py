"""Deciding a frame of Spark: its partitions are decided where they are, when somebody asks for a result.

What runs there is what decides a frame of Polars, so it says the same; this package has to be installed there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl

from policy_engine.reports.frames import DecidedTable, Question
from policy_engine.tables.databases.spark_frames import empty_frame, with_pieces

ROW = "row"


def decide_spark_frame(table: Any, question: Question) -> DecidedTable[Any]:
    """Decide a frame of Spark, whose columns stand before the results; raises `PolicyError`s for what its columns tell."""
    nothing = empty_frame(table)
    found = question.decided(question.job(nothing, question.program()))
    results = {
        part: with_pieces(table, partial(_pieces, question, part), _beside(nothing, getattr(found, part)))
        for part in ("decisions", "invalid")
    }
    return DecidedTable(**results, notes=found.notes)


def _pieces(question: Question, part: str, pieces: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The decisions about the valid rows of the pieces of a partition, or their invalid rows."""
    program = question.program()
    for piece in pieces:
        yield _beside(piece, getattr(question.decided(question.job(piece, program)), part))


def _beside(piece: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """What was found of rows, each beside the row."""
    rows = piece[found[ROW].cast(pl.Int64) - 1]
    return rows.hstack(found.drop(ROW, *(name for name in found.columns if name in piece.columns), strict=False))
