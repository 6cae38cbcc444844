"""Aggregates over lists, `in`, and functions of lists (sentences 5 and 8): what does not depend on the dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from policy_engine.backends.sql import weekdays
from policy_engine.backends.sql.build import FALSE, Sql, any_of, choose, literal, variable, where
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.specialize import in_units
from policy_engine.language.types import ANYTHING, DAYS, ListOf, Number, Type
from policy_engine.language.values import Value

if TYPE_CHECKING:
    from policy_engine.backends.sql.expressions import Expressions


MOST_NODES = 300_000
"""An aggregate of more nodes is refused: some megabytes of text."""


@dataclass(frozen=True, slots=True)
class Around:
    """A loop around: its list, and the variables of element and place."""

    listed: Sql
    element: str
    place: str


@dataclass(slots=True)
class Lists:
    """Writes lists and what is made of them."""

    to: Expressions
    around: dict[str, Around] = field(default_factory=dict)

    # Loops

    def entered(self, name: str, listed: Sql) -> Around:
        """A loop over a list, with fresh variables."""
        fresh = self.to.plan.fresh
        return Around(listed, fresh(name or "element"), fresh(f"{name or 'element'}_at"))

    @contextmanager
    def inside(self, name: str, loop: Around) -> Iterator[None]:
        """Write expressions for the elements of a loop."""
        outer = self.around
        self.around = {**outer, name: loop}
        yield
        self.around = outer

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Write expressions of the accounts."""
        outer, self.around = self.around, {}
        yield
        self.around = outer

    def variable(self, node: tree.Variable) -> Sql:
        """The element at hand."""
        return variable(self.around[node.name].element)

    # Aggregates

    def aggregate(self, node: tree.Aggregate) -> Sql:
        """An aggregate."""
        loop = self.entered(node.variable, self.to.kept(self.to.value(node.source), "listed"))
        if node.function in ("any", "all"):
            return self._not_too_long(node, self._quantified(node, loop))
        over = self.over(node, loop)
        found = self.to.dialect.aggregate(node.function, over).without(over.variables)
        if over.unknown is not None:
            found = where(self.count(over, over.unknown).equals(0), found)
        return self._not_too_long(node, found)

    def _not_too_long(self, node: tree.Aggregate, found: Sql) -> Sql:
        """Inside loops nothing has a name, and what is read twice is written twice."""
        if found.size > MOST_NODES:
            raise refused(Refusal.LONG, self.to.dialect.title, node)
        return found

    def over(self, node: tree.Aggregate, loop: Around) -> Loop:
        """The filter and the element of an aggregate."""
        given = node.element.parts if isinstance(node.element, tree.Tuple) else (node.element,)
        with self.inside(node.variable, loop):
            passes = None if node.condition is None else self.to.truth(node.condition)
            parts = tuple(self.to.whole(part) for part in given)
        lacks = [part.is_unknown() for part, each in zip(parts, given, strict=True) if each.optional]
        unknown = _unknown(passes, lacks, node.condition is not None and node.condition.optional)
        return Loop(loop.listed, loop.element, loop.place, passes, parts, given[-1].type, unknown)

    def count(self, over: Loop, flag: Sql) -> Sql:
        """For how many elements a flag is true; unknown where the list is."""
        return self.to.dialect.count(over, flag).without(over.variables)

    def _quantified(self, node: tree.Aggregate, loop: Around) -> Sql:
        with self.inside(node.variable, loop):
            row = self.row(node)
        optional = node.element.optional or (node.condition is not None and node.condition.optional)
        return self.quantified(loop, row, decisive=node.function == "any", optional=optional)

    def row(self, node: tree.Aggregate) -> Sql:
        """Of one element `filter and element` for `any`, `not filter or element` for `all`."""
        element = self.to.truth(node.element)
        if node.condition is None:
            return element
        passes = self.to.truth(node.condition)
        return passes & element if node.function == "any" else ~passes | element

    def quantified(self, loop: Around, row: Sql, *, decisive: bool, optional: bool) -> Sql:
        """The `or` (decisive: true) or the `and` (decisive: false) of a condition over the elements of a list."""
        over = Loop(loop.listed, loop.element, loop.place, None, (row,), ANYTHING)
        deciding = self.count(over, row if decisive else ~row)
        branches = [(deciding > 0, literal(decisive))]
        if optional:
            branches.append((self.count(over, row.is_unknown()) > 0, self.to.dialect.nothing(ANYTHING)))
        return choose([*branches, (deciding.equals(0), literal(not decisive))])

    # Membership

    def contains(self, node: tree.In) -> Sql:
        """`item in list`: the `or` of equalities."""
        elements = _elements(node)
        if elements is not None:
            return self._among(node, elements)
        assert isinstance(node.list.type, ListOf)
        loop = self.entered("", self.to.kept(self.to.value(node.list), "listed"))
        stand_in = tree.Variable(type=node.list.type.element, optional=False, place=node.place, name="(element)")
        with self.inside("(element)", loop):
            row = self.to.compared("==", stand_in, node.item)
        optional = node.item.optional or tree.has_unknown_elements(node.list)
        return self.quantified(loop, row, decisive=True, optional=optional)

    def _among(self, node: tree.In, elements: Sequence[tree.Node]) -> Sql:
        if not elements:
            return FALSE
        texts = [tree.constant_text(element) for element in elements]
        known = [text for text in texts if text is not None]
        if len(known) == len(texts) and not isinstance(node.item, tree.Literal):
            return self.to.named(node.item).among([self.to.dialect.text(text) for text in known])
        if (numbers := _whole_numbers(node.item.type, elements)) and not isinstance(node.item, tree.Literal):
            return self.to.named(node.item).among(numbers)
        return any_of([self.to.compared("==", node.item, element) for element in elements])

    # Lists as a whole

    def whole(self, node: tree.Node) -> Sql:
        """A list that is unknown as a whole where an element is (sentence 5.1)."""
        listed = self.to.value(node)
        if not tree.has_unknown_elements(node):
            return listed
        loop = self.entered("", self.to.kept(listed, "listed"))
        over = Loop(loop.listed, loop.element, loop.place, None, (), ANYTHING)
        lacking = variable(loop.element).is_unknown()
        return where(self.count(over, lacking).equals(0), loop.listed)

    def mapped(self, listed: Sql, kind: Type, change: Callable[[Sql], Sql]) -> Sql:
        """A list with each element changed to one of a type."""
        loop = self.entered("", self.to.kept(listed, "listed"))
        over = Loop(loop.listed, loop.element, loop.place, None, (change(variable(loop.element)),), kind)
        return self.to.dialect.aggregate("list", over).without(over.variables)

    def same(self, one: Sql, other: Sql) -> Sql:
        """Whether two lists are equal."""
        return where(one.is_known() & other.is_known(), one.equals(other))

    def contains_all(self, node: tree.Call) -> Sql:
        """Whether no element of the others is not in the list."""
        kind = FUNCTIONS["contains_all"].brings_to(node.type, *(part.type for part in node.arguments)) or ANYTHING
        listed, others = (self.to.kept(self.to.argument(part, kind), "listed") for part in node.arguments)
        outer, inner = self.entered("", others), self.entered("", listed)
        equal = variable(inner.element).equals(variable(outer.element))
        found = self.quantified(inner, equal, decisive=True, optional=False)
        every = self.quantified(outer, found, decisive=False, optional=False)
        return where(listed.is_known() & others.is_known(), every)

    def business_days(self, among: weekdays.Weekdays, node: tree.Node) -> weekdays.BusinessDays:
        """The business days that holidays among the facts leave: the same closed form as over constant ones."""
        dialect, kept = self.to.dialect, self.to.kept
        listed = kept(self.whole(node), "holidays")
        loop = self.entered("holiday", listed)
        day = variable(loop.element)
        found = Loop(listed, loop.element, loop.place, among.is_weekday(day), (among.before(day),), DAYS)
        indices = dialect.distinct(dialect.aggregate("list", found).without(found.variables))
        indices = kept(where(listed.is_known(), indices), "holidays")
        return weekdays.BusinessDays(
            among,
            lambda key: self._below(indices, lambda index: index < key),
            lambda key: self._below(indices, lambda index: index - self._below(indices, lambda e: e < index) <= key),
            listed.is_known(),
        )

    def _below(self, numbers: Sql, passes: Callable[[Sql], Sql]) -> Sql:
        """How many numbers of a list pass."""
        loop = self.entered("number", numbers)
        over = Loop(numbers, loop.element, loop.place, None, (), ANYTHING)
        return self.count(over, passes(variable(loop.element)))


def _elements(node: tree.In) -> Sequence[tree.Node] | None:
    """The elements of a list that is written out or constant, None for other lists."""
    if isinstance(node.list, tree.ListLiteral):
        return node.list.elements
    if isinstance(node.list, tree.Literal) and isinstance(node.list.value, tuple):
        assert isinstance(node.list.type, ListOf)
        return [_constant(node, part, node.list.type.element) for part in node.list.value]
    return None


def _whole_numbers(kind: Type, elements: Sequence[tree.Node]) -> list[int]:
    """The elements in units of a type, where all are constants that it has the places for; else none."""
    found = []
    for element in elements:
        if not isinstance(kind, Number) or not isinstance(element.type, Number) or element.type.places > kind.places:
            return []
        if not isinstance(element, tree.Literal):
            return []
        found.append(int(in_units(element.value, kind)))
    return found


def _constant(node: tree.In, part: Value, element: Type) -> tree.Node:
    return tree.Literal(type=element, optional=False, place=node.list.place, value=part)


def _unknown(passes: Sql | None, lacks: Sequence[Sql], may_fail: bool) -> Sql | None:
    """Which elements make the whole unknown: their filter is, or they pass and lack what they give."""
    lack = any_of(lacks) if lacks else None
    if passes is None:
        return lack
    lacking = None if lack is None else passes & lack
    if not may_fail:
        return lacking
    return passes.is_unknown() if lacking is None else passes.is_unknown() | lacking
