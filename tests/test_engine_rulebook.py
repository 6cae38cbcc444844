"""The rulebook of an engine from Python: what is in it, rules given as texts, rules read again; validating without deciding."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import policy_engine
from policy_engine import CannotRun, Decision, Engine, RulesetError, UnknownDecision
from tests.conftest import lay_out

DAY = date(2025, 7, 1)
SCHEMA = """{"type": "object", "additionalProperties": false, "required": ["paid"], "properties": {
  "paid": {"type": "integer", "minimum": 0, "maximum": 999}, "due": {"type": "integer", "minimum": 0, "maximum": 999},
  "on": {"type": "string", "format": "date"}}}"""
RULES = """
ruleset: refund
title: Refunds
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
checks:
  - {expect: "paid <= default(due, 999)", because: More was paid than was due.}
decisions:
  grant:
    question: Is it granted?
    source: text
    outcomes: ["y", "n"]
    rules: [{id: some, when: paid > 0, then: "y", because: "{paid} was paid."}]
    otherwise: {then: "n", because: Nothing was paid.}
"""
TEXTS = {"refund.yaml": RULES}, {"order": SCHEMA}


@pytest.fixture
def engine() -> Engine:
    """One ruleset, given as a text."""
    return Engine.from_text(*TEXTS)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The same in files."""
    lay_out({"rules/refund.yaml": RULES, "schemas/order.schema.json": SCHEMA}, tmp_path)
    return tmp_path


def test_every_public_name_is_there_and_documented() -> None:
    assert policy_engine.__version__ == version("policy_engine")
    undocumented = [name for name in policy_engine.__all__ if not getattr(policy_engine, name).__doc__]
    assert undocumented == []


def test_an_engine_tells_its_rulesets_and_decisions(engine: Engine) -> None:
    assert [(ruleset.id, ruleset.version) for ruleset in engine.rulesets] == [("refund", "1")]
    assert engine.decisions == ("refund.grant",)
    assert repr(engine) == "Engine(refund)"


def test_rules_given_as_texts_are_those_of_files(engine: Engine, files: Path) -> None:
    loaded = Engine.load(files / "rules", files / "schemas")
    asked = [one.decide("refund.grant", {"paid": 5}, as_of=DAY) for one in (engine, loaded)]
    assert asked[0].outcome == "y"
    assert asked[0] == asked[1]


LIBRARY = "library: terms\ntitle: Terms\ndefinitions: {some: {is: paid > 0}}\n"
TABLE = "tables:\n  rates: {keys: {paid: integer}, columns: {rate: integer}, from: rates.csv}\n"


@pytest.mark.parametrize(
    ("rules", "schemas", "told"),
    [
        ({"a": "x: ["}, {}, "<a>:2:1: yaml-syntax: "),
        ({"a": RULES}, {"ordre": SCHEMA}, "<a>:7:8: schema-missing: there is no schema `order`"),
        ({"a": RULES}, {"order": "{"}, "<order.schema.json>:1:"),
        ({"a": RULES + TABLE}, {"order": SCHEMA}, "the rules were given as a text, beside which there is no file"),
        ({"a": RULES + "use: {terms: [some]}\n"}, {"order": SCHEMA}, "terms"),
        ({"a": RULES + "# \ud800"}, {"order": SCHEMA}, "it holds half a character (a lone surrogate)"),
        ({"a": RULES}, {"order": f'{SCHEMA}"\ud800"'}, "it holds half a character (a lone surrogate)"),
    ],
)
def test_texts_with_faults_are_told_as_files_are(
    rules: dict[str, str], schemas: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the names that the texts mention are there, and are not read."""
    lay_out({"rates.csv": "paid,rate\n1,2\n", "terms.yaml": LIBRARY, "<a>": "x", "order.schema.json": SCHEMA}, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RulesetError) as raised:
        Engine.from_text(rules, schemas)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"paid": 5}, []),
        ({"paid": 5, "due": 5}, []),
        ({"paid": 5, "due": 4}, [("", "check", "More was paid than was due.")]),
        (
            {"paid": -1, "due": "4"},
            [("/due", "type", '"4" is not a whole number'), ("/paid", "minimum", "-1 is not 0 or more")],
        ),
        ({}, [("", "required", "`paid` is missing")]),
        ({"paid": 5, "due": None, "more": 1}, [("", "additionalProperties", "there is no fact `more`")]),
        ({"paid": Decimal(5), "due": Decimal("4.0")}, [("", "check", "More was paid than was due.")]),
        ({"paid": Decimal(5), "due": 5.0}, []),
        ({"paid": 5, "on": "2025-02-29"}, [("/on", "format", '"2025-02-29" is not a date such as 2025-02-28')]),
        ({"paid": object()}, [("/paid", "type", "a Python object is not a JSON value; give an int")]),
    ],
)
def test_facts_are_validated_without_a_decision(
    engine: Engine, facts: dict[str, Any], told: list[tuple[str, str, str]]
) -> None:
    found = engine.validate("refund", facts, as_of=DAY)
    assert engine.is_valid("refund", facts, as_of=DAY) == (not told)
    assert [(each.pointer, each.keyword, each.message) for each in found] == told


def test_validating_asks_for_a_ruleset_that_is_there(engine: Engine) -> None:
    with pytest.raises(UnknownDecision, match="refnd"):
        engine.validate("refnd", {}, as_of=DAY)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (pl.DataFrame({"paid": [1]}), "not a DataFrame; call decide_table"),
        (pl.LazyFrame({"paid": [1]}), "not a LazyFrame; call decide_table"),
        (pd.DataFrame({"paid": [1]}), "not a DataFrame; call decide_table"),
        ("orders.csv", "not a name of a file; call decide_table"),
        (Path("orders.csv"), "not a name of a file; call decide_table"),
        ({"paid": 1}, "not of one; call decide, or give [facts]"),
    ],
)
def test_tables_are_not_taken_for_many_facts(engine: Engine, given: Any, told: str) -> None:
    with pytest.raises(TypeError) as raised:
        engine.decide_many("refund.grant", given, as_of=DAY)
    assert str(raised.value).endswith(told)


def grant(engine: Engine) -> Decision:
    """The answer about one order."""
    return engine.decide("refund.grant", {"paid": 5}, as_of=DAY)


def test_rules_are_read_again(files: Path) -> None:
    engine = Engine.load(iter([files / "rules"]), files / "schemas")
    assert grant(engine).outcome == "y"
    lay_out({"rules/refund.yaml": RULES.replace("paid > 0", "paid > 5")}, files)
    assert grant(engine).outcome == "y"
    engine.reload()
    assert grant(engine).outcome == "n"


def test_broken_rules_replace_nothing(files: Path) -> None:
    engine = Engine.load(files / "rules", files / "schemas")
    before = grant(engine)
    lay_out({"rules/refund.yaml": RULES.replace("paid > 0", "piad > 0")}, files)
    with pytest.raises(RulesetError, match="unknown-name"):
        engine.reload()
    assert grant(engine) == before
    (files / "rules" / "refund.yaml").unlink()
    for read in (engine.reload, lambda: Engine.load(files / "rules", files / "schemas")):
        with pytest.raises(CannotRun) as raised:
            read()
        assert str(raised.value) == f"there is no rule file in {files / 'rules'}"
    assert grant(engine) == before


@pytest.mark.parametrize(
    ("rules", "schemas", "told"),
    [
        ([RULES], [SCHEMA], "rules must be a mapping of names to texts, not a list"),
        ({"a": RULES}, SCHEMA, "schemas must be a mapping of names to texts, not a str"),
        (
            {"a": RULES},
            {"order": json.loads(SCHEMA)},
            "schemas must be a mapping of names to texts, and `order` is a dict",
        ),
        ({1: RULES}, {"order": SCHEMA}, "rules must be a mapping of names to texts, and the name 1 is no text"),
    ],
)
def test_texts_are_given_by_name(rules: Any, schemas: Any, told: str) -> None:
    with pytest.raises(TypeError) as raised:
        Engine.from_text(rules, schemas)
    assert str(raised.value) == told


def test_rules_of_no_files_are_not_read_again(engine: Engine) -> None:
    with pytest.raises(CannotRun, match="not loaded from files"):
        engine.reload()
    assert grant(engine).outcome == "y"


def test_threads_get_answers_of_one_rulebook_or_the_other(files: Path) -> None:
    """Each answer has the outcome and the digest of one text; after a reload none has those of the text before."""
    engine = Engine.load(files / "rules", files / "schemas")
    texts = [RULES, RULES.replace("paid > 0", "paid > 5")]
    known = {grant(Engine.from_text({"a": text}, {"order": SCHEMA})) for text in texts}
    seen: set[Decision] = set()
    done = threading.Event()

    def ask() -> Iterator[Decision]:
        while not done.is_set():
            yield engine.decide("refund.grant", {"paid": 5}, as_of=DAY)

    asking = [threading.Thread(target=lambda: seen.update(ask())) for _ in range(3)]
    for thread in asking:
        thread.start()
    for turn in range(20):
        lay_out({"rules/refund.yaml": texts[turn % 2]}, files)
        engine.reload()
        assert grant(engine).outcome == "yn"[turn % 2]
    done.set()
    for thread in asking:
        thread.join()
    assert seen == known
    assert json.loads(grant(engine).to_json())["outcome"] == "n"
