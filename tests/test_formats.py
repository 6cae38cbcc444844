"""Formats of values in sentences: exact in every language, the same wherever and whenever they are read."""

from __future__ import annotations

import decimal
import json
import pickle
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.localedata import locale_identifiers
from hypothesis import given, settings
from hypothesis import strategies as some

from policy_engine import Engine
from policy_engine.analysis.rule_tests import run_case
from policy_engine.documents.yaml_reader import read_text
from policy_engine.frontend.digest import digest_of
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.formats import WORDS, Format, edition, in_format, locale_of, plural_categories, words_in
from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import conclusions_of
from policy_engine.language.sentences import Said
from policy_engine.language.templates import words_of
from tests.conftest import lay_out

DAY = date(2025, 6, 9)
RULES = """\
ruleset: bills
title: Bills
version: "1"
effective: {from: 2020-01-01}
timezone: Europe/Berlin
language: de
facts: bill
sources: {text: {title: The text}}
decisions:
  due:
    question: Wann ist es zu zahlen?
    source: text
    outcomes: [now, later]
    rules:
      - id: late
        when: due_on < as_of
        then: now
        because: "{amount:money} waren bis zum {due_on:long} zu zahlen, nach {n:number} {n:plural(Mahnung, Mahnungen)}."
    otherwise: {then: later, because: "Es sind {amount}."}
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["due_on"],
    "properties": {
        "amount": {
            "type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 10000, "x-unit": "EUR", "x-sensitive": True,
        },
        "due_on": {"type": "string", "format": "date"},
        "n": {"type": "integer", "minimum": 0, "maximum": 9},
    },
}  # fmt: skip
FACTS = {"amount": 1234.5, "due_on": "2025-03-01", "n": 1}
TOLD = "1.234,50\u00a0\u20ac waren bis zum 1. M\u00e4rz 2025 zu zahlen, nach 1 Mahnung."


@pytest.fixture
def bills(tmp_path: Path) -> Engine:
    """A ruleset whose reasons have formats."""
    lay_out({"rules/bills.yaml": RULES, "schemas/bill.schema.json": json.dumps(SCHEMA)}, tmp_path)
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


@pytest.mark.parametrize("way", [lambda answer: answer, lambda answer: pickle.loads(pickle.dumps(answer))])
def test_an_answer_tells_its_reason_in_formats_wherever_it_is_read(bills: Engine, way: Callable[[Any], Any]) -> None:
    answer = way(bills.decide("bills.due", FACTS, as_of=DAY))
    assert answer.reason == TOLD
    assert json.loads(answer.to_json())["reason"] == answer.to_dict()["reason"] == TOLD


def test_an_explanation_tells_the_same(bills: Engine) -> None:
    explanation = bills.explain("bills.due", FACTS, as_of=DAY)
    assert explanation.decision.reason == TOLD
    assert explanation.decision.said[0] == Said("1.234,50\u00a0\u20ac", sensitive=True)


def test_pages_about_rules_show_names_and_all_forms(bills: Engine) -> None:
    (_, late), *_ = conclusions_of(bills.ruleset("bills", DAY).decision("due").body)
    shown = [f"<{words}>" if is_placeholder else words for words, is_placeholder in map(words_of, late.because.parts)]
    assert "".join(shown) == "<amount> waren bis zum <due_on> zu zahlen, nach <n> Mahnung/Mahnungen."


def test_no_setting_of_the_caller_changes_a_word(bills: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    with decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP)):
        assert bills.decide("bills.due", FACTS, as_of=DAY).reason == TOLD


def test_the_edition_of_languages_is_covered_by_a_digest_that_rests_on_it() -> None:
    node, _ = read_text(RULES, "bills.yaml")
    assert node is not None
    digests = {digest_of(node, json.dumps(SCHEMA), words=words) for words in (None, edition(), "another")}
    assert len(digests) == 3


@pytest.mark.parametrize("changed", ["", "{amount:money}", "{n:number}", "{due_on:short}"])
def test_only_formats_bring_it_into_the_digest(changed: str, tmp_path: Path) -> None:
    line = next(line for line in RULES.splitlines() if "because:" in line)
    rules = RULES.replace(line, f'        because: "Ja. {changed}"')
    lay_out({"rules/bills.yaml": rules, "schemas/bill.schema.json": json.dumps(SCHEMA)}, tmp_path)
    loaded = Engine.load(tmp_path / "rules", tmp_path / "schemas").ruleset("bills", DAY)
    node, _ = read_text(rules, "bills.yaml")
    assert node is not None
    assert loaded.digest == digest_of(node, json.dumps(SCHEMA), words=edition() if changed else None)


def test_a_blank_in_the_reason_of_a_test_stands_for_one_at_which_no_line_breaks(tmp_path: Path, bills: Engine) -> None:
    reasons = (TOLD, TOLD.replace("\u00a0", " "), TOLD.replace("\u00a0", ""))
    asked = {"as_of": str(DAY), "facts": FACTS}
    tests = [{**asked, "name": str(n), "expect": {"due": {"reason": text}}} for n, text in enumerate(reasons)]
    lay_out({"rules/bills_test.yaml": json.dumps({"tests": "bills", "cases": tests})}, tmp_path)
    cases, faults = read_tests([tmp_path / "rules"], bills.rulebook)
    assert [str(fault) for fault in faults] == []
    assert [run_case(bills, each).passed for each in cases] == [True, True, False]


@pytest.mark.parametrize("aggregate", ["sums_by((p.kind, p.amount) for p in paid)", "list(p.amount for p in paid)"])
def test_what_is_gathered_from_a_list_keeps_its_unit(aggregate: str, tmp_path: Path) -> None:
    payment = {"kind": {"type": "string"}, "amount": SCHEMA["properties"]["amount"]}
    paid = {
        "type": "array",
        "maxItems": 9,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind", "amount"],
            "properties": payment,
        },
    }
    rules = RULES.replace("decisions:", f'definitions: {{sums: "{aggregate}"}}\ndecisions:')
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "paid": paid}}
    files = {
        "rules/bills.yaml": rules.replace("{amount:money}", "{sums:money}"),
        "schemas/bill.schema.json": json.dumps(schema),
    }
    lay_out(files, tmp_path)
    facts = {**FACTS, "paid": [{"kind": "a", "amount": 1.5}, {"kind": "b", "amount": 2}]}
    answer = Engine.load(tmp_path / "rules", tmp_path / "schemas").decide("bills.due", facts, as_of=DAY)
    assert answer.reason.startswith("1,50\u00a0\u20ac, 2,00\u00a0\u20ac waren")


@given(some.integers(-(10**18) + 1, 10**18 - 1), some.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_no_digit_is_lost(units: int, places: int) -> None:
    number = number_of_units(units, places)
    assert Decimal(in_format(units, places, Format("number")).replace(",", "")) == number
    assert Decimal(in_format(units, places, Format("percent")).rstrip("%").replace(",", "")) == number
    money = in_format(units, places, Format("money", "de", ("EUR",)))
    assert Decimal(money.removesuffix("\u00a0\u20ac").replace(".", "").replace(",", ".")) == number


LANGUAGES = sorted({tag.split("_")[0] for tag in locale_identifiers()} - {"root"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_format(language: str) -> None:
    forms = plural_categories(language, decimals=True)
    told = [in_format(-123456, 2, Format(name, language)) for name in ("number", "percent")]
    told += [in_format(DAY, 0, Format(name, language)) for name in ("long", "short")]
    money = in_format(123456, 2, Format("money", language, ("EUR",)))
    told += [in_format(n, places, Format("plural", language, forms)) for n in range(120) for places in (0, 1)]
    assert all(told)
    assert money
    assert "\u00a4" not in money


def test_words_are_known_of_languages_that_are_known() -> None:
    assert all(locale_of(language) for language in WORDS)
    assert words_in("de-AT") == words_in("DE") == WORDS["de"]
    assert words_in("sw") == WORDS["en"]


def test_a_tag_that_is_none_is_not_known() -> None:
    for tag in ("", "xx", "english", "de_DE.UTF-8", "de--DE", "../de"):
        with pytest.raises(LookupError):
            locale_of(tag)
