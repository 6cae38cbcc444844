"""Walks an expression's typed tree beside the steps that recorded its evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.formulas import Truth, is_composed
from policy_engine.language.operators import COMPARE, contained
from policy_engine.language.traces import Step
from policy_engine.language.values import Unknown, Value


class Visit(NamedTuple):
    """A node, and the step that recorded its evaluation: None where it was not evaluated.

    `live` tells whether another value of this node would change the value of the whole expression: in `a and b` that of `b`
    does not where `a` is false.
    """

    node: tree.Node
    step: Step | None
    live: bool = True


class Link(NamedTuple):
    """A comparison of two values, by itself or as a link of a chain such as `a <= b < c`, with its sides."""

    node: tree.Compare
    left: Visit
    right: Visit
    live: bool


def visits(node: tree.Node, step: Step, *, live: bool = True) -> Iterator[Visit]:
    """A node and all below it that were evaluated, from the outside in, each time they were."""
    visit = Visit(node, step, live)
    yield visit
    parts = parts_of(visit)
    for at, part in enumerate(parts):
        if part.step is not None:
            yield from visits(part.node, part.step, live=live and _matters(node, parts, at))


def deciding_value(kind: str) -> bool:
    """The value of one part that decides the whole whatever the others are: false for `and` and `all`, else true."""
    return kind not in ("and", "all")


def _matters(node: tree.Node, parts: list[Visit], at: int) -> bool:
    """Whether another value of a part could change the value of the whole."""
    match node:
        case tree.Chain():
            return True
        case tree.And():
            return not _others(parts, at, deciding_value("and"))
        case tree.Or():
            return not _others(parts, at, deciding_value("or"))
        case tree.Aggregate(function="any" | "all" as kind, condition=None) if at:
            return not _others(parts[1:], at - 1, deciding_value(kind))
    return True


def _others(parts: list[Visit], at: int, deciding: bool) -> bool:
    """Whether a part other than the one at a place decides the whole."""
    return any(other.step is not None and other.step.value is deciding for i, other in enumerate(parts) if i != at)


def links(visit: Visit) -> Iterator[Link]:
    """The comparisons of two values that a node consists of."""
    chained = _chained(visit.node)
    sides = parts_of(visit)
    truths = [_truth(node, sides[at], sides[at + 1]) for at, node in enumerate(chained)]
    for at, node in enumerate(chained):
        if isinstance(node, tree.Compare):
            live = visit.live and not any(truth is False for i, truth in enumerate(truths) if i != at)
            yield Link(node, sides[at], sides[at + 1], live)


def _truth(node: tree.Node, left: Visit, right: Visit) -> Truth:
    """Whether a link of a chain is true; None where it was not evaluated or is unknown."""
    if left.step is None or right.step is None:
        return None
    if not isinstance(node, tree.Compare):
        found = known(contained(left.step.value, right.step.value))
        return None if found is None else found is isinstance(node, tree.In)
    sides = left.step.value, right.step.value
    return None if any(isinstance(side, Unknown) for side in sides) else COMPARE[node.operator](*sides)


def known(value: Value) -> Truth:
    """The value of a condition, None where it is unknown."""
    return value if isinstance(value, bool) else None


def inputs_of(condition: Condition | tree.Node, step: Step | None) -> Iterator[Truth]:
    """The values of the inputs of a condition's formula, by the step that recorded it; None also where one was not evaluated."""
    if isinstance(condition, tree.Node):
        yield from _inputs(Visit(condition, step))
    elif isinstance(condition, Expression):
        yield from _inputs(Visit(condition.tree, step))
    else:
        steps = step.steps if step is not None else ()
        for part, below in zip_longest(condition.conditions, steps):
            yield from inputs_of(part, below)


def _inputs(visit: Visit) -> Iterator[Truth]:
    node = visit.node
    if not is_composed(node):
        yield known(visit.step.value) if visit.step is not None else None
    elif isinstance(node, tree.Conditional):
        yield from _of_conditional(node, visit.step.steps if visit.step is not None else ())
    elif isinstance(node, tree.Chain):
        sides = parts_of(visit)
        yield from (_truth(link, sides[at], sides[at + 1]) for at, link in enumerate(node.operands))
    else:
        for part in parts_of(visit):
            yield from _inputs(part)


def _of_conditional(node: tree.Conditional, steps: tuple[Step, ...]) -> Iterator[Truth]:
    taken = known(steps[0].value) if steps else None
    yield taken
    for branch, when in ((node.then, True), (node.otherwise, False)):
        yield from _inputs(Visit(branch, steps[1] if taken is when else None))


def _chained(node: tree.Node) -> tuple[tree.Node, ...]:
    """The comparisons that were written as one: of a chain its links, of another comparison itself."""
    match node:
        case tree.Chain(operands=operands):
            return operands
        case tree.Compare() | tree.In():
            return (node,)
        case tree.Not(operand=tree.In(text=text)) if text == node.text:  # `a not in b`
            return (node,)
    return ()


def parts_of(visit: Visit) -> list[Visit]:
    """The nodes directly below a node, each with its step; of a generator's element one for each time it was evaluated."""
    steps = visit.step.steps if visit.step is not None else ()
    if isinstance(visit.node, tree.Aggregate):
        return _of_aggregate(visit.node, steps)
    nodes = list(tree.shown_parts(visit.node))
    if isinstance(visit.node, tree.Conditional) and steps:
        nodes = [nodes[0], nodes[1 if steps[0].value is True else 2]]
    return [Visit(node, step) for node, step in zip(nodes, [*steps, *[None] * len(nodes)], strict=False)]


def _of_aggregate(node: tree.Aggregate, steps: tuple[Step, ...]) -> list[Visit]:
    source = Visit(node.source, steps[0] if steps else None)
    element = [node.element] if node.condition is None else [node.condition, node.element]
    return [source, *(Visit(part, step) for row in steps[1:] for part, step in zip(element, row.steps, strict=False))]
