"""What programs talk to: rulesets are read and checked once, made ready once a day, and asked as often as one likes."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from policy_engine.backends.python import Program, prepare, stretch
from policy_engine.diagnostics import did_you_mean, has_errors
from policy_engine.errors import FactsError, RulesetError, UnknownDecision, UnknownReading
from policy_engine.frontend import loader
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision, Explanation
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.semantics.deciding import Evaluation, check_facts, explanation_of
from policy_engine.semantics.facts import valid_facts
from policy_engine.semantics.gate import gate_of

NO_READINGS: Mapping[str, str] = {}
NOT_PLAIN = (TypeError, ValueError, KeyError, AttributeError)
"""What a program raises over facts that are not in JSON types; the reference then decides."""
MOST_DAYS = 1_000
"""For so many days questions are kept ready; a service asks for few."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A question on a day, prepared: `answer` decides plain valid facts, `passes` tells whether facts are plain and valid."""

    ruleset: Ruleset
    program: Program
    answer: Callable[[Any, date], Any]
    passes: Callable[[Any, date], bool]


Day = tuple[dict[str, Ready], dict[str, Ready]]
"""What is ready for a day: decisions by `ruleset.decision`, and whole rulesets by name."""


@dataclass(slots=True)
class Engine:
    """Checked rulesets, ready to decide. It reads no clock: the day is always given. Threads may share it."""

    rulebook: Rulebook
    _programs: dict[object, Program] = field(default_factory=dict, repr=False)
    _days: dict[date, Day] = field(default_factory=dict, repr=False)
    _latest: tuple[date | None, Day] = field(default=(None, ({}, {})), repr=False)

    @classmethod
    def load(
        cls,
        rules: str | Path | Iterable[str | Path] = "rules",
        schemas: str | Path = "schemas",
        *,
        only: Collection[str] = (),
    ) -> Engine:
        """Read and check the rule files below a folder (or the files given), and their schemas.

        `only` names the rulesets that are wanted; files of others are then left unread. Raises `RulesetError` with every
        diagnostic where a file has an error, `CannotRun` where there is no such file.
        """
        paths = [rules] if isinstance(rules, str | Path) else list(rules)
        rulebook = loader.load(map(Path, paths), Path(schemas), lints=False, only=only)
        if has_errors(rulebook.diagnostics):
            raise RulesetError(rulebook.diagnostics)
        return cls(rulebook)

    def decide(
        self,
        decision: str,
        facts: Mapping[str, object],
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> Decision:
        """The answer to `ruleset.decision` about facts in JSON types, on a civil date in the ruleset's time zone.

        `trusted` skips validation and checks, for facts that went through them before; the answer to others is undefined.
        Raises `UnknownDecision`, `NotInForce`, `UnknownReading`, and `FactsError` with every violation.
        """
        day, today = self._latest
        ready = today[0].get(decision) if (as_of is day or as_of == day) and not readings else None
        if ready is None:
            ready = self._prepared_decision(decision, as_of, readings)
        try:
            if trusted or ready.passes(facts, as_of):
                return ready.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of one decision
        except NOT_PLAIN:
            pass
        with decimal.localcontext(EXACT):
            return _judged(ready, facts, as_of).answer(decision.partition(".")[2]).decision

    def decide_all(
        self,
        ruleset: str,
        facts: Mapping[str, object],
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> dict[str, Decision]:
        """Every decision of a ruleset about the same facts, by name, in file order; like `decide` in all else."""
        day, today = self._latest
        ready = today[1].get(ruleset) if (as_of is day or as_of == day) and not readings else None
        if ready is None:
            ready = self._prepared_ruleset(ruleset, as_of, readings)
        try:
            if trusted or ready.passes(facts, as_of):
                return ready.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of all decisions
        except NOT_PLAIN:
            pass
        with decimal.localcontext(EXACT):
            evaluation = _judged(ready, facts, as_of)
            return {logic.name: evaluation.answer(logic.name).decision for logic in ready.ruleset.decisions}

    def decide_many(
        self,
        decision: str,
        facts: Iterable[Mapping[str, object]],
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> Iterator[Decision | FactsError]:
        """One answer for each set of facts, one at a time; where facts are invalid their error stands in its place.

        Raises like `decide` for what concerns all of them: `UnknownDecision`, `NotInForce`, `UnknownReading`.
        """
        self._prepared_decision(decision, as_of, readings)
        return self._each(decision, facts, as_of, readings, trusted)

    def _each(
        self,
        decision: str,
        facts: Iterable[Mapping[str, object]],
        as_of: date,
        readings: Mapping[str, str],
        trusted: bool,
    ) -> Iterator[Decision | FactsError]:
        for item in facts:
            try:
                yield self.decide(decision, item, as_of=as_of, readings=readings, trusted=trusted)
            except FactsError as error:
                yield error

    def explain(
        self, decision: str, facts: Mapping[str, object], *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> Explanation:
        """The answer with its trace: every sub-expression, its value, and where it came from; raises like `decide`."""
        name, (day, today) = decision.partition(".")[2], self._latest
        ready = today[0].get(decision) if as_of == day and not readings else None
        if ready is None:
            ready = self._prepared_decision(decision, as_of, readings)
        try:
            if ready.passes(facts, as_of):
                return ready.program.explain(name, facts, as_of)
        except NOT_PLAIN:
            pass
        with decimal.localcontext(EXACT):
            return explanation_of(_judged(ready, facts, as_of), name)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision` and `NotInForce`."""
        _require_date(as_of)
        names = [ruleset.id for ruleset in self.rulebook.rulesets]
        if name not in names:
            raise UnknownDecision(_unknown("ruleset", name, names))
        return self.rulebook.in_force(name, as_of)

    def code(self, decision: str, as_of: date, readings: Mapping[str, str] = NO_READINGS) -> str:
        """The Python function that decides `ruleset.decision` on a day, as text."""
        ruleset, name = self._question(decision, as_of)
        return self._program(ruleset, as_of, readings).source(name)

    def _question(self, decision: str, as_of: date) -> tuple[Ruleset, str]:
        ruleset_name, _, name = decision.partition(".")
        ruleset = self.ruleset(ruleset_name, as_of)
        names = [logic.name for logic in ruleset.decisions]
        if name not in names:
            raise UnknownDecision(_unknown(f"decision of `{ruleset_name}`", name, names))
        return ruleset, name

    def _program(self, ruleset: Ruleset, as_of: date, readings: Mapping[str, str]) -> Program:
        """The program for the readings, and for the stretch of days around the day."""
        key = (ruleset.digest, tuple(sorted(readings.items())), stretch(ruleset, as_of)[0])
        if key not in self._programs:
            choices = chosen(ruleset, readings)
            self._programs[key] = prepare(ruleset, choices, as_of)
        return self._programs[key]

    def _prepared_decision(self, decision: str, as_of: date, readings: Mapping[str, str]) -> Ready:
        """A decision on a day; kept for the next time unless readings are switched."""
        ruleset, name = self._question(decision, as_of)
        program = self._program(ruleset, as_of, readings)
        table = {} if readings else self._today(as_of)[0]
        return table.get(decision) or table.setdefault(decision, _ready(ruleset, program, program.decide(name)))

    def _prepared_ruleset(self, name: str, as_of: date, readings: Mapping[str, str]) -> Ready:
        """All decisions of a ruleset on a day; kept for the next time unless readings are switched."""
        ruleset = self.ruleset(name, as_of)
        program = self._program(ruleset, as_of, readings)
        table = {} if readings else self._today(as_of)[1]
        return table.get(name) or table.setdefault(name, _ready(ruleset, program, program.decide_all()))

    def _today(self, as_of: date) -> Day:
        """What is ready for a day, which becomes the latest."""
        if len(self._days) > MOST_DAYS:
            self._days.clear()
        today = self._days.setdefault(as_of, ({}, {}))
        self._latest = as_of, today
        return today


def _ready(ruleset: Ruleset, program: Program, answer: Callable[[Any, date], Any]) -> Ready:
    is_valid, checks = gate_of(ruleset.facts.document), program.checks()
    return Ready(
        ruleset, program, answer, lambda facts, as_of: type(facts) is dict and is_valid(facts) and checks(facts, as_of)
    )


def _judged(ready: Ready, facts: Mapping[str, object], as_of: date) -> Evaluation:
    """The reference over facts that jsonschema and the ruleset's checks find valid; raises `FactsError`."""
    choices = ready.program.settled.choices
    evaluation = Evaluation(ready.ruleset, valid_facts(facts, ready.ruleset.facts), as_of, choices)
    check_facts(evaluation)
    return evaluation


def chosen(ruleset: Ruleset, readings: Mapping[str, str]) -> dict[str, str]:
    """The choice of each reading, switched as asked; raises `UnknownReading`."""
    choices = {reading.name: reading.choice for reading in ruleset.readings}
    for name, choice in readings.items():
        reading = next((r for r in ruleset.readings if r.name == name), None)
        if reading is None:
            raise UnknownReading(_unknown(f"reading of `{ruleset.id}`", name, list(choices)))
        allowed = [c.name for c in reading.choices]
        if choice not in allowed:
            raise UnknownReading(_unknown(f"choice of `{name}`", choice, allowed))
        if reading.fixed and choice != reading.choice:
            raise UnknownReading(f"the reading `{name}` is fixed at `{reading.choice}`")
        choices[name] = choice
    return choices


def _unknown(kind: str, name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known) or f"there is {', '.join(dict.fromkeys(known)) or 'none'}"
    return f"there is no {kind} `{name}`; {hint}" if name else f"a {kind} must be named; {hint}"


def _require_date(as_of: date) -> None:
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise TypeError(f"as_of must be a datetime.date without a time, not {type(as_of).__name__}")
