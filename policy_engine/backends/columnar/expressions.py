"""Expressions of the typed tree as Polars expressions: null is unknown, a number is an integer of its type's units.

Polars' `&` and `|` follow three-valued logic, and most other operations give null for a null. Three do not: `when` takes its last
branch for a null, `any` and sums skip nulls, and so does `min_horizontal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.backends.columnar import aggregates, arithmetic, clock, days, lookups, weekdays, zones
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.functions import CALLS, is_text
from policy_engine.backends.columnar.list_offsets import ListColumns
from policy_engine.backends.columnar.plan import ACCOUNTS, Domain, ListOffsets, Plan, folded, literal
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import constant, units
from policy_engine.language.text_patterns import for_columns
from policy_engine.language.types import (
    ANYTHING,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Text,
    Time,
    Type,
    innermost,
    join,
    only_text,
)
from policy_engine.language.values import Holidays
from policy_engine.language.weekdays import week_of

Parts = Callable[[str, str], "pl.Expr"]
"""Gives another decision's outcome, or one of its values."""


@dataclass(slots=True)
class Expressions:
    """Writes the expressions of one plan, in `domain`; `variables` are the lists of the loops around.

    `computed` has the columns that are computed once: definitions, tests of texts, members of records, and dates of instants.
    """

    ruleset: Ruleset
    day: date
    plan: Plan
    part: Parts
    domain: Domain = ACCOUNTS
    variables: dict[str, ListOffsets] = field(default_factory=dict)
    computed: dict[tuple[str, ...], pl.Expr] = field(default_factory=dict)
    lists: ListColumns = field(init=False)

    def __post_init__(self) -> None:
        self.lists = ListColumns(self)

    def condition(self, condition: tree.Condition) -> pl.Expr:
        """A condition: an expression, or all, any or none of several."""
        if isinstance(condition, tree.Expression):
            return self.truth(condition.tree)
        whole = joined(condition.kind, [self.condition(part) for part in condition.conditions])
        return whole if whole.meta.root_names() else folded(whole)

    def value(self, node: tree.Node) -> pl.Expr:
        """An expression in the domain at hand; a list as a column of lists."""
        if isinstance(node, tree.Literal):
            return self.constant(node.value, node.type)
        if isinstance(node.type, ListOf) and not isinstance(node, tree.DecisionPart):
            return self.lists.column(self.lists.of(node), node.type.element)
        expression = self.written(node)
        return expression if expression.meta.root_names() or isinstance(node, tree.AsOf) else folded(expression)

    def truth(self, node: tree.Node) -> pl.Expr:
        """An operand of logic; one that is `unknown` whatever the facts are has no type, and gets one."""
        value = self.value(node)
        return value.cast(pl.Boolean) if node.type == ANYTHING else value

    def written(self, node: tree.Node) -> pl.Expr:
        """What the handler of a node's kind writes."""
        return HANDLERS[type(node)](self, node)

    def kept(self, expression: pl.Expr, stem: str = "value") -> pl.Expr:
        """A column of the domain at hand for an expression, so that it is computed once."""
        return self.plan.named(self.domain, expression, stem)

    def once(self, stem: str, *key: str, compute: Callable[[], pl.Expr]) -> pl.Expr:
        """A column of the domain at hand, computed when it is first asked for by its key."""
        place = stem, self.domain.name, *key
        if place not in self.computed:
            self.computed[place] = self.kept(compute(), stem)
        return self.computed[place]

    def named(self, node: tree.Node, stem: str = "value") -> pl.Expr:
        """A column of the domain at hand for a node."""
        return self.kept(self.value(node), stem)

    def constant(self, value: Any, kind: Type) -> pl.Expr:
        """A constant."""
        match kind:
            case Number():
                return pl.lit(units(value, kind), dtype=pl.Int64)
            case ListOf(element=element):
                made = [units(part, element) if isinstance(element, Number) else part for part in value]
                return literal(pl.Series([made], dtype=dtype_or_null(kind)))
        return pl.lit(value)

    def whole(self, node: tree.Node) -> pl.Expr:
        """A value as a whole: a list is unknown where an element is (sentence 5.1)."""
        if isinstance(node.type, ListOf) and tree.has_unknown_elements(node):
            return self.lists.column(self.lists.taken_whole(node), node.type.element)
        return self.value(node)

    def scaled(self, node: tree.Node, kind: Type) -> pl.Expr:
        """An expression in the units of a type that is as fine as its own or finer."""
        return in_units(self.value(node), node.type, kind)

    def at_accounts(self, compute: Callable[[], pl.Expr]) -> pl.Expr:
        """An expression over the accounts, repeated for each row of the domain at hand."""
        with self.inside(ACCOUNTS, {}):
            expression = compute()
        return self.plan.lift(expression, ACCOUNTS, self.domain)

    @contextmanager
    def inside(self, domain: Domain, variables: dict[str, ListOffsets]) -> Iterator[None]:
        """Write expressions for another domain, with other loops around."""
        before = self.domain, self.variables
        self.domain, self.variables = domain, variables
        yield
        self.domain, self.variables = before

    # Each handler writes one kind of node.

    def as_of(self, node: tree.AsOf) -> pl.Expr:
        return pl.lit(self.day)

    def left_unknown(self, node: tree.LeftUnknown) -> pl.Expr:
        return nothing(node.type)

    def fact(self, node: tree.Fact) -> pl.Expr:
        return self.at_accounts(lambda: pl.col(node.name))

    def define(self, name: str) -> None:
        """Add a definition to the plan of the accounts."""
        found = self.ruleset.definition(name)
        if constant(found.body) is not None:
            return
        if isinstance(found.type, ListOf):
            self.lists.definition(name)
        else:
            self._defined(name)

    def definition(self, node: tree.Definition) -> pl.Expr:
        return self.at_accounts(lambda: self._defined(node.name))

    def _defined(self, name: str) -> pl.Expr:
        return self.once(name, compute=lambda: self.condition(self.ruleset.definition(name).body))

    def decision_part(self, node: tree.DecisionPart) -> pl.Expr:
        return self.at_accounts(lambda: self.part(node.decision, node.part))

    def variable(self, node: tree.Variable) -> pl.Expr:
        offsets = self.variables[node.name]
        return self.plan.lift(offsets.element, offsets.domain, self.domain)

    def member(self, node: tree.MemberOf) -> pl.Expr:
        record = self.value(node.record)
        if not record.meta.is_column():
            return record.struct.field(node.name)
        key = node.name, "(member)", record.meta.output_name()
        return self.once(*key, compute=lambda: record.struct.field(node.name))

    def negated(self, node: tree.Not) -> pl.Expr:
        return ~self.truth(node.operand)

    def conjunction(self, node: tree.And) -> pl.Expr:
        return joined("all", [self.truth(operand) for operand in node.operands])

    def disjunction(self, node: tree.Or) -> pl.Expr:
        return joined("any", [self.truth(operand) for operand in node.operands])

    def compare(self, node: tree.Compare) -> pl.Expr:
        if node.operator in ("==", "!=") and (same := self._same_text(node)) is not None:
            return same if node.operator == "==" else ~same
        if (kind := join(node.left.type, node.right.type)) is not None and isinstance(kind, ListOf):
            return arithmetic.compare(node.operator, self._argument(node.left, kind), self._argument(node.right, kind))
        left, right = self.value(node.left), self.value(node.right)
        return self.compared(node.operator, (node.left, left), (node.right, right))

    def _same_text(self, node: tree.Compare) -> pl.Expr | None:
        """Whether both sides are the same text, where one is constant."""
        for one, other in ((node.left, node.right), (node.right, node.left)):
            text = tree.constant_text(other)
            if text is not None and isinstance(one.type, Text) and not isinstance(one, tree.Literal):
                return self.is_text(one, text)
        return None

    def is_text(self, node: tree.Node, text: str) -> pl.Expr:
        """Whether an expression is a certain text; computed once for each column and text."""
        assert isinstance(node.type, Text)
        column, kind = self.named(node), node.type
        return self.once("is", column.meta.output_name(), text, compute=lambda: is_text(column, kind, text))

    def compared(self, operator: str, left: tuple[tree.Node, pl.Expr], right: tuple[tree.Node, pl.Expr]) -> pl.Expr:
        """A comparison of any two things of one kind."""
        if isinstance(left[0].type, Number | Ratio) and isinstance(right[0].type, Number | Ratio):
            return arithmetic.compared(operator, left, right)
        return arithmetic.compare(operator, left[1], right[1])

    def contains(self, node: tree.In) -> pl.Expr:
        return aggregates.contains(self, node)

    def arithmetic(self, node: tree.Arithmetic) -> pl.Expr:
        left, right = node.left, node.right
        if node.operator == "/":
            return self.kept(arithmetic.ratio(self.named(left), self.named(right)), "ratio")
        if node.operator in ALIGNED:
            return ALIGNED[node.operator](self.scaled(left, node.type), self.scaled(right, node.type))
        return UNALIGNED[node.operator](self.value(left), self.value(right))

    def negate(self, node: tree.Negate) -> pl.Expr:
        return -self.value(node.operand)

    def conditional(self, node: tree.Conditional) -> pl.Expr:
        if isinstance(node.condition, tree.Literal):
            branch = node.then if node.condition.value else node.otherwise
            return self.scaled(branch, node.type) if branch.type != ANYTHING else nothing(node.type)
        then, otherwise = self.scaled(node.then, node.type), self.scaled(node.otherwise, node.type)
        condition = self.truth(node.condition)
        if not node.condition.optional:
            return pl.when(condition).then(then).otherwise(otherwise)
        condition = self.kept(condition, "condition")
        return pl.when(condition).then(then).when(~condition).then(otherwise)

    def add_days(self, node: tree.Call) -> pl.Expr:
        day, count = node.arguments
        if not isinstance(count, tree.Literal):
            return days.add_days(self._argument(day, day.type), self._argument(count, count.type))
        return days.shifted(self._argument(day, day.type), tree.constant_number(count))

    def call(self, node: tree.Call) -> pl.Expr:
        if node.function in SPECIAL:
            return SPECIAL[node.function](self, node)
        function = FUNCTIONS[node.function]
        common = function.brings_to(node.type, *(part.type for part in node.arguments))
        arguments = [self._argument(part, common or part.type) for part in node.arguments]
        week = {"week": self.ruleset.week} if function.in_week else {}
        return CALLS[node.function](*arguments, **week)

    def _argument(self, node: tree.Node, kind: Type) -> pl.Expr:
        """An argument, as a column of its own: functions use theirs several times, and nested calls would double each time."""
        expression = in_units(self.whole(node), node.type, kind)
        return self.kept(expression, "argument") if expression.meta.root_names() else expression

    def known(self, node: tree.Call) -> pl.Expr:
        argument = node.arguments[0]
        if not argument.optional:
            return pl.lit(True)
        if isinstance(argument.type, ListOf):
            return self.lists.taken_whole(argument).start.is_not_null()
        return self.value(argument).is_not_null()

    def default(self, node: tree.Call) -> pl.Expr:
        first, second = node.arguments
        value = in_units(self.whole(first), first.type, node.type)
        if not first.optional:
            return value
        return pl.coalesce(self.kept(value), in_units(self.whole(second), second.type, node.type))

    def if_known(self, node: tree.Call) -> pl.Expr:
        return self.value(node.arguments[0])

    def length(self, node: tree.Call) -> pl.Expr:
        offsets = self.lists.of(node.arguments[0])
        return offsets.end.cast(pl.Int64) - offsets.start.cast(pl.Int64)

    def round(self, node: tree.Call) -> pl.Expr:
        value, places, mode = node.arguments
        return arithmetic.rounded(
            value, self.named(value), tree.constant_number(places), tree.constant_text(mode) or ""
        )

    def matches(self, node: tree.Call) -> pl.Expr:
        text, pattern = node.arguments
        return self.value(text).str.contains(for_columns(only_text(pattern.type) or ""))

    def join(self, node: tree.Call) -> pl.Expr:
        texts, separator = node.arguments
        return self.kept(self.whole(texts), "texts").list.join(self.value(separator), ignore_nulls=False)

    def contains_all(self, node: tree.Call) -> pl.Expr:
        """Nothing is left of the others without the elements of the list."""
        kind = FUNCTIONS["contains_all"].brings_to(node.type, *(part.type for part in node.arguments)) or ANYTHING
        listed, others = (self._argument(part, kind) for part in node.arguments)
        if not isinstance(innermost(kind), Number | Text | Date | Instant | Time):  # Polars has no sets of truths
            listed, others = listed.cast(pl.List(pl.Int8)), others.cast(pl.List(pl.Int8))
        return others.list.set_difference(listed).list.len() == 0

    def date_of(self, node: tree.Call) -> pl.Expr:
        moment = self.named(node.arguments[0])
        zone = self.ruleset.timezone
        return self.once("date", moment.meta.output_name(), compute=lambda: zones.date_of(moment, zone))

    def time_of(self, node: tree.Call) -> pl.Expr:
        moment = self.named(node.arguments[0])
        return self.once(
            "time", moment.meta.output_name(), compute=lambda: clock.time_of(moment, self.ruleset.timezone)
        )

    def _business_days(self, node: tree.Node) -> weekdays.BusinessDays:
        """The business days that the holidays of an argument leave."""
        week = self.ruleset.week
        if not isinstance(node, tree.Literal):
            return aggregates.business_days(self, node, week)
        named, listed = holidays_in(node), node.value
        if named is not None:
            return weekdays.business_days(named.dates, week_of(named, week))
        return weekdays.business_days(listed, week)  # type: ignore[arg-type]  # dates, by its type

    def add_business_days(self, node: tree.Call) -> pl.Expr:
        day, count = self.named(node.arguments[0]), self.named(node.arguments[1])
        result = self._business_days(node.arguments[2]).add(day, count)
        holidays = holidays_in(node.arguments[2])
        if holidays is None:
            return result
        result = self.kept(result)
        return pl.when(count == 0).then(day).otherwise(weekdays.within_years(result, holidays, day, result))

    def is_business_day(self, node: tree.Call) -> pl.Expr:
        day, calendar = self.named(node.arguments[0]), node.arguments[1]
        return _in_years(self._business_days(calendar).has(day), calendar, day)

    def business_days_between(self, node: tree.Call) -> pl.Expr:
        start, end, calendar = self.named(node.arguments[0]), self.named(node.arguments[1]), node.arguments[2]
        return _in_years(self._business_days(calendar).between(start, end), calendar, start, end)

    def aggregate(self, node: tree.Aggregate) -> pl.Expr:
        return aggregates.value(self, node)


def nothing(kind: Type) -> pl.Expr:
    """What is unknown everywhere."""
    return pl.lit(None, dtype=dtype_or_null(kind))


def holidays_in(node: tree.Node) -> Holidays | None:
    """The named calendar that an argument is, None for holidays in a list."""
    return node.value if isinstance(node, tree.Literal) and isinstance(node.value, Holidays) else None


def _in_years(result: pl.Expr, calendar: tree.Node, *days: pl.Expr) -> pl.Expr:
    """A result, null where one of the days lies outside the years of a named calendar."""
    holidays = holidays_in(calendar)
    return result if holidays is None else weekdays.within_years(result, holidays, *days)


def joined(kind: str, parts: Sequence[pl.Expr]) -> pl.Expr:
    """All, any or none of several."""
    if kind == "all":
        return reduce(pl.Expr.__and__, parts)
    either = reduce(pl.Expr.__or__, parts)
    return ~either if kind == "none" else either


def in_units(expression: pl.Expr, kind: Type, finer: Type) -> pl.Expr:
    """A column in the units of a type that is as fine or finer."""
    if isinstance(kind, Number) and isinstance(finer, Number):
        return arithmetic.rescaled(expression, kind, finer.places)
    if isinstance(kind, ListOf) and isinstance(finer, ListOf) and kind.element == ANYTHING:
        return expression.cast(dtype_or_null(finer))
    if isinstance(kind, ListOf) and isinstance(finer, ListOf) and kind.element != finer.element:
        return expression.list.eval(in_units(pl.element(), kind.element, finer.element))
    return expression


ALIGNED: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = MappingProxyType(
    {"+": pl.Expr.__add__, "-": pl.Expr.__sub__}
)
UNALIGNED: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = MappingProxyType(
    {"*": pl.Expr.__mul__, "//": pl.Expr.__floordiv__, "%": pl.Expr.__mod__}
)
"""The signs whose operands have to be in the same units, and those whose operands have not."""

SPECIAL: Mapping[str, Callable[[Expressions, tree.Call], pl.Expr]] = MappingProxyType(
    {
        "known": Expressions.known,
        "default": Expressions.default,
        "if_known": Expressions.if_known,
        "len": Expressions.length,
        "round": Expressions.round,
        "add_days": Expressions.add_days,
        "date_of": Expressions.date_of,
        "time_of": Expressions.time_of,
        "join": Expressions.join,
        "matches": Expressions.matches,
        "contains_all": Expressions.contains_all,
        "add_business_days": Expressions.add_business_days,
        "is_business_day": Expressions.is_business_day,
        "business_days_between": Expressions.business_days_between,
    }
)
HANDLERS: Mapping[type[tree.Node], Callable[[Expressions, Any], pl.Expr]] = MappingProxyType(
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
        tree.Call: Expressions.call,
        tree.Aggregate: Expressions.aggregate,
        tree.Lookup: lookups.value,
    }
)
