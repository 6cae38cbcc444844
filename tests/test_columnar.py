"""Columns give every conformance case the answer it must have, through a report over a table of two such accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.backends.columnar import clock as clock_columns
from policy_engine.backends.columnar import days, prepare, zones
from policy_engine.backends.columnar import weekdays as columns
from policy_engine.backends.columnar.expressions import SPECIAL
from policy_engine.backends.columnar.functions import CALLS
from policy_engine.backends.columnar.plan import folded
from policy_engine.backends.columnar.times import instant_text as instant_texts
from policy_engine.backends.columnar.weekdays import business_days
from policy_engine.facts.plain import to_json_types
from policy_engine.language import clock, dates, weekdays
from policy_engine.language.date_texts import read_instant
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.timezones import transitions, zone
from policy_engine.language.values import EPOCH, MICROSECOND, Undefined, instant_text
from policy_engine.language.weekdays import week_with
from policy_engine.reports.deciding import decide_table
from policy_engine.reports.jobs import Job
from policy_engine.tables.json_lines import lines_source
from tests.support.columnar import answers_of, reported, table_of
from tests.support.conformance import Case, load_cases, only_named

CASES = load_cases()
DECIDED = [case for case in CASES if case.invalid is None]
INVALID = [case for case in CASES if case.invalid is not None]
TOLD = {"status", "outcome", "rules", "values", "missing", "reason"}
"""What columns tell; the reason unless only the cause could tell it."""


@pytest.mark.parametrize("case", DECIDED, ids=str)
def test_columns_give_the_expected_answer(case: Case) -> None:
    """The same before the accounts of all cases with this schema, and behind them: no row leans on those around it."""
    program = prepare(case.ruleset, case.readings, case.as_of, margins=True)
    others = [other.facts for other in DECIDED if other.schema == case.schema]
    table = table_of([case.facts, *others, case.facts], case.ruleset)
    found = reported(program, table)
    first = found[1]
    assert first == found[table.height]
    for decision, expected in case.expect.items():
        answer = first[decision]
        wanted = {key: value for key, value in expected.items() if key in TOLD & answer.keys()}
        assert {key: only_named(answer[key], value) for key, value in wanted.items()} == wanted


RUN = next(case for case in DECIDED if case.id.endswith("(e1) the first of a named run is known"))
ROWS_OF_RUNS: list[list[dict[str, Any]]] = [
    [{"ok": True, "x": 4}],
    [{"ok": True}],
    [],
    [{"ok": True, "x": 1}, {"ok": False}, {"ok": True, "x": 2}],
    [{"ok": False}, {"x": 1}],
    [{"ok": True, "x": 9}, {"ok": True}],
]


def test_e1_a_run_with_a_name_is_told_alike_in_every_place_of_a_table() -> None:
    program = prepare(RUN.ruleset, {}, RUN.as_of)
    alone = [answers_of(program, table_of([{"rows": rows}], RUN.ruleset))[0] for rows in ROWS_OF_RUNS]
    assert [answer["d"]["missing"] for answer in alone] == [[], ["rows.x"], [], [], ["rows.ok"], ["rows.x"]]
    for order in islice(permutations(range(len(ROWS_OF_RUNS))), 0, None, 71):
        table = table_of([{"rows": ROWS_OF_RUNS[place]} for place in order], RUN.ruleset)
        assert answers_of(program, table) == [alone[place] for place in order]


def test_e1_what_is_left_unknown_keeps_its_type_beside_what_has_none() -> None:
    frame = pl.DataFrame({"go": [True], "day": [date(2025, 1, 1)], "owner": [{"word": "a", "n": 1}]})
    owner = folded(pl.lit(None, dtype=frame.schema["owner"]))
    word = folded(owner.struct.field("word"))
    day = pl.when(pl.col("go")).then(folded(pl.lit(None))).when(~pl.col("go")).then(pl.col("day"))
    told = frame.with_columns(
        pl.concat_list([pl.lit(date.min), day]).alias("days"),
        pl.col("owner").struct.field("word"),
        folded(word == word).alias("same"),
    )
    assert told.schema["same"] == pl.Boolean()


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_a_report_refuses_invalid_facts_and_decides_the_rest(case: Case, tmp_path: Path) -> None:
    line = _as_json(case)
    (tmp_path / "facts.jsonl").write_text(f"{line}\n{line}\n", "utf-8")
    source = lines_source(tmp_path / "facts.jsonl", case.ruleset.facts)
    program = prepare(case.ruleset, case.readings, case.as_of)
    job = Job(case.ruleset, case.readings, tmp_path, source, program, None)
    decide_table(job, tmp_path / "decisions.parquet", tmp_path / "invalid.parquet")
    assert pl.read_parquet(tmp_path / "decisions.parquet").height == 0
    told = [row["violations"] for row in pl.read_parquet(tmp_path / "invalid.parquet").iter_rows(named=True)]
    pointers = sorted(case.invalid or ())
    assert [sorted(violation["pointer"] for violation in row) for row in told] == [pointers, pointers]


def _as_json(case: Case) -> str:
    """The facts as a line of a file; what no file can hold is written as JSON writes it, and is then no JSON."""
    return json.dumps(case.facts, default=str)


def test_every_function_is_called_or_written_out() -> None:
    written_out = SPECIAL.keys() | {"take", "take_last"}  # these two give lists as offsets
    assert CALLS.keys() | written_out == FUNCTIONS.keys()
    assert not CALLS.keys() & written_out


def test_a_column_that_has_one_value_everywhere_is_worked_out_in_every_row() -> None:
    moment = pl.lit(datetime(2025, 1, 1, 12, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    given = pl.DataFrame({"row": [1, 2, 3]}).with_columns(moment.alias("moment"), pl.lit("É").alias("word"))
    made = {
        "day": (zones.date_of(pl.col("moment"), "UTC"), date(2025, 1, 1)),
        "time": (clock_columns.time_of(pl.col("moment"), "UTC"), time(12)),
        "lower": (CALLS["lower"](pl.col("word")), "é"),
    }
    found = given.select((pl.lit(expected) == column).alias(name) for name, (column, expected) in made.items())
    assert found.rows() == [(True,) * 3] * 3


# Days, in closed forms, against the arithmetic of single dates.

EDGES = [date.min, date.max, date(1, 1, 2), date(9999, 12, 1), date(1900, 2, 28), date(2000, 2, 29), date(2024, 2, 29)]
DAYS = st.sampled_from(EDGES) | st.dates() | st.dates(date(2024, 1, 1), date(2026, 12, 31))
COUNTS = (
    st.sampled_from([0, 1, -1, 5, -5, 10**18 - 1, 1 - 10**18])
    | st.integers(-40, 40)
    | st.integers(-4_000_000, 4_000_000)
)
HOLIDAYS = [date(2024, 1, 1) + timedelta(n * n % 801) for n in range(60)]
MANY = settings(max_examples=60, deadline=None)
FORMS: dict[str, tuple[Callable[..., pl.Expr], Callable[..., Any]]] = {
    "days_between": (lambda a, b, n: days.days_between(a, b), lambda a, b, n: dates.days_between(a, b)),
    "add_days": (lambda a, b, n: days.add_days(a, n), lambda a, b, n: dates.add_days(a, n)),
    "add_months": (lambda a, b, n: days.add_months(a, n), lambda a, b, n: dates.add_months(a, n)),
    "add_years": (lambda a, b, n: days.add_years(a, n), lambda a, b, n: dates.add_years(a, n)),
    "months_between": (lambda a, b, n: days.months_between(a, b), lambda a, b, n: dates.months_between(a, b)),
    "years_between": (lambda a, b, n: days.years_between(a, b), lambda a, b, n: dates.years_between(a, b)),
    "years since 29 February": (
        lambda a, b, n: days.years_between(a, b, pl.lit(dates.MARCH_1)),
        lambda a, b, n: dates.years_between(a, b, dates.MARCH_1),
    ),
    "weekday": (lambda a, b, n: days.weekday(a), lambda a, b, n: a.isoweekday()),
}
PARTS = ("year", "month", "day", "quarter", "iso_week", "day_of_year")
ENDS = tuple(f"{end}_of_{part}" for end in ("first", "last") for part in ("week", "month", "quarter", "year"))
for function in (*PARTS, *ENDS):
    FORMS[function] = (
        lambda a, b, n, column=CALLS[function]: column(a),
        lambda a, b, n, single=FUNCTIONS[function].plain: single(a),
    )
WEEKENDS = ((6, 7), (5, 6), (5, 7), (7,), (), (1, 2, 4, 5, 6, 7))
for weekend in WEEKENDS:
    week, working = week_with(weekend), business_days(HOLIDAYS, week_with(weekend))
    FORMS |= {
        f"is_weekday {weekend}": (
            lambda a, b, n, week=week: columns.is_weekday(a, week),
            lambda a, b, n, week=week: weekdays.is_weekday(a, week),
        ),
        f"add_weekdays {weekend}": (
            lambda a, b, n, week=week: columns.add_weekdays(a, n, week),
            lambda a, b, n, week=week: weekdays.add_weekdays(a, n, week),
        ),
        f"weekdays_between {weekend}": (
            lambda a, b, n, week=week: columns.weekdays_between(a, b, week),
            lambda a, b, n, week=week: weekdays.weekdays_between(a, b, week),
        ),
        f"add_business_days {weekend}": (
            lambda a, b, n, working=working: working.add(a, n),
            lambda a, b, n, week=week: weekdays.add_business_days(a, n, HOLIDAYS, week),
        ),
        f"no holidays {weekend}": (
            lambda a, b, n, week=week: business_days([], week).add(a, n),
            lambda a, b, n, week=week: weekdays.add_weekdays(a, n, week),
        ),
        f"is_business_day {weekend}": (
            lambda a, b, n, working=working: working.has(a),
            lambda a, b, n, week=week: weekdays.is_business_day(a, HOLIDAYS, week),
        ),
        f"business_days_between {weekend}": (
            lambda a, b, n, working=working: working.between(a, b),
            lambda a, b, n, week=week: weekdays.business_days_between(a, b, HOLIDAYS, week),
        ),
    }


@pytest.mark.parametrize("name", FORMS)
@given(rows=st.lists(st.tuples(DAYS, DAYS, COUNTS), min_size=1, max_size=200))
@MANY
def test_a_column_of_days_is_its_single_days(name: str, rows: list[tuple[date, date, int]]) -> None:
    column, single = FORMS[name]
    frame = pl.DataFrame(rows, {"a": pl.Date, "b": pl.Date, "n": pl.Int64}, orient="row")
    found = frame.select(column(pl.col("a"), pl.col("b"), pl.col("n")).alias("found"))["found"].to_list()
    assert found == list(_one_by_one(single, rows))


def _one_by_one(single: Any, rows: list[tuple[Any, ...]]) -> Iterator[Any]:
    for row in rows:
        try:
            yield single(*row)
        except Undefined:
            yield None


ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Gaza",
]
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    datetime.fromisoformat("2000-01-01"),
    datetime.fromisoformat("2030-01-01"),
    timezones=st.just(UTC),
)


@pytest.mark.parametrize("name", ZONES)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=200))
@MANY
def test_a_column_of_instants_has_the_dates_of_its_zone(name: str, moments: list[datetime]) -> None:
    column = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
    single = [(moment, zone(name)) for moment in moments]
    assert zones.dates_of(column, name).to_list() == list(_one_by_one(dates.date_of, single))
    assert clock_columns.times_of(column, name).to_list() == list(_one_by_one(clock.time_of, single))


EDGE_TIMES = ("00:00:00", "00:59:59.999999", "12:00:00", "23:59:59", "23:59:59.999999")
EDGE_OFFSETS = ("Z", "-01:00", "+01:00", "-05:00", "+12:34", "+14:00", "+23:59", "-23:59")
EDGE_INSTANTS = [
    read_instant(f"{day}T{time}{offset}")
    for day in ("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31")
    for time in EDGE_TIMES
    for offset in EDGE_OFFSETS
]


@pytest.mark.parametrize("name", ZONES)
def test_e3_instants_at_the_ends_of_the_calendar_have_the_dates_of_their_zone(name: str) -> None:
    microseconds = [(moment - EPOCH) // MICROSECOND for moment in EDGE_INSTANTS]
    column = pl.Series(microseconds, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    found = zones.dates_of(column, name).to_list()
    assert found == list(_one_by_one(dates.date_of, [(moment, zone(name)) for moment in EDGE_INSTANTS]))
    assert found == [_by_counting(at, name) for at in microseconds]
    assert None in found
    assert {date.min, date.max} <= {*found}


def test_e3_instants_of_columns_are_written_as_those_of_answers() -> None:
    microseconds = [(moment - EPOCH) // MICROSECOND for moment in EDGE_INSTANTS]
    column = pl.Series(microseconds, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    written = pl.select(instant_texts(pl.lit(column), "us")).to_series().to_list()
    assert written == [instant_text(moment) for moment in EDGE_INSTANTS]
    assert [read_instant(text) for text in written] == EDGE_INSTANTS


def _by_counting(microseconds: int, name: str) -> date | None:
    """The date by whole days since the first one; no zone changes its offset in the last days of a December."""
    changes = transitions(name)
    offset = changes[0].offset if microseconds < 0 else _winter(name)
    ordinal = (microseconds // 1_000_000 + offset) // 86_400 + EPOCH.toordinal()
    return date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else None


def _winter(name: str) -> int:
    """Seconds ahead of UTC at the end of December."""
    away = datetime(9600, 12, 31, tzinfo=zone(name)).utcoffset()
    assert away is not None
    return int(away.total_seconds())


def test_instants_around_each_change_of_a_zone_have_its_dates() -> None:
    for name in ZONES:
        changes = transitions(name)[1:]
        moments = [datetime.fromtimestamp(change.start + shift, UTC) for change in changes for shift in (-1, 0)]
        expected = [dates.date_of(moment, zone(name)) for moment in moments]
        assert zones.dates_of(pl.Series(moments, dtype=pl.Datetime("us", "UTC")), name).to_list() == expected, name


@pytest.mark.parametrize("name", [*ZONES, "America/St_Johns"])
def test_many_instants_have_the_dates_of_their_zone(name: str) -> None:
    first, last = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1996, 2028))
    around = [change.start for change in transitions(name) if first <= change.start < last]
    steady = range(int(first), int(last), 5 * 3600 + 7 * 60)
    seconds = [*steady, *around, *(start - 1 for start in around)]
    moments = [datetime.fromtimestamp(at, UTC) for at in seconds]
    assert len(moments) > zones.MANY
    column = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
    expected = [dates.date_of(moment, zone(name)) for moment in moments]
    assert zones.dates_of(column, name).to_list() == expected
    gaps = pl.select(pl.when(pl.int_range(len(column)) % 3 != 0).then(column)).to_series()
    assert zones.dates_of(gaps, name).to_list() == [day if at % 3 else None for at, day in enumerate(expected)]


def test_facts_of_a_case_are_json(tmp_path: Path) -> None:
    assert all(not to_json_types(case.facts)[1] for case in DECIDED)
