"""Expressions of the typed tree as SQL: null is unknown, a number is a whole number of its type's units.

SQL's own logic has three values and is that of sentence 4, as long as every test of truth says what it makes of null: CASE takes
its ELSE for a null, so a conditional asks for true and for false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from policy_engine.backends.sql import arithmetic, lookups
from policy_engine.backends.sql.build import Sql, all_of, any_of, choose, literal, variable, where
from policy_engine.backends.sql.calls import SPECIAL
from policy_engine.backends.sql.days import Days
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.functions import CALLS
from policy_engine.backends.sql.lists import Lists
from policy_engine.backends.sql.plan import Plan
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import in_units
from policy_engine.language.types import (
    ANYTHING,
    Anything,
    ListOf,
    Number,
    Ratio,
    Record,
    Type,
    innermost,
    join,
    member_of,
)
from policy_engine.language.values import EPOCH, MICROSECOND

Parts = Callable[[str, str], Sql]
"""Gives another decision's outcome, or one of its values."""


@dataclass(slots=True)
class Expressions:
    """Writes the expressions of one query."""

    ruleset: Ruleset
    asked_day: Sql
    dialect: Dialect
    plan: Plan
    part: Parts
    days: Days = field(init=False)
    lists: Lists = field(init=False)
    joined: dict[tuple[Any, ...], Mapping[str, Sql]] = field(default_factory=dict)
    defined: dict[str, Sql] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    """The definitions that a node is, by its identity."""

    def __post_init__(self) -> None:
        self.days = Days(self.dialect, self.kept, self.bound)
        self.lists = Lists(self)

    def kept(self, value: Sql, stem: str = "value", note: str = "") -> Sql:
        """A column for an expression, so that it is worked out once."""
        return self.plan.kept(value, stem, note)

    def bound(self, value: Sql, body: Callable[[Sql], Sql]) -> Sql:
        """What a body makes of a value that it reads several times; inside a loop the value gets a variable."""
        if not value.variables or value.is_atom:
            return body(self.kept(value))
        name = self.plan.fresh("given")
        return self.dialect.bound(value, name, body(variable(name)))

    def all_bound(self, values: Sequence[Sql], body: Callable[..., Sql]) -> Sql:
        """The same of several values, none of which is a list."""
        if not values:
            return body()
        first, *others = values
        return self.bound(first, lambda given: self.all_bound(others, lambda *rest: body(given, *rest)))

    def named(self, node: tree.Node, stem: str = "value") -> Sql:
        """A column for a node."""
        return self.kept(self.value(node), stem)

    def condition(self, condition: tree.Condition) -> Sql:
        """A condition: an expression, or all, any or none of several."""
        if isinstance(condition, tree.Expression):
            return self.truth(condition.tree)
        parts = [self.condition(part) for part in condition.conditions]
        if condition.kind == "all":
            return all_of(parts)
        return ~any_of(parts) if condition.kind == "none" else any_of(parts)

    def truth(self, node: tree.Node) -> Sql:
        """An operand of logic."""
        return self.value(node)

    def value(self, node: tree.Node) -> Sql:
        """An expression; a list may have unknown elements."""
        if (
            not self.dialect.nests
            and isinstance(innermost(node.type), ListOf | Ratio)
            and isinstance(node.type, ListOf)
        ):
            raise refused(Refusal.NESTED, self.dialect.title, node)
        if isinstance(node, tree.Literal):
            return self.constant(node)
        return HANDLERS[type(node)](self, node)

    def whole(self, node: tree.Node) -> Sql:
        """A value as a whole: a list is unknown where an element is."""
        return self.lists.whole(node) if isinstance(node.type, ListOf) else self.value(node)

    def operand(self, node: tree.Node) -> Sql:
        """A value beside which another stands that says its type: a constant number is written plainly."""
        if isinstance(node, tree.Literal) and isinstance(node.type, Number):
            return literal(int(in_units(node.value, node.type)))
        return self.value(node)

    def argument(self, node: tree.Node, kind: Type) -> Sql:
        """An argument in the units of a type, as a column of its own: functions use theirs several times."""
        return self.kept(self.in_units(self.whole(node), node.type, kind), "value")

    def constant(self, node: tree.Literal) -> Sql:
        """A constant."""
        return self.constant_in_units(in_units(node.value, node.type), node.type)

    def constant_in_units(self, value: Any, kind: Type) -> Sql:
        """A constant whose numbers are in units."""
        match value:
            case None:
                return self.dialect.nothing(kind)
            case tuple():
                assert isinstance(kind, ListOf)
                return self.dialect.array([self.constant_in_units(part, kind.element) for part in value], kind.element)
            case datetime():
                return literal((value - EPOCH) // MICROSECOND).cast("BIGINT")
            case time():
                return literal(_microseconds(value)).cast("BIGINT")
            case bool() | date():
                return literal(value)
            case int():
                return literal(value).cast("BIGINT")
        return self.dialect.text(value)

    def in_units(self, value: Sql, kind: Type, finer: Type) -> Sql:
        """A value in the units of a type that is as fine as its own or finer."""
        match kind, finer:
            case Number(), Number():
                return arithmetic.rescaled(self.dialect, value, kind, finer.places)
            case ListOf(element=Anything()), ListOf(element=element) if element != ANYTHING:
                return (
                    self.dialect.array([], element) if value.is_empty_array else value.cast(self.dialect.kind_of(finer))
                )
            case ListOf(element=Number() as own), ListOf(element=Number() as wanted) if own.places != wanted.places:
                return self.lists.mapped(value, wanted, lambda element: self.in_units(element, own, wanted))
        return value

    def finest(self, one: Type, other: Type) -> Type:
        """The type of both in the finer units."""
        return join(one, other) or one

    # Each handler writes one kind of node.

    def as_of(self, node: tree.AsOf) -> Sql:
        return self.asked_day

    def left_unknown(self, node: tree.LeftUnknown) -> Sql:
        return self.dialect.nothing(node.type)

    def fact(self, node: tree.Fact) -> Sql:
        return self.plan.fact(node.name)

    def definition(self, node: tree.Definition) -> Sql:
        if node.name not in self.defined:
            with self.lists.outside():
                self.define(node.name)
        return self.defined[node.name]

    def define(self, name: str) -> None:
        """Make a column for a definition."""
        body = self.ruleset.definition(name).body
        if isinstance(body, tree.Expression):
            self.names[id(body.tree)] = name
        self.defined[name] = self.kept(self.condition(body), name)

    def decision_part(self, node: tree.DecisionPart) -> Sql:
        with self.lists.outside():
            return self.part(node.decision, node.part)

    def variable(self, node: tree.Variable) -> Sql:
        return self.lists.variable(node)

    def member(self, node: tree.MemberOf) -> Sql:
        assert isinstance(node.record.type, Record)
        member = member_of(node.record.type, node.name)
        assert member is not None
        return self.dialect.member(self.kept(self.value(node.record), "record"), node.name, member)

    def negated(self, node: tree.Not) -> Sql:
        return ~self.truth(node.operand)

    def conjunction(self, node: tree.And) -> Sql:
        return all_of([self.truth(operand) for operand in node.operands])

    def disjunction(self, node: tree.Or) -> Sql:
        return any_of([self.truth(operand) for operand in node.operands])

    def compare(self, node: tree.Compare) -> Sql:
        return self.compared(node.operator, node.left, node.right)

    def compared(self, sign: str, left: tree.Node, right: tree.Node) -> Sql:
        """A comparison of any two things of one kind."""
        first, second = left.type, right.type
        if isinstance(first, Number) and isinstance(second, Number):
            places = max(first.places, second.places)
            return self._scaled(left, places).compared(sign, self._scaled(right, places))
        if isinstance(first, Number | Ratio) and isinstance(second, Number | Ratio):
            return self._crosswise(sign, left, right)
        if isinstance(first, ListOf) and (kind := join(first, second)) is not None:
            same = self.lists.same(self.argument(left, kind), self.argument(right, kind))
            return same if sign == "==" else ~same
        return self.operand(left).compared(sign, self.operand(right))

    def _scaled(self, node: tree.Node, places: int) -> Sql:
        assert isinstance(node.type, Number)
        if isinstance(node, tree.Literal):
            return literal(int(in_units(node.value, Number(places, 0, 0))))
        return arithmetic.rescaled(self.dialect, self.value(node), node.type, places)

    def _crosswise(self, sign: str, left: tree.Node, right: tree.Node) -> Sql:
        """A comparison with a ratio, by cross-multiplication."""
        assert isinstance(left.type, Number | Ratio)
        assert isinstance(right.type, Number | Ratio)
        if not arithmetic.fits(self.dialect, left.type, right.type):
            raise refused(Refusal.WIDE, self.dialect.title, left)
        a, b = arithmetic.fraction_of(self.dialect, left.type, self.named(left))
        c, d = arithmetic.fraction_of(self.dialect, right.type, self.named(right))
        return (a * d).compared(sign, c * b)

    def contains(self, node: tree.In) -> Sql:
        return self.lists.contains(node)

    def arithmetic(self, node: tree.Arithmetic) -> Sql:
        left, right = node.left, node.right
        match node.operator:
            case "/":
                return self._ratio(self.named(left), self.named(right))
            case "//":
                return arithmetic.floored(self.dialect, self.named(left), self.divisor(right))
            case "%":
                return arithmetic.modulo(self.named(left), self.divisor(right))
            case "*":
                return self.operand(left) * self.operand(right)
        assert isinstance(node.type, Number)
        places = node.type.places
        one, other = self._scaled(left, places), self._scaled(right, places)
        found = one + other if node.operator == "+" else one - other
        wide = [
            side for side in (left.type, right.type) if isinstance(side, Number) and arithmetic.is_wide(side, places)
        ]
        return found.cast("BIGINT") if wide else found

    def divisor(self, node: tree.Node) -> Sql:
        """A divisor, which is read several times."""
        return self.operand(node) if isinstance(node, tree.Literal) else self.named(node)

    def _ratio(self, top: Sql, bottom: Sql) -> Sql:
        """A ratio with a positive denominator, unknown where that is zero or a side is unknown."""
        both = top.is_known() & bottom.compared("!=", 0)
        signed = [choose([(bottom < 0, -side)], side) for side in (top, bottom)]
        return self.kept(where(both, self.dialect.array(signed)), "ratio")

    def negate(self, node: tree.Negate) -> Sql:
        return -self.value(node.operand)

    def conditional(self, node: tree.Conditional) -> Sql:
        if isinstance(node.condition, tree.Literal):
            return self._branch(node.then if node.condition.value else node.otherwise, node.type)
        then, otherwise = self._branch(node.then, node.type), self._branch(node.otherwise, node.type)
        condition = self.kept(self.truth(node.condition), "condition")
        if not node.condition.optional:
            return choose([(condition, then)], otherwise)
        return choose([(condition, then), (~condition, otherwise)])

    def _branch(self, node: tree.Node, kind: Type) -> Sql:
        if node.type == ANYTHING:
            return self.dialect.nothing(kind)
        return self.in_units(self.value(node), node.type, kind)

    def list_literal(self, node: tree.ListLiteral) -> Sql:
        assert isinstance(node.type, ListOf)
        element = node.type.element
        return self.dialect.array([self._branch(part, element) for part in node.elements], element)

    def aggregate(self, node: tree.Aggregate) -> Sql:
        return self.kept(self.lists.aggregate(node), self.names.get(id(node), node.function))

    def lookup(self, node: tree.Lookup) -> Sql:
        return lookups.value(self, node)

    def call(self, node: tree.Call) -> Sql:
        if node.function in SPECIAL:
            return SPECIAL[node.function](self, node)
        function = FUNCTIONS[node.function]
        common = function.brings_to(node.type, *(part.type for part in node.arguments))
        arguments = [self.argument(part, common or part.type) for part in node.arguments]
        if any(isinstance(part.type, ListOf | Ratio) for part in node.arguments):
            return CALLS[node.function](self.days, *arguments)
        return self.all_bound(arguments, lambda *given: CALLS[node.function](self.days, *given))


def _microseconds(value: time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


HANDLERS: Mapping[type[tree.Node], Callable[[Expressions, Any], Sql]] = MappingProxyType(
    {
        tree.AsOf: Expressions.as_of,
        tree.LeftUnknown: Expressions.left_unknown,
        tree.Fact: Expressions.fact,
        tree.Definition: Expressions.definition,
        tree.DecisionPart: Expressions.decision_part,
        tree.Variable: Expressions.variable,
        tree.MemberOf: Expressions.member,
        tree.Not: Expressions.negated,
        tree.And: Expressions.conjunction,
        tree.Chain: Expressions.conjunction,
        tree.Or: Expressions.disjunction,
        tree.Compare: Expressions.compare,
        tree.In: Expressions.contains,
        tree.Arithmetic: Expressions.arithmetic,
        tree.Negate: Expressions.negate,
        tree.Conditional: Expressions.conditional,
        tree.ListLiteral: Expressions.list_literal,
        tree.Call: Expressions.call,
        tree.Aggregate: Expressions.aggregate,
        tree.Lookup: Expressions.lookup,
    }
)
