"""The unit of a number in an expression: that of the names it is made of, or what a function counts.

Arithmetic keeps a unit only where it surely does: a sum of days is days, days times euros is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.rulesets import Ruleset

ELEMENT_UNIT = frozenset({"first", "last", "max", "min", "sum"})
"""Aggregates whose result has the unit of their element."""


@dataclass(frozen=True, slots=True)
class Units:
    """Finds units: `named` gives that of a name (a fact, a member, a parameter, a definition, a column), None if it has none."""

    named: Callable[[tree.Node], str | None]

    def of(self, node: tree.Node) -> str | None:
        """The unit of a number; None where it has none or none is certain."""
        match node:
            case tree.Negate(operand=operand):
                return self.of(operand)
            case tree.Conditional(then=then, otherwise=otherwise):
                return self.common((then, otherwise))
            case tree.Aggregate(function=function, element=element) if function in ELEMENT_UNIT:
                return self.of(element)
            case tree.Aggregate(function=function):
                return AGGREGATES[function].unit
            case tree.Call():
                return self._of_call(node)
            case tree.Arithmetic():
                return self._of_arithmetic(node)
        return self.named(node)

    def common(self, nodes: Iterable[tree.Node]) -> str | None:
        """The unit of numbers that are added or compared: the only one that any of them has; None where two differ."""
        found = {unit for node in nodes if (unit := self.of(node)) is not None}
        return found.pop() if len(found) == 1 else None

    def _of_call(self, call: tree.Call) -> str | None:
        function = FUNCTIONS[call.function]
        if function.common_type:
            return self.common(call.arguments)
        return self.of(call.arguments[0]) if call.function == "round" else function.unit

    def _of_arithmetic(self, node: tree.Arithmetic) -> str | None:
        """A factor or divisor keeps the unit only where it is a plain number; any other may have a unit of its own."""
        match node:
            case tree.Arithmetic(operator="+" | "-", left=left, right=right):
                return self.common((left, right))
            case tree.Arithmetic(operator="*", left=tree.Literal(), right=right):
                return self.of(right)
            case tree.Arithmetic(left=left, right=tree.Literal()):
                return self.of(left)
        return None


def written_units(ruleset: Ruleset) -> Units:
    """The units that a ruleset's parameters have as their author wrote them, also through definitions, each looked at once."""
    parameters = {parameter.name: parameter.unit for parameter in ruleset.parameters}
    bodies = {definition.name: definition.body for definition in ruleset.definitions}
    known: dict[str, str | None] = {}

    def named(node: tree.Node) -> str | None:
        if isinstance(node, tree.Parameter):
            return parameters[node.name]
        if isinstance(node, tree.Lookup):
            return node.table.column(node.column).unit
        if not isinstance(node, tree.Definition):
            return None
        if node.name not in known:
            body = bodies[node.name]
            known[node.name] = units.of(body.tree) if isinstance(body, tree.Expression) else None
        return known[node.name]

    units = Units(named)
    return units
