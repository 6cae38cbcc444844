"""Look-up tables: their rows are joined as constants; for the elements of lists they are nested conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_engine.backends.lookup_cells import cells_in_units, otherwise_in_units
from policy_engine.backends.sql.build import FALSE, Sql, all_of, choose, where
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.language import expressions as tree
from policy_engine.language.lookup_tables import Key, Range, TableRow
from policy_engine.language.specialize import in_units
from policy_engine.language.types import Type

if TYPE_CHECKING:
    from policy_engine.backends.sql.expressions import Expressions

MOST_CONDITIONS = 500
"""Up to so many rows are asked for one after the other where no join is possible."""


def value(to: Expressions, node: tree.Lookup) -> Sql:
    """The cell of the row that the keys find, or that of `otherwise`."""
    keys = [to.argument(key, to.finest(key.type, at.type)) for key, at in zip(node.keys, node.table.keys, strict=True)]
    other = otherwise_in_units(node)
    last = to.dialect.nothing(node.type) if other is None else to.constant_in_units(other, node.type)
    if not node.table.rows:
        return _where_known(node, keys, last)
    inside = any(key.variables for key in keys)
    found = _asked(to, node, keys) if inside else _joined(to, node, keys)
    if other is None:
        return found
    return choose([(found.is_known(), found)], _where_known(node, keys, last))


def _where_known(node: tree.Lookup, keys: Sequence[Sql], value_: Sql) -> Sql:
    unsure = [key.is_known() for key, each in zip(keys, node.keys, strict=True) if each.optional]
    return where(all_of(unsure), value_) if unsure else value_


def _bounds(key: Key, written: Any, kind: Type) -> tuple[Any, Any]:
    """The value of a key in units, or the two ends of its range, None where it is open."""
    if key.ranged:
        assert isinstance(written, Range)
        return tuple(None if end is None else in_units(end, kind) for end in written)  # type: ignore[return-value]
    return in_units(written, kind), None


def _holds(key: Key, asked: Sql, start: Sql, below: Sql, *, may_be_open: bool) -> Sql:
    """Whether a key lies where a row wants it."""
    if not key.ranged:
        return asked.equals(start)
    low, high = asked >= start, asked < below
    if may_be_open:
        low, high = start.is_unknown() | low, below.is_unknown() | high
    return low & high


def _asked(to: Expressions, node: tree.Lookup, keys: Sequence[Sql]) -> Sql:
    """The cell by conditions, one row after the other."""
    if len(node.table.rows) > MOST_CONDITIONS:
        raise refused(Refusal.LARGE_TABLE, to.dialect.title, node)
    branches = []
    for row, cell in zip(node.table.rows, cells_in_units(node), strict=True):
        held = [_row_holds(to, *each) for each in zip(node.table.keys, keys, row.keys, _kinds(to, node), strict=True)]
        branches.append((all_of(held), to.constant_in_units(cell, node.type)))
    return choose(branches)


def _row_holds(to: Expressions, key: Key, asked: Sql, written: Any, kind: Type) -> Sql:
    start, below = _bounds(key, written, kind)
    if not key.ranged:
        return asked.equals(to.constant_in_units(start, kind))
    ends = [asked >= to.constant_in_units(start, kind)] if start is not None else [asked.is_known()]
    return all_of(ends + ([asked < to.constant_in_units(below, kind)] if below is not None else []))


def _kinds(to: Expressions, node: tree.Lookup) -> list[Type]:
    return [to.finest(asked.type, key.type) for asked, key in zip(node.keys, node.table.keys, strict=True)]


def _joined(to: Expressions, node: tree.Lookup, keys: Sequence[Sql]) -> Sql:
    """The cell by a join, which all columns of a table share that are asked for by the same keys."""
    asked = [to.kept(key, "key") for key in keys]
    at = f"column_{node.table.place_of(node.column) + 1}"
    place = (id(node.table), *(key.node for key in asked))
    if place not in to.joined:
        to.joined[place] = _join(to, node, asked)
    return to.joined[place][at]


def _join(to: Expressions, node: tree.Lookup, keys: Sequence[Sql]) -> Mapping[str, Sql]:
    table = node.table
    names = [
        f"key_{at}_{end}"
        for at, key in enumerate(table.keys, 1)
        for end in (("from", "below") if key.ranged else ("is",))
    ]
    cells = [f"column_{at}" for at in range(1, len(table.columns) + 1)]
    rows = [_constants_of(to, node, row) for row in table.rows]

    def found(columns: Mapping[str, Sql]) -> Sql:
        parts = []
        for at, (key, asked) in enumerate(zip(table.keys, keys, strict=True), 1):
            start = columns[f"key_{at}_from" if key.ranged else f"key_{at}_is"]
            below = columns[f"key_{at}_below"] if key.ranged else FALSE
            parts.append(_holds(key, asked, start, below, may_be_open=_is_open(node, at - 1)))
        return all_of(parts)

    return to.plan.joined(table.name, [*names, *cells], rows, found)


def _constants_of(to: Expressions, node: tree.Lookup, row: TableRow) -> tuple[Sql, ...]:
    """The values of a row's keys, of ranges their two ends, and its cells."""
    written: list[Sql] = []
    for key, value_, kind in zip(node.table.keys, row.keys, _kinds(to, node), strict=True):
        ends = _bounds(key, value_, kind)[: 2 if key.ranged else 1]
        written += [to.constant_in_units(end, kind) for end in ends]
    for cell, column in zip(row.cells, node.table.columns, strict=True):
        written.append(to.constant_in_units(in_units(cell, column.type), column.type))
    return tuple(written)


def _is_open(node: tree.Lookup, at: int) -> bool:
    """Whether a range of a key has an open end."""
    return any(isinstance(row.keys[at], Range) and None in row.keys[at] for row in node.table.rows)
