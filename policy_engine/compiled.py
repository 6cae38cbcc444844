"""A rulebook and what was compiled of it so far: once for each choice of readings and stretch of days, kept within bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from policy_engine.backends.python import Program, prepare, stretch
from policy_engine.diagnostics import unknown_name
from policy_engine.errors import UnknownDecision
from policy_engine.facts.fast_validator import bare_validator_of
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import Ruleset

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
class CompiledRulebook:
    """A rulebook, its compiled rulesets, and those of the days asked about; `latest` is the day asked about last."""

    rulebook: Rulebook
    rulesets: dict[object, CompiledRuleset] = field(default_factory=dict, repr=False)
    days: dict[date, Day] = field(default_factory=dict, repr=False)
    latest: tuple[date | None, Day] = field(default=(None, ({}, {})), repr=False)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision`, `NotInForce` and `TypeError`."""
        _require("a ruleset", name, str, "text")
        _require_date(as_of)
        names = [ruleset.id for ruleset in self.rulebook.rulesets]
        if name not in names:
            raise UnknownDecision(unknown_name("ruleset", name, names))
        return self.rulebook.in_force(name, as_of)

    def decision(self, decision: str, as_of: date, readings: Mapping[str, str]) -> CompiledQuestion:
        """A decision on a day; kept for the next time unless readings are switched."""
        ruleset, name = self.question(decision, as_of)
        compiled = self.compiled(ruleset, as_of, readings).question(name)
        if not readings:
            self._on(as_of)[0][decision] = compiled
        return compiled

    def all_decisions(self, name: str, as_of: date, readings: Mapping[str, str]) -> CompiledQuestion:
        """All decisions of a ruleset on a day; kept for the next time unless readings are switched."""
        compiled = self.compiled(self.ruleset(name, as_of), as_of, readings).question("")
        if not readings:
            self._on(as_of)[1][name] = compiled
        return compiled

    def checks(self, name: str, as_of: date, readings: Mapping[str, str]) -> CompiledQuestion:
        """The question whether facts are valid: a ruleset without any of its decisions."""
        compiled = self.compiled(self.ruleset(name, as_of), as_of, readings)
        passes = compiled.program.checks()
        return CompiledQuestion(compiled.ruleset, compiled.program, passes, passes)

    def question(self, decision: str, as_of: date) -> tuple[Ruleset, str]:
        """The ruleset of `ruleset.decision` on a day, and the name of the decision."""
        _require("a question", decision, str, "text such as `ruleset.decision`")
        ruleset_name, _, name = decision.partition(".")
        ruleset = self.ruleset(ruleset_name, as_of)
        names = [logic.name for logic in ruleset.decisions]
        if name not in names:
            raise UnknownDecision(unknown_name(f"decision of `{ruleset_name}`", name, names))
        return ruleset, name

    def compiled(self, ruleset: Ruleset, as_of: date, readings: Mapping[str, str]) -> CompiledRuleset:
        """The ruleset compiled for the readings, and for the stretch of days around the day on which nothing changes."""
        _require("readings", readings, Mapping, "mapping of names to choices")
        key = (ruleset.digest, tuple(sorted(readings.items())), stretch(ruleset, as_of))
        found = self.rulesets.get(key)
        if found is None:
            program = prepare(ruleset, readings, as_of, bare_validator_of(ruleset.facts.document))
            if len(self.rulesets) >= max(MOST_PROGRAMS, 2 * len(self.rulebook.rulesets)):
                self.rulesets.clear()
                self.days.clear()
                self.latest = None, ({}, {})
            self.rulesets[key] = found = CompiledRuleset(ruleset, program)
        return found

    def _on(self, as_of: date) -> Day:
        """The questions of a day, which becomes the latest."""
        if len(self.days) >= MOST_DAYS and as_of not in self.days:
            self.days.clear()
        day = self.days.setdefault(as_of, ({}, {}))
        self.latest = as_of, day
        return day


def _require(what: str, given: object, kind: type, expected: str) -> None:
    if not isinstance(given, kind):
        raise TypeError(f"{what} must be a {expected}, not {type(given).__name__}")


def _require_date(as_of: date) -> None:
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise TypeError(f"as_of must be a datetime.date without a time, not {type(as_of).__name__}")
