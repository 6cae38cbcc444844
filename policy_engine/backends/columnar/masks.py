"""Masks: integers whose bits say which paths of the schema are missing. None is the mask of what is never unknown."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

BITS, FEW = 62, 10
"""Paths in a word; and so many that all their sets can be laid out in a table."""
Mask = tuple[pl.Expr, ...] | None
"""The words of a mask."""
NONE = pl.lit(0)


def joint(masks: Iterable[Mask]) -> Mask:
    """What any of several masks says."""
    found = [mask for mask in masks if mask is not None]
    if not found:
        return None
    result = found[0]
    for mask in found[1:]:
        result = tuple(one | other for one, other in zip(result, mask, strict=True))
    return result


def where(condition: pl.Expr, mask: Mask, otherwise: Mask = None) -> Mask:
    """A mask where a condition holds, else another."""
    if mask is None and otherwise is None:
        return None
    count = len(mask or otherwise or ())
    first, second = mask or (NONE,) * count, otherwise or (NONE,) * count
    return tuple(pl.when(condition).then(one).otherwise(other) for one, other in zip(first, second, strict=True))
