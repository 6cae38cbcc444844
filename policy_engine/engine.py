"""The engine: rulesets are loaded once, compiled once per `as_of` date and choice of readings, then asked any number of times."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from policy_engine.answering import all_decided, decided, decided_with_trace, passes, violations_of
from policy_engine.compiled import CompiledQuestion, CompiledRulebook
from policy_engine.diagnostics import has_errors, shown_text, unknown_name
from policy_engine.errors import CannotRun, FactsError, RulesetError, UnknownDecision, Violation
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.foreign import Facts, refuse_table
from policy_engine.facts.plain import is_plain
from policy_engine.frontend import loader
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.traces import Explanation

Given = TypeVar("Given")
GROUP = 100
"""So many answers of `decide_many` are recorded together."""
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


class AnswerLog(Protocol):
    """What remembers answers. It is told of each before it is given."""

    def record(self, asked: Asked, ruleset: Ruleset, told: Sequence[Decision] | FactsError) -> Any:
        """What is to be remembered of a question and its answers, or of its invalid facts, which may change afterwards."""
        ...

    def append(self, records: Sequence[Any]) -> None:
        """Remember records; when this returns they are safe. Raises `LogUnavailable`."""
        ...


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

    __slots__ = ("_files", "_log", "_now")
    _files: Files | None
    _log: AnswerLog | None
    _now: CompiledRulebook

    def __init__(self, rulebook: Rulebook, files: Files | None = None, *, log: AnswerLog | None = None) -> None:
        """An engine over a rulebook; `files` are those that it was loaded from, and `log` remembers its answers."""
        self._now, self._files, self._log = CompiledRulebook(rulebook), files, log

    @classmethod
    def load(
        cls,
        rules: str | Path | Iterable[str | Path] = "rules",
        schemas: str | Path = "schemas",
        *,
        only: Collection[str] = (),
        log: AnswerLog | None = None,
    ) -> Self:
        """Read and check the rule files below a folder (or the files given), and their schemas.

        `only` names the rulesets that are wanted; files of others are then left unread. `log` remembers every answer.
        Raises `RulesetError` with every diagnostic where a file has an error, `CannotRun` where there is no such file,
        `UnknownDecision` where there is no ruleset that is wanted.
        """
        paths = [rules] if isinstance(rules, str | Path) else rules
        files = Files(tuple(map(Path, paths)), Path(schemas), (only,) if isinstance(only, str) else tuple(only))
        return cls(files.load(), files, log=log)

    @classmethod
    def from_text(cls, rules: Mapping[str, str], schemas: Mapping[str, str], *, log: AnswerLog | None = None) -> Self:
        """Check rules given as YAML texts, by names that diagnostics tell, and their schemas as JSON texts, by name.

        Nothing is read from disk, so look-up tables hold their rows, and libraries are among the rules. Raises `RulesetError`,
        and `TypeError` for what is no mapping of names to texts.
        """
        _require_texts("rules", rules)
        _require_texts("schemas", schemas)
        return cls(_sound(loader.load_texts(rules, schemas)), log=log)

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
        account: str | None = None,
    ) -> Decision:
        """The answer to `ruleset.decision` about facts in JSON types, on a civil date in the ruleset's time zone.

        Facts, and the records in them, may also be dataclasses and pydantic models, which takes longer.

        `trusted` skips validation and checks, for facts that went through them before; others may get any answer or error.
        `account` says whom the record of the log is about, where the engine has a log; otherwise the facts may say it.
        Raises `FactsError` with every violation, `UnknownDecision`, `NotInForce` where no version is in force on the day,
        `UnknownReading` for a reading or a choice that there is not, `TypeError` where a question is no text, readings no mapping
        or `as_of` no date, `LogUnavailable` where the answer could not be recorded, and `EngineFault` where this package itself
        fails.
        """
        now = self._now
        day, today = now.latest
        compiled = today[0].get(decision) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = now.decision(decision, as_of, readings)
        if self._log is None:
            return decided(compiled, decision, facts, as_of, trusted)
        ask = partial(decided, compiled, decision, facts, as_of, trusted)
        return _recorded(self._log, Asked(decision, facts, as_of, readings, account), compiled, ask, _alone)

    def decide_all(
        self,
        ruleset: str,
        facts: Facts,
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
        account: str | None = None,
    ) -> dict[str, Decision]:
        """Every decision of a ruleset about the same facts, by name, in file order; like `decide` in all else."""
        now = self._now
        day, today = now.latest
        compiled = today[1].get(ruleset) if (as_of is day or as_of == day) and not readings else None
        if compiled is None:
            compiled = now.all_decisions(ruleset, as_of, readings)
        if self._log is None:
            return all_decided(compiled, facts, as_of, trusted)
        ask = partial(all_decided, compiled, facts, as_of, trusted)
        return _recorded(self._log, Asked(ruleset, facts, as_of, readings, account), compiled, ask, _each_of)

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
        for a frame or the name of a file, which `decide_table` takes. Where the engine has a log, up to `GROUP` sets of facts are
        taken and answered before the first of their answers is given, since they are recorded together.
        """
        refuse_table(facts)
        self._now.decision(decision, as_of, readings)
        if self._log is None:
            return self._each(decision, facts, as_of, readings, trusted)
        return self._each_recorded(self._log, decision, facts, as_of, readings, trusted)

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

    def _each_recorded(
        self,
        log: AnswerLog,
        decision: str,
        facts: Iterable[Facts],
        as_of: date,
        readings: Mapping[str, str],
        trusted: bool,
    ) -> Iterator[Decision | FactsError]:
        left = iter(facts)
        while True:
            compiled = self._now.decision(decision, as_of, readings)
            told, records = [], []
            for item in islice(left, GROUP):
                asked = Asked(decision, item, as_of, readings)
                told.append(answer := _answer_or_error(compiled, asked, trusted))
                records.append(
                    log.record(asked, compiled.ruleset, answer if isinstance(answer, FactsError) else [answer])
                )
            if not told:
                return
            log.append(records)
            yield from told

    def explain(
        self,
        decision: str,
        facts: Facts,
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        account: str | None = None,
    ) -> Explanation:
        """The answer with its trace: every sub-expression, its value, and where it came from; raises like `decide`."""
        now = self._now
        day, today = now.latest
        compiled = today[0].get(decision) if as_of == day and not readings else None
        if compiled is None:
            compiled = now.decision(decision, as_of, readings)
        if self._log is None:
            return decided_with_trace(compiled, decision, facts, as_of)
        ask = partial(decided_with_trace, compiled, decision, facts, as_of)
        return _recorded(self._log, Asked(decision, facts, as_of, readings, account), compiled, ask, _of_explanation)

    def validate(
        self, ruleset: str, facts: Facts, *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> tuple[Violation, ...]:
        """The violations of a ruleset's schema and of its checks by facts, in document order; empty where they are valid.

        Raises like `decide` in all else.
        """
        return violations_of(self._now.checks(ruleset, as_of, readings), facts, as_of)

    def is_valid(self, ruleset: str, facts: Facts, *, as_of: date, readings: Mapping[str, str] = NO_READINGS) -> bool:
        """Whether `validate` finds no violation: the same answer, and quicker where a check is false."""
        compiled = self._now.checks(ruleset, as_of, readings)
        valid = passes(compiled, facts, as_of)
        if valid is False and is_plain(facts) and validator_of(compiled.ruleset.facts.document)(facts):
            return False  # by the schema they are valid, so a check is false
        return valid or not self.validate(ruleset, facts, as_of=as_of, readings=readings)

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


def _recorded(
    log: AnswerLog,
    asked: Asked,
    compiled: CompiledQuestion,
    ask: Callable[[], Given],
    answers: Callable[[Given], Sequence[Decision]],
) -> Given:
    """What asking gives, once it is recorded; raises what asking raises, and `LogUnavailable`."""
    try:
        given = ask()
    except FactsError as error:
        log.append([log.record(asked, compiled.ruleset, error)])
        raise
    log.append([log.record(asked, compiled.ruleset, answers(given))])
    return given


def _answer_or_error(compiled: CompiledQuestion, asked: Asked, trusted: bool) -> Decision | FactsError:
    try:
        return decided(compiled, asked.question, asked.facts, asked.as_of, trusted)
    except FactsError as error:
        return error


def _alone(answer: Decision) -> Sequence[Decision]:
    return (answer,)


def _each_of(answers: Mapping[str, Decision]) -> Sequence[Decision]:
    return tuple(answers.values())


def _of_explanation(explanation: Explanation) -> Sequence[Decision]:
    return (explanation.decision,)
