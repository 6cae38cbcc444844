"""`policy report diff`: what two finished reports say otherwise, row by row, and what could not be compared."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.conftest import lay_out
from tests.test_cli import Run, put, refused, run

__all__ = ["run"]
RULES = """\
ruleset: fees
title: Fees
version: "{version}"
effective: {{from: 2000-01-01}}
timezone: UTC
facts: bill
decisions:
  fee:
    question: What is due?
    outcomes: [waived, due]
    rules:
      - {{id: small, when: amount < {limit}, then: waived, because: It is small.}}
      - {{id: tiny, when: amount < 1, then: waived, because: It is tiny.}}
    otherwise: {{then: due, because: It is large.}}
    values: {{owed: amount * {factor}}}
"""
PROPERTIES = {
    "account": {"type": "string", "x-key": True, "maxLength": 9},
    "number": {"type": "integer", "minimum": 0, "maximum": 99},
    "amount": {"type": "integer", "minimum": 0, "maximum": 99},
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["amount"],
    "properties": PROPERTIES,
    "additionalProperties": False,
}
KEYLESS = {**SCHEMA, "properties": {**PROPERTIES, "account": {"type": "string", "maxLength": 9}}}
OTHER_KEY = {**KEYLESS, "properties": {**KEYLESS["properties"], "number": {**PROPERTIES["number"], "x-key": True}}}  # type: ignore[dict-item]
OLD = [("a", 5), ("b", 10), ("c", 20), ("d", -1), ("e", 7)]


def make(
    run: Run, out: str, rows: list[tuple[str | None, int]], schema: object = SCHEMA, limit: int = 10, factor: int = 1
) -> None:
    """A report over rows of accounts and amounts."""
    rules = RULES.format(version=limit, limit=limit, factor=factor)
    lay_out({"rules/fees.yaml": rules, "schemas/bill.schema.json": json.dumps(schema)}, Path())
    facts = [{"amount": amount} | ({"account": key} if key is not None else {}) for key, amount in rows]
    put("".join(f"{json.dumps(one)}\n" for one in facts), f"{out}.jsonl")
    ran = run("report", f"fees={out}.jsonl", "--as-of", "2025-06-30", "--out", out)
    assert (ran.code, ran.err) == (0, "")


def diff(run: Run, *more: str) -> tuple[int, list[str]]:
    """The exit code, and the lines but the first."""
    ran = run("report", "diff", "old", "new", *more)
    assert ran.err == ""
    return ran.code, ran.out.splitlines()[1:]


def test_the_same_reports_do_not_differ(run: Run) -> None:
    make(run, "old", [*OLD])
    make(run, "new", [*reversed(OLD)])
    assert diff(run) == (
        0,
        [
            "4 rows compared, found by their key `account`",
            "no difference in status, outcome, rules, values and missing facts",
        ],
    )


def test_rows_that_moved_are_told_by_key_with_both_outcomes_and_rules(run: Run) -> None:
    make(run, "old", [*OLD])
    make(run, "new", [("c", 20), ("e", 30), ("a", 5), ("b", -1), ("d", 8), ("f", 1)], limit=6, factor=2)
    assert diff(run) == (
        3,
        [
            "3 rows compared, found by their key `account`",
            "invalid in old, and decided in the other: 1",
            "only in new: 1",
            "invalid in new, and decided in the other: 1",
            "fee: due 2 -> 3",
            "",
            "fee: waived by small -> due by otherwise: 1",
            "  row 2 e",
            "fee: the value owed differs: 3",
            "  row 1 c: 20 -> 40",
            "  row 2 e: 7 -> 60",
            "  row 3 a: 5 -> 10",
        ],
    )


def test_rows_whose_key_says_nothing_are_counted_and_not_compared(run: Run) -> None:
    make(run, "old", [("a", 5), ("b", 5), ("b", 50), (None, 5)])
    make(run, "new", [("b", 5), ("a", 5)])
    assert diff(run) == (
        3,
        [
            "1 row compared, found by their key `account`",
            "not compared, for their key is absent or stands several times: 3",
            "only in new: 1",
            "fee: waived 3 -> 2",
            "fee: due 1 -> 0",
        ],
    )


def test_without_a_key_rows_are_found_by_their_numbers(run: Run) -> None:
    make(run, "old", [*OLD], KEYLESS)
    make(run, "new", [("a", 5), ("b", 9), ("c", 20), ("d", 0)], KEYLESS)
    code, lines = diff(run)
    assert (code, lines[0]) == (3, "3 rows compared, found by their numbers, for they have no key")
    assert lines[-5:] == [
        "",
        "fee: due by otherwise -> waived by small: 1",
        "  row 2",
        "fee: the value owed differs: 1",
        "  row 2: 10 -> 9",
    ]


def test_other_keys_are_told(run: Run) -> None:
    make(run, "old", [*OLD])
    make(run, "new", [*OLD], OTHER_KEY)
    assert diff(run) == (
        0,
        [
            "4 rows compared, found by their numbers, for their keys are not the same: `account` and `number`",
            "no difference in status, outcome, rules, values and missing facts",
        ],
    )


def test_many_rows_are_compared_in_any_order(run: Run) -> None:
    rows: list[tuple[str | None, int]] = [(f"k{number}", number % 90) for number in range(3_000)]
    make(run, "old", rows)
    random.Random(0).shuffle(rows)
    make(run, "new", rows, limit=11)
    code, lines = diff(run)
    assert (code, lines[0]) == (3, "3,000 rows compared, found by their key `account`")
    assert "fee: due by otherwise -> waived by small: 34" in lines


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nowhere", "new", "`nowhere` holds no report: there is no `nowhere/manifest.json`"),
        (
            "changed",
            "new",
            "`changed/decisions.parquet` is not as the report was written; `policy report verify changed` tells more",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(run: Run, old: str, new: str, told: str) -> None:
    make(run, "changed", [*OLD])
    make(run, "new", [*OLD])
    put(Path("changed/invalid.parquet").read_bytes(), "changed/decisions.parquet")
    refused(run("report", "diff", old, new), told, code=2)
