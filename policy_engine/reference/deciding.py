"""Deciding: from a checked ruleset, valid facts, a day and the readings chosen, to an answer and its trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import partial
from typing import Any

from policy_engine.errors import FactsError, Violation
from policy_engine.language import causes, rulesets
from policy_engine.language.decisions import Decision, Status, answered
from policy_engine.language.expressions import Condition, Expression, Group
from policy_engine.language.in_force import in_force
from policy_engine.language.logic import conjunction, disjunction, negation
from policy_engine.language.mentions import fact_paths, reads_sensitive, template_expressions
from policy_engine.language.origins import from_library, noted
from policy_engine.language.readings import choices_of
from policy_engine.language.rulings import outcome_of, ruling_of, sentences_of
from policy_engine.language.sentences import kept_value, sentence_of
from policy_engine.language.timezones import zone
from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Trace, Verdict, decisions_in, new_step
from policy_engine.language.values import (
    RecordValue,
    Unknown,
    Value,
    absent_fact,
    is_unknown,
    merge,
    normalized,
    unknown_parts,
    within,
)
from policy_engine.language.weekdays import Week
from policy_engine.reference.evaluator import evaluate


@dataclass(slots=True)
class Evaluation:
    """One set of facts on one day, the readings switched by `choices`; every name and decision is worked out at most once.

    Raises `UnknownReading`.
    """

    ruleset: rulesets.Ruleset
    facts: RecordValue
    as_of: date
    choices: Mapping[str, str]
    zone: tzinfo = field(init=False)
    week: Week = field(init=False)
    steps: dict[str, Step] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ruleset = in_force(self.ruleset, self.as_of)
        self.choices = choices_of(self.ruleset, self.choices)
        self.zone = zone(self.ruleset.timezone)
        self.week = self.ruleset.week

    def look_up(self, name: str) -> Step:
        """The value of a name and where it came from."""
        return self.steps.get(name) or self.keep(self._looked_up(name))

    def keep(self, step: Step) -> Step:
        """The step of a name, kept for the next time."""
        self.steps[step.text] = step
        return step

    def _looked_up(self, name: str) -> Step:
        if name == "as_of":
            return Step(name, self.as_of, Origin.AS_OF)
        if name in self.choices:
            return self._reading(name)
        match self.ruleset.named(name):
            case rulesets.Definition() as definition:
                return self.definition_step(definition)
            case rulesets.Parameter() as parameter:
                return self._parameter(parameter)
        return self.fact_step(name)

    def fact_step(self, name: str) -> Step:
        """The step of a top-level fact."""
        return Step(name, self.facts.members.get(name, absent_fact(name)), Origin.FACT)

    def _reading(self, name: str) -> Step:
        reading = self.ruleset.reading(name)
        others = [choice.name for choice in reading.choices if choice.name != self.choices[name]]
        note = noted(f"{reading.question} Not: {', '.join(others)}", reading.library)
        return Step(name, self.choices[name], Origin.READING, note)

    def definition_step(self, definition: rulesets.Definition) -> Step:
        """The step of a definition, with that of its body."""
        body = self.condition(definition.body)
        value = within(normalized(body.value, definition.type), definition.name)
        note = "" if definition.library is None else ", ".join(from_library(definition.library))
        return new_step((definition.name, value, Origin.DEFINITION, note, (body,)))

    def _parameter(self, parameter: rulesets.Parameter) -> Step:
        found = parameter.on(self.as_of)
        notes = [parameter.unit, str(found.period) if found.period != rulesets.ALWAYS else None, parameter.source]
        notes += from_library(parameter.library)
        return Step(parameter.name, found.value, Origin.PARAMETER, ", ".join(note for note in notes if note))

    def decision_part(self, decision: str, part: str) -> Step:
        """A used decision's outcome or one of its values."""
        answer = self.answer(decision)
        value = _part(self.ruleset, self.ruleset.decision(decision), answer, part)
        return Step(f"decisions.{decision}.{part}", value, Origin.DECISION, str(answer.status))

    def condition(self, condition: Condition) -> Step:
        """The value of a condition: an expression's, or all, any, none over a list (sentence 14.1)."""
        return evaluate(condition.text, self) if isinstance(condition, Expression) else self.group(condition)

    def group(self, condition: Group) -> Step:
        """The value of all, any or none over a list of conditions."""
        steps = tuple(self.condition(part) for part in condition.conditions)
        value = group_value(condition.kind, [step.value for step in steps])
        return Step(condition.kind, value, Origin.COMPUTED, steps=steps)

    def answer(self, name: str) -> Answer:
        """The answer to one of the ruleset's questions."""
        if name not in self.answers:
            self.answers[name] = _answer(self, self.ruleset.decision(name))
        return self.answers[name]

    def decision(self, name: str) -> Decision:
        """The decision of a name."""
        if name not in self.decisions:
            self.decisions[name] = _decision(self, self.ruleset.decision(name), self.answer(name))
        return self.decisions[name]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a question ended, the traces of its rules and the steps of its values.

    `applied` are the rules that an answer names, `unknown` is what leaves it undetermined.
    """

    status: Status
    applied: tuple[tuple[str, rulesets.Conclusion], ...]
    unknown: Unknown | None
    rules: tuple[RuleTrace, ...]
    values: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules of a decision came to: the rules that apply, or what is unknown, or neither."""

    applied: tuple[tuple[str, rulesets.Conclusion], ...] = ()
    unknown: Unknown | None = None
    traces: tuple[RuleTrace, ...] = ()


def group_value(kind: str, values: Sequence[Value]) -> Value:
    """What all, any or none say of the values of several conditions."""
    if kind == "all":
        return conjunction(values)
    return disjunction(values) if kind == "any" else negation(disjunction(values))


def check_facts(evaluation: Evaluation) -> None:
    """Raise `FactsError` with every check that is false; an unknown one says nothing."""
    failed = [check for check in evaluation.ruleset.checks if evaluation.condition(check.expect).value is False]
    if failed:
        raise FactsError([Violation("", None, "check", check.because, check.because) for check in failed])


def explanation_of(evaluation: Evaluation, name: str) -> Explanation:
    """The answer to a question with its whole trace, those of the decisions it used included."""
    return Explanation(evaluation.decision(name), trace_of(evaluation, name))


def trace_of(evaluation: Evaluation, name: str) -> Trace:
    """How the answer to a question came about."""
    answer = evaluation.answer(name)
    used: tuple[Explanation, ...] = ()
    if len(evaluation.answers) > 1:
        steps = [*answer.values, *(step for rule in answer.rules for step in rule.steps)]
        used = tuple(explanation_of(evaluation, other) for other in decisions_in(steps))
    return Trace(f"{evaluation.ruleset.id}.{name}", answer.rules, answer.values, used)


def _answer(evaluation: Evaluation, logic: rulesets.DecisionLogic) -> Answer:
    match logic.body:
        case rulesets.Rules(hit=rulesets.HitPolicy.COLLECT):
            finding = _collect(evaluation, logic.body)
        case rulesets.Rules():
            finding = _first(evaluation, logic.body)
        case rulesets.Matrix():
            finding = _matrix(evaluation, logic.body)
        case _:
            finding = Finding()
    return _concluded(evaluation, logic, finding)


def _first(evaluation: Evaluation, body: rulesets.Rules) -> Finding:
    """The first true rule decides, unless an unknown one comes before it (sentence 14)."""
    unknowns: list[Unknown] = []
    traces: list[RuleTrace] = []
    found: tuple[str, rulesets.Conclusion] | None = None
    for rule in body.rules:
        trace, value = _considered(evaluation, rule, reached=found is None)
        if unknowns and trace.verdict is Verdict.APPLIES:
            trace = trace._replace(verdict=Verdict.WOULD_APPLY)
        traces.append(trace)
        if isinstance(value, Unknown):
            unknowns.append(value)
        elif value is True:
            found = rule.id, rule.then
    if found is None and body.otherwise is not None:
        found = rulesets.OTHERWISE, body.otherwise
        verdict = Verdict.NOT_REACHED if unknowns else Verdict.APPLIES
        traces.append(RuleTrace(rulesets.OTHERWISE, verdict, ""))
    if unknowns:
        return Finding(unknown=merge(unknowns), traces=tuple(traces))
    return Finding((found,) if found else (), traces=tuple(traces))


def _collect(evaluation: Evaluation, body: rulesets.Rules) -> Finding:
    """Every true rule applies; an unknown one leaves the decision open (sentence 15)."""
    considered = [_considered(evaluation, rule, reached=True) for rule in body.rules]
    applied = tuple(
        (rule.id, rule.then) for rule, (_, value) in zip(body.rules, considered, strict=True) if value is True
    )
    unknowns = [value for _, value in considered if isinstance(value, Unknown)]
    return Finding(applied, merge(unknowns) if unknowns else None, tuple(trace for trace, _ in considered))


def _considered(evaluation: Evaluation, rule: rulesets.Rule, *, reached: bool) -> tuple[RuleTrace, Value]:
    place = str(rule.span)
    if not reached:
        return RuleTrace(rule.id, Verdict.NOT_REACHED, place), False
    step = evaluation.condition(rule.when)
    return RuleTrace(rule.id, _verdict(step.value), place, (step,)), step.value


def _verdict(value: Value) -> Verdict:
    if isinstance(value, Unknown):
        return Verdict.UNKNOWN
    return Verdict.APPLIES if value else Verdict.DOES_NOT_APPLY


def _matrix(evaluation: Evaluation, body: rulesets.Matrix) -> Finding:
    """The cell of the row and the column; unknown where one of them is (sentence 16)."""
    row, column = evaluation.condition(body.rows), evaluation.condition(body.columns)
    unknowns = [*unknown_parts(row.value), *unknown_parts(column.value)]
    if unknowns:
        trace = RuleTrace("matrix", Verdict.UNKNOWN, "", (row, column))
        return Finding(unknown=merge(unknowns), traces=(trace,))
    cell = body.cell(row.value, column.value)
    steps = [row, column]
    conclusion: rulesets.Conclusion | None = cell.then
    if cell.when is not None:
        step = evaluation.condition(cell.when)
        steps.append(step)
        if isinstance(step.value, Unknown):
            trace = RuleTrace(cell.id, Verdict.UNKNOWN, str(cell.span), tuple(steps))
            return Finding(unknown=step.value, traces=(trace,))
        conclusion = cell.then if step.value else cell.otherwise
    trace = RuleTrace(cell.id, Verdict.APPLIES, str(cell.span), tuple(steps))
    return Finding(((cell.id, conclusion),) if conclusion else (), traces=(trace,))


def _concluded(evaluation: Evaluation, logic: rulesets.DecisionLogic, finding: Finding) -> Answer:
    """The answer: decided where rules and values are, else undetermined, or a gap where no rule decides."""
    definitions = [*logic.values, *(value for _, conclusion in finding.applied for value in conclusion.values)]
    gap = finding.unknown is None and not finding.applied and logic.body is not None and not logic.collects
    steps = [] if gap or finding.unknown else [_value(evaluation, definition) for definition in definitions]
    unknowns = [finding.unknown] if finding.unknown else []
    for definition, step in zip(definitions, steps, strict=False):
        if not definition.nullable:
            unknowns.extend(unknown_parts(step.value))
    unknown = merge(unknowns) if unknowns else None
    status = Status.GAP if gap else Status.UNDETERMINED if unknown else Status.DECIDED
    applied = finding.applied if status is Status.DECIDED or logic.collects else ()
    return Answer(status, applied, unknown, finding.traces, tuple(steps))


def _own_values(logic: rulesets.DecisionLogic, answer: Answer) -> Mapping[str, Value]:
    """The values of a decided answer by name: those of several rules as they combine (sentence 17.3), of others the last."""
    if answer.status is not Status.DECIDED:
        return {}
    given: dict[str, list[Value]] = {}
    for step in answer.values:
        given.setdefault(step.text, []).append(step.value)
    values: dict[str, Value | None] = {name: several[-1] for name, several in given.items()}
    if isinstance(logic.body, rulesets.Rules):
        values |= {name: combination.of(given.get(name, ())) for name, combination in logic.body.combine}
    types = dict(logic.value_types) | dict(logic.answer_types)
    return {name: _whole(normalized(value, types[name])) for name, value in values.items() if value is not None}


def _decision(evaluation: Evaluation, logic: rulesets.DecisionLogic, answer: Answer) -> Decision:
    """The answer as callers see it."""
    status, applied, unknown = answer.status, answer.applied, answer.unknown
    missing = _in_schema_order(unknown.missing if unknown else (), evaluation.ruleset)
    sentences = sentences_of(logic, status, applied)
    is_sensitive = partial(reads_sensitive, evaluation.ruleset)
    said = [sentence_of(sentence, is_sensitive) for sentence in sentences]
    ruling = ruling_of(evaluation.ruleset, evaluation.choices, logic, status, applied, said)
    own_values = _own_values(logic, answer)
    values = [_known(own_values.get(name)) for name, _ in logic.answer_types]
    kept = _kept(evaluation, sentences)
    if status is Status.UNDETERMINED:
        kept += (() if missing else unknown.causes if unknown else (),)
    return answered(ruling, tuple(values), evaluation.as_of, missing, kept)


def _value(evaluation: Evaluation, definition: rulesets.ValueDefinition) -> Step:
    step = evaluation.condition(definition.expression)
    return Step(definition.name, step.value, Origin.COMPUTED, steps=(step,))


def _whole(value: Value) -> Value:
    """A value of an answer, which a list with an unknown element is not (sentence 5.1)."""
    return merge(unknown_parts(value)) if is_unknown(value) else value


def _known(value: Value | None) -> Value | None:
    return None if value is None or is_unknown(value) else value


def _part(ruleset: rulesets.Ruleset, logic: rulesets.DecisionLogic, answer: Answer, part: str) -> Value:
    """What another decision sees of an answer: its outcome or a value where it is decided, else why not (sentence 19)."""
    decision = f"{ruleset.id}.{logic.name}"
    if answer.status is not Status.DECIDED:
        return answer.unknown or Unknown(causes=(causes.no_rule(decision),))
    seen = outcome_of(logic, answer.applied) if part == "outcome" else _own_values(logic, answer).get(part)
    return Unknown(causes=(causes.not_given(decision),)) if seen is None else seen


def _kept(evaluation: Evaluation, sentences: Iterable[rulesets.Template]) -> tuple[Any, ...]:
    """The values that sentences name."""
    parts = [part for sentence in sentences for part in template_expressions(sentence)]
    values = [normalized(evaluation.condition(part).value, part.tree.type) for part in parts]
    return tuple(kept_value(value, part.tree.type) for value, part in zip(values, parts, strict=True))


def _in_schema_order(missing: Iterable[str], ruleset: rulesets.Ruleset) -> tuple[str, ...]:
    wanted = set(missing)
    return tuple(path for path in dict.fromkeys(fact_paths(ruleset.facts.type)) if path in wanted)
