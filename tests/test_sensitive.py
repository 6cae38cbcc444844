"""What a customer is not told: sensitive facts in sentences that the program makes itself, and in violations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import lay_out
from tests.test_cli import process

RULES = """\
ruleset: tariff
title: Tariffs
version: "1"
effective: {from: 2000-01-01}
timezone: America/New_York
facts: person
parameters:
  cut: {value: 1980-01-01, type: date}
definitions:
  is_old: born_on < cut
decisions:
  by_fact:
    question: Which tariff?
    outcomes: [x, y]
    matrix:
      rows: sex
      columns: {plan: [a, b]}
      cells: {m: [x, y], f: [y, x]}
  by_column:
    question: Which tariff?
    outcomes: [x, y]
    matrix:
      rows: plan
      columns: {sex: [m, f]}
      cells: {a: [x, y], b: [y, x]}
  by_definition:
    question: Which tariff?
    outcomes: [x, y]
    matrix:
      rows: is_old
      columns: {plan: [a, b]}
      cells: {true: [x, y], false: [y, x]}
  by_plan:
    question: Which tariff?
    outcomes: [x, y]
    matrix:
      rows: plan
      columns: {is_new: [true, false]}
      cells: {a: [x, y], b: [y, x]}
"""
FLOOR = {"type": "integer", "minimum": 0, "maximum": 9}
MARKED = {"x-sensitive": True}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "sex": {"type": "string", "enum": ["m", "f"], **MARKED},
        "born_on": {"type": "string", "format": "date", **MARKED},
        "plan": {"type": "string", "enum": ["a", "b"]},
        "is_new": {"type": "boolean"},
        "homes": {
            "type": "array",
            "maxItems": 3,
            "x-report": True,
            "items": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 5, **MARKED}, "floor": FLOOR},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
FACTS = {"sex": "f", "born_on": "1950-01-01", "plan": "a", "is_new": True}


def told(folder: Path, decision: str, facts: object, reader: str) -> str:
    """What a reader is told of a decision, or why there is none."""
    lay_out({"rules/tariff.yaml": RULES, "schemas/person.schema.json": json.dumps(SCHEMA)}, folder)
    (folder / "facts.json").write_text(json.dumps(facts), "utf-8")
    question = ("explain", f"tariff.{decision}", "--facts", "facts.json", "--as-of", "2025-01-01")
    ran = process(folder, *question, "--for", reader)
    return ran.err or ran.out.splitlines()[1]


@pytest.mark.parametrize(
    ("decision", "customer", "agent"),
    [
        ("by_fact", "The table says y for (withheld) and a.", "The table says y for f and a."),
        ("by_column", "The table says y for a and (withheld).", "The table says y for a and f."),
        ("by_definition", "The table says x for (withheld) and a.", "The table says x for true and a."),
        ("by_plan", "The table says x for a and true.", "The table says x for a and true."),
    ],
)
def test_c9_a_matrix_does_not_tell_a_customer_what_a_sensitive_fact_was(
    tmp_path: Path, decision: str, customer: str, agent: str
) -> None:
    assert told(tmp_path, decision, FACTS, "customer") == customer
    assert told(tmp_path, decision, FACTS, "agent") == agent


def test_c9_what_is_missing_is_named_and_no_value_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "by_fact", {"plan": "a"}, "customer") == "This cannot be decided without sex."


VIOLATIONS = [
    ({**FACTS, "born_on": "1950-02-30"}, "/born_on: (withheld): {} was expected", "1950-02-30"),
    ({**FACTS, "sex": "zz"}, "/sex: (withheld): {} was expected", "zz"),
    ({**FACTS, "homes": [{"city": "Springfield"}]}, "/homes/0/city: (withheld): {} was expected", "Springfield"),
    ({**FACTS, "homes": {"city": "Springfield"}}, "/homes: (withheld): {} was expected", "Springfield"),
    ({**FACTS, "plan": "zz"}, '/plan: "zz" is none of a, b', None),
    ({**FACTS, "homes": [{"floor": 99}]}, "/homes/0/floor: 99 is not 9 or less", None),
    ({**FACTS, "colour": "red"}, "there is no fact `colour`", None),
    (["1950-02-30"], "(the facts): (withheld): {} was expected", None),
]
EXPECTED = ("a date such as 2025-02-28", "one of m, f", "a text of at most 5 characters", "a list", "an object")


@pytest.mark.parametrize(("facts", "line", "secret"), VIOLATIONS)
def test_c9_a_violation_does_not_tell_a_customer_what_a_sensitive_fact_was(
    tmp_path: Path, facts: object, line: str, secret: str | None
) -> None:
    shown = told(tmp_path, "by_fact", facts, "customer")
    assert any(line.format(expected) in shown for expected in EXPECTED), shown
    assert secret is None or (secret not in shown and secret in told(tmp_path, "by_fact", facts, "agent"))
