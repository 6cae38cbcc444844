"""(C15) What might take long takes no longer than its size: patterns, unique elements, nested references, empty lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import polars as pl
import pytest

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.violations import violations_of
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.json_lines import block_columns, blocks_of
from policy_engine.tables.row_validation import validated_frame
from tests.support.hostile import record
from tests.support.tables import schema_from
from tests.support.time_limit import within_two_seconds
from tests.test_blank_lines import RECORD, one_fact
from tests.test_schema_patterns import WHOLE, document_of, verdicts

SLOW: Mapping[str, tuple[str, str]] = {
    "two parts and a sign between": ("[a-z]+@[a-z]+", "a" * 1_000_000),
    "six open parts": ("^a*a*a*a*a*a*b$", "a" * 100_000),
    "a group that repeats and repeats": ("^(a+)+$", "a" * 100_000 + "b"),
    "choices that overlap": ("^((a|aa))+$", "a" * 100_000 + "b"),
    "a choice that repeats": ("^(a|aa)+$", "a" * 100_000 + "b"),
    "many stars": ("^a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b$", "a" * 100_000),
    "many sets": ("^[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*!$", "a" * 100_000),
    "groups in groups": ("^((((a+)+)+)+)+$", "a" * 100_000 + "b"),
    "a dot on either side": ("^.*a.*a.*a$", "ab" * 100_000),
}


@pytest.mark.parametrize("name", SLOW)
def test_c15_patterns_take_no_longer_than_texts(name: str) -> None:
    pattern, text = SLOW[name]
    with within_two_seconds():
        assert verdicts({"type": "string", "pattern": pattern}, text) == {False}


OBJECT = {"type": "object", "additionalProperties": False, "properties": {"a": WHOLE, "b": {"type": "string"}}}


@pytest.mark.parametrize("most", [None, 9])
@pytest.mark.parametrize("word", ["b", None])
def test_c15_unique_objects_are_judged_in_a_second(most: int | None, word: str | None) -> None:
    part = {"uniqueItems": True, "type": "array", "items": OBJECT} | ({} if most is None else {"maxItems": most})
    value = [{"a": number, "b": word} for number in range(8_000)]
    document = document_of(part)
    facts = schema_from(document)
    with within_two_seconds():
        validator_of(document)({"x": value})
    with within_two_seconds():
        told = violations_of(to_json_types({"x": value})[0], facts)
    assert [violation.keyword for violation in told] == ([] if most is None else ["maxItems"])


def _levels(count: int) -> tuple[pl.DataFrame, FactsSchema]:
    """So many levels of a record with three members, each by a reference, and a row of it."""
    definitions: dict[str, Any] = {f"level{count}": WHOLE}
    value: Any = 1
    for level in range(count):
        below = {"$ref": f"#/$defs/level{level + 1}"}
        definitions[f"level{level}"] = _all_required(dict.fromkeys("abc", below))
        value = dict.fromkeys("abc", value)
    document = {**_all_required({"x": {"$ref": "#/$defs/level0"}}), "$defs": definitions}
    facts, faults = schema_of(json.dumps(document), "levels.schema.json", "levels")
    assert facts is not None, faults
    return pl.DataFrame({ROW: [1], "x": [value]}), facts


def _all_required(members: Mapping[str, Any]) -> dict[str, Any]:
    return record(members, required=[*members])


def test_c15_six_levels_of_references_cost_no_more_than_their_members() -> None:
    """Three times the members take about three times as long; they took nine times as long."""
    seconds = []
    for count in (5, 6):
        frame, facts = _levels(count)
        start = process_time()
        assert validated_frame(frame, facts).valid.height == 1
        seconds.append(process_time() - start)
    assert seconds[1] < 6 * seconds[0]


def test_c15_empty_lines_by_the_million_end_soon(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n" * 20_000_000 + RECORD)
    facts = one_fact()
    with path.open("rb") as file, within_two_seconds():
        *blank, last = blocks_of(file)
        assert all(block_columns(block, facts).is_empty() for block in blank)
    assert last.first > 10_000_000
