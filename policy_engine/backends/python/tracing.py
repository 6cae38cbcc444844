"""Decisions as functions that record: their rules with what became of them, and their values, each with all steps.

The first form decides; these functions only tell how. `explanation_of` brings both together, for used decisions too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import localcontext
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from policy_engine.backends.python.beforehand import below
from policy_engine.backends.python.recorder import Recorder
from policy_engine.backends.python.steps import Part, listed
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import (
    Decision,
    Explanation,
    Origin,
    RuleTrace,
    Status,
    Step,
    Trace,
    Verdict,
    decisions_in,
)
from policy_engine.language.mentions import Mention
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import (
    OTHERWISE,
    DecisionLogic,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.values import Unknown, Value, is_unknown, merge, unknown_parts

Values = tuple[ValueDefinition, ...]
Recorded = tuple[str, Value, Origin, str, tuple[Any, ...]]
"""A step as generated code records it, with all that `Step` has; a part that is always the same is a step already."""

NAMES: Mapping[str, object] = {verdict.name: verdict for verdict in Verdict}
"""What generated code calls, beside what `recorder` names."""


class Told(NamedTuple):
    """A decision with what was recorded of it: its rules, its values, and those values that it cannot do without."""

    decision: Decision
    rules: tuple[tuple[str, Verdict, str, tuple[Recorded, ...]], ...]
    values: tuple[Recorded, ...]
    needed: tuple[Value, ...]

    def unknown(self) -> Unknown:
        """What an undetermined decision misses, and for what cause."""
        found = [step[1] for _, verdict, _, steps in self.rules if verdict is Verdict.UNKNOWN for step in steps]
        return merge(list(chain.from_iterable(map(unknown_parts, found or self.needed))))

    def part(self, part: str) -> Step:
        """What another decision sees of this one: unknown unless decided (sentence 19)."""
        name, status = self.decision.decision.partition(".")[2], self.decision.status
        return Step(f"decisions.{name}.{part}", self._seen(part), Origin.DECISION, str(status))

    def _seen(self, part: str) -> Value:
        if self.decision.status is Status.GAP:
            return Unknown(causes=(f"`{self.decision.decision}` has no rule for these facts",))
        if self.decision.status is Status.UNDETERMINED:
            return self.unknown()
        known = self.decision.outcome if part == "outcome" else self.decision.values[part]
        given = {step[0]: step[1] for step in self.values}
        if known is None and part in given and is_unknown(given[part]):
            return merge(unknown_parts(given[part]))
        cause = f"`{self.decision.decision}` does not give this value here"
        return Unknown(causes=(cause,)) if known is None else known


@dataclass(slots=True)
class Telling:
    """Gives decisions about one set of facts with what was recorded of them, each worked out once."""

    decide: Callable[[str], Callable[[Any, date], Decision]]
    recording: Callable[[str], Callable[..., Any]]
    facts: Any
    as_of: date
    told: dict[str, Told] = field(default_factory=dict)

    def __call__(self, name: str) -> Told:
        """The decision of that name."""
        found = self.told.get(name)
        if found is None:
            with localcontext(EXACT):
                recorded = self.recording(name)(self.facts, self.as_of, self)
            self.told[name] = found = Told(self.decide(name)(self.facts, self.as_of), *recorded)
        return found


def explanation_of(told: Telling, name: str) -> Explanation:
    """A decision with its whole trace, those of the decisions it used included: recorded now, made into objects later."""
    found = told(name)
    return Explanation(found.decision, partial(_trace, told, found))


def _trace(told: Telling, found: Told) -> Trace:
    made: dict[int, Step] = {}
    rules = tuple(RuleTrace(rule, verdict, place, _steps(steps, made)) for rule, verdict, place, steps in found.rules)
    values = _steps(found.values, made)
    used = decisions_in([*values, *(step for rule in rules for step in rule.steps)])
    return Trace(found.decision.decision, rules, values, tuple(explanation_of(told, other) for other in used))


def _steps(recorded: Iterable[Recorded], made: dict[int, Step]) -> tuple[Step, ...]:
    """What was recorded as steps; what stands in several places is made once."""
    return tuple([one if isinstance(one, Step) else made.get(id(one)) or _step(one, made) for one in recorded])


def _step(recorded: Recorded, made: dict[int, Step]) -> Step:
    text, value, origin, note, below = recorded
    made[id(recorded)] = step = Step(text, value, origin, note, _steps(below, made))
    return step


def write(to: Recorder, logic: DecisionLogic) -> None:
    """Write the body of the function that records a decision."""
    for mention in below(to.ruleset, [Mention("decision", logic.name)]):
        if mention.kind == "definition":
            to.define(next(d for d in to.ruleset.definitions if d.name == mention.name))
        elif mention.name != logic.name:
            to.use(mention.name)
    tracing = Tracing(to, to.writer.line, *_recorded(to, logic.values))
    to.writer.line("rules, unsure, values, needed = [], False, (), ()")
    match logic.body:
        case Rules(hit="collect"):
            tracing.collect(logic.body)
        case Rules():
            tracing.first(logic.body)
        case Matrix():
            tracing.matrix(logic.body)
        case _:
            tracing.conclude(())
    to.writer.line("return tuple(rules), values, needed")


def _recorded(to: Recorder, values: Sequence[ValueDefinition]) -> tuple[str, str]:
    """The steps of values, and those values that may be unknown and must not, both as texts of tuples."""
    parts = [to.expression(value.expression) for value in values]
    steps = [to.step(v.name, part.value, [part], known=part.known).step for v, part in zip(values, parts, strict=True)]
    needed = [part.value for v, part in zip(values, parts, strict=True) if not (part.known or v.nullable)]
    return listed(steps), listed(needed)


@dataclass(frozen=True, slots=True)
class Tracing:
    """Writes the rules of a decision; `values` and `needed` are those that every outcome has."""

    to: Recorder
    line: Callable[[str], None]
    values: str
    needed: str

    def conclude(self, own: Sequence[ValueDefinition]) -> None:
        """Record the values, where no rule is unknown."""
        if self.values == "()" and not own:
            return
        with self.to.writer.block("if not unsure:"):
            steps, needed = _recorded(self.to, own)
            self.line(f"values, needed = {self.values} + {steps}, {self.needed} + {needed}")

    def _note(self, rule: str, verdict: str, place: str, steps: str) -> None:
        self.line(f"rules.append(({self.to.text(rule)}, {verdict}, {self.to.text(place)}, {steps}))")

    def first(self, body: Rules) -> None:
        """The rules up to the first true one; of the others, that they were not reached."""
        writer = self.to.writer
        rest = self.to.bind(tuple(self._passed_over(rule) for rule in body.rules))
        with writer.block("while True:"):
            for index, rule in enumerate(body.rules):
                if not self.to.settled.in_force(rule.period):
                    self.line(f"rules.append({rest}[{index}])")
                    continue
                part = self.to.condition(rule.when)
                with writer.block(f"if {part.value} is True:"):
                    self._note(rule.id, "WOULD_APPLY if unsure else APPLIES", str(rule.span), f"({part.step},)")
                    self.line(f"rules += {rest}[{index + 1}:]")
                    self.conclude(rule.then.values)
                    self.line("break")
                self._does_not_apply(rule, part)
            if body.otherwise is not None:
                self._note(OTHERWISE, "NOT_REACHED if unsure else APPLIES", "", "()")
                self.conclude(body.otherwise.values)
            self.line("break")

    def _passed_over(self, rule: Rule) -> RuleTrace:
        in_force = self.to.settled.in_force(rule.period)
        return RuleTrace(rule.id, Verdict.NOT_REACHED if in_force else Verdict.NOT_IN_FORCE, str(rule.span))

    def _does_not_apply(self, rule: Rule, part: Part) -> None:
        verdict = "DOES_NOT_APPLY"
        if not part.known:
            verdict = f"UNKNOWN if {part.value}.__class__ is Unknown else DOES_NOT_APPLY"
        self._note(rule.id, verdict, str(rule.span), f"({part.step},)")
        if not part.known:
            self.line(f"unsure = unsure or {part.value}.__class__ is Unknown")

    def collect(self, body: Rules) -> None:
        """All rules; then the values of the decision and of the rules that apply."""
        parts: dict[Rule, Part] = {}
        for rule in body.rules:
            if not self.to.settled.in_force(rule.period):
                self.line(f"rules.append({self.to.bind(self._passed_over(rule))})")
                continue
            parts[rule] = part = self.to.condition(rule.when)
            with self.to.writer.block(f"if {part.value} is True:"):
                self._note(rule.id, "APPLIES", str(rule.span), f"({part.step},)")
            with self.to.writer.block("else:"):
                self._does_not_apply(rule, part)
        self.conclude(())
        for rule, part in parts.items():
            if rule.then.values:
                with self.to.writer.block(f"if {part.value} is True and not unsure:"):
                    steps, needed = _recorded(self.to, rule.then.values)
                    self.line(f"values, needed = values + {steps}, needed + {needed}")

    def matrix(self, body: Matrix) -> None:
        """Row and column; where both are known, the cell."""
        writer = self.to.writer
        axes = [self.to.condition(axis) for axis in (body.rows, body.columns)]
        steps = listed([axis.step for axis in axes])
        unknown = " or ".join(f"{axis.value}.__class__ is Unknown" for axis in axes)
        with writer.block(f"if {unknown}:"):
            self._note("matrix", "UNKNOWN", "", steps)
        with writer.block("else:"):
            kinds: dict[tuple[tree.Condition | None, Values, Values | None], int] = {}
            table: dict[object, dict[object, tuple[int, str, str]]] = {}
            for cell in body.cells:
                kind = cell.when, cell.then.values, cell.otherwise.values if cell.otherwise else None
                number = kinds.setdefault(kind, len(kinds))
                table.setdefault(cell.row, {})[cell.column] = number, cell.id, str(cell.span)
            self.line(f"kind, cell, place = {self.to.bind(table)}[{axes[0].value}][{axes[1].value}]")
            for kind, number in kinds.items():
                with writer.block(f"if kind == {number}:"):
                    self._cell(*kind, steps)

    def _cell(self, when: tree.Condition | None, then: Values, otherwise: Values | None, steps: str) -> None:
        """A kind of cell: those with the same condition and values."""
        if when is None:
            self.line(f"rules.append((cell, APPLIES, place, {steps}))")
            self.conclude(then)
            return
        part, writer = self.to.condition(when), self.to.writer
        verdict = "APPLIES" if part.known else f"UNKNOWN if {part.value}.__class__ is Unknown else APPLIES"
        self.line(f"rules.append((cell, {verdict}, place, {steps} + ({part.step},)))")
        for values, taken in ((then, "True"), (otherwise, "False")):
            if values is not None:
                with writer.block(f"if {part.value} is {taken}:"):
                    self.conclude(values)
