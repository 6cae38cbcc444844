"""The parts of a ruleset that tests are looked for: comparisons with a boundary, and the branches of `if`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from policy_engine.analysis.earlier_rules import decided_earlier
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Expression, expressions_of
from policy_engine.language.mentions import logic_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Instant, Number, Ratio, Time, Type, scaled
from policy_engine.source import Span

BEYOND = {"<=": 1, "<": -1, ">=": -1, ">": 1}
"""For each sign by how many units the left side differs from the right where the answer has just changed."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A comparison of two numbers, days or instants by < <= > or >=.

    `places` are the decimal places of its unit, None where there is no next value: those of ratios and instants. `distances` are
    those by which the sides must have differed, in units, for the boundary to be tried: as far as their types allow it.
    """

    id: int
    span: Span
    text: str
    places: int | None
    distances: frozenset[int]


@dataclass(frozen=True, slots=True)
class Fork:
    """A conditional expression `a if c else b`: the text of its condition and of both branches."""

    id: int
    span: Span
    condition: str
    branches: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sites:
    """The boundaries and forks of a ruleset by the id of their node; nodes that were read from one place have one site.

    `decided_earlier` counts the boundaries with a side on which an earlier rule decides, so that no facts get there.
    """

    boundaries: dict[int, Boundary] = field(default_factory=dict)
    forks: dict[int, Fork] = field(default_factory=dict)
    decided_earlier: int = 0


def sites_of(ruleset: Ruleset) -> Sites:
    """The sites in checks, definitions, rules, matrices and values; what sentences name stands in one of these."""
    found = Sites()
    first: dict[tuple[Span, int], int] = {}
    for expression in _evaluated(ruleset):
        for number, node in enumerate(tree.walk(expression.tree)):
            # a value of a legend's entry is typed for each branch of a cell
            _add(found, node, first.setdefault((expression.tree.span, number), node.id))
    return replace(found, decided_earlier=_leave_out_decided(ruleset, found))


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


def _evaluated(ruleset: Ruleset) -> Iterator[Expression]:
    conditions = [check.expect for check in ruleset.checks] + [one.body for one in ruleset.definitions]
    for condition in chain(conditions, *map(logic_of, ruleset.decisions)):
        yield from expressions_of(condition)


def _add(sites: Sites, node: tree.Node, id_: int) -> None:
    match node:
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            sites.forks[node.id] = Fork(id_, node.span, condition.text, (then.text, otherwise.text))
        case tree.Compare(operator=sign, left=left, right=right) if sign in BEYOND:
            places = _places(left.type, right.type)
            wanted = {0} if places is None else {0, BEYOND[sign]}
            possible = frozenset(distance for distance in wanted if _possible(distance, places, left.type, right.type))
            sites.boundaries[node.id] = Boundary(id_, node.span, f"{left.text} {sign} {right.text}", places, possible)


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
