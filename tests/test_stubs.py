"""`policy stubs`: a module whose types tell misspelt outcomes, values, facts and readings, and which asks the engine."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine
from policy_engine.reports.stubs import stubs_of
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy_on_one_stream

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["country", "lines"],
    "properties": {
        "country": {"type": "string", "enum": ["AT", "DE"]},
        "bought_on": {"type": "string", "format": "date"},
        "lines": {
            "type": "array",
            "maxItems": 9,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["price"],
                "properties": {"price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 99}},
            },
        },
    },
}
RULES = """
ruleset: web_shop
title: "\\"\\"\\" import os \\u202e"
version: "1"
effective: {from: 2020-01-01, until: 2025-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
readings:
  free: {question: "Is it free?", choice: "yes", choices: {"yes": It is., "no": It is not.}, source: text}
decisions:
  refund:
    question: Is it paid back?
    source: text
    readings: [free]
    outcomes: [full, nothing]
    values: {euros: sum(line.price for line in lines)}
    rules: [{id: home, when: 'country == "AT" and free == "yes"', then: full, because: It is from here.}]
    otherwise: {then: nothing, because: It is not from here.}
  marks:
    question: What speaks for it?
    source: text
    hit: collect
    outcomes: [cheap, near]
    rules: [{id: near, when: 'country == "AT"', then: near, because: It is near.}]
  total:
    question: What does it cost?
    source: text
    values: {euros: sum(line.price for line in lines), bought: if_known(bought_on)}
"""
LATER = (
    RULES.replace('"1"', '"2"').replace("2020-01-01, until: ", "").replace("[full, nothing]", "[full, nothing, half]")
)
CALLER = """
from datetime import date
from policy_engine import Engine
from shop_types import Order_Facts, WebShop

shop = WebShop(Engine.load("rules", "schemas"))
facts: Order_Facts = {"country": "AT", "lines": [{"price": 5}]}
answer = shop.refund(facts, as_of=date(2024, 7, 1), readings={"free": "no"})
if answer.outcome == "half":
    euros = answer.values["euros"]
    print(euros.quantize(euros) if euros is not None else answer.reason)
print("near" in (shop.marks(facts, as_of=date(2024, 7, 1)).outcome or ()))
"""
WRONG = {
    'answer.outcome == "half"': ('answer.outcome == "haff"', "Non-overlapping equality check"),
    'answer.values["euros"]': ('answer.values["euro"]', 'TypedDict "WebShop_Refund_Values" has no key "euro"'),
    '"country": "AT"': ('"country": "FR"', "Incompatible types (expression has type \"Literal['FR']\""),
    '{"price": 5}': ('{"prize": 5}', 'Missing key "price"'),
    '{"free": "no"}': ('{"fre": "no"}', 'Extra key "fre"'),
    "shop.refund": ("shop.refnd", '"WebShop" has no attribute "refnd"'),
}
"""For a part of the caller, what is written in its place, and what is told of it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of a ruleset, and the module of their types."""
    place = tmp_path_factory.mktemp("stubs")
    files = {"rules/old.yaml": RULES, "rules/web_shop.yaml": LATER, "schemas/order.schema.json": json.dumps(SCHEMA)}
    lay_out(files, place)
    assert policy_on_one_stream("stubs", "shop_types.py", folder=place) == ("shop_types.py\n", 0)
    return place


def test_a_type_checker_passes_right_callers_and_tells_wrong_ones(folder: Path) -> None:
    """One run checks the module, the caller as it stands, and one caller for each mistake."""
    (folder / "caller.py").write_text(CALLER, "utf-8")
    for number, (part, (other, _)) in enumerate(WRONG.items()):
        assert CALLER.count(part) == 1
        (folder / f"wrong_{number}.py").write_text(CALLER.replace(part, other), "utf-8")
    files = [str(path) for path in sorted(folder.glob("*.py"))]
    options = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert {Path(line.split(":")[0]).name for line in told} == {f"wrong_{number}.py" for number in range(len(WRONG))}
    for number, (_, words) in enumerate(WRONG.values()):
        assert any(f"wrong_{number}.py" in line and words in line for line in told), (words, told)


def test_the_module_asks_the_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    exec(compile((folder / "shop_types.py").read_text("utf-8"), "shop_types.py", "exec"), names)
    engine = Engine.load(folder / "rules", folder / "schemas")
    shop, facts, day = names["WebShop"](engine), {"country": "AT", "lines": [{"price": 1.5}]}, date(2024, 7, 1)
    assert shop.refund(facts, as_of=day) == engine.decide("web_shop.refund", facts, as_of=day)
    assert shop.refund(facts, as_of=day, readings={"free": "no"}).outcome == "nothing"
    assert shop.total(facts, as_of=day, trusted=True).values["euros"] == Decimal("1.50")
    assert shop.marks(facts, as_of=day).outcome == ("near",)


def test_the_types_are_those_of_all_versions(folder: Path) -> None:
    text = (folder / "shop_types.py").read_text("utf-8")
    for line in (
        "    country: Literal['AT', 'DE']",
        "    bought_on: NotRequired[date | str | None]",
        "    lines: Sequence[Order_Facts_Lines]",
        "    price: Number | float",
        "        def outcome(self) -> Literal['full', 'nothing', 'half'] | None: ...",
        "        def outcome(self) -> tuple[Literal['cheap', 'near'], ...] | None: ...",
        "        def outcome(self) -> None: ...",
        "    bought: date | None",
        "    free: Literal['yes', 'no']",
    ):
        assert f"\n{line}\n" in text, line


def test_texts_of_authors_are_literals(folder: Path) -> None:
    text = (folder / "shop_types.py").read_text("utf-8")
    assert text.isascii()
    imported = [node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    assert imported == ["__future__", "collections.abc", "datetime", "decimal", "typing", "policy_engine"]
    assert not any(isinstance(node, ast.Import) for node in ast.walk(ast.parse(text)))


def test_names_that_come_out_the_same_are_told_apart() -> None:
    rules = RULES.replace("  refund:", "  a1:").replace("  total:", "  a_1:")
    text = stubs_of(Engine.from_text({"shop": rules}, {"order": json.dumps(SCHEMA)}).rulesets)
    assert "class WebShop_A1(Decision):" in text
    assert "class WebShop_A1_(Decision):" in text


def test_shipped_rules_have_types_that_can_be_imported() -> None:
    text = stubs_of(Engine.load(ROOT / "rules", ROOT / "schemas").rulesets)
    exec(compile(text, "stubs", "exec"), {})


@pytest.mark.parametrize(
    ("words", "before", "told", "code"),
    [
        (("out.txt",), None, "`out.txt` is no Python module; give a name that ends in .py", 2),
        (("mine.py",), "x = 1\n", "`mine.py` was not written by `policy stubs`, and is not replaced", 2),
        (("new.py", "--check"), None, "not current: new.py; run `policy stubs new.py`", 1),
        (("shop_types.py", "--check"), None, "", 0),
        (("shop_types.py",), None, "", 0),
    ],
)
def test_the_command_writes_what_it_wrote_before(
    folder: Path, words: tuple[str, ...], before: str | None, told: str, code: int
) -> None:
    file = folder / words[0]
    if before is not None:
        file.write_text(before, "utf-8")
    there = file.read_text("utf-8") if file.exists() else None
    printed, exit_code = policy_on_one_stream("stubs", *words, folder=folder)
    assert exit_code == code
    assert told in printed
    assert (printed == "") == (told == "")
    assert (file.read_text("utf-8") if file.exists() else None) == there
