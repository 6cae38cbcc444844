"""Comparing texts in columns."""

from __future__ import annotations

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
