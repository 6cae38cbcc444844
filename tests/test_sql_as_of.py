"""A query may take its day as a parameter, for days between which no rule changes; for other days it gives nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine.backends.sql.dialects.table import DIALECTS
from policy_engine.backends.sql.program import prepare
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import days_of_change, period_around
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy
from tests.support.rulebook import shipped
from tests.support.sql_engines import TABLE, database, fill, server
from tests.support.sql_tables import ROW, arrow_table
from tests.test_sql import valid_facts_of

DAY = date(2025, 9, 1)
NAMES = ("partner_earnings", "user_roles", "email_suppression")
SOME = [next(sample for sample in SAMPLES if sample.ruleset == name) for name in NAMES]


def rows_of(ruleset: Ruleset, facts: list[Any], engine: str, day: date, *, any_day: bool) -> list[Any]:
    """The result of a query for a day: as a parameter, or written into the query."""
    query = prepare(ruleset, {}, DAY if any_day else day, DIALECTS[engine], any_day=any_day)
    text = query.text(TABLE, [ROW])
    if engine == "duckdb":
        with database().cursor() as cursor:
            cursor.register(TABLE[0], arrow_table(query.ruleset, facts))
            return sorted(cursor.execute(text, {"as_of": day} if any_day else None).fetchall())
    with server().cursor() as cursor:
        fill(cursor, query, facts)
        if any_day:
            cursor.execute(f"PREPARE bound (DATE) AS {text}")
            text = f"EXECUTE bound ('{day}')"
        found = sorted(cursor.execute(text).fetchall())
        cursor.execute("DEALLOCATE ALL")
        return found


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("sample", SOME, ids=lambda sample: sample.ruleset)
def test_a_day_given_later_gives_what_the_day_gives(sample: Sample, engine: str) -> None:
    ruleset = shipped().ruleset(sample.ruleset, DAY)
    facts, period = list(valid_facts_of(sample, DAY)), period_around(ruleset, DAY)
    for day in (DAY, period.start, DAY + timedelta(59)):
        assert day in period
        given = rows_of(ruleset, facts, engine, day, any_day=True)
        assert len(given) == len(facts)
        assert given == rows_of(ruleset, facts, engine, day, any_day=False)
    outside = [period.start - timedelta(1), *([period.end] if period.end else [])]
    assert [rows_of(ruleset, facts, engine, day, any_day=True) for day in outside] == [[]] * len(outside)


CHANGING = """
ruleset: shop
title: Fees
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
parameters:
  fee: {values: {2020-01-01: 1, 2023-05-01: 2}}
decisions:
  it:
    question: Which fee?
    source: text
    outcomes: [free, paid]
    values: {fee: fee + number}
    rules:
      - {id: old, when: year(as_of) < 2021, then: free, because: It is old., effective: {from: 2020-01-01, until: 2024-02-01}}
    otherwise: {then: paid, because: It is paid.}
"""
SCHEMA = """
{"type": "object", "additionalProperties": false, "properties": {"number": {"type": "integer", "minimum": 0, "maximum": 9}}}
"""


def test_days_between_which_rules_change_are_named(tmp_path: Path) -> None:
    lay_out({"schemas/order.schema.json": SCHEMA, "rules/shop.yaml": CHANGING}, tmp_path)
    command = ("sql", "shop", "--dialect", "duckdb", "--as-of", ":as_of")
    ran = policy(*command, folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    words = "`shop` changes on 2023-05-01, 2024-02-01; say by a day between them which days are meant: `--during DAY`"
    assert words in " ".join(ran.err.split())
    ran = policy(*command, "--during", "2023-07-01", folder=tmp_path)
    assert "for any day from 2023-05-01 until 2024-02-01, given as the parameter as_of" in ran.out
    assert "2023-07-01" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", ":as_of", "--as", "view"], "a view has no parameters; give --as-of a day in place of `:as_of`"),
        (["--as-of", "2025-09-01", "--during", "2025-09-01"], "--during goes with `--as-of :as_of`"),
        (["--as-of", ":as_of", "--during", "soon"], "--during"),
    ],
)
def test_what_is_asked_for_wrongly_is_said(arguments: list[str], message: str) -> None:
    ran = policy("sql", "partner_earnings", "--dialect", "duckdb", *arguments, folder=ROOT)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_the_days_around_one_are_those_of_all_that_changes() -> None:
    for ruleset in shipped().rulebook.rulesets:
        for day in days_of_change(ruleset):
            before, after = period_around(ruleset, day - timedelta(1)), period_around(ruleset, day)
            assert before.end == day == after.start
