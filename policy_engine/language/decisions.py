"""Answers: the decision, and the trace that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from policy_engine.language.values import Unknown, Value, to_json


class Status(StrEnum):
    """How a question ended: decided; undetermined for want of facts; or in a gap that no rule covers."""

    DECIDED = "decided"
    UNDETERMINED = "undetermined"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class RulesetReference:
    """Which text decided: the ruleset's id, version and digest."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question about one set of facts.

    `outcome` is a text, for `collect` a tuple of texts, and None for a calculation and where nothing was decided. `rules` are
    the ids of the rules that determined it. `values` holds plain Python values (exact: int, Decimal, date), None where there
    is none. `missing` are schema paths. `as_of` is a civil date in the ruleset's time zone.
    """

    decision: str
    status: Status
    outcome: str | tuple[str, ...] | None
    rules: tuple[str, ...]
    reason: str
    values: Mapping[str, Value | None]
    sources: tuple[str, ...]
    readings: Mapping[str, str]
    missing: tuple[str, ...]
    as_of: date
    ruleset: RulesetReference

    def to_dict(self) -> dict[str, object]:
        """The same keys in JSON types; satisfies `schemas/decision.schema.json`."""
        return {
            "decision": self.decision,
            "status": str(self.status),
            "outcome": list(self.outcome) if isinstance(self.outcome, tuple) else self.outcome,
            "rules": list(self.rules),
            "reason": self.reason,
            "values": {name: to_json(value) for name, value in self.values.items()},
            "sources": list(self.sources),
            "readings": dict(self.readings),
            "missing": list(self.missing),
            "as_of": self.as_of.isoformat(),
            "ruleset": {"id": self.ruleset.id, "version": self.ruleset.version, "digest": self.ruleset.digest},
        }


class Origin(StrEnum):
    """Where a value came from."""

    FACT = "fact"
    PARAMETER = "parameter"
    READING = "reading"
    DEFINITION = "definition"
    DECISION = "decision"
    AS_OF = "as_of"
    LITERAL = "literal"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Step:
    """One sub-expression with its value; `note` says more of the origin, such as a parameter's period and source."""

    text: str
    value: Value
    origin: Origin
    note: str = ""
    steps: tuple[Step, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The step in JSON types; an unknown value is null, and says why."""
        told: dict[str, object] = {"text": self.text, "value": to_json(self.value), "origin": str(self.origin)}
        if self.note:
            told["note"] = self.note
        if isinstance(self.value, Unknown):
            told["unknown"] = {"missing": sorted(self.value.missing), "causes": list(self.value.causes)}
        if self.steps:
            told["steps"] = [step.to_dict() for step in self.steps]
        return told


class Verdict(StrEnum):
    """What became of a rule."""

    APPLIES = "applies"
    WOULD_APPLY = "would apply"
    DOES_NOT_APPLY = "does not apply"
    UNKNOWN = "unknown"
    NOT_REACHED = "not reached"
    NOT_IN_FORCE = "not in force"


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule (or a matrix's cell, or `otherwise`), what became of it, and the steps of its condition."""

    id: str
    verdict: Verdict
    place: str
    steps: tuple[Step, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The rule's trace in JSON types."""
        return {
            "rule": self.id,
            "verdict": str(self.verdict),
            "place": self.place,
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """How a decision came about: its rules in order, its values, and the traces of the decisions it used."""

    decision: str
    rules: tuple[RuleTrace, ...]
    values: tuple[Step, ...]
    used: tuple[Explanation, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The trace in JSON types."""
        return {
            "decision": self.decision,
            "rules": [rule.to_dict() for rule in self.rules],
            "values": [step.to_dict() for step in self.values],
            "used": [explanation.to_dict() for explanation in self.used],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and its trace."""

    decision: Decision
    trace: Trace = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """The explanation in JSON types."""
        return {**self.decision.to_dict(), "trace": self.trace.to_dict()}
