"""The parts of a ruleset that tests are looked for: comparisons with a boundary, branches of `if`, conditions as formulas.

What was read from one place has one site, also where several rulesets take it from a library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from policy_engine.analysis.earlier_rules import decided_earlier, settled_earlier
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression, expressions_of
from policy_engine.language.formulas import Formula, formula_of, formulas_below, is_condition
from policy_engine.language.mentions import logic_of
from policy_engine.language.operators import COMPARE
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Instant, Number, Ratio, Time, Type, scaled
from policy_engine.source import Span

SIDES = (-1, 0, 1)
"""Just below a boundary, at it, and just above it: by how much the left side of a comparison differs from the right."""
BOTH = frozenset((True, False))
OF_GROUP = -1
"""The number of a list of conditions, which is no node."""
ORDERS = ("<", "<=", ">", ">=")


class Place(NamedTuple):
    """Where something is written: the place of the text that it is part of, and its number there."""

    root: Span
    number: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """A comparison of two numbers, days or instants by < <= > or >=.

    `places` are the decimal places of its unit, None where there is no next value: those of ratios and instants. `distances` are
    those by which the sides must have differed, in units, for the boundary to be tried: as far as their types allow it.
    """

    at: Place
    span: Span
    text: str
    places: int | None
    distances: frozenset[int]


@dataclass(frozen=True, slots=True)
class Fork:
    """A conditional expression `a if c else b`: the text of its condition, with its identity, and of both branches."""

    at: Place
    span: Span
    condition: str
    branches: tuple[str, str]
    identity: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a condition, by its number among the inputs, and the values that it can have."""

    number: int
    span: Span
    text: str
    values: frozenset[bool]


@dataclass(frozen=True, slots=True)
class Site:
    """A condition with its formula, and those of its leaves that can vary."""

    at: Place
    formula: Formula = field(compare=False)
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites of a ruleset: boundaries and forks by the id of their node, conditions by the identity of what they are.

    `decided_earlier` counts the boundaries with a side on which an earlier rule decides, so that no facts get there.
    """

    boundaries: dict[int, Boundary] = field(default_factory=dict)
    forks: dict[int, Fork] = field(default_factory=dict)
    conditions: dict[int, Site] = field(default_factory=dict)
    decided_earlier: int = 0

    def condition(self, condition: Condition | tree.Node) -> Site | None:
        """The site of a condition, None where nothing of it can vary."""
        return self.conditions.get(id(condition.tree if isinstance(condition, Expression) else condition))


def sites_of(ruleset: Ruleset) -> Sites:
    """The sites in checks, definitions, rules, matrices and values; what sentences name stands in one of these."""
    found, places = Sites(), dict[int, Place]()
    for expression in chain.from_iterable(map(expressions_of, _evaluated(ruleset))):
        for number, node in enumerate(tree.walk(expression.tree)):
            # a value of a legend's entry is typed for each branch of a cell
            places[node.id] = Place(expression.tree.span, number)
            _add(found, node, places[node.id])
    settled = _settled(ruleset)
    for condition in _evaluated(ruleset):
        for each in _formulas(condition):
            _add_condition(found, each, places, settled)
    return replace(found, decided_earlier=_leave_out_decided(ruleset, found) + len(settled))


def _settled(ruleset: Ruleset) -> Mapping[int, frozenset[bool]]:
    """For the leaves that have a value in no case, since an earlier rule decides there, the values that are left."""
    found: dict[int, frozenset[bool]] = {}
    for at, value in chain.from_iterable(map(settled_earlier, ruleset.decisions)):
        found[at] = found.get(at, BOTH) - {value}
    return found


def _leave_out_decided(ruleset: Ruleset, sites: Sites) -> int:
    """Want no case where an earlier rule decides, and give the number of boundaries that this concerns."""
    wanted = {at: boundary.distances for at, boundary in sites.boundaries.items()}
    touched: set[int] = set()
    for decision in ruleset.decisions:
        for at, distance in decided_earlier(decision, wanted):
            boundary = sites.boundaries[at]
            sites.boundaries[at] = replace(boundary, distances=boundary.distances - {distance})
            touched.add(at)
    return len(touched)


def _evaluated(ruleset: Ruleset) -> Iterator[Condition]:
    yield from (check.expect for check in ruleset.checks)
    yield from (definition.body for definition in ruleset.definitions)
    yield from chain.from_iterable(map(logic_of, ruleset.decisions))


def _formulas(condition: Condition) -> Iterator[Condition | tree.Node]:
    """What is a condition as a whole: the condition itself, unless it is a value of another type, and those within it."""
    if not isinstance(condition, Expression) or is_condition(condition.tree):
        yield condition
    for expression in expressions_of(condition):
        yield from (below.node for below in formulas_below(expression.tree))


def _add_condition(
    sites: Sites, condition: Condition | tree.Node, places: Mapping[int, Place], settled: Mapping[int, frozenset[bool]]
) -> None:
    formula = formula_of(condition)
    leaves = [_leaf(formula.inputs[at], at, settled) for at in formula.leaves]
    if leaves:
        whole = condition.tree if isinstance(condition, Expression) else condition
        at = places[whole.id] if isinstance(whole, tree.Node) else Place(whole.span, OF_GROUP)
        sites.conditions[id(whole)] = Site(at, formula, tuple(leaf for leaf in leaves if leaf.values == BOTH))


def _leaf(node: tree.Node, at: int, settled: Mapping[int, frozenset[bool]]) -> Leaf:
    values = settled.get(node.id, BOTH)
    if isinstance(node, tree.Compare):
        values &= frozenset(bool(COMPARE[node.operator](side, 0)) for side in SIDES if _may_lie(node, side))
    return Leaf(at, node.span, words(node), values)


def words(node: tree.Node) -> str:
    """The text of a condition; of a link of a chain its own."""
    return f"{node.left.text} {node.operator} {node.right.text}" if isinstance(node, tree.Compare) else node.text


def _may_lie(node: tree.Compare, side: int) -> bool:
    """Whether the bounds of both sides let the left one be less, as much, or more than the right one."""
    left, right = node.left.type, node.right.type
    if not (isinstance(left, Number) and isinstance(right, Number)):
        return True
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    low, high = left.low - right.high, left.high - right.low
    return (low < 0, low <= 0 <= high, high > 0)[side + 1]


def _add(sites: Sites, node: tree.Node, at: Place) -> None:
    match node:
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            sites.forks[node.id] = Fork(at, node.span, condition.text, (then.text, otherwise.text), id(condition))
        case tree.Compare(operator=sign, left=left, right=right) if sign in ORDERS:
            places = _places(left.type, right.type)
            possible = frozenset(side for side in SIDES if _possible(side, places, left.type, right.type))
            sites.boundaries[node.id] = Boundary(at, node.span, words(node), places, possible)


def _places(left: Type, right: Type) -> int | None:
    match left, right:
        case Number(places=first), Number(places=second):
            return max(first, second)
        case Date(), Date():
            return 0
    assert isinstance(left, Number | Ratio | Instant | Time), left
    return None


def _possible(distance: int, places: int | None, left: Type, right: Type) -> bool:
    """Whether the bounds of both sides let them differ by so much."""
    if places is None or not (isinstance(left, Number) and isinstance(right, Number)):
        return True
    left, right = scaled(left, places), scaled(right, places)
    return left.low - right.high <= distance <= left.high - right.low
