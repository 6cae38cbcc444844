"""Instants written without an offset, which are read in the ruleset's time zone (sentence 3.3)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine import Engine, FactsError
from policy_engine.backends.columnar.zones import instants_of
from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import SkippedTimeError, read_instant
from policy_engine.language.timezones import transitions
from policy_engine.tables import read_mapping, source_of
from policy_engine.tables.row_validation import validated_frame
from tests.conftest import lay_out
from tests.support.tables import facts_of, messages, rows_of, run

LOCAL = {"type": "string", "format": "date-time", "x-local": True}
local = datetime.fromisoformat
EPOCH = local("1970-01-01T00:00:00")
DAY = date(2025, 7, 1)
SCHEMA = {"type": "object", "additionalProperties": False, "properties": {"at": LOCAL}}
RULES = """
ruleset: {name}
title: Local times
version: "1"
effective: {{from: 2020-01-01}}
timezone: {zone}
facts: moments
decisions:
  d: {{question: When?, values: {{at: at}}}}
"""
SKIPPED = "does not exist in Europe/Berlin, where clocks are put forward; write 2025-03-30T03:30:00, or give the offset"
FORM = "an instant such as 2025-02-28T09:30:00, with or without an offset"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Two rulesets of different time zones over one schema."""
    files = {
        "rules/berlin.yaml": RULES.format(name="berlin", zone="Europe/Berlin"),
        "rules/york.yaml": RULES.format(name="york", zone="America/New_York"),
        "schemas/moments.schema.json": json.dumps(SCHEMA),
    }
    lay_out(files, tmp_path)
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


def test_each_ruleset_reads_in_its_own_zone(engine: Engine) -> None:
    facts = {"at": "2025-07-01T12:00:00"}
    found = [engine.decide(f"{name}.d", facts, as_of=DAY).to_dict()["values"] for name in ("berlin", "york")]
    assert found == [{"at": "2025-07-01T10:00:00Z"}, {"at": "2025-07-01T16:00:00Z"}]


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("2025-03-30T02:30:00", f'"2025-03-30T02:30:00" {SKIPPED}'),
        ("2025-03-30", f'"2025-03-30" is not {FORM}'),
        (local("2025-03-30T02:30:00"), f'"2025-03-30T02:30:00" {SKIPPED}'),
        (
            local("2025-10-26T02:30:00").replace(fold=1),
            "a Python datetime is not an instant; it has no time zone; give one, such as with `value.replace(tzinfo=...)`",
        ),
    ],
)
def test_what_names_no_instant_is_told(engine: Engine, at: object, message: str) -> None:
    with pytest.raises(FactsError) as told:
        engine.decide("berlin.d", {"at": at}, as_of=DAY)
    assert [violation.message for violation in told.value.violations] == [message]


def test_a_datetime_of_python_without_a_zone_is_a_local_time(engine: Engine) -> None:
    answer = engine.decide("berlin.d", {"at": local("2025-10-26T02:30:00")}, as_of=DAY)
    assert answer.to_dict()["values"] == {"at": "2025-10-26T00:30:00Z"}


def _table(rows: list[Any], dtype: Any) -> pl.DataFrame:
    numbers = pl.Series("(row)", range(1, len(rows) + 1), dtype=pl.UInt32)
    return pl.DataFrame([numbers, pl.Series("at", rows, dtype=dtype)])


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_column_without_a_zone_holds_local_times(unit: Any) -> None:
    facts = facts_of({"at": LOCAL}).in_zone("Europe/Berlin")
    rows = [local("2025-07-01T12:00:00"), local("2025-03-30T02:30:00"), None, local("2025-10-26T02:30:00")]
    found = validated_frame(_table(rows, pl.Datetime(unit)), facts)
    at = [
        None if row["at"] is None else str(datetime.fromtimestamp(row["at"] / 1e6, UTC)) for row in rows_of(found.valid)
    ]
    assert at == ["2025-07-01 10:00:00+00:00", None, "2025-10-26 00:30:00+00:00"]
    assert messages(found) == [f'2 None /at format: "2025-03-30T02:30:00" {SKIPPED}']


CSV = "at\n01.07.2025 12:00\n30.03.2025 02:30\n\n1.7.2025 9:05\n2025-07-01 12:00\n"


def test_a_csv_file_may_have_local_times_in_a_form_of_its_own(tmp_path: Path) -> None:
    facts = facts_of({"at": LOCAL}).in_zone("Europe/Berlin")
    lay_out({"map.yaml": 'dates: {at: "%d.%m.%Y %H:%M"}\n', "moments.csv": CSV}, tmp_path)
    found = run(source_of(tmp_path / "moments.csv", facts, read_mapping(tmp_path / "map.yaml", facts)))
    assert [row["at"] for row in rows_of(found.valid)] == [1751364000_000000, 1751353500_000000]
    assert messages(found) == [
        f"2 None /at format: line 3: `30.03.2025 02:30` {SKIPPED}",
        "4 None /at format: line 6: `2025-07-01 12:00` is not an instant written as %d.%m.%Y %H:%M",
    ]


def test_a_form_of_local_times_needs_hours_and_minutes(tmp_path: Path) -> None:
    facts = facts_of({"at": LOCAL})
    lay_out({"map.yaml": 'dates: {at: "%d.%m.%Y"}\n'}, tmp_path)
    with pytest.raises(CannotRun) as told:
        read_mapping(tmp_path / "map.yaml", facts)
    wanted = "the form of instants names %d, %m, %Y, %H (or %I and %p) and %M once each, and perhaps %S, %f and %z"
    assert str(told.value) == f'{tmp_path}/map.yaml:1:13: {wanted}: "%Y-%m-%d %H:%M:%S"'


ZONES = (
    "Europe/Berlin",
    "America/Godthab",
    "Pacific/Apia",
    "Asia/Manila",
    "America/Juneau",
    "Africa/Casablanca",
    "UTC",
)


@pytest.mark.parametrize("zone", ZONES)
def test_columns_read_local_times_as_single_facts_are_read(zone: str) -> None:
    changes = transitions(zone)
    around = [change.start + change.offset for change in (*changes[1:100], *changes[1:][-9:])]
    steps = (-90_000, -7_200, -3_600, -1, 0, 1, 1_800, 3_599, 3_600, 90_000)
    times = [EPOCH + timedelta(seconds=at + step) for at in around for step in steps]
    times += map(local, ("0001-01-01", "2099-12-31T23:00:00", "2100-01-01", "9999-12-31T23:59:59.000001"))
    found = instants_of(pl.Series(times, dtype=pl.Datetime("us")), zone).to_physical().to_list()
    assert found == [_microseconds(moment, zone) for moment in times]


def _microseconds(shown: datetime, zone: str) -> int | None:
    try:
        moment = read_instant(shown.isoformat(), zone)
    except SkippedTimeError:
        return None
    return (moment - EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1)
