"""What back ends look up in a table: rules in a row that test one text for equality, and the cells of a matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Cell, Matrix, Rule
from policy_engine.language.types import Text

SHORTEST_SWITCH = 3
"""So many rules in a row that test one name for equality become a look-up."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Rules in a row that test one subject for equality; `cases` gives for each text the first rule that applies to it."""

    subject: tree.Node
    rules: Sequence[Rule]
    cases: Mapping[str, Rule]


def switches(rules: Sequence[Rule]) -> Iterator[Rule | Switch]:
    """The rules in order, as switches where enough in a row test the same subject."""
    for subject, group in groupby(rules, lambda rule: _tested(rule)[0]):
        alike = list(group)
        if subject is None or len(alike) < SHORTEST_SWITCH:
            yield from alike
            continue
        cases: dict[str, Rule] = {}
        for rule in alike:
            for text in _tested(rule)[1]:
                cases.setdefault(text, rule)
        yield Switch(subject, alike, cases)


def _tested(rule: Rule) -> tuple[tree.Node | None, Sequence[str]]:
    """What a rule tests and for which texts, where that is all it does and it gives no values of its own."""
    if rule.then.values or not isinstance(rule.when, tree.Expression):
        return None, ()
    match rule.when.tree:
        case tree.Compare(operator="==", left=left, right=tree.Literal(value=str(text))) if isinstance(left.type, Text):
            return left, (text,)
        case tree.In(item=item, list=tree.ListLiteral(elements=elements)) if isinstance(item.type, Text):
            texts = [e.value for e in elements if isinstance(e, tree.Literal) and isinstance(e.value, str)]
            return (item, texts) if len(texts) == len(elements) else (None, ())
    return None, ()


def table_of_cells(
    body: Matrix, key: Callable[[Cell], object], entry: Callable[[Cell, int], Any] = lambda cell, kind: kind
) -> tuple[dict[str | bool, dict[str | bool, Any]], list[Cell]]:
    """For each row and column the entry of its cell, and one cell of each kind: cells with the same key are of one kind.

    An entry is made of the number of the kind, which is -1 for cells whose key is None.
    """
    kinds: dict[object, Cell] = {}
    numbers: dict[object, int] = {None: -1}
    table: dict[str | bool, dict[str | bool, Any]] = {}
    for cell in body.cells:
        kind = key(cell)
        if kind not in numbers:
            numbers[kind], kinds[kind] = len(kinds), cell
        table.setdefault(cell.row, {})[cell.column] = entry(cell, numbers[kind])
    return table, list(kinds.values())


def asked_and_given(cell: Cell) -> tuple[object, ...]:
    """The condition of a cell, and its values where that is true and where it is false."""
    return cell.when, cell.then.values, cell.otherwise.values if cell.otherwise else ()
