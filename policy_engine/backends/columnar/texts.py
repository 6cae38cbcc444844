"""Comparing and looking up texts in columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy_engine.language.types import Text


def is_text(column: pl.Expr, kind: Text, text: str) -> pl.Expr:
    """Whether a column's texts are a certain one.

    Where the texts of a closed set all have other lengths, it is enough to look at the length, which is several times as quick.
    """
    size = len(text.encode())
    others = [value for value in kind.values or () if value != text]
    if kind.values is not None and text in kind.values and all(len(other.encode()) != size for other in others):
        return column.str.len_bytes() == size
    return column == text


def looked_up(column: pl.Expr, table: Mapping[str, Any], kind: pl.DataType) -> pl.Expr:
    """What a table has for each text or word of an enumeration, null for any other.

    Polars' own `replace` would wait for the whole column; this goes on piece by piece.
    """
    place = column.cast(pl.Enum(list(table)), strict=False).to_physical()
    return pl.lit(pl.Series(list(table.values()), dtype=kind)).gather(place)
