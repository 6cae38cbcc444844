"""Ways to an answer: which rule or cell it came by, and with which outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rulesets import Ruleset, conclusions_of


class Way(NamedTuple):
    """A rule or a cell of a decision with the outcome that it gives, "" where it gives none."""

    decision: str
    rule: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.decision}: {self.rule}{f' -> {self.outcome}' if self.outcome else ''}"


def ways_of(ruleset: Ruleset) -> list[Way]:
    """Every way of a ruleset, each once, in the order of the file."""
    ways = (
        Way(logic.name, rule, conclusion.outcome or "")
        for logic in ruleset.decisions
        for rule, conclusion in conclusions_of(logic.body)
    )
    return list(dict.fromkeys(ways))


def came_by(answer: Decision) -> Iterator[Way]:
    """The ways by which an answer came; none unless it is decided."""
    outcomes = (answer.outcome,) if isinstance(answer.outcome, str) else answer.outcome or ("",)
    name = answer.decision.partition(".")[2]
    for rule in answer.rules if answer.status is Status.DECIDED else ():
        yield from (Way(name, rule, outcome) for outcome in outcomes)
