"""What a report says of values: exact sums and means, quantiles that occur, of all records and of each outcome, in their unit."""

from __future__ import annotations

import json
import random
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.language.types import Number
from policy_engine.reports.values import PERCENTILES, _spread
from tests.conftest import lay_out
from tests.support.commands import policy

RULES = """\
ruleset: fees
title: Fees
version: "1"
effective: {from: 2000-01-01}
timezone: UTC
facts: bill
decisions:
  fee:
    question: What is due?
    outcomes: [waived, due, never]
    rules:
      - {id: small, when: amount < 10, then: waived, because: It is small.}
      - {id: large, when: amount >= 10, then: due, because: It is large.}
    values: {owed: amount, count: items, paid: if_known(paid_on)}
  marks:
    question: What is noted?
    outcomes: [many, large]
    hit: collect
    rules:
      - {id: many, when: items > 2, then: many, because: There are many.}
      - {id: large, when: amount > 10, then: large, because: It is large.}
    values: {owed: amount}
  total:
    question: What is it in all?
    values: {tripled: amount * 3}
"""
AMOUNT = {"type": "number", "multipleOf": 0.01, "minimum": -9999999999999, "maximum": 9999999999999, "x-unit": "EUR"}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["amount", "items"],
    "properties": {
        "amount": AMOUNT,
        "items": {"type": "integer", "minimum": 0, "maximum": 9},
        "paid_on": {"type": "string", "format": "date"},
    },
    "additionalProperties": False,
}
ROWS = [
    {"amount": 5, "items": 1, "paid_on": "2025-01-31"},
    {"amount": 9.99, "items": 4},
    {"amount": 10.01, "items": 3, "paid_on": "2024-01-01"},
    {"amount": 9999999999999, "items": 0},
    {"amount": 9999999999999, "items": 0},
    {"amount": -3.5, "items": 2},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report over six bills."""
    made = tmp_path_factory.mktemp("fees")
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    lay_out({"rules/fees.yaml": RULES, "schemas/bill.schema.json": json.dumps(SCHEMA), "bills.jsonl": lines}, made)
    ran = policy("report", "fees=bills.jsonl", "--as-of", "2025-06-30", "--out", "out", folder=made)
    assert (ran.code, ran.err) == (0, "")
    return made


def value(folder: Path, decision: str, name: str) -> dict[str, Any]:
    """What the summary says of a value."""
    (ruleset,) = json.loads((folder / "out/summary.json").read_text("utf-8"))["rulesets"]
    found = next(one for one in ruleset["decisions"] if one["decision"] == decision)
    told: dict[str, Any] = next(one for one in found["values"] if one["name"] == name)
    return told


def spread(known: int, *rest: str | int | None) -> dict[str, Any]:
    """A spread as the summary writes it."""
    names = ("sum", "mean", "lowest", "low", "quarter", "median", "three_quarters", "high", "highest")
    return {"known": known, **dict(zip(names, rest, strict=True))}


MOST = "9999999999999.00"


@pytest.mark.parametrize(
    ("decision", "name", "unit", "whole", "by_outcome"),
    [
        (
            *("fee", "owed", "EUR"),
            spread(6, "20000000000019.50", "3333333333336.58", "-3.50", "-3.50", "5.00", "9.99", "10.01", MOST, MOST),
            {
                "waived": spread(3, "11.49", "3.83", "-3.50", "-3.50", "-3.50", "5.00", "5.00", "5.00", "9.99"),
                "due": spread(3, "20000000000008.01", "6666666666669.34", *["10.01"] * 3, *[MOST] * 4),
            },
        ),
        (
            *("fee", "count", ""),
            spread(6, 10, "1.67", 0, 0, 0, 1, 2, 3, 4),
            {
                "waived": spread(3, 7, "2.33", 1, 1, 1, 2, 2, 2, 4),
                "due": spread(3, 3, "1.00", 0, 0, 0, 0, 0, 0, 3),
            },
        ),
        (
            *("fee", "paid", ""),
            spread(2, None, None, *["2024-01-01"] * 6, "2025-01-31"),
            {
                "waived": spread(1, None, None, *["2025-01-31"] * 7),
                "due": spread(1, None, None, *["2024-01-01"] * 7),
            },
        ),
        (
            *("marks", "owed", "EUR"),
            spread(6, "20000000000019.50", "3333333333336.58", "-3.50", "-3.50", "5.00", "9.99", "10.01", MOST, MOST),
            {
                "many": spread(2, "20.00", "10.00", *["9.99"] * 6, "10.01"),
                "large": spread(3, "20000000000008.01", "6666666666669.34", *["10.01"] * 3, *[MOST] * 4),
            },
        ),
    ],
)
def test_a_value_has_exact_sums_and_quantiles_that_occur(
    folder: Path, decision: str, name: str, unit: str, whole: dict[str, Any], by_outcome: dict[str, Any]
) -> None:
    told = value(folder, decision, name)
    assert told["unit"] == unit
    assert _as_texts(told["spread"]) == _as_texts(whole)
    assert {name: _as_texts(one) for name, one in told["by_outcome"].items()} == {
        name: _as_texts(one) for name, one in by_outcome.items()
    }


def _as_texts(spread: dict[str, Any]) -> dict[str, str]:
    return {name: str(part) for name, part in spread.items()}


def test_the_page_says_first_how_much_money_it_is(folder: Path) -> None:
    page = (folder / "out/report.html").read_text("utf-8")
    glance = page[page.index('id="glance"') : page.index('class="chapter"')]
    assert (
        "The sum of \u201cowed\u201d is 20,000,000,000,019.50 EUR: 20,000,000,000,008.01 for \u201cdue\u201d and 11.49 for "
        "\u201cwaived\u201d." in glance
    )
    assert "The sum is 60,000,000,000,058.50 EUR." in glance


@pytest.mark.parametrize("seed", range(5))
def test_sums_and_quantiles_are_those_of_exact_arithmetic(seed: int) -> None:
    chance = random.Random(seed)
    some = [chance.randint(-(10**18) + 1, 10**18 - 1) for _ in range(chance.randint(1, 500))]
    units = sorted(chance.choices(some, k=chance.randint(1, 2_000)))
    counted = (
        pl.DataFrame({"value": pl.Series(units, dtype=pl.Int64)}).group_by("value").agg(count=pl.len()).sort("value")
    )
    found = _spread(Number(2, -(10**18), 10**18), counted)
    assert found is not None
    exact = Fraction(sum(units), 100 * len(units))
    mean = (Decimal(exact.numerator * 10**6) / exact.denominator / 10**6).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert found.sum == Decimal(sum(units)).scaleb(-2)
    assert found.mean is not None
    assert abs(found.mean - mean) <= Decimal("0.01")
    expected = [Decimal(units[(len(units) - 1) * percent // 100]).scaleb(-2) for percent in PERCENTILES]
    told = (found.lowest, found.low, found.quarter, found.median, found.three_quarters, found.high, found.highest)
    assert list(told) == expected
