"""Which boundaries the tests of analysts stand on: a comparison is tried where both sides are equal, and one unit beyond.

A boundary that no case stands on is where `<` and `<=` can be swapped without any test noticing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.language.decisions import Explanation, Origin, Step
from policy_engine.language.values import Value

BEYOND: Mapping[type[ast.cmpop], int] = MappingProxyType({ast.LtE: 1, ast.Lt: -1, ast.GtE: -1, ast.Gt: 1})
"""For each operator, by how many units the left side differs from the right where the answer has just changed."""

OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = MappingProxyType({ast.GtE: ast.Lt, ast.Gt: ast.LtE})
MIRRORED: Mapping[type[ast.cmpop], type[ast.cmpop]] = MappingProxyType(
    {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
)


@dataclass(frozen=True, slots=True, order=True)
class Boundary:
    """A comparison of a version, as its author first wrote it."""

    ruleset: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A comparison that some case came by.

    `place` names where its answer changes: `a <= b`, `a > b`, `b >= a` and `b < a` change it together. `distance` and `beyond`
    are those of the sides in the order of `place`; `turned` tells that the author wrote them the other way round.
    """

    place: str
    text: str
    turned: bool
    beyond: int
    distance: int


def untried(results: Iterable[CaseResult]) -> tuple[tuple[Boundary, str], ...]:
    """The boundaries that some case came by and none stood on, each with what is not tried yet."""
    links: dict[tuple[str, str, str], list[Link]] = {}
    for result in results:
        for explanation in result.explanations:
            reference = explanation.decision.ruleset
            for link in _links_of(explanation):
                links.setdefault((reference.id, reference.version, link.place), []).append(link)
    gaps = []
    for (ruleset, version, _), tried in sorted(links.items()):
        first = tried[0]
        missing = {0, first.beyond} - {link.distance for link in tried}
        if missing:
            gaps.append((Boundary(ruleset, version, first.text), _words({-d if first.turned else d for d in missing})))
    return tuple(sorted(gaps))


def _words(missing: set[int]) -> str:
    names = {0: "both sides equal", 1: "the left side one more", -1: "the left side one less"}
    return " and ".join(names[distance] for distance in sorted(missing))


def _links_of(explanation: Explanation) -> Iterator[Link]:
    steps = [*explanation.trace.values, *(step for rule in explanation.trace.rules for step in rule.steps)]
    for step in _all_steps(steps):
        yield from _links(step)
    for used in explanation.trace.used:
        yield from _links_of(used)


def _all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all_steps(step.steps)


def _links(step: Step) -> Iterator[Link]:
    """The links of a comparison whose sides have a distance."""
    if step.origin is not Origin.COMPUTED or not step.steps or ("<" not in step.text and ">" not in step.text):
        return
    tree = _parsed(step.text)
    if not isinstance(tree, ast.Compare) or len(step.steps) != len(tree.ops) + 1:
        return
    for index, operation in enumerate(tree.ops):
        link = _link(step.steps[index], step.steps[index + 1], type(operation))
        if link is not None:
            yield link


def _link(left: Step, right: Step, sign: type[ast.cmpop]) -> Link | None:
    distance = _distance(left.value, right.value)
    if sign not in BEYOND or distance is None:
        return None
    text = f"{left.text} {_sign(sign)} {right.text}"
    turned = left.text > right.text
    if turned:
        left, right, sign, distance = right, left, MIRRORED[sign], -distance
    sign = OPPOSITE.get(sign, sign)
    return Link(f"{left.text} {_sign(sign)} {right.text}", text, turned, BEYOND[sign], distance)


@cache
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _sign(operation: type[ast.cmpop]) -> str:
    return {ast.LtE: "<=", ast.Lt: "<", ast.GtE: ">=", ast.Gt: ">"}[operation]


def _distance(left: Value, right: Value) -> int | None:
    """How many units the left side lies above the right: days, whole numbers, or the last decimal place."""
    if isinstance(left, datetime) or isinstance(right, datetime):
        return None
    if isinstance(left, date) and isinstance(right, date):
        return (left - right).days
    if not (isinstance(left, int | Decimal) and isinstance(right, int | Decimal)):
        return None
    difference = Decimal(left) - Decimal(right)
    places = max(-int(Decimal(side).as_tuple().exponent) for side in (left, right))
    return int(difference.scaleb(max(0, places)))
