"""The engine: rulesets are loaded once, compiled once per `as_of` date and choice of readings, then asked any number of times."""

from __future__ import annotations

import decimal
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Self

from policy_engine.backends.python import NotPlain, Program, Recording, excerpt
from policy_engine.compiled import CompiledQuestion, CompiledRulebook
from policy_engine.diagnostics import has_errors, shown_text, unknown_name
from policy_engine.errors import CannotRun, EngineFault, FactsError, RulesetError, UnknownDecision, Violation
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.foreign import Facts, refuse_table
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a log remembers it: `ruleset.decision`, or a ruleset for all its decisions; `account` is whom it is about.

    `readings` are those that are switched. Where `account` is None the facts may say it.
    """

    question: str
    facts: Facts
    as_of: date
    readings: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """What an engine is loaded from: rule files, or folders of them, a folder of schemas, and the rulesets that are wanted."""

    rules: tuple[Path, ...]
    schemas: Path
    only: tuple[str, ...]

    def load(self) -> Rulebook:
        """Read and check them; raises `RulesetError`, `CannotRun` and `UnknownDecision`."""
        rulebook = _sound(loader.load(self.rules, self.schemas, lints=False, only=self.only))
        if not rulebook.rulesets and not loader.rule_files(self.rules):
            raise CannotRun(f"there is no rule file in {', '.join(map(str, self.rules)) or 'an empty list'}")
        known = [ruleset.id for ruleset in rulebook.rulesets]
        for name in self.only:
            if name not in known:
                everything = loader.load(self.rules, self.schemas, lints=False)
                raise UnknownDecision(unknown_name("ruleset", name, [ruleset.id for ruleset in everything.rulesets]))
        return rulebook


class Engine:
    """Checked rulesets, and what was compiled of them so far. It reads no clock. Threads may share it."""

    __slots__ = ("_files", "_now")
    _files: Files | None
    _now: CompiledRulebook

    def __init__(self, rulebook: Rulebook, files: Files | None = None) -> None:
        """An engine over a rulebook; `files` are those that it was loaded from."""
        self._now, self._files = CompiledRulebook(rulebook), files

    @classmethod
    def load(
        cls,
        rules: str | Path | Iterable[str | Path] = "rules",
        schemas: str | Path = "schemas",
        *,
        only: Collection[str] = (),
    ) -> Self:
        """Read and check the rule files below a folder (or the files given), and their schemas.

        `only` names the rulesets that are wanted; files of others are then left unread. Raises `RulesetError` with every
        diagnostic where a file has an error, `CannotRun` where there is no such file, `UnknownDecision` where there is no
        ruleset that is wanted.
        """
        paths = [rules] if isinstance(rules, str | Path) else rules
        files = Files(tuple(map(Path, paths)), Path(schemas), (only,) if isinstance(only, str) else tuple(only))
        return cls(files.load(), files)

    @classmethod
    def from_text(cls, rules: Mapping[str, str], schemas: Mapping[str, str]) -> Self:
        """Check rules given as YAML texts, by names that diagnostics tell, and their schemas as JSON texts, by name.

        Nothing is read from disk, so look-up tables hold their rows, and libraries are among the rules. Raises `RulesetError`,
        and `TypeError` for what is no mapping of names to texts.
        """
        _require_texts("rules", rules)
        _require_texts("schemas", schemas)
        return cls(_sound(loader.load_texts(rules, schemas)))

    def reload(self) -> None:
        """Read and check the same files again; from then on they decide.

        They are checked before anything is replaced: where `load` would raise an error this does too, and the engine keeps its
        rules. Threads may go on asking; each answer is by the old rules or the new ones as a whole. Raises `CannotRun` where the
        rules came from no files.
        """
        if self._files is None:
            raise CannotRun("this engine was not loaded from files, so there is nothing to read again; make a new one")
        self._now = CompiledRulebook(self._files.load())

    def __repr__(self) -> str:
        return f"Engine({', '.join(dict.fromkeys(ruleset.id for ruleset in self.rulesets))})"

    @property
    def rulebook(self) -> Rulebook:
        """All rulesets as they were loaded, and what was found in their files."""
        return self._now.rulebook

    @property
    def rulesets(self) -> tuple[Ruleset, ...]:
        """All rulesets, each version by itself: by name, and the oldest first."""
        return tuple(sorted(self.rulebook.rulesets, key=lambda ruleset: (ruleset.id, ruleset.period.start)))

    @property
    def decisions(self) -> tuple[str, ...]:
        """The decisions of all versions as `ruleset.decision`, each once: by ruleset, in the order of their files."""
        return tuple(
            dict.fromkeys(f"{ruleset.id}.{logic.name}" for ruleset in self.rulesets for logic in ruleset.decisions)
        )

    def decide(
        self,
        decision: str,
        facts: Facts,
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> Decision:
        """The answer to `ruleset.decision` about facts in JSON types, on a civil date in the ruleset's time zone.

        Facts, and the records in them, may also be dataclasses and pydantic models, which takes longer.

        `trusted` skips validation and checks, for facts that went through them before; others may get any answer or error.
        Raises `FactsError` with every violation, `UnknownDecision`, `NotInForce` where no version is in force on the day,
        `UnknownReading` for a reading or a choice that there is not, `TypeError` where a question is no text, readings no mapping
        or `as_of` no date, and `EngineFault` where this package itself fails.
        """
        now = self._now
        day, today = now.latest
        compiled = today[0].get(decision) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = now.decision(decision, as_of, readings)
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
        facts: Facts,
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> dict[str, Decision]:
        """Every decision of a ruleset about the same facts, by name, in file order; like `decide` in all else."""
        now = self._now
        day, today = now.latest
        compiled = today[1].get(ruleset) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = now.all_decisions(ruleset, as_of, readings)
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
        facts: Iterable[Facts],
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
    ) -> Iterator[Decision | FactsError]:
        """One answer for each set of facts, one at a time; where facts are invalid their error stands in its place.

        Raises like `decide` for what concerns all of them: `UnknownDecision`, `NotInForce`, `UnknownReading`; and `TypeError`
        for a frame or the name of a file, which `decide_table` takes.
        """
        refuse_table(facts)
        self._now.decision(decision, as_of, readings)
        return self._each(decision, facts, as_of, readings, trusted)

    def _each(
        self,
        decision: str,
        facts: Iterable[Facts],
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
        self, decision: str, facts: Facts, *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> Explanation:
        """The answer with its trace: every sub-expression, its value, and where it came from; raises like `decide`."""
        now = self._now
        day, today = now.latest
        compiled = today[0].get(decision) if as_of == day and not readings else None
        if compiled is None:
            compiled = now.decision(decision, as_of, readings)
        name = decision.partition(".")[2]
        try:
            if compiled.passes(facts, as_of):
                return explained(compiled.program, name, facts, as_of)
        except Exception as error:
            _raise_fault(error, compiled, facts, as_of)
        with decimal.localcontext(EXACT):
            return explanation_of(_reference(compiled, facts, as_of), name)

    def validate(
        self, ruleset: str, facts: Facts, *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> tuple[Violation, ...]:
        """The violations of a ruleset's schema and of its checks by facts, in document order; empty where they are valid.

        Raises like `decide` in all else.
        """
        compiled = self._now.checks(ruleset, as_of, readings)
        if _passes(compiled, facts, as_of):
            return ()
        try:
            with decimal.localcontext(EXACT):
                _reference(compiled, facts, as_of)
        except FactsError as error:
            return error.violations
        return ()

    def is_valid(self, ruleset: str, facts: Facts, *, as_of: date, readings: Mapping[str, str] = NO_READINGS) -> bool:
        """Whether `validate` finds no violation: the same answer, and quicker where a check is false."""
        compiled = self._now.checks(ruleset, as_of, readings)
        passes = _passes(compiled, facts, as_of)
        if passes is False and is_plain(facts) and validator_of(compiled.ruleset.facts.document)(facts):
            return False  # by the schema they are valid, so a check is false
        return passes or not self.validate(ruleset, facts, as_of=as_of, readings=readings)

    def prepare(self, ruleset: str, as_of: date) -> None:
        """Compile every decision of a ruleset for a day, so that no question waits for it; raises like `ruleset`."""
        now = self._now
        now.all_decisions(ruleset, as_of, NO_READINGS)
        for logic in now.ruleset(ruleset, as_of).decisions:
            now.decision(f"{ruleset}.{logic.name}", as_of, NO_READINGS)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision`, `NotInForce` and `TypeError`."""
        return self._now.ruleset(name, as_of)

    def code(self, decision: str, as_of: date, readings: Mapping[str, str] = NO_READINGS) -> str:
        """The Python function that decides `ruleset.decision` on a day, as text."""
        now = self._now
        ruleset, name = now.question(decision, as_of)
        return now.compiled(ruleset, as_of, readings).program.source(name)


def _sound(rulebook: Rulebook) -> Rulebook:
    """A rulebook without errors; raises `RulesetError` for one that has any."""
    if has_errors(rulebook.diagnostics):
        raise RulesetError(rulebook.diagnostics)
    return rulebook


def _require_texts(what: str, given: Mapping[str, str]) -> None:
    wanted = f"{what} must be a mapping of names to texts"
    if not isinstance(given, Mapping):
        raise TypeError(f"{wanted}, not a {type(given).__name__}")
    for name, text in given.items():
        if not isinstance(name, str):
            raise TypeError(f"{wanted}, and the name {name!r} is no text")
        if not isinstance(text, str):
            raise TypeError(f"{wanted}, and `{shown_text(name)}` is a {type(text).__name__}")


def _passes(compiled: CompiledQuestion, facts: Facts, as_of: date) -> bool | None:
    """Whether facts are valid; a no is sure only of plain JSON that the schema accepts; None where the reference must tell."""
    try:
        return compiled.passes(facts, as_of)
    except Exception as error:
        _raise_fault(error, compiled, facts, as_of)
    return None


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


def _reference(compiled: CompiledQuestion, facts: Facts, as_of: date) -> Evaluation:
    """The reference over facts that jsonschema and the ruleset's checks find valid; raises `FactsError`."""
    choices = compiled.program.choices
    evaluation = Evaluation(compiled.ruleset, valid_facts(facts, compiled.ruleset.facts), as_of, choices)
    check_facts(evaluation)
    return evaluation


def explained(program: Program, name: str, facts: Any, as_of: date) -> Explanation:
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
