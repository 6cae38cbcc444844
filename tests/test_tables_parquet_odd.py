"""Parquet as other programs write it: each odd column and name is read, or refused by its true cause.

The files in `data/parquet/` were written by Apache Arrow, for Polars cannot write such columns.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.tables import TableMapping, frame_source, parquet_source, read_mapping, source_of
from tests.conftest import ROOT
from tests.support.tables import account, facts_of, messages, rows_of, run
from tests.test_cli import Run
from tests.test_cli import run as command
from tests.test_tables_typed import FRAME, check, parquet, refusal

__all__ = ["command"]
DATA = ROOT / "tests" / "data" / "parquet"
INSTANT = {"type": "string", "format": "date-time"}
ZONES = {f"at_{index}": INSTANT for index in range(11)}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def test_c8_a_time_zone_is_only_a_name(tmp_path: Path) -> None:
    """UTC, Z, +01:00, -05:30, +0100, UTC+01:00, GMT+1, localtime, EST5EDT, Europe/Berlin, and a land that there is not."""
    properties: dict[str, object] = {"account_id": {"type": "string"}, "plan": {"type": "string"}, **ZONES}
    properties["list"] = {"type": "array", "maxItems": 3, "items": INSTANT}
    found = run(parquet_source(DATA / "time_zones.parquet", facts_of(properties)))
    assert found.valid.select(*ZONES, "list").row(0) == (*[NOON] * 11, [NOON])


def test_c8_a_time_zone_of_a_column_that_is_no_fact(tmp_path: Path) -> None:
    found = run(parquet_source(DATA / "time_zones.parquet", facts_of({"plan": {"type": "string"}})))
    assert (found.valid.height, len(messages(found))) == (0, 1)


def test_c8_nothing_is_said_beside_the_report() -> None:
    """Polars tells a panic on standard error, even where it is caught."""
    script = (
        "from policy_engine.tables import source_of; from tests.support.tables import account; from pathlib import Path\n"
        f"source_of(Path({str(DATA / 'time_zones.parquet')!r}), account())"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


WHOLE = [
    (
        "column_twice",
        account(),
        "`column_twice.parquet`: the column `seats` stands twice; keep one",
    ),
    (
        "member_twice",
        facts_of({"plan": {"type": "string"}}),
        "`member_twice.parquet`: a record has the member `x` twice; keep one",
    ),
    (
        "decimal_of_60_digits",
        account(),
        "`decimal_of_60_digits.parquet`: the column `amount` is Decimal(precision=60, scale=2), and the schema `account` "
        "wants numbers of at most 38 digits; convert it, or leave it out with --map",
    ),
    (
        "decimal_of_60_digits",
        facts_of({"plan": {"type": "string"}}),
        "`decimal_of_60_digits.parquet` holds what cannot be read here (precision must be between 1 and 38, got 60); "
        "convert it",
    ),
]


@pytest.mark.parametrize(("name", "facts", "message"), WHOLE)
def test_c8_a_whole_file_is_never_to_be_written_again(name: str, facts: object, message: str) -> None:
    assert refusal(DATA, DATA / f"{name}.parquet", facts) == message


def test_c8_a_column_that_cannot_be_read_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns: {amount: null}\n")
    found = run(source_of(DATA / "decimal_of_60_digits.parquet", account(), read_mapping(path, account())))
    assert found.valid["plan"].to_list() == ["pro"]


class Stream:
    """A table of Arrow that Polars does not read."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Fails as Polars does over what it cannot hold."""
        raise pl.exceptions.DuplicateError("column appears more than once: seats")


def test_c8_a_table_of_arrow_that_cannot_be_read() -> None:
    told = "the table holds what cannot be read here (column appears more than once: seats); convert it"
    with pytest.raises(CannotRun, match=re.escape(told)):
        frame_source(Stream(), account())


NAMES = [
    "[1].parquet",
    "a*.parquet",
    "a?.parquet",
    "{a}.parquet",
    "[a-z]*.parquet",
    "a b%20.parquet",
    "ü.parquet",
    "a=1.pq",
]


@pytest.mark.parametrize("name", NAMES)
def test_c8_a_file_of_any_name(tmp_path: Path, name: str) -> None:
    parquet(tmp_path, FRAME[:1], "a1.parquet")
    check(source_of(parquet(tmp_path, FRAME, name), account()))


@pytest.mark.parametrize("folder", ["[1]", "x*", "year=2025"])
def test_c8_a_folder_of_any_name(tmp_path: Path, folder: str) -> None:
    path = parquet(tmp_path, FRAME, f"{folder}/a.parquet")
    check(source_of(path, account()))
    check(source_of(path.parent, account()))
    check(source_of(path.parent / "*.parquet", account()))


def test_c8_a_report_in_a_folder_of_any_name(command: Run) -> None:
    Path("[1]").mkdir()
    pl.DataFrame({"price": [5, 70]}).write_parquet("[1]/[2].parquet")
    arguments = (
        "--as-of",
        "2025-07-01",
        "--out",
        "out[3]*",
        "--format",
        "csv",
        "--format",
        "jsonl",
        "--format",
        "xlsx",
    )
    ran = command("report", "orders=[1]/[2].parquet", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert pl.read_csv("out[3]*/decisions.csv", glob=False).height == 2
    assert command("report", "verify", "out[3]*").code == 0


FAR = 2**63 - 1
SECOND, FIRST, BEHIND = 1_000_000, -62_135_596_800, 253_402_300_800
OUT_OF_RANGE = [
    *((unit, number, False) for unit in ("ms", "us") for number in (FAR, -FAR)),
    ("ms", 2**64 // 1_000 + 3, False),  # in microseconds it would overflow, and be a moment of 1970
    ("us", BEHIND * SECOND + 86_400 * SECOND, False),
    ("us", FIRST * SECOND - 86_400 * SECOND, False),
    ("ns", 1, False),
    ("ns", FAR, False),
    ("us", BEHIND * SECOND - 1, True),
    ("us", BEHIND * SECOND, True),  # 9999-12-31T23:59:59 west of Greenwich
    ("ms", BEHIND * 1_000, True),
    ("us", FIRST * SECOND, True),
    ("us", FIRST * SECOND - 1, True),
    ("ns", 1_000, True),
]


@pytest.mark.parametrize(("unit", "number", "valid"), OUT_OF_RANGE)
def test_c17_an_instant_out_of_range_is_one_invalid_row(unit: str, number: int, valid: bool) -> None:
    moments = pl.Series([0, number, None], dtype=pl.Int64)
    for facts in (facts_of({"at": INSTANT}), facts_of({"at": {**INSTANT, "pattern": "^[0-9]"}})):
        for dtype in (pl.Datetime(unit, "UTC"), pl.Datetime(unit, "Europe/Berlin")):  # type: ignore[arg-type]
            found = run(frame_source(pl.DataFrame({"at": moments.cast(dtype)}), facts))
            assert [row["(row)"] for row in rows_of(found.valid)] == ([1, 2, 3] if valid else [1, 3])
            assert found.invalid["(row)"].to_list() == ([] if valid else [2])


def test_c17_an_instant_out_of_range_is_told() -> None:
    moments = pl.Series([FAR, 2**62, BEHIND * SECOND + 90_000 * SECOND], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    assert messages(run(frame_source(pl.DataFrame({"at": moments}), facts_of({"at": INSTANT})))) == [
        f'{row} None /at format: "{text}" is not an instant with its offset such as 2025-02-28T09:30:00-05:00'
        for row, text in enumerate(
            (f"{FAR} us from 1970-01-01T00:00:00Z", "+148108-07-06T14:00:27.387904Z", "+10000-01-02T01:00:00Z"), start=1
        )
    ]


@pytest.mark.parametrize("dtype", [pl.Datetime("us", "UTC"), pl.Datetime("ms"), pl.Duration("us"), pl.Time()])
def test_c17_moments_out_of_range_that_are_no_facts(dtype: pl.DataType) -> None:
    numbers = [86_399_999_999_999] if dtype == pl.Time() else [FAR, -FAR]
    odd = pl.Series(numbers, dtype=pl.Int64).cast(dtype)
    found = run(
        frame_source(
            pl.DataFrame({"odd": odd, "more": odd.implode().gather([0] * len(odd))}), facts_of({"at": INSTANT})
        )
    )
    assert found.invalid.height == len(odd)


@pytest.mark.parametrize(
    ("days", "valid"), [(2**31 - 1, False), (-(2**31), False), (2_932_897, False), (2_932_896, True)]
)
def test_c17_a_date_out_of_range_is_one_invalid_row(days: int, valid: bool) -> None:
    column = pl.Series([0, days, None], dtype=pl.Int32).cast(pl.Date)
    for more in ({}, {"pattern": "^[0-9]"}):
        facts = facts_of({"on": {"type": "string", "format": "date", **more}})
        found = run(frame_source(pl.DataFrame({"on": column}), facts))
        assert found.valid["(row)"].to_list() == ([1, 2, 3] if valid else [1, 3])


TEXT, ON = {"type": "string"}, {"type": "string", "format": "date"}
AMOUNT = {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000}
RECORD = {"type": "object", "additionalProperties": False, "properties": {"on": ON}}
DAY = date(2025, 3, 1)
ARROW: list[tuple[str, Any, object]] = [
    ("dictionary", TEXT, "pro"),
    ("large_string", TEXT, "pro"),
    ("string_view", TEXT, "pro"),
    ("decimal128", AMOUNT, 150),
    ("decimal256", AMOUNT, 150),
    ("float", AMOUNT, 10),
    ("half_float", AMOUNT, 50),
    ("uint64", {"type": "integer", "minimum": 0, "maximum": 10}, 7),
    ("date64", ON, DAY),
    ("timestamp_ns", ON, DAY),
    ("timestamp_ns_utc", INSTANT, NOON),
    ("time32_ms", {"type": "string", "format": "time"}, time(9, 30)),
    ("time64_ns", {"type": "string", "format": "time"}, time(9, 30)),
    ("large_list", {"type": "array", "maxItems": 2, "items": TEXT}, ["a", "b"]),
    ("fixed_size_list", {"type": "array", "maxItems": 2, "items": TEXT}, ["a", "b"]),
    ("struct", RECORD, {"on": DAY}),
    ("list_of_structs", {"type": "array", "maxItems": 2, "items": RECORD}, [{"on": DAY}, {"on": None}]),
    ("nothing", TEXT, None),
]
"""Columns of a file: name, fact, and its value in the first row; in the second all are null."""


@pytest.mark.parametrize(("name", "fact", "value"), ARROW)
def test_a_column_of_each_type_of_arrow(tmp_path: Path, name: str, fact: dict[str, object], value: object) -> None:
    path = tmp_path / "a.parquet"
    pl.read_parquet(DATA / "types.parquet", columns=[name]).write_parquet(path)
    for place, mapping in ((path, {}), (DATA / "types.parquet", {other: None for other, *_ in ARROW if other != name})):
        found = run(parquet_source(place, facts_of({name: fact}), TableMapping(mapping)))
        assert (messages(found), found.valid[name].to_list()) == ([], [value, None])


@pytest.mark.parametrize("name", ["binary", "duration", "map"])
def test_a_column_of_arrow_that_is_no_fact_is_refused(name: str) -> None:
    with pytest.raises(
        CannotRun, match=f"the column `{name}` is .*, and the schema `account` wants texts .String.; convert it"
    ):
        parquet_source(DATA / "more_types.parquet", facts_of({name: TEXT}))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_only_midnight_is_a_date(unit: Any) -> None:
    second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    moments = [1_740_787_200 * second, 1_740_787_201 * second, None, -(2**62), 2**62]
    frame = pl.DataFrame(
        {"on": pl.Series(moments, dtype=pl.Int64).cast(pl.Datetime(unit)), "n": ["ab", "a", "b", "c", "d"]}
    )
    found = run(frame_source(frame, facts_of({"on": ON, "n": {"type": "string", "pattern": "^.$"}})))
    assert (found.valid["on"].to_list(), found.invalid["(row)"].to_list()) == ([None], [1, 2, 4, 5])
    assert messages(found)[:2] == [
        '1 None /n pattern: "ab" is not a text that matches ^.$',
        '2 None /on format: "2025-03-01T00:00:01" is not a date such as 2025-02-28',
    ]
