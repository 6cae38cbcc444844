"""Look-ups as Python expressions: a dictionary by the exact keys, and a binary search among the ends of ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from policy_engine.backends.lookup_cells import cells_in_units, otherwise_in_units
from policy_engine.backends.python.runtime import present
from policy_engine.language import expressions as tree
from policy_engine.language.lookup_indexes import Pieces, index_in_units
from policy_engine.language.lookup_tables import no_row
from policy_engine.language.types import DATE

if TYPE_CHECKING:
    from policy_engine.backends.python.expressions import Expressions


def write(to: Expressions, node: tree.Lookup) -> str:
    """The text of a look-up."""
    found = _cells_of(node)
    exact = [f"{{{at}}}" for at, key in enumerate(node.table.keys) if not key.ranged]
    ranged = [f"{{{at}}}" for at, key in enumerate(node.table.keys) if key.ranged]
    codes = [to.code(key) for key in node.keys]
    if not exact:
        text = _in_pieces(to, found.get((), _nothing(node)), ranged)
    else:
        key = exact[0] if len(exact) == 1 else f"({', '.join(exact)})"
        missing = _nothing(node)
        other = "" if missing is None else f", {to.bind_new(missing)}"
        text = f"{to.bind_new(found)}.get({key}{other})"
        text = f"{_piece(ranged)}({text}, {', '.join(ranged)})" if ranged else text
    return to.over(codes, [key.optional for key in node.keys], text)


def cause(to: Expressions, node: tree.Lookup) -> Callable[[], str] | None:
    """What writes the cause for which a look-up with known keys is unknown; None where `otherwise` stands for all others."""
    if node.table.otherwise is not None:
        return None
    kinds = [*(key.type for key in node.keys), *([DATE] if node.table.of_day else [])]
    told = node.table.name not in to.ruleset.withheld

    def because(*values: Any) -> str:
        shown = [present(value, kind) for value, kind in zip(values, kinds, strict=True)]
        return no_row(node.table, shown, told=told)

    def written() -> str:
        codes = [*map(to.code, node.keys), *(["as_of"] if node.table.of_day else [])]
        return f"{to.bind_new(because)}({', '.join(codes)})"

    return written


def _in_pieces(to: Expressions, found: Any, ranged: list[str]) -> str:
    """What the ranges of a table without other keys lead to."""
    if not ranged:
        return to.bind(found)
    if len(ranged) > 1:
        return f"{_piece(ranged)}({to.bind_new(found)}, {', '.join(ranged)})"
    return f"{to.bind_new(found.parts)}[bisect_right({to.bind_new(found.starts)}, {ranged[0]})]"


def _piece(ranged: list[str]) -> str:
    return "piece_of" if len(ranged) == 1 else "pieces_of"


def _cells_of(node: tree.Lookup) -> dict[Any, Any]:
    """The cells of a column by the exact keys, and below these by the ranges; what no row has is that of `otherwise`, or None."""
    index = index_in_units(node.table, [key.type for key in node.keys])
    cells, other = cells_in_units(node), otherwise_in_units(node)
    depth = sum(key.ranged for key in node.table.keys)
    filled = {key: _filled(branch, cells, other, depth) for key, branch in index.groups.items()}
    is_single = sum(not key.ranged for key in node.table.keys) == 1
    return {key[0]: part for key, part in filled.items()} if is_single else filled


def _filled(branch: Any, cells: list[Any], other: Any, depth: int) -> Any:
    if isinstance(branch, Pieces):
        return Pieces(branch.starts, [_filled(part, cells, other, depth - 1) for part in branch.parts])
    return _empty(other, depth) if branch is None else cells[branch]


def _nothing(node: tree.Lookup) -> Any:
    """What exact keys without a row lead to."""
    return _empty(otherwise_in_units(node), sum(key.ranged for key in node.table.keys))


def _empty(other: Any, depth: int) -> Any:
    """Ranges so many levels deep, in which everything leads to one value."""
    return other if depth == 0 else Pieces([], [_empty(other, depth - 1)])
