"""Comparisons with a side that no facts reach, because an earlier rule decides every case there.

After a rule whose whole condition is `x > y`, or that and `known(x)`, a later rule is not reached by an `x` above `y`, so how it
compares such an `x` makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple, TypeGuard

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression, expressions_of
from policy_engine.language.operators import COMPARE, MIRRORED
from policy_engine.language.rulesets import ALWAYS, DecisionLogic, HitPolicy, Rules


class Compared(NamedTuple):
    """A comparison by the text of its sides."""

    left: str
    sign: str
    right: str

    def holds(self, distance: int, other: Compared) -> bool:
        """Whether this is surely true where the sides of another comparison, which are the same, differ by so much."""
        if (self.left, self.right) == (other.left, other.right):
            return bool(COMPARE[self.sign](distance, 0))
        turned = (self.right, self.left) == (other.left, other.right)
        return turned and bool(COMPARE[MIRRORED[self.sign]](distance, 0))


def decided_earlier(decision: DecisionLogic, wanted: Mapping[int, frozenset[int]]) -> Iterator[tuple[int, int]]:
    """The comparisons of rules (by node id), each with a wanted distance of its sides that no facts have there."""
    if not isinstance(decision.body, Rules) or decision.body.hit is not HitPolicy.FIRST:
        return
    before: list[Compared] = []
    for rule in decision.body.rules:
        nodes = chain.from_iterable(tree.walk(expression.tree) for expression in expressions_of(rule.when))
        for node in (node for node in nodes if isinstance(node, tree.Compare)):
            for distance in wanted.get(node.id, ()):
                if any(earlier.holds(distance, _compared(node)) for earlier in before):
                    yield node.id, distance
        if rule.period == ALWAYS:
            before += _whole(rule.when)


def _compared(node: tree.Compare) -> Compared:
    return Compared(node.left.text, node.operator, node.right.text)


def _whole(condition: Condition) -> list[Compared]:
    """The comparison that a condition is, where it says nothing else but that a side of it is known."""
    parts = list(_conjuncts(condition))
    compared = [_compared(part) for part in parts if _orders(part)]
    if len(compared) != 1:
        return []
    known = {f"known({compared[0].left})", f"known({compared[0].right})"}
    return compared if all(_orders(part) or (part is not None and part.text in known) for part in parts) else []


def _orders(part: tree.Node | None) -> TypeGuard[tree.Compare]:
    return isinstance(part, tree.Compare) and part.operator not in ("==", "!=")


def _conjuncts(condition: Condition) -> Iterator[tree.Node | None]:
    """The parts that must all be true; None for a group that is not a conjunction."""
    if isinstance(condition, Expression):
        node = condition.tree
        yield from node.operands if isinstance(node, tree.And) and not isinstance(node, tree.Chain) else [node]
    elif condition.kind == "all":
        for below in condition.conditions:
            yield from _conjuncts(below)
    else:
        yield None
