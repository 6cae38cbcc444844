"""What is settled before any facts are seen: parameters on a day, readings chosen, and what follows from them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import ALWAYS, Rules, Ruleset
from policy_engine.language.types import Number
from policy_engine.language.values import Value

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)
OPEN = object()
"""Not settled: it depends on the facts or the day."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A ruleset under chosen readings, on any day of one stretch on which its parameters and the rules in force do not change.

    The ruleset is as it is on that stretch: without the rules that are out of force.
    """

    ruleset: Ruleset
    choices: Mapping[str, str]
    parameters: Mapping[str, Value]
    as_of: date
    folded: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def constant(self, node: tree.Node) -> Any:
        """The value of a part of an expression where it is settled, else `OPEN`; numbers as fractions."""
        match node:
            case tree.Literal(value=value):
                return _exact(value)
            case tree.Parameter(name=name):
                return _exact(self.parameters[name])
            case tree.Reading(name=name):
                return self.choices[name]
            case tree.Definition(name=name):
                return self._definition(name)
            case tree.Compare(operator=sign, left=left, right=right):
                return _compared(sign, self.constant(left), self.constant(right))
            case tree.And() | tree.Or() | tree.Not():
                return self._logic(node)
            case tree.Arithmetic(operator=sign, left=left, right=right):
                return _computed(sign, self.constant(left), self.constant(right))
            case tree.Negate(operand=operand):
                value = self.constant(operand)
                return value if value is OPEN else -value
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                chosen = self.constant(condition)
                return OPEN if chosen is OPEN else self.constant(then if chosen else otherwise)
        return OPEN

    def _definition(self, name: str) -> Any:
        """A definition's value where it is settled, worked out once however often it is used."""
        if name not in self.folded:
            self.folded[name] = self.condition(next(d.body for d in self.ruleset.definitions if d.name == name))
        return self.folded[name]

    def condition(self, condition: tree.Condition) -> Any:
        """The value of a condition where it is settled."""
        if isinstance(condition, tree.Expression):
            return self.constant(condition.tree)
        parts = [self.condition(part) for part in condition.conditions]
        found = _joined(parts, condition.kind != "all")
        return found if found is OPEN or condition.kind != "none" else not found

    def _logic(self, node: tree.Node) -> Any:
        match node:
            case tree.Not(operand=operand):
                value = self.constant(operand)
                return value if value is OPEN else not value
            case tree.And(operands=operands):
                return _joined([self.constant(operand) for operand in operands], False)
            case tree.Or(operands=operands):
                return _joined([self.constant(operand) for operand in operands], True)
        return OPEN


def stretch(ruleset: Ruleset, as_of: date) -> tuple[tuple[object, ...], dict[str, Value]]:
    """What tells a stretch of days apart from others, and the parameters' values on it."""
    found = {p.name: next(v for v in p.values if as_of in v.period) for p in ruleset.parameters}
    rules = (rule for d in ruleset.decisions if isinstance(d.body, Rules) for rule in d.body.rules)
    mark = (*(v.period.start for v in found.values()), *(as_of in r.period for r in rules if r.period != ALWAYS))
    return mark, {name: v.value for name, v in found.items()}


def units(value: Fraction | int, kind: Number) -> int:
    """A settled number in the units of a type."""
    return int(value * 10**kind.places)


def _exact(value: Value) -> Any:
    return Fraction(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _joined(parts: list[Any], decisive: bool) -> Any:
    if any(part is decisive for part in parts):
        return decisive
    return OPEN if any(part is OPEN for part in parts) else not decisive


def _compared(sign: str, left: Any, right: Any) -> Any:
    if left is OPEN or right is OPEN:
        return OPEN
    return COMPARE[sign](left, right)


def _computed(sign: str, left: Any, right: Any) -> Any:
    if left is OPEN or right is OPEN or sign not in "+-*":
        return OPEN
    return {"+": left + right, "-": left - right, "*": left * right}[sign]
