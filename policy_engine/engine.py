"""The API: rulesets are loaded once, compiled once per `as_of` date and choice of readings, then asked any number of times."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from policy_engine.backends.python import NotPlain, Program, Recording, excerpt, prepare, stretch
from policy_engine.diagnostics import has_errors, unknown_name
from policy_engine.errors import EngineFault, FactsError, RulesetError, UnknownDecision
from policy_engine.facts.fast_validator import bare_validator_of
from policy_engine.facts.plain import is_plain
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend import loader
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.traces import Explanation, Trace
from policy_engine.language.values import RecordValue
from policy_engine.reference.deciding import Evaluation, check_facts, explanation_of, trace_of
from policy_engine.reference.recorded import RecordedEvaluation

NO_READINGS: Mapping[str, str] = {}
MOST_DAYS = 1_000
"""The number of `as_of` dates whose compiled rulesets are found without a look at the rulebook; a service asks for few."""
MOST_PROGRAMS = 200
"""The number of compiled rulesets that are kept; or two for each ruleset, where that is more.

Past that all are dropped, and compiled again when they are asked for, which takes some milliseconds each. An LRU cache would be
no better where questions go round, and would add a step to each question.
"""


@dataclass(frozen=True, slots=True)
class CompiledQuestion:
    """A compiled question: `answer` decides facts, `passes` tells whether they are plain JSON, valid, and true to all checks."""

    ruleset: Ruleset
    program: Program
    answer: Callable[[Any, date], Any]
    passes: Callable[[Any, date], bool]


@dataclass(slots=True)
class CompiledRuleset:
    """A ruleset compiled for chosen readings and a stretch of days; `questions` by decision, and all of them under ""."""

    ruleset: Ruleset
    program: Program
    questions: dict[str, CompiledQuestion] = field(default_factory=dict)

    def question(self, name: str) -> CompiledQuestion:
        """A decision, or all."""
        found = self.questions.get(name)
        if found is None:
            answer = self.program.decide(name) if name else self.program.decide_all()
            self.questions[name] = found = CompiledQuestion(self.ruleset, self.program, answer, self.program.checks())
        return found


Day = tuple[dict[str, CompiledQuestion], dict[str, CompiledQuestion]]
"""The questions asked for on a day under the rulesets' own readings: decisions by `ruleset.decision`, and rulesets by name."""


@dataclass(slots=True)
class Engine:
    """Checked rulesets, and what was compiled of them so far. It reads no clock. Threads may share it."""

    rulebook: Rulebook
    _compiled: dict[object, CompiledRuleset] = field(default_factory=dict, repr=False)
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
                raise UnknownDecision(unknown_name("ruleset", name, [ruleset.id for ruleset in everything.rulesets]))
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
        compiled = today[0].get(decision) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = self._decision(decision, as_of, readings)
        try:
            if trusted or compiled.passes(facts, as_of):
                return compiled.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of one decision
        except Exception as error:
            _raise_fault(error, compiled, facts, as_of)
        with decimal.localcontext(EXACT):
            return _reference(compiled, facts, as_of).decision(decision.partition(".")[2])

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
        compiled = today[1].get(ruleset) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = self._all_decisions(ruleset, as_of, readings)
        try:
            if trusted or compiled.passes(facts, as_of):
                return compiled.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of all decisions
        except Exception as error:
            _raise_fault(error, compiled, facts, as_of)
        with decimal.localcontext(EXACT):
            evaluation = _reference(compiled, facts, as_of)
            return {logic.name: evaluation.decision(logic.name) for logic in compiled.ruleset.decisions}

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
        self._decision(decision, as_of, readings)
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
        compiled = today[0].get(decision) if as_of == day and not readings else None
        if compiled is None:
            compiled = self._decision(decision, as_of, readings)
        name = decision.partition(".")[2]
        try:
            if compiled.passes(facts, as_of):
                return explained(compiled.program, name, facts, as_of)
        except Exception as error:
            _raise_fault(error, compiled, facts, as_of)
        with decimal.localcontext(EXACT):
            return explanation_of(_reference(compiled, facts, as_of), name)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision`, `NotInForce` and `TypeError`."""
        _require("a ruleset", name, str, "text")
        _require_date(as_of)
        names = [ruleset.id for ruleset in self.rulebook.rulesets]
        if name not in names:
            raise UnknownDecision(unknown_name("ruleset", name, names))
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
            raise UnknownDecision(unknown_name(f"decision of `{ruleset_name}`", name, names))
        return ruleset, name

    def _program(self, ruleset: Ruleset, as_of: date, readings: Mapping[str, str]) -> CompiledRuleset:
        """The ruleset compiled for the readings, and for the stretch of days around the day on which nothing changes."""
        _require("readings", readings, Mapping, "mapping of names to choices")
        key = (ruleset.digest, tuple(sorted(readings.items())), stretch(ruleset, as_of))
        found = self._compiled.get(key)
        if found is None:
            program = prepare(ruleset, readings, as_of, bare_validator_of(ruleset.facts.document))
            if len(self._compiled) >= max(MOST_PROGRAMS, 2 * len(self.rulebook.rulesets)):
                self._compiled.clear()
                self._days.clear()
                self._latest = None, ({}, {})
            self._compiled[key] = found = CompiledRuleset(ruleset, program)
        return found

    def _decision(self, decision: str, as_of: date, readings: Mapping[str, str]) -> CompiledQuestion:
        """A decision on a day; kept for the next time unless readings are switched."""
        ruleset, name = self._question(decision, as_of)
        compiled = self._program(ruleset, as_of, readings).question(name)
        if not readings:
            self._on(as_of)[0][decision] = compiled
        return compiled

    def _all_decisions(self, name: str, as_of: date, readings: Mapping[str, str]) -> CompiledQuestion:
        """All decisions of a ruleset on a day; kept for the next time unless readings are switched."""
        compiled = self._program(self.ruleset(name, as_of), as_of, readings).question("")
        if not readings:
            self._on(as_of)[1][name] = compiled
        return compiled

    def _on(self, as_of: date) -> Day:
        """The questions of a day, which becomes the latest."""
        if len(self._days) >= MOST_DAYS and as_of not in self._days:
            self._days.clear()
        day = self._days.setdefault(as_of, ({}, {}))
        self._latest = as_of, day
        return day


def _raise_fault(error: Exception, compiled: CompiledQuestion, facts: object, as_of: date) -> None:
    """Raise `EngineFault` for what generated code raised over facts that it must be able to decide.

    Return where the reference has to decide: over subclasses of JSON types, which may do anything, values that are no JSON, and
    facts that a caller said to be valid and are not.
    """
    if isinstance(error, NotPlain):
        return
    if isinstance(error, RecursionError | MemoryError):
        raise error
    try:
        if not is_plain(facts) or not compiled.passes(facts, as_of):
            return
    except NotPlain:
        return
    except Exception as again:
        error = again
    about = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    raise EngineFault(f"generated code failed in {excerpt(error)}\n{about}") from error


def _reference(compiled: CompiledQuestion, facts: Mapping[str, object], as_of: date) -> Evaluation:
    """The reference over facts that jsonschema and the ruleset's checks find valid; raises `FactsError`."""
    choices = compiled.program.choices
    evaluation = Evaluation(compiled.ruleset, valid_facts(facts, compiled.ruleset.facts), as_of, choices)
    check_facts(evaluation)
    return evaluation


def explained(program: Program, name: str, facts: Mapping[str, Any], as_of: date) -> Explanation:
    """A decision about valid facts in JSON types, and its trace: recorded now, and made into steps when somebody looks."""
    recording = program.record(name, facts, as_of)
    return Explanation(recording.decision, partial(_trace, program, recording, name, as_of))


def _trace(program: Program, recording: Recording, name: str, as_of: date) -> Trace:
    with decimal.localcontext(EXACT):
        facts = recording.record(program.ruleset.facts.type)
        assert isinstance(facts, RecordValue)
        recorded, ruleset, choices = recording.values(), program.ruleset, program.choices
        evaluation = RecordedEvaluation(ruleset, facts, as_of, choices, recorded=recorded, forms=program.forms)
        return trace_of(evaluation, name)


def _require(what: str, given: object, kind: type, expected: str) -> None:
    if not isinstance(given, kind):
        raise TypeError(f"{what} must be a {expected}, not {type(given).__name__}")


def _require_date(as_of: date) -> None:
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise TypeError(f"as_of must be a datetime.date without a time, not {type(as_of).__name__}")
