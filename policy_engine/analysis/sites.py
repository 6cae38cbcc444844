"""The places of a ruleset whose tests can be looked for: comparisons with a boundary, and the branches of `if`.

A place is where an expression stands in the file, and which part of it is meant: two conditions with the same words in two
places are two.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from policy_engine.analysis.earlier_rules import settled_earlier
from policy_engine.analysis.walking import Link, links, visits
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Expression, expressions_of
from policy_engine.language.rulesets import Ruleset, conclusions_of, conditions_of
from policy_engine.language.types import Date, Instant, Number, Ratio, Type, scaled
from policy_engine.source import Span

BEYOND = {"<=": 1, "<": -1, ">=": -1, ">": 1}
"""For each sign by how many units the left side differs from the right where the answer has just changed."""
Place = tuple[Span, int]
"""Where an expression stands, and the number of the part within it."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A comparison of two numbers, days or instants by < <= > or >=.

    `places` are the decimal places of its unit, None where there is no next value: those of ratios and instants. `distances` are
    those by which the sides must have differed, in units, for the boundary to be tried: as far as their types allow it.
    """

    place: Place
    span: Span
    text: str
    places: int | None
    distances: frozenset[int]


@dataclass(frozen=True, slots=True)
class Fork:
    """A conditional expression `a if c else b`: the words of its condition and of both branches."""

    place: Place
    span: Span
    condition: str
    branches: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites of a ruleset by place, and the place of each typed part (by `id`).

    `settled` counts the boundaries with a side on which an earlier rule decides, so that no facts get there.
    """

    boundaries: dict[Place, Boundary] = field(default_factory=dict)
    forks: dict[Place, Fork] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    settled: int = 0


def sites_of(ruleset: Ruleset) -> Sites:
    """The sites in checks, definitions, rules, matrices and values; what sentences name stands in one of these."""
    found = Sites()
    for expression in _evaluated(ruleset):
        _add(found, expression)
    return replace(found, settled=_leave_out_settled(ruleset, found))


def _leave_out_settled(ruleset: Ruleset, sites: Sites) -> int:
    """Want no case where an earlier rule decides, and give the number of boundaries that this concerns."""
    wanted = {part: sites.boundaries[at].distances for part, at in sites.places.items() if at in sites.boundaries}
    touched: set[Place] = set()
    for decision in ruleset.decisions:
        for part, distance in settled_earlier(decision, wanted):
            boundary = sites.boundaries[sites.places[part]]
            sites.boundaries[boundary.place] = replace(boundary, distances=boundary.distances - {distance})
            touched.add(boundary.place)
    return len(touched)


def _evaluated(ruleset: Ruleset) -> Iterator[Expression]:
    conditions = [check.expect for check in ruleset.checks] + [one.body for one in ruleset.definitions]
    for decision in ruleset.decisions:
        conditions += conditions_of(decision.body)
        conditions += [value.expression for value in decision.values]
        for _, conclusion in conclusions_of(decision.body):
            conditions += [value.expression for value in conclusion.values]
    for condition in conditions:
        yield from expressions_of(condition)


def _add(sites: Sites, expression: Expression) -> None:
    number = 0
    for visit in visits(expression):
        for link in links(visit):
            number += 1
            boundary = _boundary(link, (expression.tree.span, number))
            if boundary is not None:
                sites.places[id(link.typed)] = boundary.place
                sites.boundaries[boundary.place] = boundary
        if isinstance(visit.typed, tree.Conditional) and isinstance(visit.node, ast.IfExp):
            number += 1
            place = expression.tree.span, number
            words = [tree.segment(visit.text, part) for part in (visit.node.test, visit.node.body, visit.node.orelse)]
            sites.places[id(visit.typed)] = place
            sites.forks[place] = Fork(place, visit.typed.span, words[0], (words[1], words[2]))


def _boundary(link: Link, place: Place) -> Boundary | None:
    sign = link.typed.operator
    if sign not in BEYOND:
        return None
    text = f"{link.left.words} {sign} {link.right.words}"
    kinds = link.typed.left.type, link.typed.right.type
    places = _places(*kinds)
    wanted = {0} if places is None else {0, BEYOND[sign]}
    return Boundary(place, link.typed.span, text, places, frozenset(d for d in wanted if _possible(d, places, *kinds)))


def _places(left: Type, right: Type) -> int | None:
    match left, right:
        case Number(places=first), Number(places=second):
            return max(first, second)
        case Date(), Date():
            return 0
    assert isinstance(left, Number | Ratio | Instant), left
    return None


def _possible(distance: int, places: int | None, left: Type, right: Type) -> bool:
    """Whether the bounds of both sides let them differ by so much."""
    if places is None or not (isinstance(left, Number) and isinstance(right, Number)):
        return True
    left, right = scaled(left, places), scaled(right, places)
    return left.low - right.high <= distance <= left.high - right.low
