"""No setting of a session, and no collation of a column, changes the answer of a query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine.backends import python
from tests.conftest import lay_out
from tests.support.commands import policy
from tests.support.rulebook import shipped
from tests.support.sql_engines import common, on_postgres, server
from tests.test_sql import DAYS, valid_facts_of

ODD = {
    "DateStyle": "German, DMY",
    "TimeZone": "Asia/Kathmandu",
    "standard_conforming_strings": "off",
    "IntervalStyle": "sql_standard",
}
"""Settings of PostgreSQL that say how texts are read and written."""
SOME = [sample for sample in SAMPLES if sample.ruleset in ("partner_earnings", "email_suppression", "user_roles")]
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string"},
        "moment": {"type": "string", "format": "date-time"},
    },
}
RULES = """
ruleset: shop
title: Codes
version: "1"
effective: {from: 2020-01-01}
timezone: Africa/Casablanca
facts: order
sources: {text: {title: The text}}
parameters: {odd: {value: 'a\\b'}}
decisions:
  it:
    question: What is it?
    source: text
    values: {small: code == "a", odd: 'code in ["x", odd]', day: date_of(moment)}
"""
TEXTS = ("a", "A", "a ", "a\\b")
AT = "2087-05-11 01:30:00+00"
"""During Ramadan, when clocks in Casablanca are put back; some databases have no such changes so far ahead."""


@contextmanager
def odd_session() -> Iterator[Any]:
    """The connection to PostgreSQL with other settings."""
    connection = server()
    for name, value in ODD.items():
        connection.execute(f"SET {name} TO '{value}'")
    yield connection
    for name in ODD:
        connection.execute(f"RESET {name}")
    connection.execute("SET TimeZone TO 'UTC'")


@pytest.mark.parametrize("sample", SOME, ids=lambda sample: sample.file)
def test_settings_of_postgresql_change_nothing(sample: Sample) -> None:
    day = DAYS[1]
    facts, ruleset = list(valid_facts_of(sample, day)), shipped().ruleset(sample.ruleset, day)
    expected = [common(answer) for answer in python.back_end(ruleset, {}, day)(facts)]
    with odd_session():
        assert on_postgres(ruleset, {}, day)(facts) == expected


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a ruleset that compares texts."""
    lay_out({"schemas/order.schema.json": json.dumps(SCHEMA), "rules/shop.yaml": RULES}, tmp_path)
    return tmp_path


def query(folder: Path, dialect: str) -> str:
    """The query that `policy sql` prints."""
    ran = policy("sql", "shop", "--dialect", dialect, "--as-of", "2025-01-01", "--keep", "code", folder=folder)
    assert ran.code == 0, ran.err
    return ran.out


def told(rows: Any) -> list[tuple[Any, ...]]:
    """The text of each row, whether it is `a`, whether it is among others, and the day."""
    return sorted((row[0], row[2], row[3], str(row[4])) for row in rows)


EXPECTED = sorted((text, text == "a", text == "a\\b", "2087-05-11") for text in TEXTS)


def test_collations_of_postgresql_change_nothing(shop: Path) -> None:
    options = "provider = icu, locale = 'und-u-ks-level2', deterministic = false"
    with odd_session() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE COLLATION IF NOT EXISTS blind ({options})")
        cursor.execute('DROP TABLE IF EXISTS "order"')
        cursor.execute('CREATE TEMP TABLE "order" (code TEXT COLLATE blind, moment TIMESTAMPTZ)')
        cursor.executemany('INSERT INTO "order" VALUES (%s, %s)', [(text, AT) for text in TEXTS])
        assert cursor.execute("SELECT count(*) FROM \"order\" WHERE code = 'a'").fetchone()[0] == 2
        assert told(cursor.execute(query(shop, "postgres"), prepare=False)) == EXPECTED


def test_collations_of_duckdb_change_nothing(shop: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET default_collation = 'NOCASE'")
        connection.execute("SET TimeZone = 'Asia/Kathmandu'")
        connection.execute('CREATE TABLE "order" (code TEXT, moment TIMESTAMPTZ)')
        connection.executemany('INSERT INTO "order" VALUES (?, ?)', [(text, AT) for text in TEXTS])
        assert connection.execute("SELECT count(*) FROM \"order\" WHERE code = 'a'").fetchone() == (2,)
        assert told(connection.execute(query(shop, "duckdb")).fetchall()) == EXPECTED
