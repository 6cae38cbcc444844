"""The example in `examples/` is well, answers what its tests say in every back end, and faults in it are told at their places."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine
from policy_engine.backends.columnar import prepare
from tests.conftest import ROOT, read_data
from tests.support.columnar import reported, table_of
from tests.support.commands import policy

EXAMPLE = ROOT / "examples"
DAY = date(2025, 7, 28)
FAULTS, SAID = ROOT / "tests/data/example_faults.yaml", ROOT / "tests/data/example_faults.txt"
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
    assert ran.out.endswith(" passed, 0 failed\n")


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


def said_of(fault: Mapping[str, str], folder: Path) -> str:
    """What is said of a copy of the example in which a fault is planted, a line for each diagnostic."""
    shutil.copytree(EXAMPLE, folder / "examples", dirs_exist_ok=True)
    path = folder / "examples/rules" / fault["file"]
    text = path.read_text("utf-8")
    assert text.count(fault["right"]) == 1, fault
    path.write_text(text.replace(fault["right"], fault["wrong"]), "utf-8")
    arguments = ("check", "examples/rules", "--schemas", "examples/schemas", "--format", "line", "--strict")
    ran = policy(*arguments, folder=folder)
    assert ran.code == 1, fault
    return ran.out


def test_a_fault_is_told_at_its_place_with_what_to_write(tmp_path: Path, golden: bool) -> None:
    faults = read_data(FAULTS)["faults"]
    assert len(faults) >= 15
    said = [said_of(fault, tmp_path) for fault in faults]
    if golden:
        SAID.write_text("".join(said), "utf-8")
    for fault, lines in zip(faults, said, strict=True):
        assert f"examples/rules/{fault['file']}:" in lines, (fault, lines)
    assert "".join(said) == SAID.read_text("utf-8")
