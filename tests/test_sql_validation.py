"""Queries find the violations that the engine finds, on real databases."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import Phase, given, note
from hypothesis import strategies as st

from fixtures.samples import SAMPLES, Sample
from policy_engine import Engine
from policy_engine.backends.sql.program import Query
from policy_engine.errors import RulesetError
from policy_engine.language.rulesets import Ruleset
from tests.support.choosing import Choices
from tests.support.conformance import Case, load_cases
from tests.support.generated_questions import questions
from tests.support.profiles import agreement
from tests.support.rulebook import shipped
from tests.support.sql_engines import database, server
from tests.support.sql_validation import ENGINES, Damage, checked_query, decided, expected, fits_columns
from tests.test_sql import DAYS, lines_of

EACH = pytest.mark.parametrize("engine", ENGINES)
EVERY = 60
"""Of the cases whose facts are valid so many are left out but one; those that are not are all asked about."""
SOME = [case for number, case in enumerate(load_cases()) if case.invalid is not None or number % EVERY == 0]
Json = Any


def agrees(ruleset: Ruleset, facts: Sequence[Json], day: date, engine: str) -> int:
    """How many rows were compared; none where the engine refuses."""
    query = made(ruleset, day, engine)
    held = [each for each in facts if fits_columns(ruleset, each, engine)]
    if query is None or not held:
        return 0
    found = ENGINES[engine](query, held)
    wanted = {row: told for row, each in enumerate(held) if (told := expected(ruleset, each, day))}
    assert found == wanted
    return len(held)


def made(ruleset: Ruleset, day: date, engine: str) -> Query | None:
    """The query; None where the engine refuses."""
    try:
        return checked_query(ruleset, day, engine)
    except RulesetError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} != {"not-in-sql"}:
            raise
        return None


@EACH
@pytest.mark.parametrize("case", SOME, ids=str)
def test_a_query_finds_the_violations_of_cases(case: Case, engine: str) -> None:
    agrees(case.ruleset, [case.facts], case.as_of, engine)


@EACH
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_query_finds_the_violations_of_fixtures(sample: Sample, engine: str) -> None:
    day = DAYS[1]
    ruleset = shipped().ruleset(sample.ruleset, day)
    assert agrees(ruleset, lines_of(sample.file), day, engine) > 0


@EACH
@given(st.data())
@agreement(8, Phase.generate)
def test_a_query_finds_the_violations_of_damaged_facts(engine: str, data: st.DataObject) -> None:
    question = data.draw(questions(most_facts=2))
    choices = Choices(data.draw)
    facts = [Damage(choices).of(each) for each in question.facts for _ in range(4)]
    note(f"{question.written} {facts}")
    agrees(question.ruleset, facts, question.days[0], engine)


@EACH
def test_of_an_invalid_row_nothing_but_that_is_told(engine: str) -> None:
    [sample] = [sample for sample in SAMPLES if sample.ruleset == "partner_earnings"]
    ruleset = shipped().ruleset(sample.ruleset, DAYS[1])
    held = [facts for facts in lines_of(sample.file) if fits_columns(ruleset, facts, engine)]
    invalid = {row for row, facts in enumerate(held) if expected(ruleset, facts, DAYS[1])}
    assert invalid
    rows = decided(checked_query(ruleset, DAYS[1], engine), held, engine)
    for row in rows:
        number = row.pop("(row)")
        assert all(value in ("invalid", None) for value in row.values()) == (number in invalid)


ODD_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "flag": {"type": "boolean"},
        "number": {"type": "integer", "minimum": 0, "maximum": 10},
        "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 10},
        "code": {"type": "string"},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "clock": {"type": "string", "format": "time"},
        "codes": {"type": "array", "maxItems": 9, "items": {"type": "string"}},
    },
}
ODD_RULES = """
ruleset: odd
title: Odd values
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: odd
sources: {text: {title: The text}}
decisions:
  it: {question: What is it?, source: text, values: {it: number + 1}}
"""
ODD = Engine.from_text({"odd.yaml": ODD_RULES}, {"odd": json.dumps(ODD_SCHEMA)}).ruleset("odd", DAYS[1])
MEMBERS = ODD.facts.type.members
NOT_TIMESTAMPTZ = "the column moment has to be TIMESTAMPTZ"
TRAPS = [
    ("duckdb", "flag TEXT", "'yes'", "the column flag has to be BOOLEAN"),
    ("duckdb", "amount DOUBLE", "'nan'", "the column amount has to be DECIMAL(18, 2)"),
    ("duckdb", "amount DECIMAL(18, 3)", "0.125", "the column amount has to be DECIMAL(18, 2)"),
    ("duckdb", "moment TIMESTAMP", "'2025-01-01'", NOT_TIMESTAMPTZ),
    ("duckdb", "day TEXT", "'2025'", "an error"),
    ("duckdb", "day DATE", "'infinity'", "/day format"),
    ("duckdb", "moment TIMESTAMPTZ", "'infinity'", "/moment format"),
    ("duckdb", "clock TIME", "'24:00:00'", "/clock format"),
    ("duckdb", "number TINYINT", "7", ""),
    ("duckdb", "number TINYINT", "11", "/number maximum"),
    ("duckdb", "amount DECIMAL(4, 1)", "0.5", ""),
    ("postgres", "flag TEXT", "'yes'", "the column flag has to be BOOLEAN, and is text"),
    ("postgres", "amount REAL", "'NaN'", "an error"),
    ("postgres", "amount NUMERIC", "'NaN'", "/amount type"),
    ("postgres", "amount NUMERIC", "'-Infinity'", "/amount type"),
    ("postgres", "amount NUMERIC", "0.125", "/amount multipleOf"),
    ("postgres", "number NUMERIC", "1.5", "/number type"),
    ("postgres", "number SMALLINT", "7", ""),
    (
        "postgres",
        "moment TIMESTAMP",
        "'2025-01-01'",
        "the column moment has to be TIMESTAMPTZ, and is timestamp without time zone",
    ),
    ("postgres", "day DATE", "'infinity'", "/day format"),
    ("postgres", "day DATE", "'0044-03-15 BC'", "/day format"),
    ("postgres", "moment TIMESTAMPTZ", "'-infinity'", "/moment format"),
    ("postgres", "clock TIME", "'24:00'", "/clock format"),
    ("postgres", "code CHAR(5)", "'a'", "the column code has to be TEXT, and is character"),
    ("postgres", "code VARCHAR(5)", "'a'", ""),
    ("postgres", "codes JSONB", "'[\"a\", null, 1]'", "/codes/1 type\n/codes/2 type"),
]
"""A column, a value as the database takes it, and what comes of it: a message of the database, or the violations."""


@pytest.mark.parametrize(("engine", "column", "value", "told"), TRAPS, ids=str)
def test_what_databases_read_in_their_own_way_is_refused_or_invalid(
    engine: str, column: str, value: str, told: str
) -> None:
    query = checked_query(ODD, DAYS[1], engine)
    name = column.split(maxsplit=1)[0]
    columns = [
        column if each.name == name else f"{each.name} {query.dialect.column_kind(each.type)}" for each in MEMBERS
    ]
    assert asked(query, engine, columns, name, value) == told


def asked(query: Query, engine: str, columns: Sequence[str], name: str, value: str) -> str:
    """What a table with one value comes to."""
    text = query.written(query.invalid_tree(("odd",)))
    with database().cursor() if engine == "duckdb" else server().cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS odd")
        cursor.execute(f"CREATE TEMP TABLE odd ({', '.join(columns)})")
        cursor.execute(f"INSERT INTO odd ({name}) VALUES ({value})")
        try:
            rows = cursor.execute(text).fetchall()
        except (duckdb.Error, psycopg.Error) as error:
            return next(iter(re.findall('the column [^\n"]*', str(error))), "an error")
    return "\n".join(sorted(line for [lines] in rows for line in lines))


@EACH
@pytest.mark.parametrize("name", ["given", "validated", "facts", "step_1"])
def test_a_table_may_have_the_name_of_a_part_of_the_query(name: str, engine: str) -> None:
    query = checked_query(ODD, DAYS[1], engine)
    columns = ", ".join(f"{each.name} {query.dialect.column_kind(each.type)}" for each in MEMBERS)
    with database().cursor() if engine == "duckdb" else server().cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {name} ({columns})")
        cursor.execute(f"INSERT INTO {name} (number) VALUES (7), (11)")
        try:
            found = cursor.execute(query.text((name,), ["number"])).fetchall()
        finally:
            cursor.execute(f"DROP TABLE {name}")
    assert sorted(found) == [(7, "decided", 8, None), (11, "invalid", None, None)]
