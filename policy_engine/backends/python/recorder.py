"""The function that records: it works out all parts of a decision's conditions and values, and keeps the value of each node.

The same emitter writes it that writes the function which decides. It differs in three ways: every part is worked out, also
where another one has decided already; each has a name, `n` and the node's number; and a loop keeps the values of each round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.runtime import UNSET, present, typed
from policy_engine.backends.python.wording import tuple_of
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Cell, DecisionLogic, HitPolicy, Matrix, Rules, ValueDefinition
from policy_engine.language.types import ListOf, Record, Type
from policy_engine.language.values import Unknown, Value


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of some facts: the facts, copied, and of each decision the names of its values and these.

    Values are as generated code holds them: None where unknown, numbers in units of their type, `UNSET` where not worked out.
    """

    facts: Mapping[str, Any]
    decisions: Sequence[tuple[Sequence[str], Sequence[Any]]]

    def record(self, kind: Record) -> Value:
        """The facts as callers see values of their type."""
        return typed(self.facts, kind)  # type: ignore[no-any-return]  # a value by its type

    def values(self) -> RecordedValues:
        """The values by name."""
        named = (pair for names, values in self.decisions for pair in zip(names, values, strict=True))
        return RecordedValues({name: value for name, value in named if value is not UNSET})


@dataclass(frozen=True, slots=True)
class RecordedValues:
    """The values that were recorded, by their names in generated code."""

    named: Mapping[str, Any]

    def value(self, node: tree.Node) -> Value | None:
        """The value of a node as callers see it, None where it was not worked out."""
        held = self.named.get(f"n{node.place.id}", UNSET)
        return held if held is True or held is False else None if held is UNSET else _seen(held, node.type)

    def rounds(self, node: tree.Aggregate) -> Sequence[RecordedValues] | None:
        """What was recorded of each element of a list, None where the loop was not run."""
        names, rows = self.named.get(rows_of(node), ((), None))
        return (
            None
            if rows is None
            else [RecordedValues({**self.named, **dict(zip(names, row, strict=True))}) for row in rows]
        )


def _seen(held: Any, kind: Type) -> Value:
    """A value as callers see it."""
    if held is None:
        return Unknown()
    if isinstance(kind, ListOf):
        return tuple(_seen(part, kind.element) for part in held)
    return present(held, kind)  # type: ignore[no-any-return]  # a value by its type


def rows_of(node: tree.Node) -> str:
    """The name of what is recorded of the rounds of a loop: names, and for each round their values."""
    return f"rows{node.id}"


def write(to: Expressions, logic: DecisionLogic) -> None:
    """Write the body of the function that records a decision."""
    _values(to, logic.values)
    match logic.body:
        case Rules(hit=HitPolicy.COLLECT):
            for rule in logic.body.rules:
                _then(to, to.condition_code(rule.when), rule.then.values)
        case Rules():
            _first(to, logic.body)
        case Matrix():
            _matrix(to, logic.body)
    to.writer.line(f"return {tuple_of(to.recorded or ())}")


def _values(to: Expressions, values: Sequence[ValueDefinition]) -> None:
    for value in values:
        to.code(value.expression.tree)


def _then(to: Expressions, code: str, values: Sequence[ValueDefinition]) -> None:
    """The values that are given where a condition is true."""
    if values:
        with to.writer.block(f"if {code} is True:"):
            _values(to, values)


def _first(to: Expressions, body: Rules) -> None:
    """The rules up to the first true one; an unknown one does not end the search."""
    with to.writer.block("while True:"):
        for rule in body.rules:
            code = to.condition_code(rule.when)
            with to.writer.block(f"if {code} is True:"):
                _values(to, rule.then.values)
                to.writer.line("break")
        if body.otherwise is not None:
            _values(to, body.otherwise.values)
        to.writer.line("break")


def _matrix(to: Expressions, body: Matrix) -> None:
    """Row and column, and the condition and the values of their cell; cells that ask and give the same are one kind."""
    rows, columns = to.code(body.rows.tree), to.code(body.columns.tree)
    kinds: dict[object, tuple[int, Cell]] = {}
    table: dict[object, int] = {}
    for cell in body.cells:
        ends = [end.values if end else () for end in (cell.then, cell.otherwise)]
        table[cell.row, cell.column] = kinds.setdefault((cell.when, *ends), (len(kinds), cell))[0]
    kind = to.writer.named(f"{to.bind_new(table)}.get(({rows}, {columns}))")
    for number, cell in kinds.values():
        with to.writer.block(f"if {kind} == {number}:"):
            _cell(to, cell)


def _cell(to: Expressions, cell: Cell) -> None:
    if cell.when is None:
        _values(to, cell.then.values)
        return
    code = to.condition_code(cell.when)
    _then(to, code, cell.then.values)
    _then(to, f"(not {code})", cell.otherwise.values if cell.otherwise else ())
