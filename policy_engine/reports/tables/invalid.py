"""Rows that are invalid, as a frame: the row's number, its key, and every violation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.errors import Violation

VIOLATION = pl.Struct(dict.fromkeys(("pointer", "value", "keyword", "expected", "message", "description"), pl.String))
SCHEMA = pl.Schema({ROW: pl.UInt32(), "key": pl.String(), "violations": pl.List(VIOLATION)})


class Invalid(NamedTuple):
    """An invalid row: its number, its key as text (None where there is none), and what is wrong with it."""

    row: int
    key: str | None
    violations: Sequence[Violation]


def frame_of(rows: Sequence[Invalid]) -> pl.DataFrame:
    """Invalid rows as a frame of `SCHEMA`; the value of a violation is JSON text."""
    if not rows:
        return SCHEMA.to_frame()
    flat = [(row.row, *_texts(violation)) for row in rows for violation in row.violations]
    told = pl.DataFrame(flat, {ROW: pl.UInt32(), **VIOLATION.to_schema()}, orient="row")
    whole = told.select(ROW, violations=pl.struct(pl.exclude(ROW))).group_by(ROW, maintain_order=True).agg("violations")
    return whole.insert_column(1, pl.Series("key", [row.key for row in rows], dtype=pl.String))


def _texts(told: Violation) -> tuple[str, ...]:
    value = json.dumps(told.value, ensure_ascii=False, default=str)
    return told.pointer, value, told.keyword, told.expected, told.message, told.description


def key_text(value: object) -> str | None:
    """The key of an account as text."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
