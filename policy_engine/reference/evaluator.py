"""The reference evaluator: simpleeval walks Python's own syntax tree of an expression's text.

It never sees the typed tree, and so is an independent reading of the same rule. Nothing of simpleeval's defaults is kept: the
node handlers are listed one by one, operators and functions are ours and strict over `Unknown`, no attribute is reached but a
record's member, and every sub-expression leaves a step in the trace.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from datetime import tzinfo
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, Protocol

from simpleeval import SimpleEval

from policy_engine.language.expressions import segment
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.logic import conjunction, disjunction
from policy_engine.language.lookup_tables import LookupTable, TableRow
from policy_engine.language.operators import (
    LAZY,
    OPERATORS,
    Row,
    aggregated,
    left_unknown,
    looked_up,
    lookup_step,
    member_of_value,
    plain_meaning,
    strict,
)
from policy_engine.language.rulesets import VALUE, Ruleset
from policy_engine.language.traces import Origin, Step
from policy_engine.language.values import Unknown, Value, on_the_way
from policy_engine.language.weekdays import Week


class Names(Protocol):
    """Where names get their values: each look-up gives a step with value and origin."""

    zone: tzinfo
    week: Week
    ruleset: Ruleset

    def look_up(self, name: str) -> Step:
        """The value of a fact, parameter, definition, reading or `as_of`."""

    def decision_part(self, decision: str, part: str) -> Step:
        """A used decision's outcome or value."""


def evaluate(text: str, names: Names) -> Step:
    """The value of an expression, with the steps that led to it."""
    return ReferenceEvaluator(text, names).run()


@cache
def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    return ast.parse(text, mode="eval").body


class ReferenceEvaluator(SimpleEval):  # type: ignore[misc]  # simpleeval has no types
    """Evaluates one expression."""

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(operators=OPERATORS, functions={}, names={})
        self.text = text
        self.environment = names
        self.variables: dict[str, Value] = {}
        self.steps: list[list[Step]] = [[]]
        self.nodes: dict[type[ast.AST], Callable[[Any], Value]] = {
            ast.Constant: self._eval_constant,
            ast.Name: self._eval_name,
            ast.Attribute: self._eval_attribute,
            ast.UnaryOp: self._eval_unaryop,
            ast.BinOp: self._eval_binop,
            ast.BoolOp: self._eval_boolop,
            ast.Compare: self._eval_compare,
            ast.IfExp: self._eval_ifexp,
            ast.List: self._eval_list,
            ast.Tuple: self._eval_list,
            ast.Call: self._eval_call,
        }

    def run(self) -> Step:
        """The step of the whole expression."""
        self._eval(parsed(self.text))
        return self.steps[0][0]

    def _eval(self, node: ast.AST) -> Value:
        """The value of a part; its step, with the steps below it, joins those of the part around it."""
        self.steps.append([])
        value: Value = super()._eval(node)
        below = self.steps.pop()
        self.steps[-1].append(self._step(node, value, below))
        return value

    def _step(self, node: ast.AST, value: Value, below: list[Step]) -> Step:
        text = segment(self.text, node)
        if isinstance(node, ast.Constant):
            return Step(text, value, Origin.LITERAL)
        asked = lookup_of(node)
        if asked is not None:
            table = self.environment.ruleset.table(asked.table)
            return lookup_step(text, value, table, below, _row(table, [step.value for step in below]))
        named = isinstance(node, ast.Name) or decision_part_of(node) is not None
        if named and len(below) == 1 and below[0].text == text:
            return below[0]
        return Step(text, value, Origin.COMPUTED, steps=tuple(below))

    def _note(self, step: Step) -> Value:
        self.steps[-1].append(step)
        return step.value

    def _eval_constant(self, node: ast.Constant) -> Value:
        return constant_of(node, segment(self.text, node))

    def _eval_name(self, node: ast.Name) -> Value:
        if node.id in self.variables:
            return self._note(Step(node.id, self.variables[node.id], Origin.FACT))
        if node.id == "unknown":
            return self._note(left_unknown())
        if node.id in ("true", "false"):
            return self._note(Step(node.id, node.id == "true", Origin.LITERAL))
        return self._note(self.environment.look_up(node.id))

    def _eval_attribute(self, node: ast.Attribute) -> Value:
        part = decision_part_of(node)
        if part is not None:
            return self._note(self.environment.decision_part(*part))
        asked = lookup_of(node)
        if asked is not None:
            return self._look_up(asked)
        return member_of_value(self._eval(node.value), node.attr)

    def _eval_boolop(self, node: ast.BoolOp) -> Value:
        join = conjunction if isinstance(node.op, ast.And) else disjunction
        return join([self._eval(operand) for operand in node.values])

    def _eval_compare(self, node: ast.Compare) -> Value:
        sides = [self._eval(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return conjunction([OPERATORS[type(operation)](left, right) for operation, left, right in pairs])

    def _eval_ifexp(self, node: ast.IfExp) -> Value:
        condition = self._eval(node.test)
        if isinstance(condition, Unknown):
            return on_the_way(condition)
        return self._eval(node.body if condition else node.orelse)

    def _eval_list(self, node: ast.List | ast.Tuple) -> Value:
        return tuple(self._eval(element) for element in node.elts)

    def _look_up(self, asked: Lookup) -> Value:
        """A cell of a look-up table, or a parameter's value on a day (sentences 24 and 25)."""
        ruleset = self.environment.ruleset
        table = ruleset.table(asked.table)
        values = [self._eval(key) for key in asked.keys]
        if table.dated:
            day = self._note(self.environment.look_up("as_of")) if asked.day is None else self._eval(asked.day)
            values.append(day)
        return looked_up(table, asked.column, values, _row(table, values), told=table.name not in ruleset.withheld)

    def _eval_call(self, node: ast.Call) -> Value:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        asked = lookup_of(node)
        if asked is not None:
            return self._look_up(asked)
        if node.args and isinstance(node.args[0], ast.GeneratorExp):
            return self._aggregate(name, node.args[0])
        arguments = [self._eval(argument) for argument in node.args]
        if name in LAZY:
            return LAZY[name](*arguments)
        beside = FUNCTIONS[name].beside(self.environment.zone, self.environment.week)
        return strict(plain_meaning(name))(*arguments, *beside)

    def _aggregate(self, name: str, generator: ast.GeneratorExp) -> Value:
        """An aggregate over the elements of a list (sentence 8)."""
        clause = generator.generators[0]
        assert isinstance(clause.target, ast.Name)
        source = self._eval(clause.iter)
        if isinstance(source, Unknown):
            return on_the_way(source)
        assert isinstance(source, tuple)
        rows = [self._row(clause.target.id, element, clause.ifs, generator.elt) for element in source]
        return aggregated(name, rows)

    def _row(self, variable: str, element: Value, filters: list[ast.expr], part: ast.expr) -> Row:
        """Whether an element passes, and what it gives; what does not pass gives nothing."""
        outer, self.variables = self.variables, {**self.variables, variable: element}
        self.steps.append([])
        passes = self._eval(filters[0]) if filters else True
        value = self._eval(part) if passes is not False else False
        below = self.steps.pop()
        self.variables = outer
        self.steps[-1].append(Step(f"for {variable}", element, Origin.COMPUTED, steps=tuple(below)))
        return passes, value


def constant_of(node: ast.Constant, text: str) -> Value:
    """The value of a literal, a number from its own text."""
    if isinstance(node.value, str):
        return node.value
    return Decimal(text) if "." in text else int(text)


def _row(table: LookupTable, values: Sequence[Value]) -> TableRow | None:
    """The row that a look-up finds, by looking at each that has its exact keys; none where a key is unknown."""
    return None if any(isinstance(value, Unknown) for value in values) else table.row(values)


class Lookup(NamedTuple):
    """What a look-up asks for: the cell of a column by keys, on a day, None for that of the question."""

    table: str
    keys: list[ast.expr]
    column: str
    day: ast.expr | None = None


def lookup_of(node: ast.AST) -> Lookup | None:
    """What `table[key].column` asks for, or `value_on(table[key].column, day)`, or `value_on(parameter, day)`."""
    match node:
        case ast.Attribute(value=ast.Subscript(value=ast.Name(id=table), slice=ast.Tuple(elts=keys)), attr=column):
            return Lookup(table, keys, column)
        case ast.Attribute(value=ast.Subscript(value=ast.Name(id=table), slice=key), attr=column):
            return Lookup(table, [key], column)
        case ast.Call(func=ast.Name(id="value_on"), args=[ast.Name(id=parameter), day]):
            return Lookup(parameter, [], VALUE, day)
        case ast.Call(func=ast.Name(id="value_on"), args=[asked, day]):
            found = lookup_of(asked)
            return None if found is None else found._replace(day=day)
    return None


def decision_part_of(node: ast.AST) -> tuple[str, str] | None:
    """The decision and the part that `decisions.name.part` asks for."""
    match node:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="decisions"), attr=decision), attr=part):
            return decision, part
    return None
