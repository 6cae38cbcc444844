"""(C15) Blanks and empty lines cost next to nothing, and hide no record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy_engine.documents.facts_files import LARGEST_RECORD, read_lines
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.json_lines import BLOCK, block_columns, blocks_of, validated_lines

SCHEMA = {"type": "object", "additionalProperties": False, "properties": {"n": {"type": "boolean"}}}
TOO_LONG = f"the line has more than {LARGEST_RECORD} bytes"
RECORD = b'{"n":true}\n'
CASES: dict[str, tuple[bytes, list[int], list[int]]] = {
    "empty lines before and behind": (b"\n" * 10 + RECORD + b"\r\n \t\n", [11], []),
    "a long line of blanks": (b" " * (2 * LARGEST_RECORD) + b"\n" + RECORD, [2], []),
    "a record behind blanks that are too many": (b" " * (2 * LARGEST_RECORD) + RECORD + RECORD, [2], [1]),
    "a record behind blanks that are a block": (b" " * (BLOCK + 2 * LARGEST_RECORD) + RECORD + RECORD, [2], [1]),
    "the same at the end of the file": (RECORD + b" " * (BLOCK + 2 * LARGEST_RECORD) + RECORD.strip(), [1], [2]),
    "empty lines and what is no UTF-8": (b"\n\n\xff\n\n" + RECORD, [5], [3]),
}


def one_fact() -> FactsSchema:
    """A schema of one fact."""
    facts, faults = schema_of(json.dumps(SCHEMA), "facts.schema.json", "facts")
    assert facts is not None, faults
    return facts


@pytest.mark.parametrize("name", CASES)
def test_c15_a_report_reads_each_record_between_blanks(name: str, tmp_path: Path) -> None:
    content, valid, invalid = CASES[name]
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with path.open("rb") as file:
        found = [validated_lines(block_columns(block, one_fact()), one_fact()) for block in blocks_of(file)]
    assert [row for validated in found for row in validated.valid["(row)"]] == valid
    assert [row for validated in found for row in validated.invalid["(row)"]] == invalid


@pytest.mark.parametrize("name", CASES)
def test_c15_so_does_who_reads_line_by_line(name: str, tmp_path: Path) -> None:
    content, valid, invalid = CASES[name]
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    lines = list(read_lines(path))
    assert [line.number for line in lines if line.fault is None] == valid
    assert [line.number for line in lines if line.fault is not None] == invalid
    assert {line.fault for line in lines if line.fault} <= {TOO_LONG, "not UTF-8 text"}
