"""Why a decision is undetermined that misses no fact: each way of asking tells the same causes, and deciding records nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Decision, Engine
from policy_engine.backends.python import Program, prepare
from policy_engine.backends.python.decisions import MOST_EXITS
from tests.conftest import lay_out

DAY = date(2025, 7, 1)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n", "day", "rows"],
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 100},
        "m": {"type": "integer", "minimum": 0, "maximum": 100},
        "day": {"type": "string", "format": "date"},
        "rows": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "maxItems": 9},
    },
}
HEAD = """
ruleset: causes
title: Causes
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: causes
sources: {text: {title: The text}}
definitions:
  share: 10 // n
  least: min(r for r in rows)
  later: add_days(day, 20)
  above: share + least
  parts: "[share, 10 // n]"
"""
USED = """
  used:
    question: Is it used?
    source: text
    outcomes: ["yes"]
    values: {share: if_known(10 // n)}
    rules:
      - {id: high, when: n > 50, then: "yes", because: It is high.}
  even:
    question: Is it even?
    source: text
    outcomes: ["yes"]
    rules:
      - {id: even, when: 10 // n == 2, then: "yes", because: It is even.}
"""
FACTS = {"n": 0, "day": "9999-12-31", "rows": []}
RULES: dict[str, tuple[list[str], str]] = {
    "a division": (["10 // n > 1"], "a denominator is zero"),
    "a definition": (["share > 1"], "a denominator is zero in `share`"),
    "a definition upon others": (
        ["above > 1"],
        "a denominator is zero in `share`, an empty list has no least element in `least`",
    ),
    "several rules, in their order": (
        ["least > 1", "share > 1", "later > day"],
        "an empty list has no least element in `least`, a denominator is zero in `share`, "
        "a date falls outside the years 0001 to 9999 in `later`",
    ),
    "an aggregate": (["last(r for r in rows if r > 2) == 1"], "an empty list has no last element"),
    "single elements": (["3 in parts"], "a denominator is zero in `share`, a denominator is zero"),
    "a gap": (['decisions.used.outcome == "yes"'], "`causes.used` has no rule for these facts"),
    "an undetermined decision": (['decisions.even.outcome == "yes"'], "a denominator is zero"),
    "a rule behind false ones": (["n > 5", "n == 3", "share == 1 or n > 7"], "a denominator is zero in `share`"),
}


def engine(folder: Path, rules: list[str]) -> Engine:
    """A ruleset whose decision `d` has these conditions."""
    told = [f"      - {{id: r{i}, when: {json.dumps(rule)}, then: a, because: So.}}" for i, rule in enumerate(rules)]
    body = "  d:\n    question: Which?\n    source: text\n    outcomes: [a, b]\n    rules:\n" + "\n".join(told)
    otherwise = "\n    otherwise: {then: b, because: Else.}\n"
    text = f"{HEAD}decisions:{USED}{body}{otherwise}"
    lay_out({"rules/causes.yaml": text, "schemas/causes.schema.json": json.dumps(SCHEMA)}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


def asked(made: Engine, facts: dict[str, Any]) -> list[Decision]:
    """The answer in each way of asking, the last by the form that records."""
    one = made.decide("causes.d", facts, as_of=DAY)
    every = made.decide_all("causes", facts, as_of=DAY)["d"]
    return [one, every, made.explain("causes.d", facts, as_of=DAY).decision]


@pytest.mark.parametrize("name", RULES)
def test_a1_an_answer_tells_its_causes(tmp_path: Path, name: str) -> None:
    rules, causes = RULES[name]
    answers = asked(engine(tmp_path, rules), FACTS)
    assert [answer.reason for answer in answers] == [f"This cannot be decided: {causes}."] * 3
    assert answers[0] == answers[1] == answers[2]


def test_a1_deciding_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = list[Program]()

    def noted(*given: Any) -> Program:
        programs.append(prepare(*given))
        return programs[-1]

    monkeypatch.setattr("policy_engine.compiled.prepare", noted)
    made = engine(tmp_path, ["share > 1"])
    made.decide("causes.d", FACTS, as_of=DAY)
    made.decide_all("causes", FACTS, as_of=DAY)
    (program,) = programs
    assert {kind for kind, _ in program.functions} == {"decide", "hold", "missing"}
    made.explain("causes.d", FACTS, as_of=DAY)
    assert programs == [program]
    assert ("record", "d") in program.functions


@pytest.mark.parametrize("unknown", [0, 1, MOST_EXITS - 1, MOST_EXITS, MOST_EXITS + 5])
def test_a1_what_is_missing_is_the_same_at_every_rule(tmp_path: Path, unknown: int) -> None:
    """Some rules have a function each that looks for what is missing from there on, and those after them share one."""
    size = MOST_EXITS + 10
    rules = [f"n == {i + 1} and m + {i} > 3" for i in range(size)]
    answers = asked(engine(tmp_path, rules), {**FACTS, "n": unknown + 1})
    assert [answer.missing for answer in answers] == [("m",)] * 3
