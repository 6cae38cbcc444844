"""Lines without quotes, cut by Polars, are the records that the csv module finds in them."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.tables import csv_records
from policy_engine.tables.csv_records import FAULT, LINE, records

HEADER = ("a", "b", "c")
SCHEMA = {LINE: pl.UInt32, FAULT: pl.String, **dict.fromkeys(HEADER, pl.String)}
PIECES = [
    "x",
    "é",
    " ",
    ",",
    ",",
    ",,",
    ";",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\x00",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
]


def cut(text: str, delimiter: str = ",", header: tuple[str, ...] = HEADER) -> pl.DataFrame:
    """All records of a text."""
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    return pl.concat([pl.DataFrame(schema=SCHEMA).select(LINE, FAULT, *header), *records(stream, delimiter, header, 1)])


def agree(text: str, delimiter: str = ",", header: tuple[str, ...] = HEADER) -> pl.DataFrame:
    """The records of a text, which are the same where the csv module cuts all; cells of those with a fault aside."""
    found = cut(text, delimiter, header)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "LONGEST_CELL", -1)  # so that no line is short enough to be cut by Polars
        other = cut(text, delimiter, header)
    sound = pl.col(FAULT).is_null()
    assert found.select(LINE, FAULT).equals(other.select(LINE, FAULT))
    assert found.filter(sound).equals(other.filter(sound))
    return found


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(",;\t|"), st.sampled_from([1, 2, 3]))
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
def test_generated_lines(pieces: list[str], delimiter: str, width: int) -> None:
    agree("".join(pieces), delimiter, HEADER[:width])


@given(st.lists(st.sampled_from([*PIECES, '"', '"', '""', '","', '"\n"']), max_size=40))
@settings(max_examples=300, derandomize=True, database=None, deadline=None)
def test_generated_lines_with_quotes_and_without(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "AT_ONCE", 5)  # so that one file has both
        agree("".join(pieces))


def test_lines_and_faults() -> None:
    found = agree('1,2,3\n\n1,2\r\n1,2,3,4\r"1\n",2,3\n\n,,\n')
    assert found.rows() == [
        (2, None, "1", "2", "3"),
        (4, "has 2 cells, and the header has 3", "1", "2", ""),
        (5, "has 4 cells, and the header has 3", "1", "2", "3"),
        (6, None, "1\n", "2", "3"),
        (9, None, "", "", ""),
    ]


def test_a_cell_that_is_too_long_is_left_to_the_csv_module() -> None:
    text = f"1,2,{'x' * (csv_records.LONGEST_CELL + 1)}\n1,2,3\n"
    csv.field_size_limit(csv_records.LONGEST_CELL)
    assert agree(text)[FAULT].to_list() == ["cannot be read as CSV: field larger than field limit (1000000)", None]
