"""What the columns of a table seem to hold: types, closed sets, bounds and forms, and never more than was seen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.tables import FileOptions
from policy_engine.tables.inferring import seen_columns, seen_in

CELLS: dict[str, tuple[list[str], dict[str, Any] | None, str]] = {
    "whole numbers": (["3", "948"], {"type": "integer", "minimum": 0, "maximum": 10_000}, "whole numbers, 3 to 948"),
    "negative ones": (
        ["-5", "3"],
        {"type": "integer", "minimum": -100, "maximum": 100},
        "whole numbers, -5 to 3",
    ),
    "decimals": (
        ["1.5", "2.25"],
        {"type": "number", "multipleOf": Decimal("0.01"), "minimum": 0, "maximum": 100},
        "numbers with 2 decimal places, 1.50 to 2.25",
    ),
    "numbers as people write them": (
        ["1.234,56", "7,00"],
        {"type": "number", "multipleOf": Decimal("0.01"), "minimum": 0, "maximum": 100_000},
        "numbers with 2 decimal places, 7.00 to 1234.56, written as 1.234,56",
    ),
    "numbers that could be read in two ways": (
        ["215,673", "27,513"],
        {"type": "number", "multipleOf": Decimal("0.001"), "minimum": 0, "maximum": 10_000},
        "numbers with 3 decimal places, 27.513 to 215.673, written as 1234,56 (or 1,234.56: the cells do not tell)",
    ),
    "points that may stand between thousands": (
        ["215.673", "7"],
        {"type": "number", "multipleOf": Decimal("0.001"), "minimum": 0, "maximum": 10_000},
        "numbers with 3 decimal places, 7.000 to 215.673 (or with a point between thousands: the cells do not tell)",
    ),
    "texts with blanks around make no closed set": (
        ["a ", "b", "a "] * 3,
        {"type": "string", "maxLength": 64},
        "texts, 2 different, of a length up to 2",
    ),
    "with cells that mean absent": (
        ["1", "NA", "-"],
        {"type": "integer", "minimum": 0, "maximum": 100},
        "whole numbers, 1 to 1",
    ),
    "numbers of accounts": (["00012", "00013"], {"type": "string", "maxLength": 64}, "texts, 2 different, of a length up to 5"),
    "telephones": (["+491234567"], {"type": "string", "maxLength": 64}, "texts, 1 different, of a length up to 10"),
    "very long numbers": (["1234567890123456789"], {"type": "string", "maxLength": 64},
                          "texts, 1 different, of a length up to 19"),
    "noughts and ones may be numbers": (
        ["0", "1"],
        {"type": "integer", "minimum": 0, "maximum": 100},
        "whole numbers, 0 to 1",
    ),
    "true and false": (["yes", "No"], {"type": "boolean"}, "true or false: no, yes"),
    "in other languages": (["ja", "nein", "n/a"], {"type": "boolean"}, "true or false: ja, nein"),
    "crosses say nothing where there is none": (
        ["x", "x"],
        {"type": "string", "maxLength": 64},
        "texts, 1 different, of a length up to 1",
    ),
    "dates": (["2025-01-31"], {"type": "string", "format": "date"}, "dates, 2025-01-31 to 2025-01-31"),
    "dates in another form": (
        ["31.12.2024", "1.1.2025"],
        {"type": "string", "format": "date"},
        "dates, 2024-12-31 to 2025-01-01, written as %d.%m.%Y",
    ),
    "dates that could be read in two ways": (
        ["03/04/2025"],
        {"type": "string", "format": "date"},
        "dates, 2025-04-03 to 2025-04-03, written as %d/%m/%Y (or %m/%d/%Y: the cells do not tell)",
    ),
    "dates of digits": (
        ["20250131", "20250228"],
        {"type": "string", "format": "date"},
        "dates, 2025-01-31 to 2025-02-28, written as %Y%m%d",
    ),
    "digits that are no dates": (["20251331"], {"type": "integer", "minimum": 0, "maximum": 10**9},
                                 "whole numbers, 20251331 to 20251331"),
    "digits of years that nobody means": (["99991231"], {"type": "integer", "minimum": 0, "maximum": 10**9},
                                          "whole numbers, 99991231 to 99991231"),
    "days with midnight": (
        ["2025-01-31 00:00:00"],
        {"type": "string", "format": "date"},
        "dates, 2025-01-31 to 2025-01-31, written as %Y-%m-%d %H:%M:%S",
    ),
    "moments": (
        ["2025-01-31T08:00:00+01:00"],
        {"type": "string", "format": "date-time"},
        "moments, 2025-01-31T08:00:00+01:00 to 2025-01-31T08:00:00+01:00",
    ),
    "moments without an offset": (
        ["31.1.2025 08:00"],
        {"type": "string", "format": "date-time", "x-local": True},
        "moments without an offset, 2025-01-31T08:00:00 to 2025-01-31T08:00:00, written as %d.%m.%Y %H:%M",
    ),
    "times": (["09:30", "17:00"], {"type": "string", "format": "time"}, "times of day, 09:30 to 17:00"),
    "digits are no times": (["0001", "0930"], {"type": "string", "maxLength": 64}, "texts, 2 different, of a length up to 4"),
    "prices are no times": (
        ["12.30", "9.15"],
        {"type": "number", "multipleOf": Decimal("0.01"), "minimum": 0, "maximum": 1000},
        "numbers with 2 decimal places, 9.15 to 12.30",
    ),
    "a closed set": (
        ["open", "closed", "open"] * 2,
        {"type": "string", "enum": ["closed", "open"]},
        "one of closed, open",
    ),
    "few rows make no closed set": (
        ["open", "closed", "open"],
        {"type": "string", "maxLength": 64},
        "texts, 2 different, of a length up to 6",
    ),
    "one value makes none": (["open"] * 9, {"type": "string", "maxLength": 64}, "texts, 1 different, of a length up to 4"),
    "long texts": (["x" * 100], {"type": "string", "maxLength": 256}, "texts, 1 different, of a length up to 100"),
    "lists in cells": (
        ['["a", "b"]', "[]"],
        {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 64}},
        "lists of a length up to 2: texts, 2 different, of a length up to 1",
    ),
    "nothing": ([], None, "no value"),
    "blanks": ([" ", "  "], None, "blanks alone"),
    "nothing but signs for nothing": (["NA", "-"], None, "nothing but NA, -"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_what_cells_seem_to_be(name: str) -> None:
    cells, schema, told = CELLS[name]
    seen = seen_in(cells, cells=True)
    assert (seen.schema, seen.told) == (schema, told)


def test_a_few_cells_of_another_kind_are_told() -> None:
    seen = seen_in([*(f"2025-01-{day:02}" for day in range(1, 31)), "31.06.2025"], cells=True)
    assert seen.schema == {"type": "string", "format": "date"}
    assert seen.told == "dates, 2025-01-01 to 2025-01-30; 1 of 31 different texts are none"
    seen = seen_in([*range(39), "many"], cells=False)
    assert seen.told == "whole numbers, 0 to 38; 1 of 40 are none"


def test_many_of_another_kind_make_it_no_type() -> None:
    assert seen_in([*(f"2025-01-{day:02}" for day in range(1, 31)), "soon", "never"], cells=True).told.startswith(
        "texts"
    )
    assert seen_in([1, 2, "many"], cells=False).schema is None
    assert seen_in([1, 2, "many"], cells=False).told == "of no one type: 2 numbers, 1 texts"


VALUES: dict[str, tuple[list[object], dict[str, Any] | None, str]] = {
    "texts are no numbers where numbers are numbers": (
        ["1.5"],
        {"type": "string", "maxLength": 64},
        "texts, 1 different, of a length up to 3",
    ),
    "floats": (
        [0.1, 2.0],
        {"type": "number", "multipleOf": Decimal("0.1"), "minimum": 0, "maximum": 100},
        "numbers with 1 decimal places, 0.1 to 2.0",
    ),
    "floats of seventeen places": (
        [0.1 + 0.2],
        None,
        "numbers with 1 digits and 17 decimal places, more than can be proposed",
    ),
    "huge numbers": ([10**20], None, "numbers with 21 digits and 0 decimal places, more than can be proposed"),
    "no numbers": ([float("nan"), 1.0], None, "numbers that are not finite"),
    "booleans": ([True, False], {"type": "boolean"}, "true or false: false, true"),
    "midnights": (
        [dt.datetime.fromisoformat("2025-01-01T00:00:00")],
        {"type": "string", "format": "date"},
        "dates, 2025-01-01 to 2025-01-01",
    ),
    "moments": (
        [dt.datetime(2025, 1, 1, 8, tzinfo=dt.UTC)],
        {"type": "string", "format": "date-time"},
        "moments, 2025-01-01T08:00:00+00:00 to 2025-01-01T08:00:00+00:00",
    ),
    "bytes": ([b"a"], None, "bytes, which no fact can be"),
    "records": (
        [{"a": 1, "b": None}, {"a": 2, "b": "x"}],
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "minimum": 0, "maximum": 100},
                "b": {"type": "string", "maxLength": 64},
            },
            "required": [],
            "additionalProperties": False,
        },
        "records (a: whole numbers, 1 to 2, b: texts, 1 different, of a length up to 1)",
    ),
    "records without a type": ([{"a": 1}, {"a": "x"}], None,
                               "records of no one type (a: of no one type: 1 numbers, 1 texts)"),
    "lists of nothing": ([[], []], None, "lists, whose items are: no value"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_what_values_seem_to_be(name: str) -> None:
    values, schema, told = VALUES[name]
    seen = seen_in(values, cells=False)
    assert (seen.schema, seen.told) == (schema, told)


def test_columns_tell_how_many_rows_have_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,amount,none\n1,5,\n2,,\n3,5,\n", "utf-8")
    found = seen_columns(path, FileOptions(), 10)
    assert [(c.name, c.rows, c.present, c.differ) for c in found] == [
        ("id", 3, 3, True),
        ("amount", 3, 2, False),
        ("none", 3, 0, True),
    ]
    assert [c.rows for c in seen_columns(path, FileOptions(), 2)] == [2, 2, 2]


def test_columns_of_lines_and_of_parquet(tmp_path: Path) -> None:
    lines = tmp_path / "t.jsonl"
    lines.write_text('{"n": 1}\n{"n": 2.5, "m": "x"}\n', "utf-8")
    assert [(c.name, c.seen.told, c.present) for c in seen_columns(lines, FileOptions(), 10)] == [
        ("n", "numbers with 1 decimal places, 1.0 to 2.5", 2),
        ("m", "texts, 1 different, of a length up to 1", 1),
    ]
    place = tmp_path / "t.parquet"
    pl.DataFrame({"d": [dt.date(2025, 1, 1)], "s": ["12"]}).write_parquet(place)
    told = [c.seen.told for c in seen_columns(place, FileOptions(), 10)]
    assert told == ["dates, 2025-01-01 to 2025-01-01", "texts, 1 different, of a length up to 2"]
