"""Conditions as formulas over their leaves: the conditions that consist of no others, such as a comparison.

Inputs of a formula are its leaves and the conditions of its `if`s. None stands for an unknown value, and for that of an input
which was not asked for, as in the branch of an `if` that is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.types import ANYTHING, BOOLEAN

Truth = bool | None
Inputs = tuple[Truth, ...]


class Input(NamedTuple):
    """The value of an input, by its place among them."""

    at: int


class Junction(NamedTuple):
    """`or` where `decisive` is true, else `and`."""

    decisive: bool
    parts: tuple[Part, ...]


class Negation(NamedTuple):
    """`not`."""

    part: Part


class Selection(NamedTuple):
    """`then if condition else otherwise`."""

    condition: Input
    then: Part
    otherwise: Part


Part = Input | Junction | Negation | Selection


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A condition over its inputs, in the order in which they are written; `leaves` are the places of those that are leaves.

    Constants that are written out and conditions of `if`s are inputs and no leaves.
    """

    whole: Part
    inputs: tuple[tree.Node, ...]
    leaves: tuple[int, ...]

    def value(self, inputs: Sequence[Truth]) -> Truth:
        """What the condition is where its inputs have these values, by three-valued logic."""
        return _value(self.whole, inputs)

    def decided_by(self, at: int, inputs: Inputs) -> Truth:
        """What the condition is where an input decides it alone, None where it does not.

        It does where it is known, as is the condition, which would not be the same with the other value of the input: all
        other inputs stay as they are. So it is by the masking form of MC/DC.
        """
        here = self.value(inputs)
        if inputs[at] is None or here is None:
            return None
        return None if self.value((*inputs[:at], not inputs[at], *inputs[at + 1 :])) is here else here

    def shown(self, at: int, seen: Iterable[Inputs]) -> bool:
        """Whether of those inputs that were seen two show that one decides: true and false, with the condition both ways."""
        decided = {(inputs[at], self.decided_by(at, inputs)) for inputs in seen}
        return {(True, True), (False, False)} <= decided or {(True, False), (False, True)} <= decided


def _value(part: Part, inputs: Sequence[Truth]) -> Truth:
    match part:
        case Input(at=at):
            return inputs[at]
        case Negation(part=negated):
            value = _value(negated, inputs)
            return None if value is None else not value
        case Selection(condition=condition, then=then, otherwise=otherwise):
            chosen = inputs[condition.at]
            return None if chosen is None else _value(then if chosen else otherwise, inputs)
    values = [_value(each, inputs) for each in part.parts]
    if part.decisive in values:
        return part.decisive
    return None if None in values else not part.decisive


def formula_of(condition: Condition | tree.Node) -> Formula:
    """The formula of a condition."""
    writer = _Writer()
    whole = writer.node(condition) if isinstance(condition, tree.Node) else writer.condition(condition)
    return Formula(whole, tuple(writer.inputs), tuple(writer.leaves))


@dataclass(slots=True)
class _Writer:
    inputs: list[tree.Node] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)

    def condition(self, condition: Condition) -> Part:
        if isinstance(condition, Expression):
            return self.node(condition.tree)
        joined = Junction(condition.kind != "all", tuple(map(self.condition, condition.conditions)))
        return Negation(joined) if condition.kind == "none" else joined

    def node(self, node: tree.Node) -> Part:
        if not is_composed(node):
            return self.input(node, is_leaf=not isinstance(node, tree.Literal | tree.LeftUnknown))
        match node:
            case tree.And(operands=operands) | tree.Or(operands=operands):
                return Junction(isinstance(node, tree.Or), tuple(map(self.node, operands)))
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                return Selection(self.input(condition, is_leaf=False), self.node(then), self.node(otherwise))
        assert isinstance(node, tree.Not)
        return Negation(self.node(node.operand))

    def input(self, node: tree.Node, *, is_leaf: bool) -> Input:
        at = len(self.inputs)
        self.inputs.append(node)
        self.leaves += [at] if is_leaf else []
        return Input(at)


def is_composed(node: tree.Node) -> bool:
    """Whether a condition consists of others; `a not in b` does not, and is a leaf."""
    match node:
        case tree.And() | tree.Or():
            return True
        case tree.Not(operand=operand):
            return not (isinstance(operand, tree.In) and operand.text == node.text)
        case tree.Conditional():
            return is_condition(node)
    return False


def is_condition(node: tree.Node) -> bool:
    """Whether a node is a condition; `unknown` alone may be one."""
    return node.type in (BOOLEAN, ANYTHING)


class Below(NamedTuple):
    """A condition below a node that is a formula of its own: of an `if`, of a filter, or what a function is given.

    `guards` are the conditions of `if`s that lead to it, with the way that they must go; `is_of_elements` where it stands in a
    loop over a list.
    """

    node: tree.Node
    guards: tuple[tuple[tree.Node, bool], ...]
    is_of_elements: bool


def formulas_below(node: tree.Node) -> Iterator[Below]:
    """The conditions below a node that are formulas of their own."""
    waiting = [Below(node, (), False)]
    while waiting:
        here = waiting.pop()
        for child, begins in _children(here):
            waiting.append(child)
            if begins:
                yield child


def _children(above: Below) -> Iterator[tuple[Below, bool]]:
    """The nodes directly below a node, each with whether a formula begins there."""
    node, inner = above.node, is_composed(above.node)
    match node:
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            yield above._replace(node=condition), True
            for branch, taken in ((then, True), (otherwise, False)):
                below = Below(branch, (*above.guards, (condition, taken)), above.is_of_elements)
                yield below, not inner and is_composed(branch)
        case tree.Aggregate(source=source, condition=condition, element=element):
            yield above._replace(node=source), False
            for part in (condition, element):
                if part is not None:
                    yield Below(part, above.guards, True), part.type == BOOLEAN
        case _:
            for child in tree.children(node):
                yield above._replace(node=child), not inner and is_composed(child)
