"""Which single fact would decide undetermined records is found by trying, and said only of what was tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine.facts.candidates import MOST_VALUES
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.html.sentences import trials_in_words
from policy_engine.reports.run import make_report
from policy_engine.reports.totals import DecisionTotals, MissingTogether
from tests.conftest import ROOT

NUMBER = {"type": "integer", "minimum": 0, "maximum": 100}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "a": NUMBER,
        "b": NUMBER,
        "ok": {"type": "boolean"},
        "plan": {"enum": ["free", "paid"], "type": "string"},
        "opened": {"type": "string", "format": "date"},
        "owner": {"type": "object", "properties": {"age": NUMBER}, "additionalProperties": False},
        "rows": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "object", "properties": {"x": NUMBER}, "additionalProperties": False},
        },
    },
    "additionalProperties": False,
}
RULES = """\
ruleset: s
title: Settling
version: "1"
effective: {{from: 2020-01-01}}
timezone: UTC
facts: s
decisions:
  d:
    question: Which?
    outcomes: [yes, no]
    rules:
      - {{id: r, when: {when}, then: yes, because: Yes.}}
    otherwise: {{then: no, because: No.}}
"""


def decision_over(folder: Path, when: str, records: list[Mapping[str, Any]]) -> Any:
    """What the report's summary tells of a decision with one rule, over records."""
    (folder / "s.yaml").write_text(RULES.format(when=json.dumps(when)), "utf-8")
    (folder / "s.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    (folder / "s.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
    arguments = Arguments((("s", str(folder / "s.jsonl")),), date(2025, 1, 1), str(folder), str(folder))
    make_report(arguments, folder / "out")
    return json.loads((folder / "out/summary.json").read_text("utf-8"))["rulesets"][0]["decisions"][0]


@pytest.mark.parametrize(
    ("when", "record", "settled"),
    [
        ("a > 5 and b > 5", {"a": 9}, {"b": 10}),
        ("a > 5 and b > 5", {}, {}),  # a 9 leaves b open
        ("default(a, 0) > 5 or b > 5", {}, {"b": 10}),
        ('a > 5 and plan == "paid" or a <= 5 and plan == "paid"', {"a": 1}, {"plan": 10}),
        ("a > 5 if ok else b > 5", {"a": 1, "b": 1}, {"ok": 10}),
        ("a > 5 if ok else b > 5", {"a": 1}, {}),  # ok false needs b, though only ok is missing now
        ("max(default(a, b), 1) > 5", {}, {"a": 10, "b": 10}),
        ("opened <= as_of", {}, {"opened": 10}),
        ("owner.age >= 18", {}, {"owner.age": 10}),
        ("any(r.x > 3 for r in rows)", {"rows": [{"x": 1}, {}, {}]}, {"rows.x": 10}),
        ("any(r.x > 3 for r in rows)", {"rows": [{"x": 1}, {}], "a": 1}, {"rows.x": 10}),
        ("1 / a > 2", {"a": 0}, {}),
    ],
)
def test_b5_a_fact_settles_where_each_of_its_values_gives_an_answer(
    tmp_path: Path, when: str, record: Mapping[str, Any], settled: Mapping[str, int]
) -> None:
    told = decision_over(tmp_path, when, [record] * 10)
    assert told["statuses"]["undetermined"] == told["tried"] == 10
    assert {fact["path"]: fact["settles"] for fact in told["missing"] if fact["settles"]} == settled


def test_b5_what_one_of_two_missing_facts_settles_is_not_called_settled_by_none(tmp_path: Path) -> None:
    told = decision_over(tmp_path, "default(a, b) > 5", [{}] * 10)
    assert [(fact["path"], fact["alone"], fact["settles"]) for fact in told["missing"]] == [("a", 0, 10), ("b", 0, 10)]
    assert told["settles_most"]["path"] == "a"
    assert told["settled_by"] == [{"paths": ["a", "b"], "rows": 10}]


def test_b5_no_more_records_are_tried_than_are_said(tmp_path: Path) -> None:
    told = decision_over(tmp_path, "a > 5", [{"a": number % 3} if number % 3 else {} for number in range(600)])
    assert told["statuses"]["undetermined"] == 200
    assert (told["tried"], told["settles_most"]["settles"]) == (100, 100)


ASKED = "were asked again with one missing fact filled in, by several values"
ALONE = "Alone, and with each of these values,"


def totals(tried: int, settled: Mapping[str, int]) -> DecisionTotals:
    """Totals of records tried, and how many each set of facts settled; a set is written as its names."""
    sets = tuple(MissingTogether(tuple(names), rows) for names, rows in settled.items())
    return DecisionTotals("d", {}, {}, {}, {}, 0, (), (), tried, None, sets, 0, (), None)


@pytest.mark.parametrize(
    ("tried", "settled", "sentence"),
    [
        (0, {}, "Whether a single fact would settle any of them was not tried."),
        (10, {}, f"10 of them {ASKED}: no single fact settled any of these."),
        (10, {"b": 8, "a": 2}, f"10 of them {ASKED}. {ALONE} b settled 8 and a settled 2."),
        (10, {"ab": 10}, f"10 of them {ASKED}. {ALONE} one of a or b settled 10."),
        (1, {"abc": 1}, f"1 of them {ASKED.replace('were', 'was')}. {ALONE} one of a, b or c settled 1."),
        (
            9,
            {"ab": 4, "c": 2, "d": 1, "e": 1, "f": 1},
            f"9 of them {ASKED}. {ALONE} one of a or b settled 4, c settled 2 and d settled 1, and others settled 2.",
        ),
    ],
)
def test_b5_the_sentence_claims_only_what_was_tried(tried: int, settled: Mapping[str, int], sentence: str) -> None:
    assert trials_in_words(totals(tried, settled)) == sentence


def test_b5_the_page_says_how_many_values_are_tried() -> None:
    assert MOST_VALUES == 12
    assert "by at most twelve\nvalues" in (ROOT / "docs" / "reports.md").read_text("utf-8")
