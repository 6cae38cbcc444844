"""Decisions with all that was recorded of them, and how that becomes the objects of a trace when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from policy_engine.language import causes
from policy_engine.language.decisions import (
    Decision,
    Explanation,
    Origin,
    RuleTrace,
    Ruling,
    Status,
    Step,
    Trace,
    Verdict,
    answered,
    decisions_in,
)
from policy_engine.language.rulesets import OTHERWISE
from policy_engine.language.values import Unknown, Value, is_unknown, merge, unknown_parts

Words = tuple[str, Origin, str]
"""What of a step is always the same: its text, its origin and its note."""

Recorded = tuple[Any, ...]
"""A step as generated code records it: its words, its value, and the steps below. One that is always the same is a `Step`."""


@dataclass(frozen=True, slots=True)
class Heads:
    """The rules of a decision as they are told where they are not reached; `in_turn` where the first true one decides."""

    rules: tuple[RuleTrace, ...]
    in_turn: bool = False
    otherwise: bool = False

    def told(self, conditions: Sequence[Step]) -> Iterator[RuleTrace]:
        """The rules with what became of them, from the conditions of those that were reached."""
        left, unsure, found = iter(conditions), False, False
        for head in self.rules:
            if found:
                yield head
                continue
            step = next(left)
            yield RuleTrace(head.id, _verdict(step.value, unsure), head.place, (step,))
            found = self.in_turn and step.value is True
            unsure = unsure or (self.in_turn and isinstance(step.value, Unknown))
        if self.otherwise and not found:
            yield RuleTrace(OTHERWISE, Verdict.NOT_REACHED if unsure else Verdict.APPLIES, "")


@dataclass(frozen=True, slots=True)
class CellHead:
    """A cell of a matrix, or, where its row or column is unknown, the whole."""

    id: str
    place: str = ""

    def told(self, steps: Sequence[Step]) -> Iterator[RuleTrace]:
        """The cell with the steps of row, column and condition."""
        unknown = any(isinstance(step.value, Unknown) for step in steps)
        yield RuleTrace(self.id, Verdict.UNKNOWN if unknown else Verdict.APPLIES, self.place, tuple(steps))


def _verdict(value: Value, unsure: bool) -> Verdict:
    if isinstance(value, Unknown):
        return Verdict.UNKNOWN
    if not value:
        return Verdict.DOES_NOT_APPLY
    return Verdict.WOULD_APPLY if unsure else Verdict.APPLIES


class Told(NamedTuple):
    """A decision with what was recorded of it: the conditions of its rules, its values, and those that it had to do without."""

    decision: Decision
    heads: Heads | CellHead
    conditions: Sequence[Recorded]
    values: tuple[Recorded, ...] = ()
    needed: tuple[Value, ...] = ()

    def unknown(self) -> Unknown:
        """What an undetermined decision misses, and for what cause."""
        return _unknown(self.conditions, self.needed)

    def part(self, part: str) -> Step:
        """What another decision sees of this one: unknown unless decided (sentence 19)."""
        name, status = self.decision.decision.partition(".")[2], self.decision.status
        return Step(f"decisions.{name}.{part}", self._seen(part), Origin.DECISION, str(status))

    def _seen(self, part: str) -> Value:
        if self.decision.status is Status.GAP:
            return Unknown(causes=(causes.no_rule(self.decision.decision),))
        if self.decision.status is Status.UNDETERMINED:
            return self.unknown()
        known = self.decision.outcome if part == "outcome" else self.decision.values.get(part)
        given = {_text(step): step[1] for step in self.values}
        if known is None and part in given and is_unknown(given[part]):
            return merge(unknown_parts(given[part]))
        return Unknown(causes=(causes.not_given(self.decision.decision),)) if known is None else known


def _unknown(conditions: Iterable[Recorded], needed: Iterable[Value]) -> Unknown:
    found = chain.from_iterable(unknown_parts(step[1]) for step in conditions)
    return merge(list(found) or list(chain.from_iterable(map(unknown_parts, needed))))


def undetermined(
    places: Mapping[str, int],
    ruling: Ruling,
    as_of: date,
    kept: tuple[Any, ...],
    heads: Heads | CellHead,
    conditions: Sequence[Recorded],
    values: tuple[Recorded, ...] = (),
    needed: tuple[Value, ...] = (),
) -> Told:
    """An undetermined decision with what was recorded of it; `places` orders the paths of the schema."""
    unknown = _unknown(conditions, needed)
    missing = tuple(sorted((path for path in unknown.missing if path in places), key=places.__getitem__))
    kept += (() if missing else unknown.causes,)
    decision = answered(ruling, (None,) * len(ruling.names), as_of, missing, kept)
    return Told(decision, heads, conditions, values, needed)


def _text(recorded: Recorded) -> str:
    return recorded.text if isinstance(recorded, Step) else recorded[0][0]


@dataclass(slots=True)
class Telling:
    """Gives decisions about one set of facts with what was recorded of them, each worked out once."""

    recording: Callable[[str], Callable[[Any, date, Telling], Told]]
    facts: Any
    as_of: date
    told: dict[str, Told] = field(default_factory=dict)

    def __call__(self, name: str) -> Told:
        """The decision of that name."""
        found = self.told.get(name)
        if found is None:
            self.told[name] = found = self.recording(name)(self.facts, self.as_of, self)
        return found


def explanation_of(told: Telling, name: str) -> Explanation:
    """A decision with its whole trace, those of the decisions it used included: recorded now, made into objects later.

    What it keeps is what was recorded, and neither the facts nor any function of the program.
    """
    return _explanation(told(name), told.told)


def _explanation(found: Told, others: Mapping[str, Told]) -> Explanation:
    return Explanation(found.decision, partial(_trace, found, others))


def _trace(found: Told, others: Mapping[str, Told]) -> Trace:
    made: dict[int, Step] = {}
    rules = tuple(found.heads.told(_steps(found.conditions, made)))
    values = _steps(found.values, made)
    used = decisions_in([*values, *(step for rule in rules for step in rule.steps)])
    return Trace(found.decision.decision, rules, values, tuple(_explanation(others[other], others) for other in used))


def _steps(recorded: Iterable[Recorded], made: dict[int, Step]) -> tuple[Step, ...]:
    """What was recorded as steps; what stands in several places is made once."""
    return tuple([one if isinstance(one, Step) else made.get(id(one)) or _step(one, made) for one in recorded])


def _step(recorded: Recorded, made: dict[int, Step]) -> Step:
    (text, origin, note), value, *below = recorded
    made[id(recorded)] = step = Step(text, value, origin, note, _steps(below, made))
    return step
