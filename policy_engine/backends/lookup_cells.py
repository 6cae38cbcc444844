"""The cells of look-ups in the whole numbers of units in which back ends hold values."""

from __future__ import annotations

from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.rounding import EXACT
from policy_engine.language.specialize import in_units
from policy_engine.language.types import Number


def cells_in_units(node: tree.Lookup) -> list[Any]:
    """The cells of a look-up's column, row by row, in units of its type."""
    at = node.table.place_of(node.column)
    kind = node.table.columns[at].type
    cells: list[Any] = [row.cells[at] for row in node.table.rows]
    if not isinstance(kind, Number) or not kind.places:
        return cells
    return [int(EXACT.scaleb(cell, kind.places)) for cell in cells]


def otherwise_in_units(node: tree.Lookup) -> Any:
    """The cell of `otherwise` in units of its type, None where there is none."""
    at = node.table.place_of(node.column)
    return None if node.table.otherwise is None else in_units(node.table.otherwise[at], node.table.columns[at].type)
