"""Traces from recorded values: the steps of a typed tree, each with the value that its node had when a back end decided.

Hit policies, definitions and used decisions are those of the reference; only the value of an expression comes from what was
recorded. A back end records no reason for an unknown value: that is worked out here, from the values of the node's parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.logic import conjunction, disjunction, negation
from policy_engine.language.operators import (
    BY_SIGN,
    LAZY,
    Row,
    aggregated,
    contained,
    left_unknown,
    member_of_value,
    plain_meaning,
    strict,
)
from policy_engine.language.traces import Origin, Step
from policy_engine.language.values import Unknown, Value, is_unknown, on_the_way
from policy_engine.reference.deciding import Evaluation


class Recorded(Protocol):
    """What a back end recorded of one set of facts."""

    def value(self, node: tree.Node) -> Value | None:
        """The value of a node, an `Unknown` without a reason where it was unknown; None where it was not worked out."""

    def rounds(self, node: tree.Aggregate) -> Sequence[Recorded] | None:
        """What was recorded of each element of the list that an aggregate goes over, None where it was not worked out."""


@dataclass(slots=True)
class RecordedEvaluation(Evaluation):
    """An evaluation whose expressions have the values that were recorded. `variables` are the elements of the loops around."""

    recorded: Recorded = field(kw_only=True)
    variables: dict[str, Value] = field(default_factory=dict)

    def condition(self, condition: tree.Condition) -> Step:
        """The value of a condition with its steps."""
        if isinstance(condition, tree.Group):
            return self.group(condition)
        return self.step(condition.tree)

    def step(self, node: tree.Node) -> Step:
        """The step of a node, with the steps of its parts."""
        return STEPS[node.__class__](self, node)

    def operation(self, node: tree.Node) -> Step:
        """The step of what has a value by those of its parts."""
        steps = tuple([STEPS[part.__class__](self, part) for part in tree.shown_parts(node)])
        recorded = self.recorded.value(node)
        if recorded is True or recorded is False:  # a truth has one form only
            return Step(node.place.text, recorded, Origin.COMPUTED, "", steps)
        meant = MEANINGS[type(node)](self, node, [step.value for step in steps])
        return _computed(node, steps, recorded, meant)

    def variable(self, node: tree.Variable) -> Step:
        """The step of the element at hand."""
        return Step(node.name, self.variables[node.name], Origin.FACT)

    def name(self, node: tree.Fact | tree.Parameter | tree.Reading | tree.Definition) -> Step:
        """The step of a name."""
        return self.steps.get(node.name) or self.look_up(node.name)

    def conditional(self, node: tree.Conditional) -> Step:
        """The step of a conditional: its condition and the branch that is taken."""
        condition = self.step(node.condition)
        if isinstance(condition.value, Unknown):
            return _computed(node, (condition,), self.recorded.value(node), on_the_way(condition.value))
        taken = self.step(node.then if condition.value else node.otherwise)
        return _computed(node, (condition, taken), self.recorded.value(node), taken.value)

    def aggregate(self, node: tree.Aggregate) -> Step:
        """The step of an aggregate: its list, and one for each element."""
        source = self.step(node.source)
        if isinstance(source.value, Unknown):
            return _computed(node, (source,), self.recorded.value(node), on_the_way(source.value))
        assert isinstance(source.value, tuple)
        steps, rows = [source], []
        rounds = self.recorded.rounds(node) or [self.recorded] * len(source.value)
        for element, recorded in zip(source.value, rounds, strict=True):
            step, row = self._round(node, element, recorded)
            steps.append(step)
            rows.append(row)
        return _computed(node, tuple(steps), self.recorded.value(node), aggregated(node.function, rows))

    def _round(self, node: tree.Aggregate, element: Value, recorded: Recorded) -> tuple[Step, Row]:
        """One element of a list: what does not pass the filter gives nothing."""
        outer = self.recorded, self.variables
        self.recorded, self.variables = recorded, {**self.variables, node.variable: element}
        steps = [self.step(node.condition)] if node.condition is not None else []
        passes: Value = steps[0].value if steps else True
        given: Value = False
        if passes is not False:
            steps.append(self.step(node.element))
            given = steps[-1].value
        self.recorded, self.variables = outer
        return Step(f"for {node.variable}", element, Origin.COMPUTED, steps=tuple(steps)), (passes, given)

    def called(self, node: tree.Call, arguments: Sequence[Value]) -> Value:
        """What a function gives."""
        if node.function in LAZY:
            return LAZY[node.function](*arguments)
        zone = [self.zone] if FUNCTIONS[node.function].in_zone else []
        return strict(plain_meaning(node.function))(*arguments, *zone)

    def chained(self, node: tree.Chain, sides: Sequence[Value]) -> Value:
        """The `and` of the links between each side and the next."""
        return conjunction([link(each, sides[at], sides[at + 1]) for at, each in enumerate(node.operands)])


def link(node: tree.Node, left: Value, right: Value) -> Value:
    """What a comparison, or a test of membership, makes of two values."""
    match node:
        case tree.Compare(operator=sign):
            return BY_SIGN[sign](left, right)
        case tree.In():
            return contained(left, right)
    return negation(contained(left, right))


def _computed(node: tree.Node, steps: tuple[Step, ...], recorded: Value | None, meant: Value) -> Step:
    """The step of a node; `meant` is what the values of its parts mean, in the form that they have.

    It says why an unknown value is unknown. Were it ever another than the recorded value, then that is told: it has decided.
    """
    value = meant if recorded is None or _same(recorded, meant) else recorded
    return Step(node.text, value, Origin.COMPUTED, steps=steps)


def _same(recorded: Value, meant: Value) -> bool:
    """Whether two values are the same; of what is recorded as unknown only that is known."""
    if isinstance(recorded, tuple) and isinstance(meant, tuple):
        return len(recorded) == len(meant) and all(map(_same, recorded, meant))
    return is_unknown(meant) if isinstance(recorded, Unknown) else recorded == meant


def _negated(node: tree.Not, parts: Sequence[Value]) -> Value:
    return link(node, *parts) if len(parts) == 2 else negation(parts[0])


Meaning = Callable[[RecordedEvaluation, Any, Sequence[Value]], Value]
MEANINGS: Mapping[type[tree.Node], Meaning] = MappingProxyType(
    {
        tree.Compare: lambda to, node, parts: link(node, *parts),
        tree.In: lambda to, node, parts: link(node, *parts),
        tree.Not: lambda to, node, parts: _negated(node, parts),
        tree.Chain: RecordedEvaluation.chained,
        tree.And: lambda to, node, parts: conjunction(parts),
        tree.Or: lambda to, node, parts: disjunction(parts),
        tree.Arithmetic: lambda to, node, parts: BY_SIGN[node.operator](*parts),
        tree.Negate: lambda to, node, parts: BY_SIGN["-x"](*parts),
        tree.ListLiteral: lambda to, node, parts: tuple(parts),
        tree.MemberOf: lambda to, node, parts: member_of_value(parts[0], node.name),
        tree.Call: RecordedEvaluation.called,
    }
)
"""What each kind of node makes of the values of its parts."""
STEPS: Mapping[type[tree.Node], Callable[[RecordedEvaluation, Any], Step]] = {
    **dict.fromkeys(MEANINGS, RecordedEvaluation.operation),
    tree.Literal: lambda to, node: Step(node.text, node.value, Origin.LITERAL),
    tree.LeftUnknown: lambda to, node: left_unknown(),
    tree.Variable: RecordedEvaluation.variable,
    tree.DecisionPart: lambda to, node: to.decision_part(node.decision, node.part),
    tree.AsOf: lambda to, node: to.look_up("as_of"),
    tree.Fact: RecordedEvaluation.name,
    tree.Parameter: RecordedEvaluation.name,
    tree.Reading: RecordedEvaluation.name,
    tree.Definition: RecordedEvaluation.name,
    tree.Aggregate: RecordedEvaluation.aggregate,
    tree.Conditional: RecordedEvaluation.conditional,
}
"""What makes the step of each kind of node; a plain dictionary, since it is looked up for every step."""
