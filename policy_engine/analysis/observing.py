"""What a test case exercises: by which rules it comes, and of what it depends on the distances, branches, inputs and rows."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.analysis.sites import Place, Sites
from policy_engine.analysis.walking import Link, Visit, deciding_value, inputs_of, links, visits
from policy_engine.errors import PolicyError
from policy_engine.facts.validation import valid_facts
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Status
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.lookup_indexes import row_found
from policy_engine.language.mentions import Mention, mentions_of, template_expressions
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import (
    Conclusion,
    DecisionLogic,
    Matrix,
    Ruleset,
    Template,
    ValueDefinition,
    conclusions_of,
)
from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Verdict
from policy_engine.language.values import Unknown, Value
from policy_engine.reference.deciding import Evaluation

ELSE = ":else"
"""Ends the name of the else branch of a cell, as it ends its reason code."""


class Sort(StrEnum):
    """What was seen."""

    WAY = "came by a rule, or a branch of a cell"
    CHECK = "broke a check"
    VALUE = "gave a value"
    CHOICE = "rested on a choice of a reading"
    DISTANCE = "both sides of a comparison differ by so much"
    BRANCH = "took a branch"
    INPUTS = "the inputs of a condition"
    ROW = "found a row of a look-up table"
    DAY = "asked a decision on a day"
    PARAMETER_DAY = "depended on a parameter on a day"


class Seen(NamedTuple):
    """Something that a case was seen to exercise."""

    sort: Sort
    about: tuple[Any, ...]


@dataclass(slots=True)
class Observer:
    """Sees what cases of a ruleset exercise."""

    ruleset: Ruleset
    sites: Sites

    def of(self, result: CaseResult) -> set[Seen]:
        """What a case exercises: by its answers, what these depend on, and the checks of its facts."""
        seen = set[Seen]()
        for explanation in result.explanations:
            self.add(explanation, seen)
            self._add_answer(explanation, seen)
        self._add_unrecorded(result, seen)
        return seen

    def add(self, explanation: Explanation, seen: set[Seen]) -> None:
        """Look at what was recorded of one answer."""
        _Walk(self.ruleset, self.sites, explanation.decision.as_of, seen).explanation(explanation)

    def _add_answer(self, explanation: Explanation, seen: set[Seen]) -> None:
        """The rules by which a decided answer came, its values and readings; the day that was asked about."""
        answer, decision = explanation.decision, explanation.decision.decision.split(".")[1]
        seen.add(Seen(Sort.DAY, (self.ruleset.path, decision, answer.as_of)))
        if answer.status is not Status.DECIDED:
            return
        for name, choice in answer.readings.items():
            seen.add(Seen(Sort.CHOICE, (self.ruleset.reading(name).span, choice)))
        known = (name for name, value in answer.values.items() if value is not None)
        seen.update(Seen(Sort.VALUE, (self.ruleset.path, decision, name)) for name in known)
        for rule in explanation.trace.rules:
            if rule.id in answer.rules:
                seen.add(Seen(Sort.WAY, (self.ruleset.path, decision, f"{rule.id}{ELSE if is_else(rule) else ''}")))

    def _add_unrecorded(self, result: CaseResult, seen: set[Seen]) -> None:
        """Traces hold neither checks nor sentences, so the reference evaluates them once more."""
        case = result.case
        try:
            facts = valid_facts(case.facts, self.ruleset.facts)
            evaluation = Evaluation(self.ruleset, facts, case.as_of, case.readings)
        except PolicyError:  # invalid by the schema, or a question that is refused: nothing is evaluated
            return
        with decimal.localcontext(EXACT):
            self._add_checks(evaluation, seen)
            self._add_sentences(evaluation, result.explanations, seen)

    def _add_checks(self, evaluation: Evaluation, seen: set[Seen]) -> None:
        walk = _Walk(self.ruleset, self.sites, evaluation.as_of, seen)
        for number, check in enumerate(self.ruleset.checks):
            step = evaluation.condition(check.expect)
            walk.whole(check.expect, step)
            if step.value is False:
                seen.add(Seen(Sort.CHECK, (self.ruleset.path, number)))

    def _add_sentences(self, evaluation: Evaluation, explanations: Iterable[Explanation], seen: set[Seen]) -> None:
        """The parameters that sentences of decided answers show; nothing else counts as tried by being shown."""
        shown = set[Seen]()
        walk = _Walk(self.ruleset, self.sites, evaluation.as_of, shown)
        for part in chain.from_iterable(map(self._shown, explanations)):
            walk.sentence(part, evaluation.condition(part))
        seen.update(each for each in shown if each.sort is Sort.PARAMETER_DAY)

    def _shown(self, explanation: Explanation) -> Iterator[Expression]:
        """What the sentences of a decided answer show."""
        answer, logic = explanation.decision, self.ruleset.decision(explanation.decision.decision.split(".")[1])
        if answer.status is Status.DECIDED:
            deciding = [rule for rule in explanation.trace.rules if rule.id in answer.rules]
            said: list[Template | None] = [each.because for rule in deciding for each in _concluded(logic, rule)]
            yield from chain.from_iterable(map(template_expressions, said or [logic.because]))


def _days_of(ruleset: Ruleset, mentions: Iterable[Mention], day: date) -> Iterator[Seen]:
    """The parameters among mentions, each with the day whose value a case depends on."""
    for name in (each.name for each in mentions if each.kind == "parameter"):
        yield Seen(Sort.PARAMETER_DAY, (ruleset.parameter(name).span, day))


def is_else(rule: RuleTrace) -> bool:
    """Whether what decided is the else branch of a matrix's cell."""
    return len(rule.steps) > 2 and rule.steps[2].value is False


@dataclass(slots=True)
class _Walk:
    """Walks what was recorded of one question; a definition that is mentioned several times is looked at once."""

    ruleset: Ruleset
    sites: Sites
    as_of: date
    to: set[Seen]
    seen: set[str] = field(default_factory=set)

    def explanation(self, explanation: Explanation) -> None:
        trace = explanation.trace
        logic = self.ruleset.decision(trace.decision.split(".")[1])
        for rule in trace.rules:
            for condition, step in zip(_conditions(logic, rule), rule.steps, strict=False):
                self.whole(condition, step)
        for definition, step in zip(_values(logic, trace.rules), trace.values, strict=False):
            assert definition.name == step.text
            self.whole(definition.expression, step.steps[0])
        for used in trace.used:
            self.explanation(used)

    def whole(self, condition: Condition, step: Step) -> None:
        """Look at a condition, or at a value, and at its parts."""
        self._inputs(condition, step)
        self._parts(condition, step)

    def _inputs(self, condition: Condition | tree.Node, step: Step) -> None:
        site = self.sites.condition(condition)
        if site is not None:
            self._add(Sort.INPUTS, site.at, tuple(inputs_of(condition, step)))

    def _parts(self, condition: Condition, step: Step) -> None:
        """Look at the parts that make a difference to the condition's value; others count as not tried."""
        if isinstance(condition, Expression):
            for visit in visits(condition.tree, step):
                if visit.live:
                    self._visit(visit)
            return
        decisive = deciding_value(condition.kind)
        for at, part in enumerate(condition.conditions):
            if not any(other.value is decisive for i, other in enumerate(step.steps) if i != at):
                self._parts(part, step.steps[at])

    def _visit(self, visit: Visit) -> None:
        node, step = visit.node, visit.step
        assert step is not None
        assert step.text == node.text, "the trace is gone through in step with the tree"
        self._inputs(node, step)
        self._names(node, step)
        if isinstance(node, tree.Conditional) and len(step.steps) > 1 and isinstance(step.steps[0].value, bool):
            self._add(Sort.BRANCH, self.sites.forks[node.id].at, step.steps[0].value)
        if isinstance(node, tree.Lookup) and not node.table.of_parameter:
            self._row(node, [key.value for key in step.steps])
        for link in links(visit):
            if link.live:
                self._link(link)

    def sentence(self, part: Expression, step: Step) -> None:
        """Look at the names that a sentence's part depends on."""
        for visit in visits(part.tree, step):
            if visit.live and visit.step is not None:
                self._names(visit.node, visit.step)

    def _names(self, node: tree.Node, step: Step) -> None:
        self.to.update(_days_of(self.ruleset, mentions_of(node), self.as_of))
        if isinstance(node, tree.Definition) and step.origin is Origin.DEFINITION:
            self._definition(node.name, step)

    def _definition(self, name: str, step: Step) -> None:
        if name not in self.seen:
            self.seen.add(name)
            self.whole(self.ruleset.definition(name).body, step.steps[0])

    def _row(self, node: tree.Lookup, keys: list[Value]) -> None:
        if not any(isinstance(key, Unknown) for key in keys):
            row = row_found(node.table, keys)
            self.to.add(Seen(Sort.ROW, (node.table.path, node.table.name, row and (row.line, row.column))))

    def _link(self, link: Link) -> None:
        boundary = self.sites.boundaries.get(link.node.id)
        if boundary is None or link.left.step is None or link.right.step is None:
            return
        distance = _distance(link.left.step.value, link.right.step.value, boundary.places)
        if distance is not None:
            self._add(Sort.DISTANCE, boundary.at, distance)

    def _add(self, sort: Sort, at: Place, what: object) -> None:
        self.to.add(Seen(sort, (at, what)))


def _conditions(logic: DecisionLogic, rule: RuleTrace) -> Iterator[Condition]:
    """The conditions whose steps a rule's trace has."""
    if isinstance(logic.body, Matrix):
        yield from (logic.body.rows, logic.body.columns)
        yield from (cell.when for cell in logic.body.cells if cell.id == rule.id and cell.when is not None)
    elif logic.body is not None:
        yield from (one.when for one in logic.body.rules if one.id == rule.id)


def _values(logic: DecisionLogic, rules: tuple[RuleTrace, ...]) -> list[ValueDefinition]:
    """The values whose steps a trace has: those of the decision, and those of the rules that apply."""
    applied = [
        conclusion for rule in rules if rule.verdict is Verdict.APPLIES for conclusion in _concluded(logic, rule)
    ]
    return [*logic.values, *(value for conclusion in applied for value in conclusion.values)]


def _concluded(logic: DecisionLogic, rule: RuleTrace) -> Iterator[Conclusion]:
    if isinstance(logic.body, Matrix):
        cell = next(cell for cell in logic.body.cells if cell.id == rule.id)
        yield from [one for one in (cell.otherwise if is_else(rule) else cell.then,) if one is not None]
    else:
        yield from (conclusion for name, conclusion in conclusions_of(logic.body) if name == rule.id)


def _distance(left: Value, right: Value, places: int | None) -> int | None:
    """The distance from the right side to the left in units; without a unit its sign alone."""
    match left, right:
        case datetime(), datetime():
            return (left > right) - (left < right)
        case date(), date():
            return (left - right).days
        case ((int() | Decimal() | Fraction()), (int() | Decimal() | Fraction())):
            difference = Fraction(left) - Fraction(right)
            return (difference > 0) - (difference < 0) if places is None else int(difference * 10**places)
    return None
