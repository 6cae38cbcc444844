"""What programs talk to: rulesets are read and checked once, made ready once a day, and asked as often as one likes."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from policy_engine.backends.python import NotPlain, Program, excerpt, prepare, stretch
from policy_engine.diagnostics import did_you_mean, has_errors
from policy_engine.errors import EngineFault, FactsError, RulesetError, UnknownDecision, UnknownReading
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.plain import is_plain
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend import loader
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision, Explanation
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts, explanation_of

NO_READINGS: Mapping[str, str] = {}
MOST_DAYS = 1_000
"""For so many days it is kept which programs answer; a service asks for few."""
MOST_PROGRAMS = 200
"""So many rulesets, each under some readings and on some stretch of days, are kept compiled; or two for each ruleset.

Past that all are forgotten and made again when they are asked for, which takes some milliseconds each. To forget the one that
was not used longest would spare nothing where questions go round, and every question would have to note what it uses.
"""


@dataclass(frozen=True, slots=True)
class Ready:
    """A question on a day, prepared: `answer` decides plain valid facts, `passes` tells whether facts are plain and valid."""

    ruleset: Ruleset
    program: Program
    answer: Callable[[Any, date], Any]
    passes: Callable[[Any, date], bool]


@dataclass(slots=True)
class Prepared:
    """A ruleset under chosen readings on a stretch of days; `ready` has its decisions by name, and under "" all of them."""

    ruleset: Ruleset
    program: Program
    ready: dict[str, Ready] = field(default_factory=dict)

    def one(self, name: str) -> Ready:
        """A decision, or all."""
        found = self.ready.get(name)
        if found is None:
            answer = self.program.decide(name) if name else self.program.decide_all()
            self.ready[name] = found = _ready(self.ruleset, self.program, answer)
        return found


Day = tuple[dict[str, Ready], dict[str, Ready]]
"""What is ready for a day: decisions by `ruleset.decision`, and whole rulesets by name."""


@dataclass(slots=True)
class Engine:
    """Checked rulesets, ready to decide. It reads no clock: the day is always given. Threads may share it."""

    rulebook: Rulebook
    _prepared: dict[object, Prepared] = field(default_factory=dict, repr=False)
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
        diagnostic where a file has an error, `CannotRun` where there is no such file, `UnknownDecision` where there is no
        ruleset that is wanted.
        """
        paths = [rules] if isinstance(rules, str | Path) else list(rules)
        wanted = [only] if isinstance(only, str) else list(only)
        rulebook = loader.load(map(Path, paths), Path(schemas), lints=False, only=wanted)
        if has_errors(rulebook.diagnostics):
            raise RulesetError(rulebook.diagnostics)
        known = [ruleset.id for ruleset in rulebook.rulesets]
        for name in wanted:
            if name not in known:
                everything = loader.load(map(Path, paths), Path(schemas), lints=False)
                raise UnknownDecision(_unknown("ruleset", name, [ruleset.id for ruleset in everything.rulesets]))
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

        `trusted` skips validation and checks, for facts that went through them before; others may get any answer or error.
        Raises `FactsError` with every violation, `UnknownDecision`, `NotInForce` where no version is in force on the day,
        `UnknownReading` for a reading or a choice that there is not, `TypeError` where a question is no text, readings no mapping
        or `as_of` no date, and `EngineFault` where this package itself fails.
        """
        day, today = self._latest
        ready = today[0].get(decision) if (as_of is day or as_of == day) and not readings else None
        if ready is None:
            ready = self._prepared_decision(decision, as_of, readings)
        try:
            if trusted or ready.passes(facts, as_of):
                return ready.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of one decision
        except NotPlain:
            pass
        except Exception as error:
            _surface(error, ready, facts, as_of)
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
        except NotPlain:
            pass
        except Exception as error:
            _surface(error, ready, facts, as_of)
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
        day, today = self._latest
        ready = today[0].get(decision) if as_of == day and not readings else None
        if ready is None:
            ready = self._prepared_decision(decision, as_of, readings)
        name = decision.partition(".")[2]
        try:
            if ready.passes(facts, as_of):
                return ready.program.explain(name, facts, as_of)
        except NotPlain:
            pass
        except Exception as error:
            _surface(error, ready, facts, as_of)
        with decimal.localcontext(EXACT):
            return explanation_of(_judged(ready, facts, as_of), name)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision`, `NotInForce` and `TypeError`."""
        _require("a ruleset", name, str, "text")
        _require_date(as_of)
        names = [ruleset.id for ruleset in self.rulebook.rulesets]
        if name not in names:
            raise UnknownDecision(_unknown("ruleset", name, names))
        return self.rulebook.in_force(name, as_of)

    def code(self, decision: str, as_of: date, readings: Mapping[str, str] = NO_READINGS) -> str:
        """The Python function that decides `ruleset.decision` on a day, as text."""
        ruleset, name = self._question(decision, as_of)
        return self._program(ruleset, as_of, readings).program.source(name)

    def _question(self, decision: str, as_of: date) -> tuple[Ruleset, str]:
        _require("a question", decision, str, "text such as `ruleset.decision`")
        ruleset_name, _, name = decision.partition(".")
        ruleset = self.ruleset(ruleset_name, as_of)
        names = [logic.name for logic in ruleset.decisions]
        if name not in names:
            raise UnknownDecision(_unknown(f"decision of `{ruleset_name}`", name, names))
        return ruleset, name

    def _program(self, ruleset: Ruleset, as_of: date, readings: Mapping[str, str]) -> Prepared:
        """What is prepared for the readings, and for the stretch of days around the day."""
        _require("readings", readings, Mapping, "mapping of names to choices")
        key = (ruleset.digest, tuple(sorted(readings.items())), stretch(ruleset, as_of)[0])
        found = self._prepared.get(key)
        if found is None:
            choices = chosen(ruleset, readings)
            if len(self._prepared) >= max(MOST_PROGRAMS, 2 * len(self.rulebook.rulesets)):
                self._forget()
            self._prepared[key] = found = Prepared(ruleset, prepare(ruleset, choices, as_of))
        return found

    def _forget(self) -> None:
        """Let go of all programs, and of the days for which they were ready."""
        self._prepared.clear()
        self._days.clear()
        self._latest = None, ({}, {})

    def _prepared_decision(self, decision: str, as_of: date, readings: Mapping[str, str]) -> Ready:
        """A decision on a day; the day keeps it for the next time unless readings are switched."""
        ruleset, name = self._question(decision, as_of)
        ready = self._program(ruleset, as_of, readings).one(name)
        if not readings:
            self._today(as_of)[0][decision] = ready
        return ready

    def _prepared_ruleset(self, name: str, as_of: date, readings: Mapping[str, str]) -> Ready:
        """All decisions of a ruleset on a day; the day keeps them for the next time unless readings are switched."""
        ready = self._program(self.ruleset(name, as_of), as_of, readings).one("")
        if not readings:
            self._today(as_of)[1][name] = ready
        return ready

    def _today(self, as_of: date) -> Day:
        """What is ready for a day, which becomes the latest."""
        if len(self._days) >= MOST_DAYS and as_of not in self._days:
            self._days.clear()
        today = self._days.setdefault(as_of, ({}, {}))
        self._latest = as_of, today
        return today


def _ready(ruleset: Ruleset, program: Program, answer: Callable[[Any, date], Any]) -> Ready:
    is_valid, checks = validator_of(ruleset.facts.document), program.checks()
    return Ready(
        ruleset, program, answer, lambda facts, as_of: type(facts) is dict and is_valid(facts) and checks(facts, as_of)
    )


def _surface(error: Exception, ready: Ready, facts: object, as_of: date) -> None:
    """Raise what generated code raised as the fault it is, unless it was given what it need not take.

    That is a subclass of a JSON type, which may do anything, or facts that a caller said to be valid and are not.
    """
    if isinstance(error, RecursionError | MemoryError):
        raise error
    try:
        if not is_plain(facts) or not ready.passes(facts, as_of):
            return
    except NotPlain:
        return
    except Exception as again:
        error = again
    about = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    raise EngineFault(f"generated code failed in {excerpt(error)}\n{about}") from error


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


def _require(what: str, given: object, kind: type, expected: str) -> None:
    if not isinstance(given, kind):
        raise TypeError(f"{what} must be a {expected}, not {type(given).__name__}")


def _require_date(as_of: date) -> None:
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise TypeError(f"as_of must be a datetime.date without a time, not {type(as_of).__name__}")
