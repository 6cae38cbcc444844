"""What no facts reach in a rule, because an earlier rule decides every case there.

After a rule whose whole condition is `x > y`, or that and `known(x)`, a later rule is not reached by an `x` above `y`, so how it
compares such an `x` makes no difference. After one whose whole condition is `x`, a later rule is not reached where `x` is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeGuard

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression, expressions_of
from policy_engine.language.formulas import formula_of, is_composed
from policy_engine.language.operators import COMPARE, MIRRORED
from policy_engine.language.rulesets import ALWAYS, DecisionLogic, HitPolicy, Rule, Rules


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


@dataclass(slots=True)
class Before:
    """What the rules before one say, each alone: comparisons, and leaves by their text and the value by which they decide."""

    compared: list[Compared] = field(default_factory=list)
    leaves: set[tuple[str, bool]] = field(default_factory=set)

    def add(self, rule: Rule) -> None:
        """A rule comes before those that follow."""
        whole = _whole(rule)
        if whole is not None:
            self.leaves.add((_bare(whole).text, _bare(whole) is whole))
            self.compared += [_compared(whole)] if _orders(whole) else []

    def decides(self, node: tree.Compare, distance: int) -> bool:
        """Whether one of them decides where the sides of a comparison differ by so much."""
        return any(earlier.holds(distance, _compared(node)) for earlier in self.compared)

    def settles(self, leaf: tree.Node, value: bool) -> bool:
        """Whether they decide wherever a leaf has a value."""
        if (leaf.text, value) in self.leaves:
            return True
        if not isinstance(leaf, tree.Compare):
            return False
        sides = [side for side in (-1, 0, 1) if COMPARE[leaf.operator](side, 0) is value]
        return all(self.decides(leaf, side) for side in sides)


def decided_earlier(decision: DecisionLogic, wanted: Mapping[int, frozenset[int]]) -> Iterator[tuple[int, int]]:
    """The comparisons of rules (by node id), each with a wanted distance of its sides that no facts have there."""
    for before, rule in _in_order(decision):
        nodes = chain.from_iterable(tree.walk(expression.tree) for expression in expressions_of(rule.when))
        for node in (node for node in nodes if isinstance(node, tree.Compare)):
            yield from ((node.id, each) for each in wanted.get(node.id, ()) if before.decides(node, each))


def settled_earlier(decision: DecisionLogic) -> Iterator[tuple[int, bool]]:
    """The leaves of rules (by node id), each with the value that it has in no case that comes so far."""
    for before, rule in _in_order(decision):
        formula = formula_of(rule.when)
        for leaf in (formula.inputs[at] for at in formula.leaves):
            yield from ((leaf.id, value) for value in (True, False) if before.settles(leaf, value))


def _in_order(decision: DecisionLogic) -> Iterator[tuple[Before, Rule]]:
    """The rules of which a later one is only reached where no earlier one is true, each with what stands before it."""
    body, before = decision.body, Before()
    for rule in body.rules if isinstance(body, Rules) and body.hit is HitPolicy.FIRST else ():
        yield before, rule
        before.add(rule)


def _compared(node: tree.Compare) -> Compared:
    return Compared(node.left.text, node.operator, node.right.text)


def _whole(rule: Rule) -> tree.Node | None:
    """The leaf, or the `not` of one, that a rule's condition is, where it says nothing else but that this is known."""
    if rule.period != ALWAYS:
        return None
    parts = list(_conjuncts(rule.when))
    others = [part for part in parts if part is None or not _is_known(part)]
    if len(others) != 1 or others[0] is None or is_composed(_bare(others[0])):
        return None
    return others[0] if all(part in others or _is_of(part, _bare(others[0])) for part in parts) else None


def _is_known(part: tree.Node) -> bool:
    return isinstance(part, tree.Call) and part.function == "known"


def _is_of(part: tree.Node | None, leaf: tree.Node) -> bool:
    """Whether a part says that a leaf is known, or one of the two sides that it compares."""
    compared = (leaf.left, leaf.right) if isinstance(leaf, tree.Compare) else ()
    return part is not None and part.text in {f"known({each.text})" for each in (leaf, *compared)}


def _bare(part: tree.Node) -> tree.Node:
    return part.operand if isinstance(part, tree.Not) and is_composed(part) else part


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
