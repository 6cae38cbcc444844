"""The sentence of each row of a report: the text that a single decision gives as its reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from babel.localedata import locale_identifiers

from policy_engine import Engine
from policy_engine.backends.columnar import prepare
from policy_engine.backends.columnar.program import PARTS
from policy_engine.backends.columnar.sentences import SENTENCE
from policy_engine.backends.columnar.words import words_of
from policy_engine.errors import RulesetError
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.formats import Format, number_form
from policy_engine.language.rulesets import ALWAYS
from policy_engine.language.sentences import Placeholder
from policy_engine.language.sentences import words_of as words_of_value
from policy_engine.language.types import Number
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.causes import Causes
from policy_engine.reports.run import make_report
from tests.conftest import ROOT, lay_out
from tests.support.choosing import SeededChoices
from tests.support.columnar import table_of
from tests.support.generated_questions import question_by
from tests.support.rulebook import shipped, shipped_cases
from tests.test_cli import Run, run

__all__ = ["run"]
DAY = date(2025, 6, 30)


def reasons(answers: Mapping[str, Decision]) -> dict[str, str]:
    """The reasons of decisions by the name of their column."""
    return {f"{name}.sentence": answer.reason for name, answer in answers.items()}


def test_every_row_of_every_shipped_ruleset_has_the_reason_of_the_single_decision(tmp_path: Path) -> None:
    """Over the facts of all tests beside the rules; those that are invalid have no row."""
    cases, _ = shipped_cases()
    facts: dict[str, list[Any]] = {}
    for case in cases:
        facts.setdefault(case.ruleset, []).append(json.loads(json.dumps(case.facts, default=str)))
    for ruleset, rows in facts.items():
        (tmp_path / f"{ruleset}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = tuple((ruleset, str(tmp_path / f"{ruleset}.jsonl")) for ruleset in facts)
    places = str(ROOT / "rules"), str(ROOT / "schemas")
    make_report(Arguments(tables, DAY, *places, samples=0, reasons=True), tmp_path / "out")
    undecided = 0
    for ruleset, rows in facts.items():
        told = pl.read_parquet(tmp_path / "out" / ruleset / "decisions.parquet")
        assert told.height > len(rows) / 2
        for row in told.select("row", "^.*[.]sentence$").iter_rows(named=True):
            answers = shipped().decide_all(ruleset, rows[row.pop("row") - 1], as_of=DAY)
            assert row == reasons(answers)
            undecided += sum(answer.status != "decided" for answer in answers.values())
    assert undecided > 1_000


RULES = """\
ruleset: t
title: T
version: "1"
effective: {from: 2025-01-01}
timezone: Europe/Berlin
language: de
facts: f
decisions:
  duty:
    question: Was ist zu zahlen?
    outcomes: [pay, nothing]
    rules:
      - {id: much, when: paid / owed < 0.5, then: pay, because: "{owed:money} bis zum {due:long}, {n} {n:plural(Mal, Male)}."}
      - {id: rest, when: paid < owed, then: pay, because: "Es fehlen {left:money}, {late}.", with: {left: owed - paid}}
    otherwise: {then: nothing, because: "Nichts; {tags}, {who}, {seen}."}
  notes:
    question: Was ist anzumerken?
    outcomes: [a, b, c]
    hit: collect
    rules:
      - {id: one, when: n > 1, then: a, because: "{n} Mal."}
      - {id: same, when: owed > 1, then: b, because: "{m} Mal."}
      - {id: other, when: late, then: c, because: "Zu {what}."}
  sum:
    question: Wie viel?
    values: {total: owed + paid}
"""
MONEY = {"type": "number", "multipleOf": 0.01, "minimum": -10_000_000, "maximum": 10_000_000, "x-unit": "EUR"}
COUNT = {"type": "integer", "minimum": 0, "maximum": 9}
PERSON = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "vip": {"type": "boolean"}},
}
TEXT = {"type": "string"}
PROPERTIES = {
    "owed": MONEY, "paid": MONEY, "n": COUNT, "m": COUNT, "late": {"type": "boolean"}, "what": TEXT, "who": PERSON,
    "due": {"type": "string", "format": "date"}, "seen": {"type": "string", "format": "date-time"},
    "tags": {"type": "array", "maxItems": 3, "items": TEXT},
}  # fmt: skip
SCHEMA = {"type": "object", "additionalProperties": False, "properties": PROPERTIES}
FACTS: list[dict[str, Any]] = [
    {"owed": 1234567.5, "paid": 2.5, "n": 1, "m": 1, "late": True, "what": "sp\u00e4t", "due": "2025-03-01"},
    {"owed": 9, "paid": 8.1, "n": 3, "m": 3, "late": True, "what": "lang"},
    {"owed": 9, "paid": 8, "n": 3, "m": 4, "late": False},
    {
        "owed": 1,
        "paid": 2,
        "n": 0,
        "tags": ["x", "y"],
        "who": {"vip": True, "name": "A"},
        "seen": "2025-03-09T02:30:00-05:00",
    },
    {"owed": 1, "paid": 1, "n": 1, "late": False, "tags": []},
    {"owed": 0, "paid": 5, "n": 2, "m": 2},
    {"paid": 5, "n": 2, "m": 2, "late": False},
    {"owed": 0, "paid": 6, "n": 2, "m": 2},
]
TOLD = [
    ("1.234.567,50 \u20ac bis zum 1. M\u00e4rz 2025, 1 Mal.", "1 Mal. Zu sp\u00e4t."),
    ("Es fehlen 0,90 \u20ac, wahr.", "3 Mal. Zu lang."),
    ("Es fehlen 1,00 \u20ac, falsch.", "3 Mal. 4 Mal."),
    ("Nichts; x, y, {name: A, vip: true}, 2025-03-09T07:30:00Z.", "This cannot be decided without late."),
    ("Nichts; keine, unbekannt, unbekannt.", "No rule applies."),
    ("This cannot be decided: a denominator is zero.", "2 Mal. This cannot be decided without late."),
    ("This cannot be decided without owed.", "2 Mal. This cannot be decided without owed."),
    ("This cannot be decided: a denominator is zero.", "2 Mal. This cannot be decided without late."),
]
"""The sentences of `duty` and of `notes`, with plain blanks."""


@pytest.fixture
def reported(run: Run) -> Run:
    """A folder with a report that has reasons, in all forms."""
    lay_out({"rules/t.yaml": RULES, "schemas/f.schema.json": json.dumps(SCHEMA)}, Path())
    Path("rules/orders.yaml").unlink()
    Path("schemas/order.schema.json").unlink()
    Path("a.jsonl").write_text("".join(json.dumps(facts) + "\n" for facts in FACTS))
    forms = ("--format", "csv", "--format", "jsonl", "--format", "xlsx")
    ran = run("report", "t=a.jsonl", "--as-of", str(DAY), "--out", "out", "--reasons", *forms)
    assert (ran.code, ran.err) == (0, "")
    return run


def test_the_sentence_has_the_words_of_its_language_its_missing_facts_and_its_cause(reported: Run) -> None:
    table = pl.read_parquet("out/decisions.parquet")
    told = table.select("duty.sentence", "notes.sentence")
    assert [tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in row) for row in told.iter_rows()] == TOLD
    engine = Engine.load("rules", "schemas")
    expected = [reasons(engine.decide_all("t", facts, as_of=DAY)) for facts in FACTS]
    assert table.select("^.*[.]sentence$").to_dicts() == expected
    lines = [json.loads(line) for line in Path("out/decisions.jsonl").read_text("utf-8").splitlines()]
    assert [line["duty.sentence"] for line in lines] == table["duty.sentence"].to_list()
    assert pl.read_csv("out/decisions.csv")["notes.sentence"].to_list() == table["notes.sentence"].to_list()


def test_a_report_with_reasons_is_made_again_with_them(reported: Run) -> None:
    assert reported("report", "verify", "out").code == 0
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["arguments"]["reasons"] is True
    manifest["arguments"]["reasons"] = "yes"
    Path("out/manifest.json").write_text(json.dumps(manifest))
    ran = reported("report", "verify", "out")
    assert (ran.code, "`arguments.reasons` is not true or false" in ran.err) == (2, True)


def test_without_the_option_a_table_has_no_sentences(reported: Run) -> None:
    assert reported("report", "t=a.jsonl", "--as-of", str(DAY), "--out", "out").code == 0
    assert [name for name in pl.read_parquet_schema("out/decisions.parquet") if name.endswith(".sentence")] == []


def test_causes_are_told_in_generated_rulesets_too() -> None:
    """`test_columnar_agreement.py` compares all other sentences, over many more."""
    caused = 0
    for question in filter(None, (question_by(SeededChoices(seed), 4) for seed in range(40))):
        ruleset, day, readings = replace(question.ruleset, period=ALWAYS), question.days[0], question.readings
        try:
            program = prepare(ruleset, readings, day)
        except RulesetError:
            continue  # columns cannot hold its numbers
        decided = program.answered(table_of(question.facts, ruleset).lazy(), (*PARTS, SENTENCE)).collect()
        engine = Engine(Rulebook((ruleset,), ()))
        told = Causes(engine, program, readings)(decided).select("^.*[.]sentence$")
        decide = partial(engine.decide_all, ruleset.id, as_of=day, readings=readings, trusted=True)
        assert told.to_dicts() == [reasons(decide(facts)) for facts in question.facts]
        caused += sum(decided[name].null_count() for name in told.columns)
    assert caused > 20


NUMBERS = [0, 1, -1, 10, -99, 100, 999, 1_000, -1_000, 12_345, 1_000_000, 100_000_000_007, 10**18 - 1, -(10**18) + 1]


@pytest.mark.parametrize("places", [0, 1, 2, 4])
def test_numbers_of_every_language_read_in_a_column_as_they_do_alone(places: int) -> None:
    kind = Number(low=-(10**18), high=10**18, places=places)
    currencies = ("EUR", "JPY", "KWD")
    languages = [tag.replace("_", "-") for tag in locale_identifiers()]
    formats = [Format(name, tag, (code,)) for tag in languages for name, code in _numbers(currencies)]
    distinct = {number_form(written, places): written for written in formats}.values()
    column = pl.DataFrame({"n": [*NUMBERS, None]})
    made = column.select(words_of(pl.col("n"), kind, each).alias(str(at)) for at, each in enumerate(distinct))
    for written, told in zip(distinct, made, strict=True):
        place = Placeholder(places, plain=False, format=written)
        assert told.to_list() == [words_of_value(value, place) for value in (*NUMBERS, None)]


def _numbers(currencies: tuple[str, ...]) -> list[tuple[str, str]]:
    """The formats of numbers, money in each currency."""
    return [("number", ""), ("percent", ""), *(("money", code) for code in currencies)]
