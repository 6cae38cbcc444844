"""The code of a reason in tables: the id of the rule, but for the second reason of a matrix's cell."""

from __future__ import annotations

from policy_engine.language.rulesets import Cell


def else_of(cell: Cell) -> str:
    """The reason code of what follows where a cell's condition does not hold."""
    return f"{cell.id}:else"
