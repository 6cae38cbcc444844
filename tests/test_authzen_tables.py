"""Tables of AuthZEN entities: read from files and databases, and searched with the answers that evaluations give one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import polars as pl
import pytest

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, FactsError
from policy_engine.service.authzen import databases
from policy_engine.service.authzen.evaluating import permits
from policy_engine.service.authzen.permissions import Entities
from policy_engine.service.authzen.searching import permitted_ids
from policy_engine.service.authzen.tenants import Granted, read_tenants
from policy_engine.service.clock import Clock
from tests.support import postgres

DAY = date(2025, 9, 1)
CLOCK = Clock(lambda timezone: DAY)
SCHEMA = """{
  "type": "object",
  "properties": {
    "id": {"type": "string", "minLength": 1},
    "owner": {"type": "string", "minLength": 1},
    "grade": {"type": "string", "enum": ["a", "b", "c"]},
    "price": {"type": "number", "minimum": 0, "maximum": 1000, "multipleOf": 0.01},
    "count": {"type": "integer", "minimum": -9, "maximum": 9},
    "since": {"type": "string", "format": "date"},
    "seen": {"type": "string", "format": "date-time"},
    "opens": {"type": "string", "format": "time"},
    "open": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 4},
    "parts": {"type": "array", "maxItems": 4, "items": {
      "type": "object", "additionalProperties": false, "required": ["size"],
      "properties": {"size": {"type": "integer", "minimum": 0, "maximum": 9}, "of": {"type": "string", "enum": ["x", "y"]}}}},
    "action": {"type": "string", "enum": ["see", "buy"]},
    "who": {"type": "string", "minLength": 1}
  },
  "required": ["action", "grade"],
  "additionalProperties": false
}"""
RULES = """ruleset: shelf
title: Who may do what with a thing on the shelf
version: "1"
effective: {from: 2025-01-01}
timezone: Europe/Berlin
facts: thing

sources:
  made-up: {title: Made up}

checks:
  - expect: not (count > 7 and open)
    because: What is open has few.

decisions:
  use:
    question: May it be done?
    source: made-up
    outcomes: [allow, deny]
    rules:
      - id: owner
        when: owner == who
        then: allow
        because: It is theirs.
      - id: cheap
        when: {all: [action == "buy", price < 500.00, since <= as_of]}
        then: allow
        because: It is cheap.
      - id: seen
        when:
          any:
            - date_of(seen) >= as_of
            - opens <= time_of(seen)
            - count < 0
        then: allow
        because: It was seen.
      - id: tagged
        when:
          any:
            - '"sold" in tags'
            - sum(p.size for p in parts if p.of == "x") > 5
        then: allow
        because: It is tagged.
    otherwise:
      then: deny
      because: Nothing allows it.
"""
COLUMNS = ("owner", "grade", "price", "count", "since", "seen", "opens", "open", "tags", "parts")
MAPPING = """permissions:
  - decision: shelf.use
    subject: user
    resource: thing
    facts:
      action: action.name
      who: subject.id
      id: resource.id
"""
LATE = ("price", "since", "open", "tags")
"""The facts that the context may give where the table has none."""
EARLY = ("grade", "count")
"""The facts that the context may give in the place of the table."""


def mapping(table: str) -> str:
    """The mapping of a table of things."""
    places = {name: [f"resource.column.{name}"] for name in COLUMNS}
    for name in LATE:
        places[name].append(f"context.{name}")
    for name in EARLY:
        places[name].insert(0, f"context.{name}")
    facts = "".join(f"      {name}: [{', '.join(given)}]\n" for name, given in places.items())
    return f"{MAPPING}{facts}resources:\n  thing: {table}\n"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.from_text({"shelf": RULES}, {"thing": SCHEMA})


def granted(engine: Engine, folder: Path, table: str) -> Granted:
    """The permission over a table."""
    (folder / "permissions.yaml").write_text(mapping(table), "utf-8")
    return read_tenants(folder / "permissions.yaml", engine.rulebook, CLOCK).tenants[""].granted[0]


def question(action: str, **context: object) -> dict[str, dict[str, Any]]:
    return {
        "subject": {"type": "user", "id": "u1", "properties": {}},
        "action": {"name": action},
        "resource": {"type": "thing"},
        "context": context,
    }


def one_by_one(engine: Engine, own: Granted, asked: Entities) -> Iterator[str]:
    """The ids of which an evaluation permits."""
    ruleset = engine.ruleset("shelf", DAY)
    known = own.entities("resource", ruleset)
    assert known is not None
    for id_ in known.places:
        facts = own.facts({**asked, "resource": {"type": "thing", "id": id_}}, ruleset)
        try:
            if permits(own.permission, engine.decide("shelf.use", facts, as_of=DAY)):
                yield id_
        except FactsError:
            continue


def things(random: Random, number: int) -> list[dict[str, Any]]:
    """Rows of which many lack facts."""
    every: dict[str, Callable[[], object]] = {
        "owner": lambda: random.choice(["u1", "u2"]),
        "grade": lambda: random.choice("abc"),
        "price": lambda: random.choice([0, 499.99, 500, 500.01, 1000]),
        "count": lambda: random.randint(-2, 9),
        "since": lambda: random.choice(["2025-08-31", "2025-09-01", "2025-09-02"]),
        "seen": lambda: random.choice(["2025-09-01T06:59:59Z", "2025-09-01T07:00:00Z", "2025-09-01T09:00:00+02:00"]),
        "opens": lambda: random.choice(["11:59", "12:00", "12:01"]),
        "open": lambda: random.choice([True, False]),
        "tags": lambda: random.choices(["sold", "new"], k=random.randint(0, 2)),
        "parts": lambda: [
            {"size": random.randint(0, 9), "of": random.choice("xy")} for _ in range(random.randint(0, 2))
        ],
    }
    return [
        {"id": f"t{at}", **{name: make() for name, make in every.items() if random.random() < 0.6}}
        for at in range(number)
    ]


CONTEXTS: list[dict[str, object]] = [
    {},
    {"price": 1, "since": "2025-01-01"},
    {"price": "dear", "tags": ["sold"]},
    {"since": "2025-02-30", "open": True},
    {"grade": "a"},
    {"grade": "z"},
    {"count": 8, "open": True},
    {"count": -1, "tags": "sold", "unread": 1},
    {"price": Decimal("1.001")},
]


@pytest.mark.parametrize("seed", range(4))
def test_a_search_finds_what_evaluations_permit(engine: Engine, tmp_path: Path, seed: int) -> None:
    rows = things(Random(seed), 120)
    (tmp_path / "things.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    own = granted(engine, tmp_path, "{file: things.jsonl, id: id}")
    sizes = set()
    for context in CONTEXTS:
        for action in ("see", "buy"):
            asked = question(action, **context)
            expected = list(one_by_one(engine, own, asked))
            assert permitted_ids(own, "resource", asked, engine.ruleset("shelf", DAY), DAY) == expected, context
            sizes.add(len(expected))
    assert len(sizes) > 5
    assert 0 in sizes


FRAME = pl.DataFrame(
    {
        "id": ["t1", "t2", "t3"],
        "owner": ["u1", None, "u2"],
        "grade": ["a", "b", "c"],
        "price": [Decimal("1.50"), None, Decimal("999.99")],
        "count": [1, None, -1],
        "since": [date(2025, 1, 1), None, date(2026, 1, 1)],
        "open": [True, None, False],
    },
    schema_overrides={"price": pl.Decimal(10, 2)},
)
FEW = ("owner", "grade", "price", "count", "since", "open")
PERMITTED = ["t1", "t3"]


def few(table: str) -> str:
    facts = "".join(f"      {name}: resource.column.{name}\n" for name in FEW)
    return f"{MAPPING}{facts}resources:\n  thing: {table}\n"


def found(engine: Engine, folder: Path, table: str) -> list[str]:
    """What may be seen of a table."""
    (folder / "permissions.yaml").write_text(few(table), "utf-8")
    own = read_tenants(folder / "permissions.yaml", engine.rulebook, CLOCK).tenants[""].granted[0]
    asked = question("see")
    ids = permitted_ids(own, "resource", asked, engine.ruleset("shelf", DAY), DAY)
    assert ids == list(one_by_one(engine, own, asked))
    return ids


def test_files_of_every_kind_give_the_same(engine: Engine, tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "things.parquet")
    FRAME.write_csv(tmp_path / "things.csv")
    FRAME.write_excel(tmp_path / "things.xlsx")
    for ending in ("parquet", "csv", "xlsx"):
        assert found(engine, tmp_path, f"{{file: things.{ending}, id: id}}") == PERMITTED, ending


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "things.duckdb")) as connection:
        connection.sql("CREATE SCHEMA shop; CREATE TABLE shop.things AS FROM FRAME")
    return tmp_path


def test_a_table_or_a_query_of_duckdb(engine: Engine, database: Path) -> None:
    assert found(engine, database, "{duckdb: things.duckdb, table: shop.things, id: id}") == PERMITTED
    query = "SELECT * FROM shop.things WHERE id <> 't1'"
    assert found(engine, database, f'{{duckdb: things.duckdb, query: "{query}", id: id}}') == ["t3"]


def test_a_table_or_a_query_of_postgresql(engine: Engine, tmp_path: Path) -> None:
    connection = postgres.connection()
    connection.execute("CREATE SCHEMA IF NOT EXISTS shop; DROP TABLE IF EXISTS shop.things")
    connection.execute(
        "CREATE TABLE shop.things (id text, owner text, grade text, price numeric(10, 2), count int, since date, open boolean)"
    )
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO shop.things VALUES (%s, %s, %s, %s, %s, %s, %s)", FRAME.rows())
    place = json.dumps(connection.info.dsn)
    assert found(engine, tmp_path, f"{{postgres: {place}, table: shop.things, id: id}}") == PERMITTED
    query = "SELECT * FROM shop.things WHERE id <> 't1'"
    assert found(engine, tmp_path, f'{{postgres: {place}, query: "{query}", id: id}}') == ["t3"]
    with pytest.raises(CannotRun) as raised:
        found(engine, tmp_path, f'{{postgres: {place}, query: "DROP TABLE shop.things", id: id}}')
    told = "does not give the rows: cannot execute DROP TABLE in a read-only transaction"
    assert str(raised.value) == f"{tmp_path}/permissions.yaml:16:10: the PostgreSQL database {told}"


WRONG: list[tuple[str, str]] = [
    ("{duckdb: things.duckdb, table: things, id: id}",
     "`FOLDER/things.duckdb` does not give the rows: Catalog Error: Table with name things does not exist!"),
    ("{duckdb: permissions.yaml, table: things, id: id}", "`FOLDER/permissions.yaml` does not give the rows: "),
    ('{duckdb: things.duckdb, query: "DROP TABLE shop.things", id: id}',
     "`FOLDER/things.duckdb` does not give the rows: Invalid Input Error: Cannot execute statement of type \"DROP\""),
    ('{postgres: "host=/nowhere password=secret", table: things, id: id}',
     'the PostgreSQL database does not give the rows: connection is bad: connection to server on socket'),
    ("{postgres: host=db secret, table: things, id: id}",
     "`postgres` says how to connect: `service=permissions`, or `host=db.example dbname=crm user=reader`"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "told"), WRONG)
def test_a_database_that_gives_no_rows_is_told(engine: Engine, database: Path, table: str, told: str) -> None:
    with pytest.raises(CannotRun) as raised:
        found(engine, database, table)
    message = str(raised.value).replace(str(database), "FOLDER")
    assert message.startswith(f"FOLDER/permissions.yaml:16:10: {told}")
    assert "secret" not in message
    assert "\n" not in message


@pytest.mark.parametrize(("kind", "package"), [("duckdb", "duckdb"), ("postgres", "psycopg")])
def test_a_client_that_is_missing_is_named(
    engine: Engine, database: Path, monkeypatch: pytest.MonkeyPatch, kind: str, package: str
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(databases, "import_module", missing)
    with pytest.raises(CannotRun) as raised:
        found(engine, database, f"{{{kind}: things.duckdb, table: things, id: id}}")
    told = f'this table needs the package `{package}`: pip install "policy_engine[{kind}]"'
    assert str(raised.value) == f"{database}/permissions.yaml:16:10: {told}"
