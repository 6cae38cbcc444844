"""Reports over tables in databases: the same as over the same rows in a Parquet file, or a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from fixtures.samples import SAMPLES
from tests.conftest import ROOT, lay_out
from tests.support import postgres
from tests.support.commands import Ran, policy
from tests.support.database_tables import (
    DUCKDB,
    POSTGRES,
    Facts,
    execute,
    in_order_of_keys,
    in_server,
    parquet_file,
    table_of,
)
from tests.support.rulebook import shipped
from tests.test_sql import DAYS, valid_facts_of

DAY = DAYS[1]
ENGINES = (DUCKDB, POSTGRES)
SAME_PARTS = ("partner_earnings", "user_roles", "email_suppression", "send_overage", "sender_health")


def facts_of(ruleset: str) -> Facts:
    """The valid facts of a fixture."""
    [sample] = [sample for sample in SAMPLES if sample.ruleset == ruleset]
    return in_order_of_keys(shipped().ruleset(ruleset, DAY), list(valid_facts_of(sample, DAY)))


def report(ruleset: str, table: str, out: Path, *options: str) -> Ran:
    """A report made by the command."""
    rules = ("--rules", str(ROOT / "rules"), "--schemas", str(ROOT / "schemas"))
    return policy("report", f"{ruleset}={table}", "--as-of", DAY.isoformat(), "--out", str(out), *rules, *options)


def parts(out: Path, table: str) -> dict[str, Any]:
    """What a report tells, without the name of its table and the digests of files."""
    page = (out / "report.html").read_text("utf-8").split('id="method"')[0]
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    return {
        "decisions": pl.read_parquet(out / "decisions.parquet").to_dicts(),
        "invalid": pl.read_parquet(out / "invalid.parquet").to_dicts(),
        "summary": (out / "summary.json").read_text("utf-8").replace(table, "TABLE"),
        "page": page.replace(table.replace("&", "&amp;"), "TABLE"),
        "manifest": {name: manifest[name] for name in ("engine", "libraries", "rulesets", "counts", "unmet")},
    }


def fetched(out: Path) -> Any:
    """What the manifest says of the rows."""
    return json.loads((out / "manifest.json").read_text("utf-8"))["fetched"]


@pytest.mark.parametrize("name", SAME_PARTS)
def test_a_report_is_the_same_from_each_source(name: str, tmp_path: Path) -> None:
    ruleset, facts = shipped().ruleset(name, DAY), facts_of(name)
    file = parquet_file(ruleset, facts, tmp_path / "accounts.parquet")
    assert report(name, file, tmp_path / "file", "--reasons").code == 0
    expected, digests = parts(tmp_path / "file", file), []
    for engine in ENGINES:
        table = table_of(engine, ruleset, facts[::-1], tmp_path)
        made = report(name, table, tmp_path / engine, "--reasons")
        assert (made.code, made.err) == (0, "")
        assert parts(tmp_path / engine, table) == expected
        digests.append([(one["rows"], one["sha256"]) for one in fetched(tmp_path / engine)])
    assert digests[0] == digests[1]
    assert digests[0][0][0] == len(facts)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_database_decides(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our own columns decide nothing, the answers are there all the same."""
    from policy_engine.backends.columnar import ColumnarProgram  # noqa: PLC0415

    asked: list[Any] = []
    answered = ColumnarProgram.answered
    table = table_of(engine, shipped().ruleset("send_overage", DAY), facts_of("send_overage"), tmp_path)

    def watched(self: Any, facts: Any, parts: Any, *rest: Any, **options: Any) -> Any:
        asked.append((facts.limit(1).collect().height, tuple(parts)))
        return answered(self, facts, parts, *rest, **options)

    monkeypatch.setattr(ColumnarProgram, "answered", watched)
    assert report("send_overage", table, tmp_path / "out").code == 0
    assert [parts for rows, parts in asked if rows] == [()]
    assert pl.read_parquet(tmp_path / "out" / "decisions.parquet")["overage.status"].null_count() == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_report_is_verified_against_the_rows_that_are_there(engine: str, tmp_path: Path) -> None:
    ruleset, facts, out = shipped().ruleset("send_overage", DAY), facts_of("send_overage"), tmp_path / "out"
    table = table_of(engine, ruleset, facts, tmp_path)
    assert report("send_overage", table, out).code == 0
    assert policy("report", "verify", str(out)).out == f"{out}: made again, every file is the same, byte for byte\n"
    table_of(engine, ruleset, facts[::-1], tmp_path)
    assert policy("report", "verify", str(out)).code == 0
    table_of(engine, ruleset, facts[1:], tmp_path)
    changed = policy("report", "verify", str(out))
    assert changed.code == 2
    assert " ".join(changed.err.split()) == (
        f"the rows of `{table}` have changed since the report was made (there were {len(facts)}, and are {len(facts) - 1} "
        "now): the report cannot be made again"
    )


def test_the_digest_of_the_rows_sees_one_fact(tmp_path: Path) -> None:
    ruleset, facts = shipped().ruleset("send_overage", DAY), facts_of("send_overage")
    found = set()
    for rows in (facts, [*facts[:-1], {**facts[-1], "prepay_months": 7}], [*facts, facts[0]], facts[:-1]):
        assert report("send_overage", table_of(DUCKDB, ruleset, rows, tmp_path), tmp_path / "out").code == 0
        found.add(fetched(tmp_path / "out")[0]["sha256"])
    assert len(found) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_sides_are_compared_over_a_table(engine: str, tmp_path: Path) -> None:
    ruleset, facts = shipped().ruleset("partner_earnings", DAY), facts_of("partner_earnings")
    tables = [
        parquet_file(ruleset, facts, tmp_path / "accounts.parquet"),
        table_of(engine, ruleset, facts, tmp_path),
    ]
    sides = ("partner_earnings@2025-06-01", "partner_earnings@2025-09-01")
    made = [policy("compare", *sides, "--facts", table, "--out", str(tmp_path / engine)) for table in tables]
    assert made[0].out.replace("  ", " ") == made[1].out.replace("  ", " ")
    [one] = json.loads((tmp_path / engine / "comparison.json").read_text("utf-8"))["rulesets"]
    assert one["inputs"] == []
    assert [(rows["name"], rows["rows"]) for rows in one["fetched"]] == [(tables[1], len(facts))]


@pytest.mark.parametrize("engine", ENGINES)
def test_coverage_is_counted_over_a_table(engine: str, tmp_path: Path) -> None:
    facts, ruleset = facts_of("partner_earnings"), shipped().ruleset("partner_earnings", DAY)
    tables = [
        parquet_file(ruleset, facts, tmp_path / "accounts.parquet"),
        table_of(engine, ruleset, facts, tmp_path),
    ]
    ran = [policy("test", "rules/partner_earnings_test.yaml", "--coverage", "--over", table) for table in tables]
    assert "over accounts only" in ran[0].out
    assert ran[0].out.replace(tables[0], "TABLE") == ran[1].out.replace(tables[1], "TABLE")


def test_a_query_is_what_it_says_to_the_end(tmp_path: Path) -> None:
    facts = facts_of("partner_earnings")
    table_of(POSTGRES, shipped().ruleset("partner_earnings", DAY), facts, tmp_path)
    query = (
        "SELECT *, 1 AS note FROM report.partner_earnings WHERE account_id LIKE '%25' OR account_id = 'a&b=c?' -- all;"
    )
    assert report("partner_earnings", in_server(query=query), tmp_path / "out").code == 0
    [rows] = fetched(tmp_path / "out")
    assert (rows["name"], rows["rows"]) == (in_server(query=query), len(facts))
    assert policy("report", "verify", str(tmp_path / "out")).code == 0


def test_a_query_of_duckdb_may_read_files(tmp_path: Path) -> None:
    facts, ruleset = facts_of("partner_earnings"), shipped().ruleset("partner_earnings", DAY)
    file = parquet_file(ruleset, facts, tmp_path / "accounts.parquet")
    assert report("partner_earnings", f"duckdb:?query=SELECT * FROM '{file}';", tmp_path / "out").code == 0
    assert fetched(tmp_path / "out")[0]["rows"] == len(facts)


def test_what_has_no_query_is_decided_here_and_told(tmp_path: Path) -> None:
    rules = """
ruleset: names
version: "1"
title: Names
timezone: UTC
facts: person
effective: {from: 2020-01-01}
decisions:
  kind:
    question: Which kind?
    outcomes: [code, other]
    rules:
      - {id: code, when: lower(name) == "ab", then: code, because: It is one.}
    otherwise: {then: other, because: It is none.}
"""
    schema = {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}}
    lay_out({"rules/names.yaml": rules, "schemas/person.schema.json": json.dumps(schema)}, tmp_path)
    table = "duckdb:?query=SELECT unnest(['AB', 'c']) AS name"
    made = policy("report", f"names={table}", "--as-of", "2025-01-01", "--out", "out", folder=tmp_path)
    assert made.code == 0
    assert made.err.startswith("note: `names` is decided here, not in DuckDB: ")
    assert pl.read_parquet(tmp_path / "out" / "decisions.parquet")["kind.outcome"].to_list() == ["code", "other"]


def refused(table: str, folder: Path, ruleset: str = "partner_earnings") -> str:
    """What is said of a table of which no report can be made; the report that is there stays, and nothing else comes."""
    kept = folder / "kept.txt"
    kept.write_text("mine")
    made = report(ruleset, table, folder / "out")
    assert (made.code, made.out) == (2, "")
    assert [path.name for path in folder.iterdir() if "db" not in path.name] == ["kept.txt"]
    return " ".join(made.err.split())


@pytest.fixture
def table(tmp_path: Path) -> str:
    """The name of a table in PostgreSQL."""
    return table_of(POSTGRES, shipped().ruleset("partner_earnings", DAY), facts_of("partner_earnings")[:3], tmp_path)


QUERIES = {
    "SELECT * FROM report.nothing": 'relation "report.nothing" does not exist',
    "SELECT 1 AS account_id; DROP TABLE report.victim": "cannot insert multiple commands into a prepared statement",
    "SELECT 1; COMMIT; DROP TABLE report.victim": "cannot insert multiple commands into a prepared statement",
    "SELECT 1) x; DROP TABLE report.victim --": 'syntax error at or near ")"',
    "DROP TABLE report.victim": 'syntax error at or near "DROP"',
    "WITH a AS (DELETE FROM report.victim RETURNING *) SELECT * FROM a": (
        "DECLARE CURSOR must not contain data-modifying statements in WITH"
    ),
    "SELECT report.empty() AS account_id": "cannot execute DELETE in a read-only transaction",
    "SELECT *, pg_terminate_backend(pg_backend_pid()) FROM report.partner_earnings": (
        "the connection was lost (terminating connection due to administrator command); run it again"
    ),
    "SELECT 1::int AS account_id": (
        "the column `account_id` is int4, and the fact wants TEXT; cast it in a query (`query=`), or in a view"
    ),
    "SELECT now()::timestamp AS partner_deployment_at": (
        "the column `partner_deployment_at` is timestamp, and the fact wants TIMESTAMPTZ; cast it in a query (`query=`), or in a "
        "view"
    ),
    "SELECT 'a'::char(5) AS account_id": (
        "the column `account_id` is bpchar(5), and the fact wants TEXT; cast it in a query (`query=`), or in a view"
    ),
    "SELECT account_id, 1/0 AS note FROM report.partner_earnings": "division by zero",
}


@pytest.mark.parametrize("query", QUERIES)
def test_what_postgresql_says_no_to_is_a_sentence(query: str, table: str, tmp_path: Path) -> None:
    execute("DROP TABLE IF EXISTS report.victim; CREATE TABLE report.victim AS SELECT 1 AS one")
    execute(
        "CREATE OR REPLACE FUNCTION report.empty() RETURNS text LANGUAGE sql AS "
        "$$ DELETE FROM report.victim; SELECT 'x'::text $$"
    )
    where = in_server(query=query)
    assert refused(where, tmp_path) == f"`{where}`: {QUERIES[query]}"
    assert postgres.connection().execute("SELECT count(*) FROM report.victim").fetchone() == (1,)


def test_a_permission_that_is_lacking_is_a_sentence(table: str, tmp_path: Path) -> None:
    execute("DROP ROLE IF EXISTS visitor; CREATE ROLE visitor LOGIN; GRANT USAGE ON SCHEMA report TO visitor")
    where = in_server("report.partner_earnings", user="visitor")
    assert refused(where, tmp_path) == f"`{where}`: permission denied for table partner_earnings"


def test_names_are_names_whatever_is_in_them(tmp_path: Path) -> None:
    odd = 'a.b"; DROP TABLE report.victim; --'
    execute(
        "CREATE SCHEMA IF NOT EXISTS report; DROP TABLE IF EXISTS report.victim; CREATE TABLE report.victim (one int)"
    )
    execute(
        'DROP TABLE IF EXISTS report."{0}"; CREATE TABLE report."{0}" AS SELECT 1 AS x'.format(odd.replace('"', '""'))
    )
    name = odd.replace(".", "%2E").replace('"', "%22").replace(";", "%3B")
    where = in_server().replace("?", f"/report.{name}?")
    made = report("partner_earnings", where, tmp_path / "out")
    assert "1 of 1 row is invalid" in made.out
    assert postgres.connection().execute("SELECT count(*) FROM report.victim").fetchone() == (0,)


NAMES = {
    "postgresql://me:secret@host/crm/accounts": (
        "`postgresql://me@host/crm/accounts` was given with a password, which others on this machine can see, and a report would "
        "keep; leave it out, and give it as PGPASSWORD or in ~/.pgpass"
    ),
    "postgres://me@host/crm/accounts?password=secret&sslmode=require": (
        "`postgres://me@host/crm/accounts?sslmode=require` was given with a password, which others on this machine can see, and "
        "a report would keep; leave it out, and give it as PGPASSWORD or in ~/.pgpass"
    ),
    "postgresql://me@host/crm": "`postgresql://me@host/crm` names no table; write postgresql://user@host/database/schema.table",
    "postgresql://me@host/crm/a.b.c.d": (
        "`postgresql://me@host/crm/a.b.c.d` names no table; write postgresql://user@host/database/schema.table"
    ),
    "postgresql://me@host/crm?query=;": "`postgresql://me@host/crm?query=;` has no query; write it behind `query=`",
    "postgresql:///crm/accounts?host=/nowhere": (
        "`postgresql:///crm/accounts?host=/nowhere` cannot be reached: connection is bad: connection to server on socket "
        '"/nowhere/.s.PGSQL.5432" failed: No such file or directory'
    ),
    "postgresql:///crm/accounts?nonsense=1": (
        '`postgresql:///crm/accounts?nonsense=1` cannot be reached: invalid URI query parameter: "nonsense"'
    ),
    "duckdb:accounts": "`duckdb:accounts` names no table; write duckdb:file.db/table",
    "duckdb:none.db/accounts": "there is no file `none.db`; a table in one is written duckdb:file.db/table",
    "duckdb:?query=SELECT 1; SELECT 2": "`duckdb:?query=SELECT 1; SELECT 2`: the query is not one SELECT",
    "duckdb:?query=DROP TABLE x": "`duckdb:?query=DROP TABLE x`: the query is not one SELECT",
    "duckdb:?query=SELECT * FROM x": (
        "`duckdb:?query=SELECT * FROM x`: Catalog Error: Table with name x does not exist!"
    ),
    "duckdb:?query=SELECT 1.5::DOUBLE AS account_id": (
        "`duckdb:?query=SELECT 1.5::DOUBLE AS account_id`: the column `account_id` is DOUBLE, and the fact wants TEXT; cast it "
        "in a query (`query=`), or in a view"
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_nowhere_is_a_sentence(name: str, tmp_path: Path) -> None:
    assert refused(name, tmp_path) == NAMES[name]


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "not.db").write_text("nothing of the kind")
    assert refused(f"duckdb:{tmp_path}/not.db/accounts", tmp_path).startswith(
        f"`duckdb:{tmp_path}/not.db/accounts` cannot be opened: "
    )


@pytest.mark.parametrize(
    ("library", "name", "extra"),
    [
        ("psycopg", "postgresql://me@host/crm/accounts", "postgres"),
        ("duckdb", "duckdb:a.db/accounts", "duckdb"),
        ("pyspark.sql", "spark:accounts", "spark"),
    ],
)
def test_a_library_that_is_missing_is_a_sentence(
    library: str, name: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    title = {"psycopg": "psycopg", "duckdb": "DuckDB", "pyspark.sql": "PySpark"}[library]
    assert refused(name, tmp_path) == f"{title} is missing: `pip install policy_engine[{extra}]`"


def test_a_column_with_a_name_like_a_fact_is_told(tmp_path: Path) -> None:
    table = "duckdb:?query=SELECT 'a' AS acount_id, 1 AS weight"
    made = report("partner_earnings", table, tmp_path / "out")
    assert made.err.splitlines()[0] == (
        f"note: `{table}`: the column `acount_id` is not read; did you mean `account_id`? Name it so in a query"
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SAME_PARTS)
def test_decisions_become_a_table(name: str, engine: str, tmp_path: Path) -> None:
    file = parquet_file(shipped().ruleset(name, DAY), facts_of(name), tmp_path / "accounts.parquet")
    execute("CREATE SCHEMA IF NOT EXISTS report; DROP TABLE IF EXISTS report.decisions")
    table = in_server("report.decisions") if engine == POSTGRES else f"duckdb:{tmp_path}/made.db/decisions"
    made = report(name, file, tmp_path / "out", "--decisions-to", table, "--reasons")
    assert (made.code, made.err) == (0, "")
    expected = pl.read_parquet(tmp_path / "out" / "decisions.parquet").with_columns(pl.col(pl.Enum).cast(pl.String))
    assert rows_in(table, engine) == expected.rows()
    again = report(name, file, tmp_path / "other", "--decisions-to", table)
    assert again.code == 2
    assert "already exists" in again.err
    assert not (tmp_path / "other").exists()


def rows_in(table: str, engine: str) -> list[tuple[Any, ...]]:
    """The rows of a table of decisions, in order."""
    if engine == POSTGRES:
        return list(postgres.connection().execute('SELECT * FROM report.decisions ORDER BY "row"').fetchall())
    with duckdb.connect(table.removeprefix("duckdb:").removesuffix("/decisions")) as connection:
        return list(connection.execute("SELECT * FROM decisions ORDER BY row").fetchall())


PLACES = {
    "decisions": (
        "--decisions-to: `decisions` is no table in a database; write postgresql://user@host/database/schema.table"
    ),
    "duckdb:a.db?query=SELECT 1": "`duckdb:a.db?query=SELECT 1` is a query; name a table that is to be made",
    "spark:decisions": (
        "`spark:decisions`: tables of Spark are written by `decide_table`, not by a report; name another"
    ),
    "duckdb:/nowhere/made.db/decisions": "`duckdb:/nowhere/made.db/decisions` cannot be written: ",
    "postgresql://me@/crm/decisions?host=/nowhere": "`postgresql://me@/crm/decisions?host=/nowhere` cannot be written: ",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_in_which_no_table_can_be_made_is_a_sentence(place: str, tmp_path: Path) -> None:
    file = parquet_file(shipped().ruleset("send_overage", DAY), facts_of("send_overage"), tmp_path / "accounts.parquet")
    made = report("send_overage", file, tmp_path / "out", "--decisions-to", place)
    assert made.code == 2
    assert " ".join(made.err.split()).startswith(PLACES[place])
    assert [path.name for path in tmp_path.iterdir()] == ["accounts.parquet"]


def spoilt(facts: Facts) -> Facts:
    """Facts of `send_overage`, some of which are wrong in ways that columns of the right types allow."""
    wrong: tuple[dict[str, Any], ...] = (
        {"plan_send_multiple": 11},
        {"sends": -1},
        {"contact_tier_top": 9_000_000_000_000_000_000},
        {"account_id": ""},
        {"delivered": 2**62, "bounced": 2**62},
    )
    return [{**one, **changed} for one, changed in zip(facts, wrong, strict=False)] + list(facts[len(wrong) :])


def test_invalid_rows_are_the_same_from_each_source(tmp_path: Path) -> None:
    ruleset, facts = shipped().ruleset("send_overage", DAY), spoilt(facts_of("send_overage"))
    file = parquet_file(ruleset, in_order_of_keys(ruleset, facts), tmp_path / "accounts.parquet")
    assert report("send_overage", file, tmp_path / "file").code == 0
    expected, digests = parts(tmp_path / "file", file), set()
    assert len(expected["invalid"]) == 5
    for engine in ENGINES:
        table = table_of(engine, ruleset, facts, tmp_path)
        made = report("send_overage", table, tmp_path / engine)
        assert (made.code, made.err) == (0, "")
        assert parts(tmp_path / engine, table) == expected
        digests.add(fetched(tmp_path / engine)[0]["sha256"])
    assert len(digests) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_that_takes_valid_rows_for_invalid_is_found_out(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policy_engine.reports import databases  # noqa: PLC0415

    ruleset, facts = shipped().ruleset("send_overage", DAY), facts_of("send_overage")
    table = table_of(engine, ruleset, facts, tmp_path)
    decided = databases._decided

    def spoilt_answers(*arguments: Any) -> Path:
        path = decided(*arguments)
        answers = pl.read_parquet(path)
        answers.with_columns(pl.when(pl.int_range(pl.len()) != 2).then("tier.status")).write_parquet(path)
        return path

    monkeypatch.setattr(databases, "_decided", spoilt_answers)
    made = report("send_overage", table, tmp_path / "out")
    assert "(ValueError: the database takes row 3 for invalid, and it is valid)" in " ".join(made.err.split())
