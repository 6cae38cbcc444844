"""What a report adds up to, over so few records that everything can be counted by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.engine import Engine
from policy_engine.reports.counting import EXAMPLES, Over, ruleset_totals
from policy_engine.reports.html.charts import time_chart
from policy_engine.reports.periods import MOST_BUCKETS, over_time
from policy_engine.reports.totals import (
    Bucket,
    DecisionTotals,
    MissingFact,
    MissingTogether,
    NearMiss,
    ReportTotals,
    RulesetTotals,
    ViolationExample,
    ViolationTotals,
)
from tests.support.report_data import Facts, decided

DAY = date(2025, 6, 30)
MAY, JUNE = "2025-05-02", "2025-06-03"

RULES = """
ruleset: credit
title: Who gets credit
version: "1"
effective: {from: 2020-01-01}
timezone: Europe/Berlin
facts: applicant
sources: {law: {title: The law}}
decisions:
  credit:
    question: Does the applicant get credit?
    source: law
    outcomes: [granted, refused]
    rules:
      - {id: too-young, when: age < 18, then: refused, because: "Only {age} years old."}
      - {id: too-poor, when: income < 1000, then: refused, because: The income is too low.}
    otherwise: {then: granted, because: Old enough and rich enough.}
  remarks:
    question: What is to be said of the applicant?
    source: law
    outcomes: [young, poor, old]
    hit: collect
    rules:
      - {id: is-young, when: age < 30, then: young, because: Young.}
      - {id: is-poor, when: income < 1000, then: poor, because: Poor.}
      - {id: is-old, when: age > 100, then: old, because: Old.}
  permit:
    question: May the applicant do this?
    source: law
    outcomes: [allow, deny]
    matrix:
      rows: action
      columns: {at_home: [true, false]}
      legend:
        yes: {then: allow, because: Always.}
        adult: {when: age >= 18, then: allow, because: An adult may., else: deny, else_because: A child may not.}
      cells:
        eat: [yes, yes]
        drink: [yes, adult]
  yearly:
    question: What is the yearly income?
    source: law
    values: {amount: income * 12, is_rich: income > 5000}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string", "x-key": True},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "income": {"type": "integer", "minimum": 0, "maximum": 100000},
        "opened": {"type": "string", "format": "date"},
        "action": {"enum": ["eat", "drink"], "type": "string"},
        "at_home": {"type": "boolean"},
        "tags": {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 2}},
    },
    "additionalProperties": False,
}
RECORDS: list[Facts] = [
    {"name": "a", "age": 10, "opened": MAY, "action": "drink", "at_home": False},
    {"name": "b", "age": 40, "income": 500, "opened": MAY, "action": "drink", "at_home": False},
    {"name": "c", "age": 40, "income": 6000, "opened": JUNE, "action": "eat", "at_home": True},
    {"name": "d", "age": 20, "income": 2000, "action": "eat", "at_home": True},
    {"name": "e", "income": 4000, "opened": JUNE},
    {"name": "f", "age": 50},
    {"name": "g"},
    {"name": "h", "age": "ten", "tags": ["ok", "long", "longer"]},
    {"age": -1},
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("credit")
    (folder / "credit.yaml").write_text(RULES, "utf-8")
    (folder / "applicant.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    return Engine.load(folder, folder)


def totals_of(engine: Engine, records: list[Facts], folder: Path, **more: Any) -> RulesetTotals:
    data = decided(engine, "credit", records, folder, over="opened", day=DAY)
    known: dict[str, Any] = {"inputs": ["people.jsonl"], "readings": {}, "over": Over("opened", "opened")} | more
    return ruleset_totals(data.ruleset, data.decisions, data.invalid, **known)


@pytest.fixture(scope="module")
def totals(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> RulesetTotals:
    return totals_of(engine, RECORDS, tmp_path_factory.mktemp("totals"))


def decision(totals: RulesetTotals, name: str) -> DecisionTotals:
    return next(one for one in totals.decisions if one.decision == name)


def test_every_record_is_accounted_for(totals: RulesetTotals) -> None:
    assert (totals.rows, totals.valid, totals.invalid) == (9, 7, 2)
    assert (totals.undetermined, totals.gaps) == (4, 0)
    assert all(one.rows == totals.valid for one in totals.decisions)
    assert totals.inputs == ("people.jsonl",)


def test_outcomes_and_rules_are_counted_the_most_frequent_first_and_with_those_that_never_came(
    totals: RulesetTotals,
) -> None:
    credit = decision(totals, "credit")
    assert list(credit.statuses.items()) == [("decided", 4), ("undetermined", 3), ("gap", 0)]
    assert list(credit.outcomes.items()) == [("granted", 2), ("refused", 2)]
    assert list(credit.rules.items()) == [("otherwise", 2), ("too-poor", 1), ("too-young", 1)]
    assert credit.reasons == credit.rules


def test_a_collect_decision_counts_each_outcome_that_applies(totals: RulesetTotals) -> None:
    remarks = decision(totals, "remarks")
    assert remarks.outcomes == {"poor": 1, "young": 1, "old": 0}
    assert remarks.rules == {"is-poor": 1, "is-young": 1, "is-old": 0}
    assert remarks.nothing_applies == 1


def test_the_branches_of_a_cell_are_counted_apart(totals: RulesetTotals) -> None:
    permit = decision(totals, "permit")
    assert permit.outcomes == {"allow": 3, "deny": 1}
    assert permit.rules == {"eat.true": 2, "drink.false": 2, "drink.true": 0, "eat.false": 0}
    assert permit.reasons["drink.false"] == permit.reasons["drink.false:else"] == 1


def test_missing_facts_are_counted_alone_and_together(totals: RulesetTotals) -> None:
    credit = decision(totals, "credit")
    assert credit.missing == (MissingFact("age", 2, 1), MissingFact("income", 2, 1))
    assert credit.missing_together == (
        MissingTogether(("age",), 1),
        MissingTogether(("age", "income"), 1),
        MissingTogether(("income",), 1),
    )
    assert (credit.tried, credit.settles_most) == (0, None)
    assert decision(totals, "yearly").missing == (MissingFact("income", 3, 3),)


def test_values_have_a_range_and_closed_sets_are_counted(totals: RulesetTotals) -> None:
    amount, is_rich = decision(totals, "yearly").values
    assert (amount.known, amount.unit, amount.by_outcome) == (4, "", {})
    assert amount.spread is not None
    assert (amount.spread.lowest, amount.spread.median, amount.spread.highest) == (6000, 24000, 72000)
    assert (is_rich.known, is_rich.counts) == (4, {"false": 3, "true": 1})


def test_outcomes_over_time_are_counted_by_month(totals: RulesetTotals) -> None:
    over = decision(totals, "credit").over_time
    assert over is not None
    assert (over.fact, over.unit, over.before, over.after, over.undated) == ("opened", "month", 0, 0, 3)
    assert over.buckets == (
        Bucket(date(2025, 5, 1), {"refused": 2}),
        Bucket(date(2025, 6, 1), {"(undetermined)": 1, "granted": 1}),
    )
    remarks = decision(totals, "remarks").over_time
    assert remarks is not None
    assert remarks.buckets[1].counts == {"(nothing applies)": 1, "(undetermined)": 1}


def test_an_instant_belongs_to_the_month_of_the_rulesets_time_zone(engine: Engine, tmp_path: Path) -> None:
    data = decided(engine, "credit", RECORDS[:1], tmp_path, over="opened", day=DAY)
    late = datetime(2025, 5, 31, 22, 30, tzinfo=UTC)
    table = pl.read_parquet(data.decisions).with_columns(opened=pl.lit(late).cast(pl.Datetime("us", "UTC")))
    table.write_parquet(data.decisions)
    totals = ruleset_totals(
        data.ruleset, data.decisions, data.invalid, inputs=[], readings={}, over=Over("opened", "opened")
    )
    over = decision(totals, "credit").over_time
    assert over is not None
    assert [bucket.start for bucket in over.buckets] == [date(2025, 6, 1)]


def test_violations_are_counted_by_place_and_keyword(totals: RulesetTotals) -> None:
    assert [(one.pointer, one.keyword, one.rows) for one in totals.violations] == [
        ("/age", "minimum", 1),
        ("/age", "type", 1),
        ("/tags", "maxLength", 1),
    ]
    tags = totals.violations[2]
    assert isinstance(tags, ViolationTotals)
    assert [(example.row, example.key) for example in tags.examples] == [(8, "h")]
    assert totals.violations[0].examples == (
        ViolationExample(9, None, totals.violations[0].examples[0].message, "/age"),
    )


def test_examples_are_the_first_records(engine: Engine, tmp_path: Path) -> None:
    wrong: list[Facts] = [{"name": str(number), "age": 200} for number in range(EXAMPLES * 3)]
    totals = totals_of(engine, wrong, tmp_path)
    assert [example.row for example in totals.violations[0].examples] == list(range(1, EXAMPLES + 1))
    assert (totals.valid, totals.violations[0].rows) == (0, EXAMPLES * 3)


def test_no_records_give_empty_totals(engine: Engine, tmp_path: Path) -> None:
    totals = totals_of(engine, [], tmp_path)
    assert (totals.rows, totals.valid, totals.invalid, totals.violations) == (0, 0, 0, ())
    credit = decision(totals, "credit")
    assert credit.outcomes == {"granted": 0, "refused": 0}
    assert credit.over_time is not None
    assert credit.over_time.buckets == ()
    assert decision(totals, "yearly").values[0].spread is None


def test_the_summary_is_in_json_types_and_always_the_same(engine: Engine, tmp_path: Path) -> None:
    near = NearMiss("credit", "too-young", "age < 18", "", 3, 1, 0, (), ())
    one, other = (
        json.dumps(ReportTotals(DAY, (totals_of(engine, RECORDS, tmp_path / name, near_misses=[near]),)).to_dict())
        for name in ("one", "other")
    )
    assert one == other
    summary = json.loads(one)
    assert summary["as_of"] == "2025-06-30"
    assert summary["rulesets"][0]["near_misses"][0]["comparison"] == "age < 18"
    assert summary["rulesets"][0]["decisions"][0]["over_time"]["buckets"][0]["start"] == "2025-05-01"


def spread(days: int, count: int) -> list[tuple[date | None, str, int]]:
    """Records spread evenly over so many days."""
    first = date(2000, 1, 1) if days < 2_000_000 else date(1, 1, 1)
    return [(first + timedelta(days * at // count), "yes", 1) for at in range(count + 1)]


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        (0, "day"),
        (30, "day"),
        (40, "month"),
        (1_800, "month"),
        (2_000, "quarter"),
        (5_400, "quarter"),
        (5_700, "year"),
        (21_900, "year"),
        (24_000, "decade"),
        (219_000, "decade"),
        (240_000, "century"),
        (2_190_000, "century"),
    ],
)
def test_c7_buckets_are_as_fine_as_can_be_read(days: int, unit: str) -> None:
    over = over_time("day", spread(days, 1_000))
    assert over.unit == unit
    assert len(over.buckets) <= MOST_BUCKETS
    inside = sum(sum(bucket.counts.values()) for bucket in over.buckets)
    assert inside + over.before + over.after == 1_001
    assert inside >= 0.99 * 1_001


@pytest.mark.parametrize("first", [date(1, 1, 1), date(999, 12, 31), date(1582, 10, 15), date(9000, 1, 1)])
@pytest.mark.parametrize("last", [date(1, 1, 1), date(1000, 1, 1), date(9999, 12, 31)])
def test_c7_every_span_of_the_calendar_has_its_buckets(first: date, last: date) -> None:
    days = sorted({first, last, *(date.fromordinal(first.toordinal() + at) for at in range(300))})
    over = over_time("day", [(day, "yes", 1) for day in days])
    starts = [bucket.start for bucket in over.buckets]
    assert starts == sorted(set(starts))
    assert sum(sum(bucket.counts.values()) for bucket in over.buckets) >= 0.99 * len(days)


@pytest.mark.parametrize(
    ("days", "labels", "ticks"),
    [
        (12, ("2000-01-01", "2000-01-13"), ["2000-01-01", "2000-01-04", "2000-01-07", "2000-01-10", "2000-01-13"]),
        (360, ("2000-01", "2000-12"), ["2000"]),
        (40, ("2000-01", "2000-02"), ["2000"]),
        (3_000, ("2000 Q1", "2008 Q1"), ["2000", "2002", "2004", "2006", "2008"]),
        (9_000, ("2000", "2024"), ["2000", "2005", "2010", "2015", "2020"]),
        (30_000, ("2000-2009", "2080-2089"), ["2000-2009", "2020-2029", "2040-2049", "2060-2069", "2080-2089"]),
        (
            2_190_000,
            ("0001-0099", "5900-5999"),
            [f"{year:04}-{year + 99 - (year == 1):04}" for year in (1, 1000, 2000, 3000, 4000, 5000)],
        ),
    ],
)
def test_c7_columns_of_a_chart_are_called_by_their_unit(days: int, labels: tuple[str, str], ticks: list[str]) -> None:
    chart = time_chart(over_time("day", spread(days, 1_000)), {"yes": "s1"})
    assert (chart.rows[0][0], chart.rows[-1][0]) == labels
    assert [tick.label for tick in chart.ticks] == ticks


def test_c7_most_dates_lie_inside_where_half_are_a_century_off() -> None:
    over = over_time("day", [(date(1900 + 100 * (at % 2), 1, 1 + at % 28), "yes", 1) for at in range(100)])
    assert (over.unit, over.before, over.after, len(over.buckets)) == ("decade", 0, 0, 11)


def test_a_slip_of_a_century_does_not_squeeze_the_rest() -> None:
    slips: list[tuple[date | None, str, int]] = [
        (date(1900, 1, 1), "yes", 2),
        (date(9999, 12, 31), "no", 1),
        (None, "yes", 4),
    ]
    over = over_time("day", [*spread(300, 1_000), *slips])
    assert (over.unit, over.before, over.after, over.undated) == ("month", 2, 1, 4)
    assert over.buckets[0].start == date(2000, 1, 1)
