"""Going through an expression's text, its typed tree and, where it was evaluated, its steps, side by side."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from policy_engine.backends.settled import COMPARE
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Step
from policy_engine.language.expressions import Expression, segment
from policy_engine.language.values import Unknown


class Visit(NamedTuple):
    """A part of an expression: the whole expression's text, and this part in it, in the tree and in the trace.

    `step` is None where it is not known that the part was evaluated. `live` tells whether the value of the whole expression would
    be another if this part's were: in `a and b` that of `b` makes no difference where `a` is false.
    """

    text: str
    node: ast.AST
    typed: tree.Node
    step: Step | None
    live: bool = True

    @property
    def words(self) -> str:
        """The part's own text."""
        return segment(self.text, self.node)


class Link(NamedTuple):
    """One comparison of a chain such as `a <= b < c`: the typed comparison, and its sides."""

    typed: tree.Compare
    left: Visit
    right: Visit
    live: bool


def _truth(link: tree.Node, left: Visit, right: Visit) -> object:
    """Whether a comparison of a chain is true; None where it was not evaluated or is unknown."""
    values = [side.step.value for side in (left, right) if side.step is not None]
    if not isinstance(link, tree.Compare) or len(values) < 2 or any(isinstance(value, Unknown) for value in values):
        return None
    return COMPARE[link.operator](*values)


@cache
def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    return ast.parse(text, mode="eval").body


def visits(expression: Expression, step: Step | None = None) -> Iterator[Visit]:
    """The parts of an expression, from the outside in; with its step only those that were evaluated, each time they were."""
    yield from _below(
        Visit(expression.text, parsed(expression.text), expression.tree, step), evaluated=step is not None
    )


def _below(visit: Visit, *, evaluated: bool) -> Iterator[Visit]:
    yield visit
    parts = _parts(visit)
    for at, part in enumerate(parts):
        if part.step is not None or not evaluated:
            live = visit.live and (not evaluated or _matters(visit, parts, at))
            yield from _below(part._replace(live=live), evaluated=evaluated)


def decides(kind: str) -> bool:
    """The value of one part that settles the whole, whatever the others are: false for `and`, true for `or`."""
    return kind not in ("and", "all")


def _matters(visit: Visit, parts: list[Visit], at: int) -> bool:
    """Whether another value of a part could make another value of the whole."""
    match visit.typed:
        case tree.And() if isinstance(visit.node, ast.BoolOp):
            return not _others(parts, at, decides("and"))
        case tree.Or():
            return not _others(parts, at, decides("or"))
        case tree.Aggregate(function="any" | "all" as kind, condition=None) if at:
            return not _others(parts[1:], at - 1, decides("or" if kind == "any" else "and"))
    return True


def _others(parts: list[Visit], at: int, decisive: bool) -> bool:
    """Whether a part other than the one at a place settles the whole."""
    return any(other.step is not None and other.step.value is decisive for i, other in enumerate(parts) if i != at)


def links(visit: Visit) -> Iterator[Link]:
    """The comparisons of two values of which a part consists."""
    if not isinstance(visit.node, ast.Compare):
        return
    sides = _parts(visit)
    chained = visit.typed.operands if isinstance(visit.typed, tree.And) else (visit.typed,)
    truths = [_truth(typed, sides[at], sides[at + 1]) for at, typed in enumerate(chained)]
    for at, typed in enumerate(chained):
        if isinstance(typed, tree.Compare):
            live = visit.live and not any(truth is False for i, truth in enumerate(truths) if i != at)
            yield Link(typed, sides[at], sides[at + 1], live)


def _parts(visit: Visit) -> list[Visit]:
    """What stands directly below a part; of a list's elements each time with the steps of one of them."""
    steps = visit.step.steps if visit.step is not None else ()
    if isinstance(visit.typed, tree.Aggregate):
        return _of_aggregate(visit, visit.typed, steps)
    pairs = _pairs(visit.node, visit.typed)
    if isinstance(visit.typed, tree.Conditional) and steps:
        taken = pairs[1 if steps[0].value is True else 2]
        pairs = [pairs[0], taken]
    told: list[Step | None] = [*steps, *[None] * len(pairs)]
    return [Visit(visit.text, node, typed, step) for (node, typed), step in zip(pairs, told, strict=False)]


def _of_aggregate(visit: Visit, typed: tree.Aggregate, steps: tuple[Step, ...]) -> list[Visit]:
    assert isinstance(visit.node, ast.Call)
    assert isinstance(visit.node.args[0], ast.GeneratorExp)
    generator = visit.node.args[0]
    clause = generator.generators[0]
    element: list[tuple[ast.AST, tree.Node]] = [(generator.elt, typed.element)]
    if typed.condition is not None:
        element.insert(0, (clause.ifs[0], typed.condition))
    found = [Visit(visit.text, clause.iter, typed.source, steps[0] if steps else None)]
    for row in steps[1:] if visit.step is not None else ():
        found += [Visit(visit.text, node, part, step) for (node, part), step in zip(element, row.steps, strict=False)]
    if visit.step is None:
        found += [Visit(visit.text, node, part, None) for node, part in element]
    return found


def _pairs(node: ast.AST, typed: tree.Node) -> list[tuple[ast.AST, tree.Node]]:
    """The parts below in the text and in the tree."""
    match node, typed:
        case ast.Attribute(value=record), tree.MemberOf(record=below):
            return [(record, below)]
        case ast.UnaryOp(operand=operand), (tree.Not(operand=below) | tree.Negate(operand=below)):
            return [(operand, below)]
        case ast.BinOp(left=left, right=right), tree.Arithmetic(left=first, right=second):
            return [(left, first), (right, second)]
        case ast.BoolOp(values=values), (tree.And(operands=operands) | tree.Or(operands=operands)):
            return list(zip(values, operands, strict=True))
        case ast.Compare(), _:
            return _sides(node, typed)
        case ast.IfExp(), tree.Conditional():
            return [(node.test, typed.condition), (node.body, typed.then), (node.orelse, typed.otherwise)]
        case ast.List(elts=elements), tree.ListLiteral(elements=below):
            return list(zip(elements, below, strict=True))
        case ast.Call(args=arguments), tree.Call(arguments=below):
            return list(zip(arguments, below, strict=True))
    return []


def _sides(node: ast.Compare, typed: tree.Node) -> list[tuple[ast.AST, tree.Node]]:
    chained = typed.operands if isinstance(typed, tree.And) else (typed,)
    pairs = [tree.sides_of(link) for link in chained]
    return list(zip((node.left, *node.comparators), [pairs[0][0], *(right for _, right in pairs)], strict=True))
