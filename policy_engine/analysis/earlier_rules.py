"""Comparisons whose boundary no facts reach, because an earlier rule decides every case that stands there.

After a rule whose whole condition is `x > y`, or that and `known(x)`, a later rule sees no `x` above `y`: what it says of such an
`x` makes no difference.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.analysis.walking import Link, links, parsed, visits
from policy_engine.language.expressions import Condition, Expression, expressions_of, segment
from policy_engine.language.rulesets import ALWAYS, DecisionLogic, Rules

HOLDS: Mapping[str, Any] = MappingProxyType(
    {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq, "!=": operator.ne}
)
MIRRORED: Mapping[str, str] = MappingProxyType({"<=": ">=", "<": ">", ">=": "<=", ">": "<", "==": "==", "!=": "!="})


class Compared(NamedTuple):
    """A comparison in words."""

    left: str
    sign: str
    right: str

    def holds(self, distance: int, other: Compared) -> bool:
        """Whether this is surely true where the sides of another comparison, which are the same, differ by so much."""
        if (self.left, self.right) == (other.left, other.right):
            return bool(HOLDS[self.sign](distance, 0))
        turned = (self.right, self.left) == (other.left, other.right)
        return turned and bool(HOLDS[MIRRORED[self.sign]](distance, 0))


def settled_earlier(decision: DecisionLogic, wanted: Mapping[int, frozenset[int]]) -> Iterator[tuple[int, int]]:
    """The typed comparisons of rules (by `id`), each with a wanted distance of its sides that no facts have there."""
    if not isinstance(decision.body, Rules) or decision.body.hit != "first":
        return
    before: list[Compared] = []
    for rule in decision.body.rules:
        for link in _links(rule.when):
            own = _compared(link)
            for distance in wanted.get(id(link.typed), ()):
                if any(earlier.holds(distance, own) for earlier in before):
                    yield id(link.typed), distance
        if rule.period == ALWAYS:
            before += _whole(rule.when)


def _links(condition: Condition) -> Iterator[Link]:
    for expression in expressions_of(condition):
        for visit in visits(expression):
            yield from links(visit)


def _compared(link: Link) -> Compared:
    return Compared(link.left.words, link.typed.operator, link.right.words)


def _whole(condition: Condition) -> list[Compared]:
    """The comparison that a condition is, where it says nothing else but that a side of it is known."""
    parts = list(_conjuncts(condition))
    compared = [link for text, node in parts for link in _single(text, node)]
    if len(compared) != 1:
        return []
    (one,) = compared
    known = {f"known({one.left})", f"known({one.right})"}
    others = [text for text, node in parts if not list(_single(text, node))]
    return [one] if all(text in known for text in others) else []


def _conjuncts(condition: Condition) -> Iterator[tuple[str, ast.AST]]:
    """The parts that must all be true, each with its text; a condition that is none of that is one part."""
    if isinstance(condition, Expression):
        node = parsed(condition.text)
        for part in node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]:
            text = segment(condition.text, part)
            yield text, parsed(text)
    elif condition.kind == "all":
        for below in condition.conditions:
            yield from _conjuncts(below)
    else:
        yield "", ast.Pass()


def _single(text: str, node: ast.AST) -> Iterator[Compared]:
    signs = {ast.LtE: "<=", ast.Lt: "<", ast.GtE: ">=", ast.Gt: ">"}
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in signs:
        yield Compared(segment(text, node.left), signs[type(node.ops[0])], segment(text, node.comparators[0]))
