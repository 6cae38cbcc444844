"""What test cases exercise: at each boundary the distances between its sides, at each `if` the branches taken."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.analysis.sites import Sites
from policy_engine.analysis.walking import Link, Visit, deciding_value, links, visits
from policy_engine.errors import PolicyError
from policy_engine.facts.validation import valid_facts
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Conclusion, DecisionLogic, Matrix, Ruleset, ValueDefinition, conclusions_of
from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Verdict
from policy_engine.language.values import Value
from policy_engine.reference.deciding import Evaluation


@dataclass(slots=True)
class Observations:
    """What was seen of a ruleset's sites; `checks` are the numbers of the checks that some case breaks."""

    ruleset: Ruleset
    sites: Sites
    distances: dict[int, set[int]] = field(default_factory=dict)
    came_by: set[int] = field(default_factory=set)
    branches: dict[int, set[bool]] = field(default_factory=dict)
    checks: set[int] = field(default_factory=set)

    def add(self, result: CaseResult) -> None:
        """Look at the traces of a case, and at the checks of its facts."""
        for explanation in result.explanations:
            self.look_at(explanation)
        self._add_checks(result)

    def look_at(self, explanation: Explanation) -> None:
        """Look at what was recorded of one answer."""
        _Walk(self).explanation(explanation)

    def _add_checks(self, result: CaseResult) -> None:
        """Traces do not hold checks, so the reference evaluates them once more."""
        case = result.case
        if not self.ruleset.checks:
            return
        try:
            facts = valid_facts(case.facts, self.ruleset.facts)
            evaluation = Evaluation(self.ruleset, facts, case.as_of, case.readings)
        except PolicyError:  # invalid by the schema, or a question that is refused: checks are not asked
            return
        with decimal.localcontext(EXACT):
            walk = _Walk(self)
            for number, check in enumerate(self.ruleset.checks):
                step = evaluation.condition(check.expect)
                walk.condition(check.expect, step)
                if step.value is False:
                    self.checks.add(number)


@dataclass(slots=True)
class _Walk:
    """Walks what was recorded of one question; a definition that is mentioned several times is looked at once."""

    to: Observations
    seen: set[str] = field(default_factory=set)

    def explanation(self, explanation: Explanation) -> None:
        trace = explanation.trace
        name = trace.decision.split(".")[1]
        logic = next(logic for logic in self.to.ruleset.decisions if logic.name == name)
        for rule in trace.rules:
            for condition, step in zip(_conditions(logic, rule), rule.steps, strict=False):
                self.condition(condition, step)
        for definition, step in zip(_values(logic, trace.rules), trace.values, strict=False):
            assert definition.name == step.text
            self.condition(definition.expression, step.steps[0])
        for used in trace.used:
            self.explanation(used)

    def condition(self, condition: Condition, step: Step) -> None:
        """Look at the parts that make a difference to the condition's value; others count as not tried."""
        if isinstance(condition, Expression):
            for visit in visits(condition.tree, step):
                if visit.live:
                    self._visit(visit)
            return
        decisive = deciding_value(condition.kind)
        for at, part in enumerate(condition.conditions):
            if not any(other.value is decisive for i, other in enumerate(step.steps) if i != at):
                self.condition(part, step.steps[at])

    def _visit(self, visit: Visit) -> None:
        node, step = visit.node, visit.step
        assert step is not None
        assert step.text == node.text, "the trace is gone through in step with the tree"
        if isinstance(node, tree.Definition) and step.origin is Origin.DEFINITION:
            self._definition(node.name, step)
        if isinstance(node, tree.Conditional) and len(step.steps) > 1 and isinstance(step.steps[0].value, bool):
            self.to.branches.setdefault(self.to.sites.forks[node.id].id, set()).add(step.steps[0].value)
        for link in links(visit):
            if link.live:
                self._link(link)

    def _definition(self, name: str, step: Step) -> None:
        if name not in self.seen:
            self.seen.add(name)
            definition = next(one for one in self.to.ruleset.definitions if one.name == name)
            self.condition(definition.body, step.steps[0])

    def _link(self, link: Link) -> None:
        boundary = self.to.sites.boundaries.get(link.node.id)
        if boundary is None or link.left.step is None or link.right.step is None:
            return
        distance = _distance(link.left.step.value, link.right.step.value, boundary.places)
        if distance is not None:
            self.to.came_by.add(boundary.id)
            self.to.distances.setdefault(boundary.id, set()).add(distance)


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
        refused = cell.when is not None and rule.steps[2].value is False
        yield from [one for one in (cell.otherwise if refused else cell.then,) if one is not None]
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
