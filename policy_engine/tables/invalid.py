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
    places: dict[tuple[int, ...], int] = {}
    distinct: list[Sequence[Violation]] = []
    told = []
    for row in rows:  # most rows are wrong as others are, and then have the same violations
        place = places.setdefault(tuple(map(id, row.violations)), len(distinct))
        if place == len(distinct):
            distinct.append(row.violations)
        told.append(place)
    keys = pl.Series("key", [row.key for row in rows], dtype=pl.String)
    violations = _lists(distinct).gather(pl.Series(told, dtype=pl.UInt32))
    return pl.DataFrame([pl.Series(ROW, [row.row for row in rows], dtype=pl.UInt32), keys, violations])


def _lists(told: Sequence[Sequence[Violation]]) -> pl.Series:
    """Lists of violations as a column."""
    flat = [(place, *_texts(violation)) for place, violations in enumerate(told) for violation in violations]
    frame = pl.DataFrame(flat, {"place": pl.UInt32(), **VIOLATION.to_schema()}, orient="row")
    lists = frame.select("place", violations=pl.struct(pl.exclude("place"))).group_by("place", maintain_order=True)
    return lists.agg("violations")["violations"]


def _texts(told: Violation) -> tuple[str, ...]:
    value = json.dumps(told.value, ensure_ascii=False, default=str)
    texts = told.pointer, value, told.keyword, told.expected, told.message, told.description
    return tuple(map(whole_text, texts))


def whole_text(text: str) -> str:
    """A text of whole characters: half ones, which no column can hold, are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
