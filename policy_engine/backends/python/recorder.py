"""The function that records: it works out all parts of a decision's conditions and values, and keeps the value of each node.

The same emitter writes it that writes the function which decides. It differs in three ways: every part is worked out, also
where another one has decided already; each has a name, `n` and the node's number; and a loop keeps the values of each round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from policy_engine.backends.python.decisions import write_cells
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.runtime import typed
from policy_engine.backends.python.writer import tuple_of
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import DecisionLogic, HitPolicy, Matrix, Rules, ValueDefinition
from policy_engine.language.types import Record
from policy_engine.language.values import Value


class Recording(NamedTuple):
    """The facts, copied, the decision, and of it and each used one the keys of what was recorded and the values.

    Values are as generated code holds them: None where unknown, numbers in units of their type, `UNSET` where not worked out.
    Keys are the numbers of nodes. What was recorded in the rounds of a loop, its keys and a row for each, has the key ~number.
    """

    facts: Mapping[str, Any]
    decision: Decision
    recorded: Sequence[tuple[Sequence[int], Sequence[Any]]]

    def record(self, kind: Record) -> Value:
        """The facts as callers see values of their type."""
        return typed(self.facts, kind)  # type: ignore[no-any-return]  # a value by its type

    def values(self) -> dict[int, Any]:
        """The values by key."""
        return {key: value for keys, values in self.recorded for key, value in zip(keys, values, strict=True)}


def write(to: Expressions, logic: DecisionLogic) -> None:
    """Write the body of the function that records a decision."""
    _given(to, "True", logic.values)
    match logic.body:
        case Rules(hit=HitPolicy.COLLECT):
            for rule in logic.body.rules:
                _given(to, to.condition_code(rule.when), rule.then.values)
        case Rules():
            _first(to, logic.body)
        case Matrix():
            write_cells(to, logic.body, to.condition_code, partial(_given, to))
    to.writer.line(f"return {tuple_of(to.recorded or ())}")


def _given(to: Expressions, test: str, values: Sequence[ValueDefinition]) -> None:
    """The values that are given where a test holds."""
    if values:
        with to.writer.when(test):
            for value in values:
                to.code(value.expression.tree)


def _first(to: Expressions, body: Rules) -> None:
    """The rules up to the first true one; an unknown one does not end the search."""
    with to.writer.block("while True:"):
        for rule in body.rules:
            with to.writer.block(f"if {to.condition_code(rule.when)}:"):
                _given(to, "True", rule.then.values)
                to.writer.line("break")
        if body.otherwise is not None:
            _given(to, "True", body.otherwise.values)
        to.writer.line("break")
