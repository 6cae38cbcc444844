"""Partial evaluation: a ruleset under chosen readings on a day becomes an ordinary, smaller ruleset.

Rules out of force go, readings and parameters become constants, and what depends on nothing else is worked out. Each
constant keeps the place and the words of the part it stands for.
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.in_force import in_force
from policy_engine.language.lookup_indexes import row_found
from policy_engine.language.mentions import depths_of, graph_of
from policy_engine.language.operators import COMPARE
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import (
    ALWAYS,
    Cell,
    Conclusion,
    DecisionLogic,
    Definition,
    Formatted,
    Matrix,
    Period,
    Quoted,
    Rules,
    Ruleset,
    Template,
    ValueDefinition,
)
from policy_engine.language.types import BOOLEAN, ListOf, Number, Type
from policy_engine.language.values import Value

COMPUTE: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul}
)


def specialize(ruleset: Ruleset, choices: Mapping[str, str], day: date, *, fold: bool = True) -> Ruleset:
    """The ruleset as it decides on a day under the choices of its readings.

    Where `fold` is false, a condition with a part that depends on facts stays, though its other parts settle it: a trace tells
    of all its parts.
    """
    ruleset = in_force(ruleset, day)
    names: dict[str, Value] = {**parameters_on(ruleset, day), **choices}
    return Specializer(ruleset, names, fold, day).ruleset()


def parameters_on(ruleset: Ruleset, day: date) -> Mapping[str, Value]:
    """The values of the parameters on a day."""
    return {parameter.name: parameter.on(day).value for parameter in ruleset.parameters}


def stretch(ruleset: Ruleset, day: date) -> tuple[object, ...]:
    """What tells the stretch of days around a day, on which no parameter, row or rule in force changes, from all others."""
    starts = (parameter.on(day).period.start for parameter in ruleset.parameters)
    rows = (table.stretch(day) for table in ruleset.tables if table.dated)
    rules = (rule for d in ruleset.decisions if isinstance(d.body, Rules) for rule in d.body.rules)
    return (*starts, *rows, *(day in rule.period for rule in rules if rule.period != ALWAYS))


def days_of_change(ruleset: Ruleset) -> tuple[date, ...]:
    """The days within a ruleset's period on which another parameter, row or rule comes into force or goes, in order."""
    rules = (rule for d in ruleset.decisions if isinstance(d.body, Rules) for rule in d.body.rules)
    periods = [*(rule.period for rule in rules), *(v.period for each in ruleset.parameters for v in each.values)]
    days = {day for period in periods for day in (period.start, period.end) if day is not None}
    days |= {day for table in ruleset.tables for day in table.days}
    return tuple(day for day in sorted(days) if day > ruleset.period.start and day in ruleset.period)


def period_around(ruleset: Ruleset, day: date) -> Period:
    """The stretch of days around a day on which nothing of a ruleset changes."""
    days = days_of_change(ruleset)
    place = bisect_right(days, day)
    start = days[place - 1] if place else ruleset.period.start
    return Period(start, days[place] if place < len(days) else ruleset.period.end)


def exact(node: tree.Literal) -> Any:
    """The value of a constant; a number as a fraction."""
    value = node.value
    return Fraction(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def units(value: Fraction | Decimal | int, kind: Number) -> int:
    """A number in the units of a type."""
    return int(Fraction(value) * 10**kind.places)


def in_units(value: Any, kind: Type) -> Any:
    """A constant as generated code holds it: numbers of a type in its units."""
    if isinstance(value, tuple) and isinstance(kind, ListOf):
        return tuple(in_units(part, kind.element) for part in value)
    return units(value, kind) if isinstance(kind, Number) and not isinstance(value, bool | None) else value


def constant(condition: tree.Condition) -> Any:
    """The value of a condition or value that depends on no facts, None where it does."""
    if isinstance(condition, tree.Expression) and isinstance(condition.tree, tree.Literal):
        return condition.tree.value
    return None


@dataclass(slots=True)
class Specializer:
    """Makes the parts of a ruleset smaller; `names` has the values of those parameters and readings that become constants.

    With a `day` only the rows in force on it stay in look-up tables.

    `nodes` holds what became of each node, by its identity: a part of two links of a chain stays one node. So only nodes of
    the ruleset itself are given to it.
    """

    given: Ruleset
    names: Mapping[str, Value]
    fold: bool = True
    day: date | None = None
    nodes: dict[int, tree.Node] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)

    def ruleset(self) -> Ruleset:
        for mention in depths_of(graph_of(self.given)):  # those below first, so that no chain of them leads deep
            if mention.kind == "definition":
                self.definition(mention.name)
        definitions = tuple(self.definition(each.name) for each in self.given.definitions)
        checks = tuple(replace(check, expect=self.condition(check.expect)) for check in self.given.checks)
        decisions = tuple(self.decision(each) for each in self.given.decisions)
        return replace(self.given, definitions=definitions, checks=checks, decisions=decisions)

    def definition(self, name: str) -> Definition:
        if name not in self.definitions:
            found = self.given.definition(name)
            self.definitions[name] = replace(found, body=self.condition(found.body))
        return self.definitions[name]

    def decision(self, logic: DecisionLogic) -> DecisionLogic:
        body = logic.body
        if isinstance(body, Rules):
            rules = tuple(
                replace(rule, when=self.condition(rule.when), then=self.conclusion(rule.then)) for rule in body.rules
            )
            body = replace(body, rules=rules, otherwise=body.otherwise and self.conclusion(body.otherwise))
        elif isinstance(body, Matrix):
            rows, columns = self.expression(body.rows), self.expression(body.columns)
            body = replace(body, rows=rows, columns=columns, cells=tuple(map(self.cell, body.cells)))
        because = logic.because and self.template(logic.because)
        return replace(logic, values=self.values(logic.values), body=body, because=because)

    def cell(self, cell: Cell) -> Cell:
        when = None if cell.when is None else self.condition(cell.when)
        otherwise = cell.otherwise and self.conclusion(cell.otherwise)
        return replace(cell, when=when, then=self.conclusion(cell.then), otherwise=otherwise)

    def conclusion(self, conclusion: Conclusion) -> Conclusion:
        because, values = self.template(conclusion.because), self.values(conclusion.values)
        return replace(conclusion, because=because, values=values)

    def values(self, values: Sequence[ValueDefinition]) -> tuple[ValueDefinition, ...]:
        return tuple(replace(value, expression=self.expression(value.expression)) for value in values)

    def template(self, template: Template) -> Template:
        """A sentence; what its placeholders are called stays."""
        return Template(tuple(map(self.part, template.parts)))

    def part(self, part: str | Quoted | tree.Expression | Formatted) -> str | Quoted | tree.Expression | Formatted:
        if isinstance(part, Formatted):
            return replace(part, expression=self.expression(part.expression))
        return self.expression(part) if isinstance(part, tree.Expression) else part

    def condition(self, condition: tree.Condition) -> tree.Condition:
        if isinstance(condition, tree.Expression):
            return self.expression(condition)
        parts = tuple(map(self.condition, condition.conditions))
        truth = self.joined([constant(part) for part in parts], decisive=condition.kind != "all")
        if truth is None:
            return replace(condition, conditions=parts)
        place = tree.Place(condition.span, condition.kind, -1)
        value = truth != (condition.kind == "none")
        return tree.Expression(condition.kind, tree.Constant(type=BOOLEAN, optional=False, place=place, value=value))

    def expression(self, expression: tree.Expression) -> tree.Expression:
        return tree.Expression(expression.text, self.node(expression.tree))

    def node(self, node: tree.Node) -> tree.Node:
        if id(node) not in self.nodes:
            self.nodes[id(node)] = self.simplified(tree.mapped(node, self.node))
        return self.nodes[id(node)]

    def simplified(self, node: tree.Node) -> tree.Node:
        """A node whose parts have been simplified."""
        match node:
            case tree.Parameter(name=name) | tree.Reading(name=name) if name in self.names:
                return _as_constant(node, self.names[name])
            case tree.Definition(name=name):
                value = constant(self.definition(name).body)
                return node if value is None else _as_constant(node, value)
            case tree.Lookup():
                return self.lookup(node)
            case tree.Conditional(condition=tree.Literal(value=truth), then=then, otherwise=otherwise):
                taken = then if truth else otherwise
                return _as_constant(node, taken.value) if isinstance(taken, tree.Literal) else node
            case tree.And(operands=operands) | tree.Or(operands=operands):
                truths = [each.value if isinstance(each, tree.Literal) else None for each in operands]
                joined = self.joined(truths, decisive=isinstance(node, tree.Or))
                return node if joined is None else _as_constant(node, joined)
            case tree.Not(operand=tree.Literal(value=truth)):
                return _as_constant(node, not truth)
            case tree.Negate(operand=tree.Literal() as operand):
                return _as_constant(node, -exact(operand))
            case tree.Compare(operator=sign, left=tree.Literal() as left, right=tree.Literal() as right):
                return _as_constant(node, COMPARE[sign](exact(left), exact(right)))
            case tree.Arithmetic(operator=sign, left=tree.Literal() as left, right=tree.Literal() as right):
                return _as_constant(node, COMPUTE[sign](exact(left), exact(right))) if sign in COMPUTE else node
        return node

    def lookup(self, node: tree.Lookup) -> tree.Node:
        """A look-up in the rows in force on the day; its cell, where all keys are constant and there is a row."""
        if self.day is not None and node.table.dated and isinstance(node.keys[-1], tree.AsOf):
            node = replace(node, table=node.table.on(self.day), keys=node.keys[:-1])
        values = [key.value for key in node.keys if isinstance(key, tree.Literal)]
        if len(values) < len(node.keys):
            return node
        row = row_found(node.table, values)
        cells = node.table.otherwise if row is None else row.cells
        return node if cells is None else _as_constant(node, cells[node.table.place_of(node.column)])

    def joined(self, truths: Sequence[Any], *, decisive: bool) -> bool | None:
        """The truth of an `or` (of an `and`, where `decisive` is false) over constants, None for a part that is none."""
        if any(truth is decisive for truth in truths) and (self.fold or None not in truths):
            return decisive
        return None if None in truths else not decisive


def _as_constant(node: tree.Node, value: Any) -> tree.Node:
    """A constant in the place of a node."""
    if isinstance(value, Fraction):
        assert isinstance(node.type, Number)
        number, places = units(value, node.type), node.type.places
        value = decimal_of(number, places) if places else number
    return tree.Constant(type=node.type, optional=False, place=node.place, value=value)
