"""Answers: decisions, and the traces that explain them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from policy_engine.language.answer_json import Frame, frame_of
from policy_engine.language.sentences import (
    Placeholder,
    Said,
    Sentence,
    pattern_of,
    pieces,
    together,
    undetermined_text,
)
from policy_engine.language.values import Unknown, Value, to_json


class Status(StrEnum):
    """How a question ended: decided; undetermined, for a fact is missing or something has no value; or in a gap of the rules."""

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


@dataclass(frozen=True)
class Ruling:
    """All of an answer that does not vary with the facts, as plain data: made once, and shared between decisions.

    `readings` are pairs of a reading and its choice, `names` those of the values, `sentences` those of the reason.
    """

    decision: str
    status: Status
    outcome: str | tuple[str, ...] | None
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    ruleset: RulesetReference
    names: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    @cached_property
    def pattern(self) -> str | None:
        """The text of the reason with `%s` for each value, where that is enough to fill it in."""
        return None if self.status is UNDETERMINED else pattern_of(self.sentences)

    @property
    def constant_reason(self) -> str | None:
        """The reason where it is always the same."""
        parts = [part for sentence in self.sentences for part in sentence]
        if self.status is UNDETERMINED or any(isinstance(part, Placeholder) for part in parts):
            return None
        return "".join([piece.text for piece in together(pieces(self.sentences, ()))])

    @cached_property
    def frame(self) -> Frame:
        """What is always the same in the JSON text of an answer."""
        return frame_of(self)

    def __reduce__(self) -> tuple[object, ...]:
        return Ruling, tuple(getattr(self, each.name) for each in fields(self))


class Decision:
    """The answer to one question about one set of facts: a value that never changes and can be sent to another process.

    `outcome` is a text, for `collect` a tuple of texts, and None for a calculation and where nothing was decided. `rules` are
    the ids of the rules that determined it. `values` holds plain Python values by name (exact: int, Decimal, date), None where
    there is none; all are None unless decided. `missing` are schema paths, in schema order. `as_of` is a civil date in the
    ruleset's time zone. Dictionaries are made when they are read, so changing one changes no answer.
    """

    # Generated code fills these in by itself, which is the quickest way to make an answer: the constant part, the values in the
    # order of its names, the day, what is missing, and the values that the sentences of the reason name (see `sentences.py`);
    # after these, where a decision is undetermined, a tuple of the causes if it misses no fact.
    __slots__ = ("_as_of", "_kept", "_missing", "_own_values", "_ruling")
    _ruling: Ruling
    _own_values: tuple[Value | None, ...]
    _as_of: date
    _missing: tuple[str, ...]
    _kept: tuple[Any, ...]

    @property
    def decision(self) -> str:
        """The id, `ruleset.decision`."""
        return self._ruling.decision

    @property
    def status(self) -> Status:
        """Decided, undetermined or gap."""
        return self._ruling.status

    @property
    def outcome(self) -> str | tuple[str, ...] | None:
        """The outcome; a tuple for `collect`; None where there is none."""
        return self._ruling.outcome

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the determining rules."""
        return self._ruling.rules

    @property
    def values(self) -> dict[str, Value | None]:
        """The values by name."""
        return dict(zip(self._ruling.names, self._own_values)) if self._own_values else {}  # noqa: B905 - strict is slow

    @property
    def sources(self) -> tuple[str, ...]:
        """The ids of the sources cited."""
        return self._ruling.sources

    @property
    def readings(self) -> dict[str, str]:
        """The readings used, each with its choice."""
        return dict(self._ruling.readings)

    @property
    def ruleset(self) -> RulesetReference:
        """Which text decided."""
        return self._ruling.ruleset

    @property
    def missing(self) -> tuple[str, ...]:
        """The facts that an undetermined decision misses."""
        return self._missing

    @property
    def as_of(self) -> date:
        """The day that was asked about."""
        return self._as_of

    @property
    def reason(self) -> str:
        """The reason in words."""
        ruling, kept = self._ruling, self._kept
        pattern = ruling.pattern
        if pattern is not None and None not in kept:
            return pattern % kept
        if ruling.status is UNDETERMINED and not ruling.sentences:
            return undetermined_text(self._missing, kept[-1])
        return "".join([piece.text for piece in self.said])

    @property
    def said(self) -> tuple[Said, ...]:
        """The reason in pieces: those that tell a sensitive fact are marked."""
        ruling, kept = self._ruling, self._kept
        sentences = pieces(ruling.sentences, kept)
        if ruling.status is UNDETERMINED:
            sentences.append((Said(undetermined_text(self._missing, kept[-1])),))
        return tuple(together(sentences))

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

    def to_json(self) -> bytes:
        """`to_dict()` as JSON in UTF-8, without blanks; the same answer always gives the same bytes."""
        return self._ruling.frame.filled(self)

    def _parts(self) -> tuple[object, ...]:
        return self._ruling, self._own_values, self._as_of, self._missing, self._kept

    def __eq__(self, other: object) -> bool:
        return self._parts() == other._parts() if isinstance(other, Decision) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.decision, self.status, self.outcome, self.rules, self.as_of))

    def __reduce__(self) -> tuple[object, ...]:
        return answered, self._parts()

    def __copy__(self) -> Decision:
        return self

    def __deepcopy__(self, memo: object) -> Decision:
        return self

    def __repr__(self) -> str:
        if not all(hasattr(self, name) for name in self.__slots__):
            return "Decision(not filled in)"
        ruling = self._ruling
        told = {"decision": ruling.decision, "status": str(ruling.status), "outcome": ruling.outcome}
        shown = {**told, "rules": ruling.rules, "values": self.values, "missing": self.missing, "as_of": self.as_of}
        return f"Decision({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def started(as_of: date) -> Decision:
    """A decision of a day, to be filled in."""
    answer = Decision()
    answer._as_of = as_of
    return answer


def answered(
    ruling: Ruling, own_values: tuple[Value | None, ...], as_of: date, missing: tuple[str, ...], kept: tuple[Any, ...]
) -> Decision:
    """A decision of these parts."""
    answer = Decision()
    answer._ruling, answer._own_values = ruling, own_values
    answer._as_of, answer._missing, answer._kept = as_of, missing, kept
    return answer


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
    """A decision and its trace, which never change either.

    All that the trace tells was recorded with the decision; a back end may give what makes its objects, to be asked once when
    somebody looks.
    """

    __slots__ = ("_trace", "decision")
    decision: Decision
    _trace: Trace | Callable[[], Trace]

    def __init__(self, decision: Decision, trace: Trace | Callable[[], Trace]) -> None:
        _fill_decision(self, decision)
        _fill_trace(self, trace)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an explanation cannot be changed, so `{name}` cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an explanation cannot be changed, so `{name}` cannot be deleted")

    @property
    def trace(self) -> Trace:
        """How the decision came about."""
        trace = self._trace
        if not isinstance(trace, Trace):
            trace = trace()
            _fill_trace(self, trace)
        return trace

    def to_dict(self) -> dict[str, object]:
        """The explanation in JSON types."""
        return {**self.decision.to_dict(), "trace": self.trace.to_dict()}

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Explanation) and (self.decision, self.trace) == (other.decision, other.trace)
        return same if isinstance(other, Explanation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.decision)

    def __reduce__(self) -> tuple[object, ...]:
        return Explanation, (self.decision, self.trace)

    def __copy__(self) -> Explanation:
        return self

    def __deepcopy__(self, memo: object) -> Explanation:
        return self

    def __repr__(self) -> str:
        return f"Explanation({self.decision!r})" if hasattr(self, "decision") else "Explanation(not filled in)"


_fill_decision = Explanation.__dict__["decision"].__set__
_fill_trace = Explanation.__dict__["_trace"].__set__
"""What fills in the slots of an explanation, which refuses to be changed otherwise."""
