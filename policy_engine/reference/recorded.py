"""Traces from recorded values: the steps of a typed tree, each with the value that its node had when a back end decided.

Hit policies, definitions and used decisions are those of the reference; only the value of an expression comes from what was
recorded. A back end records no reason for an unknown value: that is worked out here, from the values of the node's parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from sys import maxsize
from types import MappingProxyType
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.logic import conjunction, disjunction, negation
from policy_engine.language.lookup_indexes import row_found
from policy_engine.language.operators import (
    BY_SIGN,
    LAZY,
    Row,
    aggregated,
    contained,
    left_unknown,
    looked_up,
    lookup_step,
    member_of_value,
    plain_meaning,
    strict,
)
from policy_engine.language.rounding import number_of_units
from policy_engine.language.timezones import zone
from policy_engine.language.traces import Origin, Step, new_step
from policy_engine.language.types import (
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Time,
    Tuple,
    innermost,
)
from policy_engine.language.values import UNSET, Unknown, Value, on_the_way
from policy_engine.reference.deciding import Evaluation, group_value


@dataclass(frozen=True, slots=True)
class Form:
    """What of the step of a node or group is the same for all facts; `fixed` is the step itself where all of it is.

    `make` makes the step, `meaning` is what the values of the parts mean. `id` is the number under which the value is recorded,
    `NOT_TOLD` for groups, which have none, and for lists and records, which consist of values that are told. `exact` where the
    recorded value is as the step tells it.
    """

    node: Any
    text: str
    parts: tuple[Form, ...]
    make: Callable[[RecordedEvaluation, Form], Step]
    meaning: Callable[..., Value] | None
    id: int
    exact: bool
    fixed: Step | None = None


NOT_TOLD = maxsize
COMPUTED, FACT = Origin.COMPUTED, Origin.FACT  # looking one up in its enum takes as long as half a step
Forms = dict[int, Form]
"""The forms of nodes and groups by identity, for one choice of readings and a stretch of days without a change of parameters."""


@dataclass(slots=True)
class RecordedEvaluation(Evaluation):
    """An evaluation whose expressions have the values that were recorded, of a ruleset in force and the choices of all readings.

    `recorded` has the values by the numbers of their nodes, as in `backends.python.Recording`; what is recorded in a round of a
    loop stands there while the round is told. `variables` are the elements of the loops around.
    """

    recorded: dict[int, Any] = field(kw_only=True)
    forms: Forms = field(kw_only=True)
    variables: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone, self.week = zone(self.ruleset.timezone), self.ruleset.week

    def condition(self, condition: tree.Condition) -> Step:
        """The value of a condition with its steps."""
        part = condition.tree if isinstance(condition, tree.Expression) else condition
        form = self.forms.get(id(part)) or self.form(part)
        return form.fixed or form.make(self, form)

    def form(self, node: tree.Node | tree.Group) -> Form:
        """The form of a step, made once."""
        found = self.forms.get(id(node))
        if found is None:
            found = self._form(node)
            if isinstance(node, FIXED) or (found.parts and all(part.fixed for part in found.parts)):
                found = replace(found, fixed=found.make(self, found))
            self.forms[id(node)] = found
        return found

    def _form(self, node: tree.Node | tree.Group) -> Form:
        make, meaning_of = STEPS[type(node)], MEANINGS.get(type(node))
        meaning = meaning_of(node, self) if meaning_of else None
        if isinstance(node, tree.Group):
            parts = [part.tree if isinstance(part, tree.Expression) else part for part in node.conditions]
            return Form(node, node.kind, tuple(map(self.form, parts)), make, meaning, NOT_TOLD, False)
        key = NOT_TOLD if isinstance(node.type, ListOf | Record | Tuple) else node.id
        return Form(node, node.text, tuple(map(self.form, tree.shown_parts(node))), make, meaning, key, _is_exact(node))

    def step(self, form: Form) -> Step:
        """The step of a form, with the steps of its parts."""
        return form.fixed or form.make(self, form)

    def operation(self, form: Form) -> Step:
        """The step of what has a value by those of its parts."""
        steps = tuple([part.fixed or part.make(self, part) for part in form.parts])
        recorded = self.recorded.get(form.id, UNSET) if form.exact else UNSET
        if recorded is not UNSET and recorded is not None:
            return new_step((form.text, recorded, COMPUTED, "", steps))
        assert form.meaning is not None
        return self.computed(form, steps, form.meaning(*[step.value for step in steps]))

    def computed(self, form: Form, steps: tuple[Step, ...], meant: Value) -> Step:
        """A step; `meant` is what the values of its parts mean, in the form that they have.

        It says why an unknown value is unknown. Were it ever another than the recorded value, then that is told: it has decided.
        """
        recorded = self.recorded.get(form.id, UNSET)
        if recorded is None:
            meant = meant if isinstance(meant, Unknown) else Unknown()
        elif recorded is not UNSET:
            places = form.node.type.places if isinstance(form.node.type, Number) else 0
            recorded = number_of_units(recorded, places)
            meant = meant if meant == recorded else recorded
        return new_step((form.text, meant, COMPUTED, "", steps))

    def fact(self, form: Form) -> Step:
        """The step of a fact."""
        return self.steps.get(form.text) or self.keep(self.fact_step(form.text))

    def definition(self, form: Form) -> Step:
        """The step of a definition."""
        return self.steps.get(form.text) or self.keep(self.definition_step(self.ruleset.definition(form.text)))

    def lookup(self, form: Form) -> Step:
        """The step of a look-up: its keys, and the row that they find."""
        node, keys = form.node, [self.step(part) for part in form.parts]
        assert isinstance(node, tree.Lookup)
        values = [key.value for key in keys]
        row = None if any(isinstance(value, Unknown) for value in values) else row_found(node.table, values)
        meant = looked_up(node.table, node.column, values, row, told=node.table.name not in self.ruleset.withheld)
        return lookup_step(form.text, self.computed(form, (), meant).value, node.table, keys, row)

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
        steps, rows, outer = [source], [], self.variables
        loop = self.recorded.get(~node.id, UNSET)
        keys, rounds = ((), [()] * len(source.value)) if loop is UNSET else loop
        for element, recorded in zip(source.value, rounds, strict=True):
            self.recorded.update(zip(keys, recorded, strict=True))
            self.variables = {**outer, node.variable: element}
            step, row = self._round(node, element, form.parts[1:])
            steps.append(step)
            rows.append(row)
        self.variables = outer
        return self.computed(form, tuple(steps), aggregated(node.function, rows))

    def _round(self, node: tree.Aggregate, element: Value, parts: Sequence[Form]) -> tuple[Step, Row]:
        """One element of a list: what does not pass the filter gives nothing."""
        steps = [self.step(parts[0])] if node.condition is not None else []
        passes: Value = steps[0].value if steps else True
        given: Value = False
        if passes is not False:
            steps.append(self.step(parts[-1]))
            given = steps[-1].value
        return new_step((f"for {node.variable}", element, COMPUTED, "", tuple(steps))), (passes, given)


def _called(node: tree.Call, to: RecordedEvaluation) -> Callable[..., Value]:
    """What a function gives."""
    if node.function in LAZY:
        return LAZY[node.function]
    meaning, beside = plain_meaning(node.function), FUNCTIONS[node.function].beside(to.zone, to.week)
    return strict((lambda *arguments: meaning(*arguments, *beside)) if beside else meaning)


def _chained(node: tree.Chain) -> Callable[..., Value]:
    """The `and` of the links between each side and the next."""
    links = [_link(each) for each in node.operands]
    return lambda *sides: conjunction([link(*pair) for link, pair in zip(links, pairwise(sides), strict=True)])


def _link(node: tree.Node) -> Callable[..., Value]:
    """What a comparison, or a test of membership, makes of two values."""
    if isinstance(node, tree.Compare):
        return BY_SIGN[node.operator]
    return contained if isinstance(node, tree.In) else lambda item, elements: negation(contained(item, elements))


def _is_exact(node: tree.Node) -> bool:
    """Whether a recorded value is as the step tells it: a truth, text, day or instant, or a number that is surely an `int`.

    Other numbers are told with the places that they come to, and lists and records in the values that callers see.
    """
    return isinstance(node.type, Boolean | Text | Date | Instant | Time) or (
        isinstance(node.type, Number) and _is_whole(node)
    )


def _is_whole(node: tree.Node) -> bool:
    """Whether no number in a value is a `Decimal`, as the quotient `5.5 // 2` is."""
    kind = innermost(node.type)
    if not isinstance(kind, Number):
        return not isinstance(kind, Ratio)
    return kind.places == 0 and not isinstance(node, tree.Variable) and all(map(_is_whole, tree.shown_parts(node)))


MEANINGS: Mapping[type, Callable[[Any, RecordedEvaluation], Callable[..., Value]]] = MappingProxyType(
    {
        tree.Group: lambda node, to: lambda *parts: group_value(node.kind, parts),
        tree.Compare: lambda node, to: _link(node),
        tree.In: lambda node, to: _link(node),
        tree.Not: lambda node, to: _link(node) if len(tree.shown_parts(node)) == 2 else negation,
        tree.Chain: lambda node, to: _chained(node),
        tree.And: lambda node, to: lambda *parts: conjunction(parts),
        tree.Or: lambda node, to: lambda *parts: disjunction(parts),
        tree.Arithmetic: lambda node, to: BY_SIGN[node.operator],
        tree.Negate: lambda node, to: BY_SIGN["-x"],
        tree.ListLiteral: lambda node, to: lambda *parts: parts,
        tree.Tuple: lambda node, to: lambda *parts: parts,
        tree.MemberOf: lambda node, to: lambda record: member_of_value(record, node.name),
        tree.Call: _called,
    }
)
"""What each kind of node makes of the values of its parts."""
STEPS: Mapping[type, Callable[[RecordedEvaluation, Form], Step]] = MappingProxyType(
    {
        **dict.fromkeys(MEANINGS, RecordedEvaluation.operation),
        tree.Literal: lambda to, form: Step(form.text, form.node.value, Origin.LITERAL),
        tree.LeftUnknown: lambda to, form: left_unknown(),
        tree.Variable: lambda to, form: new_step((form.text, to.variables[form.text], FACT, "", ())),
        tree.DecisionPart: lambda to, form: to.decision_part(form.node.decision, form.node.part),
        tree.AsOf: lambda to, form: to.look_up(form.text),
        tree.Parameter: lambda to, form: to.look_up(form.text),
        tree.Reading: lambda to, form: to.look_up(form.text),
        tree.Fact: RecordedEvaluation.fact,
        tree.Definition: RecordedEvaluation.definition,
        tree.Aggregate: RecordedEvaluation.aggregate,
        tree.Conditional: RecordedEvaluation.conditional,
        tree.Lookup: RecordedEvaluation.lookup,
    }
)
"""What makes the step of each kind of node."""
FIXED = tree.Literal | tree.LeftUnknown | tree.Parameter | tree.Reading
"""The nodes whose step is the same for all facts."""
