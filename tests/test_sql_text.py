"""`policy sql`: what it prints, and what it refuses in which words."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from policy_engine.backends.sql.dialects.table import DIALECTS
from policy_engine.backends.sql.refusals import REFUSED, Refusal
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy
from tests.support.rulebook import shipped

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [],
    "properties": {
        "account": {"type": "string", "x-key": True},
        "code": {"type": "string"},
        "big": {"type": "integer", "minimum": -(10**17), "maximum": 10**17},
        "fine": {"type": "number", "multipleOf": 0.000001, "minimum": 0, "maximum": 10**11},
        "codes": {"type": "array", "maxItems": 9, "items": {"type": "string"}},
        "days": {"type": "array", "maxItems": 9, "items": {"type": "string", "format": "date"}},
    },
}
RULES = """
ruleset: shop
title: "*/ DROP TABLE shop; --"
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
decisions:
  it:
    question: "*/ What is it? --"
    source: text
    values: {it: VALUE}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a schema."""
    lay_out({"schemas/order.schema.json": json.dumps(SCHEMA)}, tmp_path)
    return tmp_path


def told(folder: Path, value: str, dialect: str = "duckdb", *options: str, rules: str = RULES) -> str:
    """What `policy sql` says of a ruleset that gives a value."""
    lay_out({"rules/shop.yaml": rules.replace("VALUE", value)}, folder)
    ran = policy("sql", "shop", "--dialect", dialect, "--as-of", "2025-01-01", *options, folder=folder)
    return ran.out if ran.code == 0 else ran.err


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("lower(code)", "`lower(code)`: large and small letters of all scripts are told apart by other tables there"),
        (
            '(big / fine) > (fine / big)',
            "`big / fine`: numbers of more digits than it holds would be needed",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_exact_is_refused_at_its_place(shop: Path, value: str, why: str) -> None:
    said = told(shop, value)
    assert f"not-in-sql]: DuckDB cannot give the exact answer of {why}" in said
    assert said.startswith("rules/shop.yaml:13:")


def test_a_pattern_with_a_count_that_is_too_large_is_refused(shop: Path) -> None:
    said = told(shop, "'matches(code, \"^a{256}$\")'", "postgres")
    assert (
        'PostgreSQL cannot give the exact answer of `matches(code, "^a{256}$")`: it has no patterns with counts above 255'
        in said
    )


def test_what_would_be_written_out_too_many_times_is_refused(shop: Path) -> None:
    value = "add_business_days(add_business_days(add_business_days(add_months(d, 1), 1, days), 1, days), 1, days)"
    said = " ".join(told(shop, f"'list({value} for d in days)'").split())
    assert Refusal.LONG in said


def test_a_name_that_the_database_cuts_off_is_refused(shop: Path) -> None:
    rules = RULES.replace("{it: VALUE}", "{" + "long_" * 12 + "name: VALUE}")
    said = " ".join(told(shop, "big + 1", "postgres", rules=rules).split())
    assert "the name is cut off there, so that two could become one" in said


def test_a_text_with_the_character_of_code_0_is_refused(shop: Path) -> None:
    rules = RULES.replace("decisions:", 'parameters: {odd: {value: "a\\0b"}}\ndecisions:')
    assert "of `shop`: a text there cannot hold the character of code 0" in told(shop, "code == odd", rules=rules)


def test_a_large_table_for_each_element_is_refused(shop: Path) -> None:
    rows = "".join(f"        - {{code: a{number}, price: {number}}}\n" for number in range(501))
    table = f"tables:\n  prices:\n    keys: {{code: text}}\n    columns: {{price: integer}}\n    rows:\n{rows}"
    said = told(shop, "'sum(prices[c].price for c in codes)'", rules=RULES.replace("decisions:", f"{table}decisions:"))
    assert "a look-up for each element of a list cannot join a table of more than 500 rows" in said


def keyword_refused(folder: Path, schema: dict[str, Any], *options: str) -> str:
    """What is said of a schema with one fact more."""
    whole = {**SCHEMA, "properties": {**SCHEMA["properties"], "odd": schema}}
    lay_out({"schemas/order.schema.json": json.dumps(whole)}, folder)
    return " ".join(told(folder, "big + 1", "duckdb", *options).split())


RECORD = {"type": "object", "additionalProperties": False, "properties": {"code": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (
            {"type": "array", "maxItems": 9, "uniqueItems": True, "items": RECORD},
            "`odd: uniqueItems`: whether records or lists in a list are equal is asked differently there",
        ),
        (
            {"type": "string", "format": "date", "pattern": "^2"},
            "`odd: pattern`: a column of dates, instants or times does not hold the text that it asks about",
        ),
    ],
)
def test_a_keyword_that_a_column_cannot_answer_is_refused_unless_rows_are_trusted(
    shop: Path, schema: dict[str, Any], why: str
) -> None:
    assert why in keyword_refused(shop, schema)
    assert 'AS "it.status"' in keyword_refused(shop, schema, "--trusted")


def test_every_refusal_is_in_the_list_and_in_a_test() -> None:
    assert [*REFUSED] == [*Refusal]
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_sql*.py"))
    assert [each for each in Refusal if str(each) not in tests and f"Refusal.{each.name}" not in tests] == []


def test_a_list_of_lists_is_refused_where_there_are_none(shop: Path) -> None:
    several = {"type": "array", "maxItems": 9, "items": {"type": "array", "maxItems": 9, "items": {"type": "boolean"}}}
    lay_out({"schemas/order.schema.json": json.dumps({**SCHEMA, "properties": {"several": several}})}, shop)
    said = " ".join(told(shop, "'sum(len(each) for each in several)'", "postgres").split())
    assert f"`several`: {Refusal.NESTED}" in said


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_text_is_the_same_every_time(dialect: str) -> None:
    first, second = (
        policy("sql", "user_roles", "--dialect", dialect, "--as-of", "2025-09-01", folder=ROOT) for _ in range(2)
    )
    assert first.code == 0, first.err
    assert first.out == second.out
    assert first.out.endswith(";\n")


def test_words_of_authors_stay_in_their_comments_and_names(shop: Path) -> None:
    text = told(
        shop, "big + 1", "duckdb", "--trusted", "--from", 'a"; DROP TABLE x; --', "--as", "view", "--view", 'v"; SELECT'
    )
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE "a""; DROP TABLE x; --" AS SELECT \'k\' AS account, 1::BIGINT AS big')
        connection.execute(text)
        assert connection.execute('SELECT * FROM "v""; SELECT"').fetchall() == [("k", "decided", 2, None)]


def test_a_table_may_have_the_name_of_a_part_of_the_query(shop: Path) -> None:
    with duckdb.connect() as connection:
        for name in ("facts", "step_1"):
            connection.execute(f"CREATE TABLE {name} AS SELECT 'k' AS account, 1::BIGINT AS big")
            text = told(shop, "big + 1", "duckdb", "--trusted", "--from", name)
            assert connection.execute(text).fetchall() == [("k", "decided", 2, None)]


def test_columns_that_are_kept_stay_as_they_are(shop: Path) -> None:
    text = told(shop, "fine * 2", "duckdb", "--trusted", "--keep", "fine", "--keep", "note")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE \"order\" AS SELECT 0.5::DECIMAL(18, 6) AS fine, 'hello' AS note")
        result = connection.sql(text)
        assert result.columns == ["fine", "note", "it.status", "it.values.it", "it.missing"]
        assert [str(cell) for cell in result.fetchall()[0]] == ["0.500000", "hello", "decided", "1.000000", "None"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dialect", "ducdb"], "`ducdb` is no dialect; did you mean `duckdb`?"),
        (
            ["--dialect", "duckdb", "--view", "v"],
            "--view names a view; write `--as view` too",
        ),
        (
            ["--dialect", "duckdb", "--from", "a..b"],
            "the table: `a..b` is no name of a table; write it as schema.table",
        ),
        (
            ["--dialect", "duckdb", "--reading", "day_60=x"],
            "there is no choice of `day_60` `x`; there is counts, does_not_count",
        ),
    ],
)
def test_what_is_asked_for_wrongly_is_said(arguments: list[str], message: str) -> None:
    ran = policy("sql", "partner_earnings", *arguments, "--as-of", "2025-09-01", folder=ROOT)
    assert ran.code == 2
    assert message in ran.err


def test_a_day_out_of_force_is_said() -> None:
    ran = policy("sql", "partner_earnings", "--dialect", "duckdb", "--as-of", str(date(1990, 1, 1)), folder=ROOT)
    assert ran.code == 2
    assert "in force" in ran.err


def test_python_gives_the_text_that_is_printed() -> None:
    printed = policy("sql", "user_roles", "--dialect", "spark", "--as-of", "2025-09-01", "--keep", "role", folder=ROOT)
    text = shipped().sql("user_roles", "spark", as_of=date(2025, 9, 1), keep=["role"])
    assert printed.out == text


def test_without_sqlglot_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("policy_engine.backends.sql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    ran = policy("sql", "user_roles", "--dialect", "duckdb", folder=ROOT)
    assert (ran.code, ran.out) == (2, "")
    assert "`pip install policy_engine[sql]`" in ran.err
