"""Traces: how an answer came about, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import NamedTuple, NoReturn

from policy_engine.language.decisions import Decision
from policy_engine.language.values import Unknown, Value, to_json


class Origin(StrEnum):
    """Where a value came from."""

    FACT = "fact"
    PARAMETER = "parameter"
    TABLE = "table"
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


new_step: Callable[[tuple[str, Value, Origin, str, tuple[Step, ...]]], Step] = partial(tuple.__new__, Step)
"""A step of all its fields: for those who make many, since the class itself takes twice as long."""


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

    def _repr_html_(self) -> str:
        """The trace in a notebook."""
        from policy_engine.language.notebook import trace_html  # noqa: PLC0415 - only notebooks need it

        return trace_html(self)


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

    def _repr_html_(self) -> str:
        """The explanation in a notebook."""
        from policy_engine.language.notebook import explanation_html  # noqa: PLC0415 - only notebooks need it

        return explanation_html(self)

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
