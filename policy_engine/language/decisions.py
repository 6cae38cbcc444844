"""Answers: the decision, and the trace that explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from policy_engine.language.values import Unknown, Value, to_json


class Status(StrEnum):
    """How a question ended: decided; undetermined for want of facts; or in a gap that no rule covers."""

    DECIDED = "decided"
    UNDETERMINED = "undetermined"
    GAP = "gap"


UNDETERMINED = Status.UNDETERMINED  # in this Python version a look-up in an enumeration is slow


@dataclass(frozen=True, slots=True)
class RulesetReference:
    """Which text decided: the ruleset's id, version and digest."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a reason; `sensitive` where it tells a fact that the schema marks `x-sensitive`."""

    text: str
    sensitive: bool = False


class Late(NamedTuple):
    """What gives a decision's reason and its missing facts from the facts and the day, when somebody asks."""

    reason: Callable[[Any, date], tuple[Said, ...]]
    missing: Callable[[Any, date], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """All of an answer that does not vary with the facts: back ends make each once and share it between decisions."""

    decision: str
    status: Status
    outcome: str | tuple[str, ...] | None
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    readings: Mapping[str, str]
    ruleset: RulesetReference
    late: Late = field(compare=False, repr=False)


class Decision:
    """The answer to one question about one set of facts.

    `outcome` is a text, for `collect` a tuple of texts, and None for a calculation and where nothing was decided. `rules` are
    the ids of the rules that determined it. `values` holds plain Python values by name (exact: int, Decimal, date), None where
    there is none; all are None unless decided. `missing` are schema paths, in schema order. `as_of` is a civil date in the
    ruleset's time zone. `reason` and `missing` are made from the facts when first asked for, so ask before you change the facts
    you gave.
    """

    __slots__ = ("_facts", "_said", "as_of", "missing", "ruling", "values")  # filled by who makes one: the quickest way
    ruling: Ruling
    values: dict[str, Value | None]
    missing: tuple[str, ...]
    as_of: date
    _facts: object
    _said: tuple[Said, ...]

    @property
    def decision(self) -> str:
        """The id, `ruleset.decision`."""
        return self.ruling.decision

    @property
    def status(self) -> Status:
        """Decided, undetermined or gap."""
        return self.ruling.status

    @property
    def outcome(self) -> str | tuple[str, ...] | None:
        """The outcome; a tuple for `collect`; None where there is none."""
        return self.ruling.outcome

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the determining rules."""
        return self.ruling.rules

    @property
    def sources(self) -> tuple[str, ...]:
        """The ids of the sources cited."""
        return self.ruling.sources

    @property
    def readings(self) -> dict[str, str]:
        """The readings used, each with its choice."""
        return dict(self.ruling.readings)

    @property
    def ruleset(self) -> RulesetReference:
        """Which text decided."""
        return self.ruling.ruleset

    @property
    def reason(self) -> str:
        """The reason in words."""
        return "".join([piece.text for piece in self.said])

    @property
    def said(self) -> tuple[Said, ...]:
        """The reason in pieces: those that tell a sensitive fact are marked."""
        found: tuple[Said, ...] | None = getattr(self, "_said", None)  # a slot that is left empty costs nothing
        if found is None:
            self._said = found = self.ruling.late.reason(self._facts, self.as_of)
        return found

    def to_dict(self) -> dict[str, object]:
        """The same keys in JSON types; satisfies `decision.schema.json`, which `policy schemas` writes."""
        outcome, ruleset = self.outcome, self.ruleset
        return {
            "decision": self.decision,
            "status": str(self.status),
            "outcome": list(outcome) if isinstance(outcome, tuple) else outcome,
            "rules": list(self.rules),
            "reason": self.reason,
            "values": {name: to_json(value) for name, value in self.values.items()},
            "sources": list(self.sources),
            "readings": self.readings,
            "missing": list(self.missing),
            "as_of": self.as_of.isoformat(),
            "ruleset": {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest},
        }

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Decision) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.decision, self.status, self.outcome, self.rules, self.as_of))

    def __repr__(self) -> str:
        return f"Decision({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"


class Undetermined(Decision):
    """A decision that lacks facts, and finds out which when somebody asks."""

    __slots__ = ("_found",)
    _found: tuple[str, ...] | None

    def __init__(self, ruling: Ruling, values: dict[str, Value | None], as_of: date, facts: object) -> None:
        self.ruling = ruling
        self.values = values
        self.as_of = as_of
        self._facts = facts
        self._found = None

    @property
    def missing(self) -> tuple[str, ...]:  # type: ignore[override]  # nobody sets it
        """The facts that are missing."""
        if self._found is None:
            self._found = self.ruling.late.missing(self._facts, self.as_of)
        return self._found


def filled(
    ruling: Ruling, values: dict[str, Value | None], as_of: date, facts: object, missing: tuple[str, ...] = ()
) -> Decision:
    """A decision of which it is known what is missing."""
    decision = Decision()
    decision.ruling, decision.values, decision.missing = ruling, values, missing
    decision.as_of, decision._facts = as_of, facts
    return decision


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


class Step(NamedTuple):
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


def decisions_in(steps: Iterable[Step]) -> tuple[str, ...]:
    """The decisions that steps ask for, each once; a step that stands in several places is looked at once."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting = list(steps)[::-1]
    while waiting:
        step = waiting.pop()
        if step.origin is Origin.DECISION:
            found[step.text.split(".")[1]] = None
        elif step.steps and id(step) not in seen:
            seen.add(id(step))
            waiting += step.steps[::-1]
    return tuple(found)


class Verdict(StrEnum):
    """What became of a rule."""

    APPLIES = "applies"
    WOULD_APPLY = "would apply"
    DOES_NOT_APPLY = "does not apply"
    UNKNOWN = "unknown"
    NOT_REACHED = "not reached"
    NOT_IN_FORCE = "not in force"


class RuleTrace(NamedTuple):
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


class Trace(NamedTuple):
    """How a decision came about: its rules in order, its values, and the decisions it used."""

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


class Explanation:
    """A decision and its trace. All that the trace tells was recorded with the decision; it becomes objects when looked at."""

    __slots__ = ("_late", "_trace", "decision")
    _trace: Trace

    def __init__(self, decision: Decision, late: Callable[[], Trace]) -> None:
        self.decision = decision
        self._late = late

    @property
    def trace(self) -> Trace:
        """How the decision came about."""
        try:
            return self._trace
        except AttributeError:
            self._trace = self._late()
            return self._trace

    def to_dict(self) -> dict[str, object]:
        """The explanation in JSON types."""
        return {**self.decision.to_dict(), "trace": self.trace.to_dict()}

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Explanation) and (self.decision, self.trace) == (other.decision, other.trace)
        return same if isinstance(other, Explanation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.decision)

    def __repr__(self) -> str:
        return f"Explanation({self.decision!r})"
