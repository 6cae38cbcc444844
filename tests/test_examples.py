"""The example in `examples/` is well, answers what its tests say in every back end, and faults in it are told at their places."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine
from policy_engine.backends.columnar import prepare
from tests.conftest import ROOT, read_data
from tests.support.columnar import reported, table_of
from tests.support.commands import policy

EXAMPLE = ROOT / "examples"
DAY = date(2025, 7, 28)
FAULTS = ROOT / "tests/data/example_faults.yaml"
PLACES = ("--rules", "examples/rules", "--schemas", "examples/schemas")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(EXAMPLE / "rules", EXAMPLE / "schemas")


def test_it_has_no_fault_and_no_warning() -> None:
    ran = policy("check", "examples/rules", "--schemas", "examples/schemas", "--strict")
    assert (ran.code, ran.out) == (0, "2 rule files, 2 test files: no faults\n")


def test_its_tests_pass() -> None:
    ran = policy("test", "examples/rules", *PLACES)
    assert ran.code == 0, ran.out
    assert ran.out.endswith(" passed\n")


def test_its_page_shows_what_is_printed() -> None:
    parts = (EXAMPLE / "README.md").read_text("utf-8").split("```console\n")[1].split("```")[0].split("$ policy ")[1:]
    assert len(parts) == 2
    for part in parts:
        command, _, shown = part.partition("\n")
        assert policy(*command.split()).out == shown


def test_columns_answer_as_single_decisions_do(engine: Engine) -> None:
    ruleset = engine.ruleset("shop", DAY)
    orders = [json.loads(line) for line in (EXAMPLE / "fixtures/orders.jsonl").read_text("utf-8").splitlines()]
    told = reported(prepare(ruleset, {}, DAY, margins=True), table_of(orders, ruleset))
    assert len(told) == len(orders)
    for row, order in enumerate(orders, 1):
        answers = engine.decide_all("shop", order, as_of=DAY)
        for name, decision in answers.items():
            alone = decision.to_dict()
            assert told[row][name] == {part: alone[part] for part in told[row][name]}


def test_a_report_over_it_can_be_made_again(tmp_path: Path) -> None:
    out = str(tmp_path / "report")
    table = "shop=examples/fixtures/orders.jsonl"
    assert policy("report", table, *PLACES, "--as-of", str(DAY), "--out", out).code == 0
    assert policy("report", "verify", out).code == 0


def planted(folder: Path) -> Mapping[str, Any]:
    """A copy of the example with every fault of the file planted, and what is said of it."""
    found: Mapping[str, Any] = read_data(FAULTS)
    shutil.copytree(EXAMPLE, folder / "examples")
    for fault in found["faults"]:
        path = folder / "examples/rules" / fault["file"]
        text = path.read_text("utf-8")
        assert text.count(fault["right"]) == 1, fault
        path.write_text(text.replace(fault["right"], fault["wrong"]), "utf-8")
    return found


def test_fifteen_faults_are_told_at_their_places_with_what_to_write(tmp_path: Path, golden: bool) -> None:
    found = planted(tmp_path)
    assert len(found["faults"]) >= 15
    arguments = ("check", "examples/rules", "--schemas", "examples/schemas", "--format", "line")
    said = policy(*arguments, folder=tmp_path).out
    if golden:
        text = FAULTS.read_text("utf-8").partition("says: |")[0]
        FAULTS.write_text(text + "says: |\n" + "".join(f"  {line}\n" for line in said.splitlines()), "utf-8")
        return
    assert said == found["says"]
    assert len(said.splitlines()) == len(found["faults"])
