"""The facade: load once, decide many; picks the version in force on a date."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, has_errors
from policy_engine.errors import RulesetError, UnknownDecision, UnknownReading
from policy_engine.frontend import loader
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision, Explanation
from policy_engine.language.rulesets import Ruleset
from policy_engine.semantics.deciding import Evaluation, check_facts, explanation_of
from policy_engine.semantics.facts import valid_facts

NO_READINGS: Mapping[str, str] = {}
EXACT = decimal.Context(prec=80)
"""Decimals are exact whatever context the caller has set."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Checked rulesets, ready to decide. It reads no clock: the day is always given."""

    rulebook: Rulebook

    @classmethod
    def load(cls, rules: str | Path | Iterable[str | Path] = "rules", schemas: str | Path = "schemas") -> Engine:
        """Read and check the rule files below a folder (or the files given), and their schemas.

        Raises `RulesetError` with every diagnostic where a file has an error, `CannotRun` where there is no such file.
        """
        paths = [rules] if isinstance(rules, str | Path) else list(rules)
        rulebook = loader.load(map(Path, paths), Path(schemas))
        if has_errors(rulebook.diagnostics):
            raise RulesetError(rulebook.diagnostics)
        return cls(rulebook)

    def decide(
        self, decision: str, facts: Mapping[str, object], *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> Decision:
        """The answer to `ruleset.decision` about facts in JSON types, on a civil date in the ruleset's time zone.

        Raises `UnknownDecision`, `NotInForce`, `UnknownReading`, and `FactsError` with every violation.
        """
        ruleset, name = self._question(decision, as_of)
        with decimal.localcontext(EXACT):
            return _evaluation(ruleset, facts, as_of, readings).answer(name).decision

    def decide_all(
        self, ruleset: str, facts: Mapping[str, object], *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> dict[str, Decision]:
        """Every decision of a ruleset about the same facts, by name, in file order; raises like `decide`."""
        found = self.ruleset(ruleset, as_of)
        with decimal.localcontext(EXACT):
            evaluation = _evaluation(found, facts, as_of, readings)
            return {logic.name: evaluation.answer(logic.name).decision for logic in found.decisions}

    def explain(
        self, decision: str, facts: Mapping[str, object], *, as_of: date, readings: Mapping[str, str] = NO_READINGS
    ) -> Explanation:
        """The answer with its trace: every sub-expression, its value, and where the value came from; raises like `decide`."""
        ruleset, name = self._question(decision, as_of)
        with decimal.localcontext(EXACT):
            return explanation_of(_evaluation(ruleset, facts, as_of, readings), name)

    def ruleset(self, name: str, as_of: date) -> Ruleset:
        """The version of a ruleset in force on a civil date; raises `UnknownDecision` and `NotInForce`."""
        _require_date(as_of)
        names = [ruleset.id for ruleset in self.rulebook.rulesets]
        if name not in names:
            raise UnknownDecision(_unknown("ruleset", name, names))
        return self.rulebook.in_force(name, as_of)

    def _question(self, decision: str, as_of: date) -> tuple[Ruleset, str]:
        ruleset_name, _, name = decision.partition(".")
        ruleset = self.ruleset(ruleset_name, as_of)
        names = [logic.name for logic in ruleset.decisions]
        if name not in names:
            raise UnknownDecision(_unknown(f"decision of `{ruleset_name}`", name, names))
        return ruleset, name


def _evaluation(ruleset: Ruleset, facts: Mapping[str, object], as_of: date, readings: Mapping[str, str]) -> Evaluation:
    choices = chosen(ruleset, readings)
    evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), as_of, choices)
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
