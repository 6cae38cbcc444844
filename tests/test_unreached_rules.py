"""What is claimed about rules holds: a rule said to be unreached never decides, a case said to be left open is a gap.

Claims about small rulesets are tried by brute force against the reference: with all facts, on all days, under all readings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, note

from policy_engine.documents.yaml_reader import read_text
from policy_engine.errors import FactsError
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.checker import check
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.reaching import UncoveredCase, hidden_rules, periods, uncovered_case
from policy_engine.frontend.schemas import schema_of
from policy_engine.frontend.situations import Situations
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rulesets import Rules, Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts, explanation_of
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n", "s"],
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 4},
        "m": {"type": "integer", "minimum": -1, "maximum": 2},
        "p": {"type": "number", "multipleOf": 0.5, "minimum": 0, "maximum": 1.5},
        "s": {"type": "string", "enum": ["a", "b", "c"]},
        "w": {"type": "string"},
        "f": {"type": "boolean"},
        "d": {"type": "string", "format": "date"},
    },
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "n": (0, 1, 2, 3, 4),
    "m": (None, -1, 0, 1, 2),
    "p": (None, Decimal("0.0"), Decimal("0.5"), Decimal("1.0"), Decimal("1.5")),
    "s": ("a", "b", "c"),
    "w": (None, "x", "y", "z"),
    "f": (None, True, False),
    "d": (None, "2025-01-31", "2025-02-01", "2025-02-02"),
}
"""So many values as tell all conditions over them apart; None where the fact is absent."""
DAYS = (date(2025, 1, 1), date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 2), date(2025, 3, 1))
HEAD = {
    "ruleset": "case",
    "title": "A case",
    "version": "1",
    "effective": {"from": "2025-01-01"},
    "timezone": "America/New_York",
    "facts": "facts",
    "parameters": {
        "limit": {"value": 2},
        "dated": {"values": {"2025-01-01": 1, "2025-02-01": 3}},
        "half": {"value": 0.5},
        "day": {"value": "2025-02-01", "type": "date"},
        "some": {"value": ["a", "b"]},
    },
    "readings": {"r": {"question": "Q", "choice": "in", "choices": {"in": "In.", "out": "Out."}}},
    "definitions": {
        "big": "n > limit",
        "least": 'limit if r == "in" else limit + 1',
        "next": "n + 1",
        "later": "d if known(d) else day",
        "few": {"any": ["n < 2", {"none": ["known(m)", "f"]}]},
    },
}
ATOMS = (
    "n > {i}", "n >= {i}", "n < {i}", "n == {i}", "n != {i}", "{i} <= n < {j}", "n in [{i}, {j}]", "n > dated", "n >= least",
    "next > {i}", "m > {i}", "m == {i}", "m != {i}", "default(m, {i}) > {j}", "known(m)", "n > m", "m < n", "not n > m",
    "p > 0.5", "p <= half", "p == {i}", "p != 0.25", 's == "a"', 's != "b"', 's in ["a", "b"]', "s in some", 'not s == "c"',
    'w == "x"', 'w != "y"', 'w in ["x", "z"]', 'default(w, "x") == "x"', "known(w)", "f", "not f", "f == true", "known(f)",
    "default(f, true)", "d < day", "d >= day", "d == day", "d <= as_of", "as_of >= day", "later > day",
    "days_between(d, as_of) > {i}",
    "big", "few", "not few", 'r == "in"', "true", "(n > {i}) == f", "(f if known(f) else n > {i})", "abs(m) > {i}", "n * 2 > {j}",
)  # fmt: skip


REACH = {"big": ("n",), "least": ("n",), "next": ("n",), "later": ("d",), "few": ("n", "m", "f")}
"""The facts that definitions read."""
CHECKS = ("n > 0", "m < n", "known(f) or n < 4", "d <= as_of")


def facts_in(text: str) -> set[str]:
    """The facts that expressions can depend on."""
    words = set(re.findall(r"[a-z]+", text))
    return {fact for word in words for fact in REACH.get(word, (word,)) if fact in VALUES}


class Writer:
    """Writes small decisions over two or three facts by chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        facts = set(self.random.sample(sorted(VALUES), self.random.choice((2, 2, 3))))
        self.atoms = [atom for atom in ATOMS if facts_in(atom.replace("{i}", "0").replace("{j}", "0")) <= facts]
        self.possible_checks = [check for check in CHECKS if facts_in(check) <= facts]

    def condition(self, depth: int) -> str:
        kind = self.random.random()
        if depth == 0 or kind < 0.45:
            numbers = {"i": self.random.randint(-1, 4), "j": self.random.randint(0, 5)}
            return self.random.choice(self.atoms).format(**numbers)
        if kind < 0.55:
            return f"not ({self.condition(depth - 1)})"
        word = " and " if kind < 0.8 else " or "
        return "(" + word.join(self.condition(depth - 1) for _ in range(self.random.randint(2, 3))) + ")"

    def ruleset(self) -> dict[str, Any]:
        return {**HEAD, "checks": self.checks(), "decisions": {"q": self.decision()}}

    def checks(self) -> list[dict[str, str]]:
        return [
            {"expect": check, "because": "It is so."} for check in self.possible_checks if self.random.random() < 0.3
        ]

    def decision(self) -> dict[str, Any]:
        rules = [self.rule(index) for index in range(self.random.randint(1, 6))]
        last = {} if self.random.random() < 0.7 else {"otherwise": {"then": "no", "because": "No."}}
        return {"question": "Q", "outcomes": ["yes", "no"], "rules": rules, **last}

    def rule(self, index: int) -> dict[str, Any]:
        period: dict[str, Any] = {}
        if self.random.random() < 0.15:
            period = {"effective": self.random.choice(({"from": "2025-02-01"}, {"until": "2025-02-01"}))}
        return {
            "id": f"rule-{index}",
            "when": self.condition(self.random.randint(0, 2)),
            "then": self.random.choice(("yes", "no")),
            "because": "It is.",
            **period,
        }


def ruleset_of(document: Mapping[str, Any]) -> Ruleset:
    """The checked ruleset that a document says; JSON is YAML."""
    facts, _ = schema_of(json.dumps(SCHEMA), "facts.schema.json", "facts")
    node, faults = read_text(json.dumps(document), "case.yaml")
    assert facts is not None
    assert node is not None, faults
    syntax, _ = parse_ruleset(node)
    assert syntax is not None
    ruleset, faults = check(syntax, facts, "sha256:" + "0" * 64)
    assert ruleset is not None, faults
    return ruleset


def claims(ruleset: Ruleset, decision: str) -> tuple[frozenset[str], UncoveredCase | None]:
    """The rules of a decision that are said never to decide, and the case that is said to be left."""
    body = next(logic.body for logic in ruleset.decisions if logic.name == decision)
    if not isinstance(body, Rules) or body.hit != "first":
        return frozenset(), None
    stretches = [Situations(ruleset, days) for days in periods(ruleset)]
    return frozenset(hidden_rules(stretches, body)), uncovered_case(stretches, body)


def answer(
    ruleset: Ruleset, decision: str, facts: Mapping[str, Any], day: date, readings: Mapping[str, str]
) -> Decision:
    """The reference's answer; raises `FactsError` where the facts are not valid."""
    evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), day, readings)
    check_facts(evaluation)
    return explanation_of(evaluation, decision).decision


def mentioned(document: Mapping[str, Any]) -> list[str]:
    """The facts that a ruleset's decision and checks can depend on."""
    conditions = [rule["when"] for rule in document["decisions"]["q"]["rules"]]
    found = facts_in(" ".join([*conditions, *(each["expect"] for each in document["checks"])]))
    return [name for name in VALUES if name in found]


def situations(document: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], date, dict[str, str]]]:
    """All facts, days and readings that a small ruleset may tell apart."""
    varied = mentioned(document)
    for values in product(*(VALUES[name] for name in varied)):
        given_ = {name: value for name, value in zip(varied, values, strict=True) if value is not None}
        for day, choice in product(DAYS, ("in", "out")):
            yield {"n": 1, "s": "a", **given_}, day, {"r": choice}


def said_of(gap: UncoveredCase) -> dict[str, Any]:
    """The facts of a case; what the rules do not depend on may be anything."""
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in gap.facts.items()}
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize("seeds", [range(start, start + 40) for start in (0, 40)], ids=str)
def test_d1_what_is_claimed_of_small_rulesets_holds(seeds: range) -> None:
    hidden_found = gaps_found = 0
    for seed in seeds:
        document = Writer(seed).ruleset()
        ruleset = ruleset_of(document)
        hidden, gap = claims(ruleset, "q")
        if gap is not None:
            gaps_found += 1
            assert _is_gap(ruleset, gap), (seed, gap)
        if hidden:
            hidden_found += len(hidden)
            assert not hidden & _deciding(ruleset, document), (seed, hidden)
    assert hidden_found >= 10
    assert gaps_found >= 5


def _is_gap(ruleset: Ruleset, gap: UncoveredCase) -> bool:
    """Whether a case is a gap, for whatever values the other required facts have."""
    choices = {"r": "in", **gap.readings}
    statuses = set()
    for n, s in product(VALUES["n"], VALUES["s"]):
        facts = {"n": n, "s": s, **said_of(gap)}
        try:
            statuses.add(answer(ruleset, "q", facts, gap.day, choices).status)
        except FactsError as error:
            statuses.update(Status.UNDETERMINED for violation in error.violations if violation.keyword != "check")
    return statuses == {Status.GAP}


def _deciding(ruleset: Ruleset, document: Mapping[str, Any]) -> set[str]:
    """The rules that decide in some situation."""
    found: set[str] = set()
    for facts, day, readings in situations(document):
        try:
            found.update(answer(ruleset, "q", facts, day, readings).rules)
        except FactsError:
            continue
    return found


@given(questions())
@agreement(150, Phase.generate)
def test_d1_what_is_claimed_of_large_rulesets_holds(question: Question) -> None:
    choices = {reading.name: reading.choice for reading in question.ruleset.readings} | dict(question.readings)
    for decision in question.ruleset.decisions:
        hidden, _ = claims(question.ruleset, decision.name)
        for facts, day in zip(question.facts, question.days, strict=True) if hidden else ():
            note(f"{question.written.ruleset}\n{decision.name} {hidden} {facts} {day}")
            try:
                rules = answer(question.ruleset, decision.name, facts, day, choices).rules
            except FactsError:
                continue
            assert not hidden.intersection(rules)
