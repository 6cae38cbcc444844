"""One run tells every fault of a file: twelve different ones, each at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policy_engine.cli.show import diagnostic_line
from policy_engine.frontend.loader import load
from tests.conftest import ROOT, lay_out, read_data

DATA = read_data(ROOT / "tests/data/twelve_faults.yaml")
SAYS = DATA["says"].splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lay_out({"rules/twelve.yaml": DATA["rules"], "schemas/facts.schema.json": DATA["schema"]}, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_twelve_faults_give_twelve_diagnostics(folder: Path) -> None:
    found = [diagnostic_line(d) for d in load([Path("rules")], Path("schemas")).diagnostics]
    assert found == SAYS


def test_they_are_of_twelve_kinds() -> None:
    codes = re.findall(r"error\[([a-z-]+)\]", DATA["says"])
    assert len(codes) == len(set(codes)) == 12


def test_each_place_marks_the_offending_words(folder: Path) -> None:
    found = load([Path("rules")], Path("schemas")).diagnostics
    marked = [(d.excerpt or "")[d.span.column - 1 :][: d.span.length] for d in found]
    assert marked == DATA["marks"]
