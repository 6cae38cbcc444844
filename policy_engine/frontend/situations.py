"""In which situations a condition can be true, false or unknown, on a stretch of days on which no parameter changes.

A comparison of a sub-expression with a constant limits the domain of that sub-expression. Every other sub-expression that is
true or false has a domain of its own. Sub-expressions are taken as independent of each other, so a region may come out too
large, and never too small.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import reduce
from math import ceil
from types import MappingProxyType
from typing import Any

from policy_engine.frontend.regions import (
    EVERYTHING,
    LEAST,
    NOTHING,
    Listed,
    Ordered,
    PossibleValues,
    Region,
    all_of,
    both,
    either,
)
from policy_engine.language import expressions as tree
from policy_engine.language.operators import COMPARE, MIRRORED
from policy_engine.language.rulesets import Period, Ruleset
from policy_engine.language.specialize import Specializer, exact, parameters_on
from policy_engine.language.types import Boolean, Date, Number, Text, Type
from policy_engine.language.values import Value

OPPOSITE: Mapping[str, str] = MappingProxyType({"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="})
TRUTH = Listed(frozenset({True, False}))
LAST_DAY = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a condition: whether it is true, or false; with `or_unknown`, whether it is that or unknown."""

    truth: bool
    or_unknown: bool = False

    def opposite(self) -> Question:
        """The same of the other truth."""
        return Question(not self.truth, self.or_unknown)

    def excluded(self) -> Question:
        """What holds exactly where this does not."""
        return Question(not self.truth, not self.or_unknown)


TRUE, FALSE = Question(truth=True), Question(truth=False)
NOT_FALSE, NOT_TRUE = FALSE.excluded(), TRUE.excluded()


@dataclass(slots=True)
class Situations:
    """The sub-expressions that have a domain, each with its number, and what each may be on these days.

    Conditions are specialized by the parameters of these days, so that what is constant is a literal.
    """

    ruleset: Ruleset
    days: Period
    nodes: list[tree.Node] = field(default_factory=list)
    universes: list[PossibleValues] = field(default_factory=list)
    numbers: dict[tree.Node, int] = field(default_factory=dict)
    known: dict[tuple[str, Question], Region] = field(default_factory=dict)
    specializer: Specializer = field(init=False)

    def __post_init__(self) -> None:
        self.specializer = Specializer(self.ruleset, parameters_on(self.ruleset, self.days.start))

    def of(self, condition: tree.Condition, asked: Question) -> Region:
        """Where a condition of the ruleset is what is asked for."""
        return self._of(self.specializer.condition(condition), asked)

    def _of(self, condition: tree.Condition | tree.Node, asked: Question) -> Region:
        if isinstance(condition, tree.Group):
            asked = asked.opposite() if condition.kind == "none" else asked
            return self._joined(condition.conditions, condition.kind == "all", asked)
        return self._tree(condition.tree if isinstance(condition, tree.Expression) else condition, asked)

    def _joined(self, operands: Iterable[tree.Condition | tree.Node], every: bool, asked: Question) -> Region:
        """The `and` (`every`), or the `or`, of some conditions."""
        if asked.truth == every:
            return all_of((self._of(operand, asked) for operand in operands), self.universes)
        before, found = EVERYTHING, []
        for operand in operands:
            found.append(both(before, self._of(operand, asked), self.universes))
            before = both(before, self._of(operand, asked.excluded()), self.universes)
        return either(found, self.universes)

    def _tree(self, node: tree.Node, asked: Question) -> Region:
        match node:
            case tree.Not(operand=operand):
                return self._tree(operand, asked.opposite())
            case tree.And(operands=operands) | tree.Or(operands=operands):
                return self._joined(operands, isinstance(node, tree.And), asked)
            case tree.Compare(operator=sign, left=left, right=right):
                return self._comparison(node, sign, (left, right), asked)
            case tree.In(item=item, list=listed):
                return self._membership(node, item, listed, asked)
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                branches = self._tree(then, asked), self._tree(otherwise, asked)
                return self._branches(condition, branches, asked)
            case tree.Definition(name=name) if isinstance(node.type, Boolean):
                return self._definition(name, asked)
            case tree.Call(function="known", arguments=(inner,)):
                return self._whether_known(node, inner, asked)
            case tree.LeftUnknown():
                return EVERYTHING if asked.or_unknown else NOTHING
            case tree.Literal(value=truth):
                return _always(truth is asked.truth)
        return self._itself(node, asked)

    def _definition(self, name: str, asked: Question) -> Region:
        if (name, asked) not in self.known:
            self.known[name, asked] = self._of(self.specializer.definition(name).body, asked)
        return self.known[name, asked]

    def _branches(self, condition: tree.Node, branches: tuple[Region, Region], asked: Question) -> Region:
        """A conditional, whose two values are what is asked for in these regions; it is unknown where its condition is."""
        found = [
            both(self._tree(condition, TRUE), branches[0], self.universes),
            both(self._tree(condition, FALSE), branches[1], self.universes),
        ]
        if asked.or_unknown:
            found.append(both(self._tree(condition, NOT_FALSE), self._tree(condition, NOT_TRUE), self.universes))
        return either(found, self.universes)

    def _comparison(self, node: tree.Compare, sign: str, sides: tuple[tree.Node, tree.Node], asked: Question) -> Region:
        left, right = map(self._unfolded, sides)
        for this, other, turned in ((left, right, sign), (right, left, MIRRORED[sign])):
            if isinstance(this, tree.Conditional):
                then = self._comparison(node, turned, (this.then, other), asked)
                otherwise = self._comparison(node, turned, (this.otherwise, other), asked)
                return self._branches(this.condition, (then, otherwise), asked)
        match left, right:
            case tree.Literal(), tree.Literal():
                return _always(COMPARE[sign](exact(left), exact(right)) is asked.truth)
            case _, tree.Literal():
                found = self._with_constant(left, sign, exact(right), asked)
            case tree.Literal(), _:
                found = self._with_constant(right, MIRRORED[sign], exact(left), asked)
            case _:
                found = None
        return found or self._opaque(node, sign, (left, right), asked)

    def _with_constant(self, node: tree.Node, sign: str, constant: Any, asked: Question) -> Region | None:
        """A comparison with a constant; None where it limits no domain."""
        index, absent = self._compared(node)
        values = _values(self.nodes[index].type, sign, constant) if index is not None else None
        if index is None or values is None:
            return None
        unknown = None if absent is None else COMPARE[sign](exact(absent), constant)
        return self._limited(index, values, asked, unknown)

    def _compared(self, node: tree.Node) -> tuple[int | None, tree.Literal | None]:
        """What is compared, and the constant that takes its place where it is unknown, None where none does."""
        match node:
            case tree.Call(function="default", arguments=(inner, tree.Literal() as instead)) if _has_domain(inner.type):
                return self._number(self._unfolded(inner)), instead
        return (self._number(node) if _has_domain(node.type) else None), None

    def _limited(self, index: int, values: Ordered | Listed, asked: Question, unknown: bool | None = None) -> Region:
        """Where it is what is asked for that a sub-expression has such a value; `unknown` is the truth where it is unknown."""
        universe = self.universes[index]
        known = universe.known & values if asked.truth else universe.known - values
        told = asked.or_unknown if unknown is None else unknown is asked.truth
        return self._where(index, PossibleValues(known, universe.unknown and told))

    def _where(self, index: int, domain: PossibleValues) -> Region:
        """The situations in which one sub-expression is in a domain."""
        if domain == self.universes[index]:
            return EVERYTHING
        return Region(({index: domain},)) if domain else NOTHING

    def _membership(self, node: tree.In, item: tree.Node, listed: tree.Node, asked: Question) -> Region:
        constants = self._elements(self._unfolded(listed))
        if constants is not None and not constants:
            return _always(not asked.truth)
        index, absent = self._compared(self._unfolded(item))
        kinds = [None if index is None else _values(self.nodes[index].type, "==", c) for c in constants or ()]
        if index is None or not kinds or None in kinds or absent is not None:
            return self._itself(node, asked)
        values: Any = reduce(operator.or_, kinds)
        return self._limited(index, values, asked)

    def _elements(self, listed: tree.Node) -> list[Value] | None:
        """The elements of a list of constants, None where one is none."""
        match listed:
            case tree.ListLiteral(elements=elements):
                found = [element.value for element in elements if isinstance(element, tree.Literal)]
                return found if len(found) == len(elements) else None
            case tree.Literal(value=tuple(values)):
                return list(values)
        return None

    def _whether_known(self, node: tree.Node, inner: tree.Node, asked: Question) -> Region:
        unfolded = self._unfolded(inner)
        if not _has_domain(unfolded.type) or isinstance(unfolded, tree.Literal):
            return self._itself(node, asked)
        index = self._number(unfolded)
        universe = self.universes[index]
        nothing = universe.known - universe.known
        wanted = (
            PossibleValues(universe.known, unknown=False) if asked.truth else PossibleValues(nothing, universe.unknown)
        )
        return self._where(index, wanted)

    def _opaque(self, node: tree.Compare, sign: str, sides: tuple[tree.Node, tree.Node], asked: Question) -> Region:
        """A comparison of two sides that are not constant, in one form for it, its mirror image and its opposite."""
        if sign in (">", "<="):
            sign, sides = MIRRORED[sign], (sides[1], sides[0])
        positive = sign in ("<", "==")
        base = replace(node, operator=sign if positive else OPPOSITE[sign], left=sides[0], right=sides[1])
        return self._itself(base, asked if positive else asked.opposite())

    def _itself(self, node: tree.Node, asked: Question) -> Region:
        """A sub-expression whose domain is true and false."""
        return self._limited(self._number(node), Listed(frozenset({True})), asked)

    def _number(self, node: tree.Node) -> int:
        if node not in self.numbers:
            self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self.universes.append(PossibleValues(self._all_of(node), node.optional))
        return self.numbers[node]

    def _all_of(self, node: tree.Node) -> Ordered | Listed:
        match node.type:
            case Number(low=low, high=high):
                return Ordered(((low, high),) if low <= high else ())
            case Date() if isinstance(node, tree.AsOf):
                last = LAST_DAY if self.days.end is None else self.days.end.toordinal() - 1
                return Ordered(((self.days.start.toordinal(), last),))
            case Date():
                return Ordered(((1, LAST_DAY),))
            case Text(values=None):
                return Listed(frozenset(), but=True)
            case Text(values=values):
                return Listed(frozenset(values or ()))
        return TRUTH

    def _unfolded(self, node: tree.Node) -> tree.Node:
        """The expression of a definition, through further definitions; any other node is itself."""
        while isinstance(node, tree.Definition):
            body = self.specializer.definition(node.name).body
            if not isinstance(body, tree.Expression):
                break
            node = body.tree
        return node


def _always(yes: bool) -> Region:
    return EVERYTHING if yes else NOTHING


def _has_domain(kind: Type) -> bool:
    return isinstance(kind, Number | Date | Text | Boolean)


def _values(kind: Type, operator: str, constant: Any) -> Ordered | Listed | None:
    """The values of a type for which a comparison with a constant is true; None where they cannot be told."""
    match kind:
        case Number(places=places):
            return _ordered(operator, Fraction(constant) * 10**places)
        case Date():
            return _ordered(operator, Fraction(constant.toordinal()))
        case Text() | Boolean() if operator in ("==", "!="):
            return Listed(frozenset({constant}), but=operator == "!=")
    return None


def _ordered(operator: str, limit: Fraction) -> Ordered:
    """The integers for which a comparison with a number is true."""
    below = Ordered(((LEAST, ceil(limit) - 1),))
    at = Ordered(((int(limit), int(limit)),) if limit.denominator == 1 else ())
    return {"<": below, "<=": below | at, ">": ~(below | at), ">=": ~below, "==": at, "!=": ~at}[operator]
