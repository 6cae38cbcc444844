"""Near misses: which comparisons have a margin, in which unit it is told, and what is left out and counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine
from policy_engine.backends.columnar.margins import Margin
from policy_engine.backends.columnar.program import ColumnarProgram, prepare
from policy_engine.language.expressions import Expression
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.units import written_units

DAY = date(2025, 6, 30)
NUMBER = {"type": "integer", "minimum": 0, "maximum": 1000}
AMOUNT = {"type": "number", "minimum": 0, "maximum": 1000, "multipleOf": 0.01}
EVENT = {
    "type": "object",
    "properties": {"on": {"type": "string", "format": "date"}, "size": NUMBER},
    "additionalProperties": False,
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "a": NUMBER,
        "b": NUMBER,
        "amount": AMOUNT,
        "opened": {"type": "string", "format": "date"},
        "closed": {"type": "string", "format": "date"},
        "plan": {"enum": ["free", "paid"], "type": "string"},
        "ok": {"type": "boolean"},
        "events": {"type": "array", "maxItems": 9, "items": EVENT},
    },
    "additionalProperties": False,
}
HEAD = """\
ruleset: near
title: Near misses
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: near
parameters:
  wait: {value: 60, unit: days}
  grace: {value: 5, unit: days}
  fee: {value: 2.50, unit: EUR}
  least: {value: 40}
"""


def loaded(folder: Path, body: str) -> Ruleset:
    """A ruleset of the parameters above and more."""
    (folder / "near.yaml").write_text(HEAD + body, "utf-8")
    (folder / "near.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    return Engine.load(folder, folder).ruleset("near", DAY)


def with_definitions(folder: Path, texts: Mapping[str, str]) -> Ruleset:
    lines = "".join(f"  {name}: {json.dumps(text)}\n" for name, text in texts.items())
    return loaded(folder, f"definitions:\n{lines}decisions: {{d: {{question: Which?, values: {{v: a}}}}}}\n")


def program_of(folder: Path, rules: Mapping[str, str], definitions: str = "") -> ColumnarProgram:
    """The columns of a decision with a rule for each condition."""
    lines = "".join(
        f"      - {{id: {name}, when: {json.dumps(when)}, then: yes, because: Yes.}}\n" for name, when in rules.items()
    )
    body = f"decisions:\n  d:\n    question: Which?\n    outcomes: [yes, no]\n    rules:\n{lines}"
    body += "    otherwise: {then: no, because: No.}\n"
    return prepare(loaded(folder, definitions + body), {}, DAY, margins=True)


def shown(margin: Margin) -> tuple[str, str, str, int]:
    return margin.rule, margin.comparison, margin.unit, margin.within


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("wait", "days"),
        ("wait - grace", "days"),
        ("wait + 3", "days"),
        ("wait + a", "days"),
        ("2 * wait", "days"),
        ("wait // 2", "days"),
        ("-wait", "days"),
        ("days_between(opened, closed)", "days"),
        ("weekdays_between(opened, closed)", "weekdays"),
        ("abs(days_between(opened, closed))", "days"),
        ("max(wait, grace)", "days"),
        ("wait if ok else grace", "days"),
        ('round(fee / 2, 1, "half_even")', "EUR"),
        ("fee * wait", None),
        ("fee * days_between(opened, closed)", None),
        ("a * wait", None),
        ("fee if ok else wait", None),
        ("a + b", None),
        ("least", None),
        ("count(e for e in events)", None),
    ],
)
def test_b6_the_unit_of_an_expression_is_told_only_where_it_is_certain(
    tmp_path: Path, text: str, unit: str | None
) -> None:
    ruleset = with_definitions(tmp_path, {"x": text, "again": "x + 0 if ok else x + 0"})
    units = written_units(ruleset)
    trees = [d.body.tree for d in ruleset.definitions if isinstance(d.body, Expression)]
    found = [units.of(tree) for tree in trees]
    assert [(each.words or None) if each else None for each in found] == [unit, unit]


def test_b6_a_margin_is_told_in_the_unit_of_its_comparison_or_without_one(tmp_path: Path) -> None:
    rules = {
        "fee-by-day": "fee * days_between(opened, closed) > 50",
        "long": "days_between(opened, closed) >= wait",
        "dear": "amount > fee * 4",
        "many": "a >= least",
        "later": "opened > as_of_end",
        "large": "amount >= 100",
    }
    parameters = "  as_of_end: {value: 2025-06-01, type: date}\n"
    program = program_of(tmp_path, rules, parameters)
    assert [shown(margin) for margin in program.margins] == [
        ("fee-by-day", "fee * days_between(opened, closed) > 50", "", 500),
        ("long", "days_between(opened, closed) >= wait (60)", "days", 7),
        ("dear", "amount > fee * 4 (10)", "EUR", 100),
        ("many", "a >= least (40)", "", 4),
        ("later", "opened > as_of_end", "days", 7),
        ("large", "amount >= 100", "", 1000),
    ]
    assert program.without_margin == 0


def test_b6_thresholds_that_read_alike_are_two_and_one_that_is_asked_twice_is_one(tmp_path: Path) -> None:
    rules = {"first": "a > limit - (b0 - 1)", "second": "a > limit - b0 - 1", "third": "a > limit - b0 - 1 and ok"}
    parameters = "  limit: {value: 50}\n  b0: {value: 5}\n"
    margins = program_of(tmp_path, rules, parameters).margins
    assert [(margin.rule, margin.comparison) for margin in margins] == [
        ("first", "a > limit - (b0 - 1) (46)"),
        ("second", "a > limit - b0 - 1 (44)"),
    ]


def test_b6_what_has_no_distance_to_a_threshold_is_counted(tmp_path: Path) -> None:
    long = " + ".join(["amount"] * 20)
    rules = {
        "two-facts": "a > b",
        "ratios": "a / (b + 1) > 0.5",
        "elements": "any(e.size > 10 for e in events)",
        "too-long": f"{long} > 30",
        "whether-any": "count(e for e in events if e.size > 10) > 0",
        "measured": "count(e for e in events if known(e.size)) > 3",
    }
    program = program_of(tmp_path, rules)
    assert [margin.rule for margin in program.margins] == ["measured"]
    assert program.without_margin == len(rules) - 2
