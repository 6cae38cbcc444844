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
from policy_engine.language.rounding import number_of_units
from policy_engine.language.timezones import zone
from policy_engine.language.traces import Origin, Step
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Ratio, Record, Text, Type, innermost
from policy_engine.language.values import Unknown, Value, on_the_way
from policy_engine.reference.deciding import Evaluation


class Recorded(Protocol):
    """What a back end recorded of one set of facts.

    `values` has those of the nodes that were worked out, by number: None where unknown, numbers in units of their type.
    """

    @property
    def values(self) -> Mapping[int, Any]: ...

    def rounds(self, node: tree.Aggregate) -> Sequence[Recorded] | None:
        """What was recorded of each element of the list that an aggregate goes over, None where it was not worked out."""


@dataclass(frozen=True, slots=True)
class Form:
    """What of a node's step is the same for all facts: its words, and its parts, a `Step` where that is always the same.

    `exact` where the recorded value has the form in which the step tells it.
    """

    node: tree.Node
    text: str
    parts: tuple[Form | Step, ...]
    exact: bool


Forms = dict[int, Form | Step]
"""The forms of nodes by number, for one choice of readings and a stretch of days without a change of parameters."""


@dataclass(slots=True)
class RecordedEvaluation(Evaluation):
    """An evaluation whose expressions have the values that were recorded. `variables` are the elements of the loops around.

    It is of a ruleset in force, and of the choices of all its readings.
    """

    recorded: Recorded = field(kw_only=True)
    forms: Forms = field(kw_only=True)
    variables: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = zone(self.ruleset.timezone)

    def condition(self, condition: tree.Condition) -> Step:
        """The value of a condition with its steps."""
        if isinstance(condition, tree.Group):
            return self.group(condition)
        return self.step(self.forms.get(condition.tree.place.id) or self.form(condition.tree))

    def form(self, node: tree.Node) -> Form | Step:
        """The form of a node's step, made once."""
        if node.id not in self.forms:
            form = Form(node, node.text, tuple(map(self.form, tree.shown_parts(node))), _is_exact(node))
            fixed = isinstance(node, FIXED) or (form.parts and all(isinstance(part, Step) for part in form.parts))
            self.forms[node.id] = self.step(form) if fixed else form
        return self.forms[node.id]

    def step(self, form: Form | Step) -> Step:
        """The step of a form, with the steps of its parts."""
        return form if isinstance(form, Step) else STEPS[form.node.__class__](self, form)

    def operation(self, form: Form) -> Step:
        """The step of what has a value by those of its parts."""
        steps = tuple(
            [part if isinstance(part, Step) else STEPS[part.node.__class__](self, part) for part in form.parts]
        )
        recorded = self.recorded.values.get(form.node.place.id) if form.exact else None
        if recorded is not None:
            return Step(form.text, recorded, Origin.COMPUTED, "", steps)
        return self.computed(form, steps, MEANINGS[type(form.node)](self, form.node, [step.value for step in steps]))

    def computed(self, form: Form, steps: tuple[Step, ...], meant: Value) -> Step:
        """A step; `meant` is what the values of its parts mean, in the form that they have.

        It says why an unknown value is unknown. Were it ever another than the recorded value, then that is told: it has decided.
        """
        node = form.node
        if node.id in self.recorded.values and not isinstance(node.type, ListOf | Record):
            recorded = _seen(self.recorded.values[node.id], node.type)
            if not (isinstance(meant, Unknown) if isinstance(recorded, Unknown) else meant == recorded):
                meant = recorded
        return Step(form.text, meant, Origin.COMPUTED, steps=steps)

    def name(self, form: Form) -> Step:
        """The step of a name."""
        return self.steps.get(form.text) or self.look_up(form.text)

    def conditional(self, form: Form) -> Step:
        """The step of a conditional: its condition and the branch that is taken."""
        condition = self.step(form.parts[0])
        if isinstance(condition.value, Unknown):
            return self.computed(form, (condition,), on_the_way(condition.value))
        taken = self.step(form.parts[1 if condition.value else 2])
        return self.computed(form, (condition, taken), taken.value)

    def aggregate(self, form: Form) -> Step:
        """The step of an aggregate: its list, and one for each element."""
        node, source = form.node, self.step(form.parts[0])
        assert isinstance(node, tree.Aggregate)
        if isinstance(source.value, Unknown):
            return self.computed(form, (source,), on_the_way(source.value))
        assert isinstance(source.value, tuple)
        steps, rows, outer = [source], [], (self.recorded, self.variables)
        rounds = self.recorded.rounds(node) or [self.recorded] * len(source.value)
        for element, self.recorded in zip(source.value, rounds, strict=True):
            self.variables = {**outer[1], node.variable: element}
            step, row = self._round(node, element, form.parts[1:])
            steps.append(step)
            rows.append(row)
        self.recorded, self.variables = outer
        return self.computed(form, tuple(steps), aggregated(node.function, rows))

    def _round(self, node: tree.Aggregate, element: Value, parts: Sequence[Form | Step]) -> tuple[Step, Row]:
        """One element of a list: what does not pass the filter gives nothing."""
        steps = [self.step(parts[0])] if node.condition is not None else []
        passes: Value = steps[0].value if steps else True
        given: Value = False
        if passes is not False:
            steps.append(self.step(parts[-1]))
            given = steps[-1].value
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


def _is_exact(node: tree.Node) -> bool:
    """Whether a recorded value is as the step tells it: a truth, text, day or instant, or a number that is surely an `int`.

    Other numbers are told with the places that they come to, and lists and records in the values that callers see.
    """
    return isinstance(node.type, Boolean | Text | Date | Instant) or (isinstance(node.type, Number) and _is_whole(node))


def _is_whole(node: tree.Node) -> bool:
    """Whether no number in a value is a `Decimal`, as the quotient `5.5 // 2` is."""
    kind = innermost(node.type)
    if not isinstance(kind, Number):
        return not isinstance(kind, Ratio)
    return kind.places == 0 and not isinstance(node, tree.Variable) and all(map(_is_whole, tree.shown_parts(node)))


def _seen(recorded: Any, kind: Type) -> Value:
    """A recorded value that is no list and no record, as callers see it."""
    if recorded is None:
        return Unknown()
    return number_of_units(recorded, kind.places) if isinstance(kind, Number) else recorded


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
    tree.Literal: lambda to, form: Step(form.text, form.node.value, Origin.LITERAL),
    tree.LeftUnknown: lambda to, form: left_unknown(),
    tree.Variable: lambda to, form: Step(form.text, to.variables[form.text], Origin.FACT),
    tree.DecisionPart: lambda to, form: to.decision_part(form.node.decision, form.node.part),
    tree.AsOf: RecordedEvaluation.name,
    tree.Fact: RecordedEvaluation.name,
    tree.Parameter: RecordedEvaluation.name,
    tree.Reading: RecordedEvaluation.name,
    tree.Definition: RecordedEvaluation.name,
    tree.Aggregate: RecordedEvaluation.aggregate,
    tree.Conditional: RecordedEvaluation.conditional,
}
"""What makes the step of each kind of node; a plain dictionary, since it is looked up for every step."""
FIXED = tree.Literal | tree.LeftUnknown | tree.Parameter | tree.Reading
"""The nodes whose step is the same for all facts."""
