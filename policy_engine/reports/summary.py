"""What a report adds up to: counts per outcome and rule, what is missing, and what is invalid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from policy_engine.errors import Violation
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rulesets import Ruleset

EXAMPLES = 10
"""How many records a summary names for each kind of trouble; the files name all."""


@dataclass(slots=True)
class DecisionSummary:
    """The counts of one decision."""

    statuses: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def count(self, decision: Decision) -> None:
        """Add one answer. A collect decision counts each outcome that applies, or `(none)`."""
        self.statuses[str(decision.status)] += 1
        self.rules.update(decision.rules)
        if decision.status is Status.DECIDED:
            self.outcomes.update(_outcomes(decision))
        elif decision.status is Status.UNDETERMINED:
            self.missing.update(decision.missing or ["(nothing: see the reason)"])

    def to_dict(self) -> dict[str, object]:
        """The counts, the most frequent first."""
        return {name: dict(_sorted(getattr(self, name))) for name in self.__slots__}


def _outcomes(decision: Decision) -> Iterable[str]:
    match decision.outcome:
        case None:
            return ["(calculated)"]
        case tuple():
            return decision.outcome or ["(none)"]
        case outcome:
            return [outcome]


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A record that was not decided, or not wholly: its row (from 1), its key, and why."""

    row: int
    key: object
    why: str


@dataclass(slots=True)
class JobSummary:
    """The counts of one ruleset over one file."""

    ruleset: str
    title: str
    version: str
    digest: str
    facts: str
    decisions: dict[str, DecisionSummary]
    valid: int = 0
    invalid: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    invalid_records: list[Trouble] = field(default_factory=list)
    undetermined_records: list[Trouble] = field(default_factory=list)

    @classmethod
    def start(cls, ruleset: Ruleset, facts: Path) -> JobSummary:
        """The summary before the first record."""
        decisions = {decision.name: DecisionSummary() for decision in ruleset.decisions}
        return cls(ruleset.id, ruleset.title, ruleset.version, ruleset.digest, facts.name, decisions)

    def count_valid(self, row: int, key: object, answers: Mapping[str, Decision]) -> None:
        """Add one record's answers."""
        self.valid += 1
        for name, answer in answers.items():
            self.decisions[name].count(answer)
        open_ = [f"{name}: {answer.reason}" for name, answer in answers.items() if answer.status is not Status.DECIDED]
        if open_ and len(self.undetermined_records) < EXAMPLES:
            self.undetermined_records.append(Trouble(row, key, " ".join(open_)))

    def count_invalid(self, row: int, key: object, violations: Iterable[Violation]) -> None:
        """Add one record that was not decided."""
        self.invalid += 1
        told = [f"{violation.pointer or '(the record)'}: {violation.message}" for violation in violations]
        self.violations.update(
            {f"{violation.pointer or '(the record)'} ({violation.keyword})": 1 for violation in violations}
        )
        if len(self.invalid_records) < EXAMPLES:
            self.invalid_records.append(Trouble(row, key, "; ".join(told)))

    def to_dict(self) -> dict[str, object]:
        """The summary in JSON types."""
        return {
            "ruleset": self.ruleset,
            "version": self.version,
            "digest": self.digest,
            "facts": self.facts,
            "records": self.valid + self.invalid,
            "valid": self.valid,
            "invalid": self.invalid,
            "violations": dict(_sorted(self.violations)),
            "decisions": {name: counts.to_dict() for name, counts in self.decisions.items()},
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a whole report."""

    as_of: date
    jobs: tuple[JobSummary, ...]

    def to_dict(self) -> dict[str, object]:
        """The summary in JSON types."""
        return {"as_of": self.as_of.isoformat(), "rulesets": [job.to_dict() for job in self.jobs]}
