"""What the tests of analysts exercise: which rules, cells and readings no case has decided by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.language.rulesets import DecisionLogic, Ruleset, conclusions_of
from policy_engine.source import Span


@dataclass(frozen=True, slots=True, order=True)
class Branch:
    """A way for a decision to come out: a rule or cell with the outcome it gives."""

    ruleset: str
    version: str
    decision: str
    rule: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much the cases exercise. `branches` and `choices` count all there are; the gaps say what no case came by."""

    branches: int
    unexercised: tuple[tuple[Branch, Span], ...]
    choices: int
    unswitched: tuple[tuple[str, Span], ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is left out."""
        return not (self.unexercised or self.unswitched)


def coverage_of(rulesets: Iterable[Ruleset], results: Iterable[CaseResult]) -> Coverage:
    """What the cases exercise of the rulesets they name."""
    told = list(results)
    under_test = [ruleset for ruleset in rulesets if any(result.case.ruleset == ruleset.id for result in told)]
    exercised = {branch for result in told for branch in _exercised(result)}
    switched = {(r.case.ruleset, name, choice) for r in told for name, choice in r.case.readings.items()}
    branches = [entry for ruleset in under_test for entry in _branches(ruleset)]
    choices = [entry for ruleset in under_test for entry in _choices(ruleset)]
    return Coverage(
        len(branches),
        tuple((branch, span) for branch, span in branches if branch not in exercised),
        len(choices),
        tuple(
            (f"{r}: {name}={choice}", span) for (r, name, choice), span in choices if (r, name, choice) not in switched
        ),
    )


def _exercised(result: CaseResult) -> Iterator[Branch]:
    for answer in result.answers:
        reference, decision = answer.ruleset, answer.decision.split(".")[1]
        outcomes = (answer.outcome,) if isinstance(answer.outcome, str) else answer.outcome or ("",)
        for rule in answer.rules:
            for outcome in outcomes:
                yield Branch(reference.id, reference.version, decision, rule, outcome)


def _branches(ruleset: Ruleset) -> Iterator[tuple[Branch, Span]]:
    for decision in ruleset.decisions:
        for rule, conclusion in dict.fromkeys((rule, c.outcome) for rule, c in conclusions_of(decision.body)):
            branch = Branch(ruleset.id, ruleset.version, decision.name, rule, conclusion or "")
            yield branch, _place(decision, rule)


def _place(decision: DecisionLogic, rule: str) -> Span:
    parts = getattr(decision.body, "rules", None) or getattr(decision.body, "cells", None) or ()
    return next((part.span for part in parts if hasattr(part, "id") and part.id == rule), decision.span)


def _choices(ruleset: Ruleset) -> Iterator[tuple[tuple[str, str, str], Span]]:
    """The choices that are not the default of a reading that can be switched."""
    for reading in ruleset.readings:
        for choice in reading.choices:
            if not reading.fixed and choice.name != reading.choice:
                yield (ruleset.id, reading.name, choice.name), reading.span
