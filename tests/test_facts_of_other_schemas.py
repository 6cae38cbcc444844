"""A fact of another schema is told as such, where the loader says which schemas have which facts."""

from __future__ import annotations

from pathlib import Path

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.yaml_reader import read_file
from policy_engine.frontend.checker import check
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import read_schema
from tests.conftest import lay_out

RULES = """\
ruleset: case
title: A case
version: "1"
effective: {from: 2025-01-01}
timezone: America/New_York
facts: basket
decisions:
  d: {question: Q, values: {a: total + tier, b: totl}}
"""
SCHEMA = """\
{"type": "object", "additionalProperties": false, "required": ["total"],
 "properties": {"total": {"type": "integer", "minimum": 0, "maximum": 9}}}
"""


def faults_of(folder: Path, elsewhere: dict[str, str]) -> list[Diagnostic]:
    """What is said of the rules, with facts of other schemas."""
    lay_out({"case.yaml": RULES, "basket.schema.json": SCHEMA}, folder)
    _, node, _ = read_file(folder / "case.yaml")
    facts, _ = read_schema(folder / "basket.schema.json", "basket")
    assert node is not None
    assert facts is not None
    syntax, _ = parse_ruleset(node)
    assert syntax is not None
    return check(syntax, facts, "", (), elsewhere.get)[1]


def test_a_fact_of_another_schema_is_told_with_its_schema(tmp_path: Path) -> None:
    hints = [fault.hint for fault in faults_of(tmp_path, {"tier": "`tier` is a fact of the schema `customer`"})]
    assert hints == ["`tier` is a fact of the schema `customer`", "did you mean `total`?"]


def test_without_other_schemas_nothing_is_told_of_them(tmp_path: Path) -> None:
    assert [fault.hint for fault in faults_of(tmp_path, {})] == [None, "did you mean `total`?"]
