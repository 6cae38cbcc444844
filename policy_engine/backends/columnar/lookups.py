"""Look-ups in columns: the number of the row that each account finds, by searches in sorted numbers, and its cell.

Each key narrows what was found by those before it to a *group* of rows. The groups of one key are sorted by the group before and
the place of the key's value, taken together as one number, in which a binary search finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import dtype_of
from policy_engine.backends.lookup_cells import cells_in_units, otherwise_in_units
from policy_engine.language import expressions as tree
from policy_engine.language.lookup_indexes import Index, Pieces, index_in_units
from policy_engine.language.types import Boolean, Text, Type

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions

WHOLE = pl.Int64()


class Step(NamedTuple):
    """What one key does: the values that have places, in order, and the groups it leads to.

    `codes` are sorted: the group before times `width`, and the place of the value. `groups` are where they lead, null for none.
    """

    values: list[Any]
    width: int
    codes: pl.Series
    groups: pl.Series
    ranged: bool


def value(to: Expressions, node: tree.Lookup) -> pl.Expr:
    """The cell of the row that the keys find, or that of `otherwise`."""
    kind = dtype_of(node.type)
    other = pl.lit(otherwise_in_units(node), dtype=kind)
    index = index_in_units(node.table, [key.type for key in node.keys])
    if not index.groups:
        return _where_known(to, node, other)
    found = pl.lit(pl.Series(cells_in_units(node), dtype=kind)).gather(_row(to, node, index))
    if node.table.otherwise is None:
        return found
    return pl.coalesce(to.kept(found, "cell"), _where_known(to, node, other))


def _where_known(to: Expressions, node: tree.Lookup, value: pl.Expr) -> pl.Expr:
    """A value where all keys are known."""
    unsure = [to.named(key).is_not_null() for key in node.keys if key.optional]
    return pl.when(pl.all_horizontal(unsure)).then(value) if unsure else value


def _row(to: Expressions, node: tree.Lookup, index: Index) -> pl.Expr:
    """The number of the row, null where none is found or a key is unknown; computed once for all columns of the table."""
    keys = [to.named(key, "key") for key in node.keys]
    exact = [at for at, key in enumerate(node.table.keys) if not key.ranged]
    ranged = [at for at, key in enumerate(node.table.keys) if key.ranged]

    def compute() -> pl.Expr:
        group = pl.lit(0, dtype=WHOLE)
        for step, at in zip(_steps(index, len(exact), len(ranged)), [*exact, *ranged], strict=True):
            group = to.kept(_narrowed(group, step, keys[at], node.keys[at].type), "group")
        return group

    return to.once("row", str(id(node.table)), *(key.meta.output_name() for key in keys), compute=compute)


def _narrowed(group: pl.Expr, step: Step, key: pl.Expr, kind: Type) -> pl.Expr:
    """The group that a key's value leads to from the group before."""
    code = group * step.width + _place(step, key, kind)
    last = len(step.codes) - 1
    if step.ranged:
        at = pl.lit(step.codes).search_sorted(code, side="right").cast(WHOLE) - 1
        return pl.when(code.is_not_null()).then(pl.lit(step.groups).gather(at.clip(0, last)))
    at = pl.lit(step.codes).search_sorted(code, side="left").cast(WHOLE).clip(0, last)
    return pl.when(pl.lit(step.codes).gather(at) == code).then(pl.lit(step.groups).gather(at))


def _place(step: Step, key: pl.Expr, kind: Type) -> pl.Expr:
    """The place of a value among those that have places; of a range key how many ends are not above it."""
    if isinstance(kind, Text):
        return key.cast(pl.Enum(step.values), strict=False).to_physical().cast(WHOLE)
    if not step.values:
        return pl.when(key.is_not_null()).then(pl.lit(0, dtype=WHOLE))
    values = pl.Series(step.values, dtype=dtype_of(kind))
    if isinstance(kind, Boolean):
        key, values = key.cast(pl.Int8), values.cast(pl.Int8)
    if step.ranged:
        return pl.when(key.is_not_null()).then(pl.lit(values).search_sorted(key, side="right").cast(WHOLE))
    at = pl.lit(values).search_sorted(key, side="left").cast(WHOLE).clip(0, len(values) - 1)
    return pl.when(pl.lit(values).gather(at) == key).then(at)


def _steps(index: Index, exact: int, ranged: int) -> list[Step]:
    """The steps of so many exact keys, then those of so many ranges; the last leads to the numbers of rows."""
    branches: list[Any] = list(index.groups.values())
    groups, steps = [0] * len(branches), []
    for at in range(exact):
        held = [key[at] for key in index.groups]
        values: list[Any] = sorted(set(held))
        places = {value: place for place, value in enumerate(values)}
        codes = [group * len(values) + places[value] for group, value in zip(groups, held, strict=True)]
        ranks = {code: rank for rank, code in enumerate(sorted(set(codes)))}
        groups = [ranks[code] for code in codes]
        led = branches if at == exact - 1 and not ranged else groups
        steps.append(_step(values, len(values), zip(codes, led, strict=True), ranged=False))
    pieces = [branch for _, branch in sorted(zip(groups, branches, strict=True), key=lambda pair: pair[0])]
    for at in range(ranged):
        step, pieces = _of_ranges(pieces, is_last=at == ranged - 1)
        steps.append(step)
    return steps


def _of_ranges(groups: Sequence[Pieces], *, is_last: bool) -> tuple[Step, list[Pieces]]:
    """The step of a range key from the pieces of each group, and the pieces of the groups that it leads to."""
    values = sorted({start for pieces in groups for start in pieces.starts})
    places = {value: place + 1 for place, value in enumerate(values)}
    width = len(values) + 1
    pairs: list[tuple[int, int | None]] = []
    below: list[Any] = []
    for group, pieces in enumerate(groups):
        for place, part in zip([0, *(places[start] for start in pieces.starts)], pieces.parts, strict=True):
            led = part if is_last or part is None else len(below)
            below += [] if is_last or part is None else [part]
            pairs.append((group * width + place, led))  # type: ignore[arg-type]  # the last part is the number of a row
    return _step(values, width, pairs, ranged=True), below


def _step(values: list[Any], width: int, pairs: Iterable[tuple[int, int | None]], *, ranged: bool) -> Step:
    """A step; of equal codes the last counts, since the pieces of the others are empty."""
    ordered = sorted(pairs, key=lambda pair: pair[0])
    codes = pl.Series([code for code, _ in ordered], dtype=WHOLE)
    return Step(values, width, codes, pl.Series([led for _, led in ordered], dtype=WHOLE), ranged)
