"""AuthZEN mappings: what is wrong with one is told at its place before anything is answered, and the one that ships works."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_file
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service.authzen.tenants import Tenants, read_tenants
from policy_engine.service.clock import Clock
from tests.conftest import ROOT
from tests.test_docs import blocks_of
from tests.test_editors import validator

DATA = ROOT / "tests" / "data" / "authzen"
SHIPPED = ROOT / "fixtures" / "authzen" / "permissions.yaml"
CLOCK = Clock(lambda timezone: date(2025, 9, 1))
HEAD = """permissions:
  - decision: record_access.access
    allow: permit
    subject: user
    resource: record
    facts:
      action: action.name
      record: resource.id
"""
TABLES = """subjects:
  user: {file: users.csv, id: name}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(DATA / "rules", DATA / "schemas")


def told(engine: Engine, folder: Path, text: str) -> list[str]:
    """What is said of a mapping, without the folder; nothing of one that is right."""
    (folder / "permissions.yaml").write_text(text, "utf-8")
    try:
        read_tenants(folder / "permissions.yaml", engine.rulebook, CLOCK)
    except CannotRun as error:
        return str(error).replace(f"{folder}/", "").split("\n")
    return []


FAULTS: list[tuple[str, list[str]]] = [
    ("permissions: [\n", ["permissions.yaml:2:1: this is not YAML: what begins here has no end"]),
    ("a: 1", [
        "permissions.yaml:1:1: an AuthZEN mapping has no `a`; there are permissions, subjects, resources, tenants",
        "permissions.yaml:1:1: an AuthZEN mapping needs one of permissions, tenants",
    ]),
    ("permissions: 7", ["permissions.yaml:1:14: a permission is a list of `name: value`"]),
    ("permissions:\n  - {decision: record_access.access}", [
        "permissions.yaml:2:5: a permission needs `subject`: the type of the subjects it is about",
        "permissions.yaml:2:5: a permission needs `resource`: the type of the resources it is about",
        "permissions.yaml:2:5: a permission needs `facts`: "
        "where each fact comes from; of several places the first that has a value",
    ]),
    (HEAD.replace("record_access.access", "record_acess.access"),
     ["permissions.yaml:2:15: there is no ruleset `record_acess`; did you mean `record_access`?"]),
    (HEAD.replace("record_access.access", "record_access.acess"),
     ["permissions.yaml:2:15: there is no decision of `record_access` `acess`; did you mean `access`?"]),
    (HEAD.replace("allow: permit", "allow: permitt"), [
        "permissions.yaml:3:12: there is no outcome of `record_access.access` `permitt`; did you mean `permit`?"
    ]),
    (HEAD.replace("    allow: permit\n", ""), [
        "permissions.yaml:2:15: there is no outcome of `record_access.access` `allow`; there is permit, refuse; "
        "name the one that permits under `allow`"
    ]),
    (HEAD + "      rolle: subject.properties.role\n",
     ["permissions.yaml:9:7: there is no fact of `record_access` `rolle`; did you mean `role`?"]),
    (HEAD + "      pages: subject.id\n", ["permissions.yaml:9:14: `subject.id` is a text, and the fact `pages` is none"]),
    (HEAD + "      status: resource.type\n", [
        "permissions.yaml:9:15: `resource.type` may be `record`, which the fact `status` cannot be; it is one of active, archived"
    ]),
    (HEAD + "    actions: [read, wirte]\n", [
        "permissions.yaml:7:15: `action.name` may be `wirte`, which the fact `action` cannot be; did you mean `write`?"
    ]),
    (HEAD.replace("      record: resource.id\n", ""),
     ["permissions.yaml:6:5: `record_access` needs `record` in every question; say where to take it from"]),
    (HEAD.replace("action.name", "action.properties.what"), [
        "permissions.yaml:2:5: which `actions`? No fact with a closed set comes from `action.name`, so name them"
    ]),
    (HEAD + "      role: subjct.properties.role\n",
     ["permissions.yaml:9:13: `subjct.properties.role` is no place of a fact; did you mean `subject`?"]),
    (HEAD + "      role: subject.property.role\n",
     ["permissions.yaml:9:13: `subject.property.role` is no place of a fact; did you mean `properties`?"]),
    (HEAD + "      role: subject.properties\n", [
        "permissions.yaml:9:13: `subject.properties` is no place of a fact; it is subject.id, subject.type, "
        "subject.properties.NAME or subject.column.NAME, the same of `resource`, action.name, action.properties.NAME "
        "or context.NAME"
    ]),
    (HEAD + "      role: {from: subject}\n", [
        "permissions.yaml:9:13: a fact comes from subject.id, subject.type, subject.properties.NAME or subject.column.NAME, "
        "the same of `resource`, action.name, action.properties.NAME or context.NAME, or from a list of these"
    ]),
    (HEAD + "      role: subject.column.role\n",
     ["permissions.yaml:9:13: the type `user` has no table; name it under `subjects`"]),
    (HEAD + "      role: subject.column.role\n" + TABLES.replace(", id: name", ""), [
        "permissions.yaml:11:9: a table of entities needs `id`: the column of the ids, each of which stands there once",
    ]),
    (HEAD + "      role: [subject.column.role, subject.column.writes]\n" + TABLES,
     ["permissions.yaml:9:35: `role` comes from two columns of the table of the subject; name one"]),
    (HEAD + "      role: subject.column.role\n      user: subject.column.role\n" + TABLES,
     ["permissions.yaml:10:13: the column `role` is the fact `role` already"]),
    (HEAD + "      user: subject.id\n      role: subject.id\n", []),
    (HEAD + "      user: subject.id\n      role: subject.id\n" + TABLES,
     ["permissions.yaml:10:13: the column `name` is the fact `user` already"]),
    (HEAD + "      user: subject.column.name\n" + TABLES,
     ["permissions.yaml:9:13: the column `name` holds the ids; take `subject.id`"]),
    (HEAD + "      role: subject.column.rolle\n" + TABLES,
     ["permissions.yaml:9:13: `users.csv` has no column `rolle`; did you mean `role`?"]),
    (HEAD + TABLES.replace("id: name", "id: nmae"),
     ["permissions.yaml:10:31: `users.csv` has no column `nmae`; did you mean `name`?"]),
    (HEAD + TABLES.replace("users.csv", "user.csv"), ["permissions.yaml:10:9: there is no file `user.csv`"]),
    (HEAD + TABLES.replace("file: users.csv, ", ""), [
        "permissions.yaml:10:9: a table of entities needs exactly one of file, duckdb, postgres",
        "permissions.yaml:10:9: a database gives the rows of one `table`, or of one `query`",
    ]),
    (HEAD + TABLES.replace("file:", "table: users, file:"),
     ["permissions.yaml:10:17: a file has no `table`; it goes with `duckdb` and `postgres`"]),
    (HEAD + TABLES.replace("file: users.csv", "duckdb: users.duckdb"),
     ["permissions.yaml:10:9: a database gives the rows of one `table`, or of one `query`"]),
    (HEAD + TABLES.replace("file: users.csv", "duckdb: users.duckdb, table: users"),
     ["permissions.yaml:10:9: there is no file `users.duckdb`"]),
    (HEAD + "    constants: {status: lost}\n", ['permissions.yaml:9:25: "lost" is none of active, archived']),
    (HEAD + "    constants: {record: x}\n", ["permissions.yaml:9:17: `record` is given twice; say once what it is"]),
    (HEAD + HEAD.replace("permissions:\n", ""), [
        "permissions.yaml:9:5: `record_access.access` and `record_access.access` both answer whether a `user` may `read` "
        "a `record`; give each its own actions"
    ]),
    ("permissions: []\n", ["permissions.yaml:1:14: this list is empty; name something in it"]),
    (HEAD + "      role: []\n", ["permissions.yaml:9:13: this list is empty; name something in it"]),
    (HEAD + TABLES.replace("users.csv", "permissions.yaml"), [
        "permissions.yaml:10:9: `permissions.yaml` has no ending that tells what it is; "
        "give it one of .parquet, .pq, .csv, .tsv, .txt, .jsonl, .ndjson, .xlsx, .xlsm"
    ]),
    (HEAD + "tenants: {The Library: library.yaml}\n", [
        "permissions.yaml:9:11: a tenant's name has small letters, digits and hyphens, for it stands in addresses"
    ]),
    (HEAD + "tenants: {library: libary.yaml}\n", ["libary.yaml:1:1: the file cannot be read: No such file or directory"]),
    (HEAD + "tenants: {library: permissions.yaml}\n",
     ["permissions.yaml:9:11: a tenant has no tenants of its own; name them all in one file"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FAULTS, ids=str)
def test_each_fault_is_told_at_its_place(engine: Engine, tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "users.csv").write_bytes((DATA / "users.csv").read_bytes())
    assert told(engine, tmp_path, text) == expected


ROWS: list[tuple[str, list[str]]] = [
    ("name,role,writes\nalice,a,yes\n", []),
    ("name,role,writes,more\nalice,,,x\n", []),
    ("name,role,writes\n", []),
    ("name,role,writes\nalice,a,perhaps\n,b,\n", [
        "permissions.yaml:13:9: row 1: line 2, column `writes`: `perhaps` is not true or false; write true or false",
        "permissions.yaml:13:9: row 2: the id is missing in the column `name`",
    ]),
    ("name,role,writes\nalice,,\nbob,,\nalice,,\n",
     ["permissions.yaml:13:9: the id `alice` stands twice in the column `name`; keep one row of each"]),
    ("name,role,writes\n" + "alice,a,perhaps\n" * 12,
     [f"permissions.yaml:13:9: row {row}: line {row + 1}, column `writes`: `perhaps` is not true or false; write true or false"
      for row in range(1, 11)] + ["permissions.yaml:13:9: 2 more rows are invalid"]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), ROWS, ids=str)
def test_rows_of_a_table_are_all_valid(engine: Engine, tmp_path: Path, rows: str, expected: list[str]) -> None:
    (tmp_path / "users.csv").write_text(rows, "utf-8")
    facts = "      role: subject.column.role\n      user: subject.id\n      may_write: subject.column.writes\n"
    assert told(engine, tmp_path, HEAD + facts + TABLES) == expected


def test_a_version_that_is_over_need_not_fit(engine: Engine, tmp_path: Path) -> None:
    rules = (DATA / "rules" / "record_access.yaml").read_text("utf-8")
    old = rules.replace("{from: 2025-01-01}", "{from: 2020-01-01, until: 2025-01-01}").replace("permit", "allow")
    schemas = {"record_request": (DATA / "schemas" / "record_request.schema.json").read_text("utf-8")}
    both = Engine.from_text({"old": old.replace('version: "1"', 'version: "0"'), "new": rules}, schemas)
    (tmp_path / "permissions.yaml").write_text(HEAD, "utf-8")

    def on(day: date) -> Tenants:
        return read_tenants(tmp_path / "permissions.yaml", both.rulebook, Clock(lambda timezone: day))

    assert on(date(2025, 1, 1)).tenants[""].granted
    with pytest.raises(CannotRun, match=r"there is no outcome of `record_access\.access` `permit`"):
        on(date(2024, 12, 31))


def test_the_shipped_mapping_is_right_and_the_page_shows_it() -> None:
    shipped = Engine.load(ROOT / "rules", ROOT / "schemas", only=["user_roles"])
    assert len(read_tenants(SHIPPED, shipped.rulebook, CLOCK).tenants[""].granted) == 1
    text = SHIPPED.read_text("utf-8").partition("\n")[2]
    page = blocks_of(ROOT / "docs" / "authzen.md")
    assert next(block.body for block in page if block.language == "yaml") == text


def test_the_schema_for_editors_takes_what_is_taken_and_refuses_what_is_refused() -> None:
    schema = validator("authzen.schema.json")
    for path in (SHIPPED, DATA / "permissions.yaml", DATA / "library.yaml"):
        assert schema.is_valid(plain(read_file(path)[1])), path  # type: ignore[arg-type]
    right = plain(read_file(SHIPPED)[1])  # type: ignore[arg-type]
    assert isinstance(right, dict)
    table = {"file": "users.csv", "id": "user"}
    broken: list[dict[str, object]] = [
        {},
        {**right, "subject": {}},
        {"permissions": [{}]},
        {**right, "subjects": {"user": {"file": "a"}}},
        {**right, "subjects": {"user": {**table, "duckdb": "b"}}},
        {**right, "tenants": {"A B": "x"}},
    ]
    for wrong in broken:
        assert not schema.is_valid(wrong), wrong


def test_the_page_shows_a_fault_as_it_is_told(tmp_path: Path) -> None:
    shipped = Engine.load(ROOT / "rules", ROOT / "schemas", only=["user_roles"])
    [shown] = re.findall(r"```text\n(.*)\n", (ROOT / "docs" / "authzen.md").read_text("utf-8"))
    text = SHIPPED.read_text("utf-8").partition("\n")[2].replace("      role:", "      rolle:")
    assert told(shipped, tmp_path, text) == [shown]
