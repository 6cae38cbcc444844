"""The SQL back end in the form of the contract, on real engines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
from psycopg.adapt import Loader
from psycopg.types.json import set_json_loads

from policy_engine.backends.columnar.rows import answer_of
from policy_engine.backends.contract import Answer, Answers, BackEnd
from policy_engine.backends.sql.dialects.duckdb import DuckDB
from policy_engine.backends.sql.dialects.postgres import Postgres
from policy_engine.backends.sql.program import Query, prepare
from policy_engine.language.date_texts import read_instant
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import units
from policy_engine.language.types import Instant, ListOf, Number, Record, Type
from policy_engine.language.values import EPOCH, MICROSECOND
from tests.support import postgres
from tests.support.conformance import json_text
from tests.support.sql_tables import ROW, answers_of, arrow_table

TABLE = ("the facts",)


@cache
def database() -> Any:
    """A database in memory, opened once in each process."""
    return duckdb.connect(config={"threads": 1})


def on_duckdb(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    query = prepare(ruleset, readings, as_of, DuckDB())
    text = query.text(TABLE, keep=[ROW])

    def answers(facts: Any) -> Any:
        with database().cursor() as cursor:
            cursor.register("the facts", arrow_table(ruleset, facts))
            return answers_of(query.ruleset, cursor.sql(text).to_arrow_table())

    return answers


WRITTEN = re.compile(r"(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?\+00( BC)?")
CYCLE, DAYS = 400, 146_097
"""So many years have so many days; moved by them, the years before 1 and after 9999 are such as Python has."""


class Microseconds(Loader):
    """Reads an instant as microseconds since 1970."""

    def load(self, data: Any) -> int:
        found = WRITTEN.fullmatch(bytes(data).decode())
        assert found is not None
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        year = 1 - year if found[8] else year
        moved = CYCLE if year < CYCLE else -CYCLE
        days = date(year + moved, month, day).toordinal() - moved // CYCLE * DAYS - date(1970, 1, 1).toordinal()
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        return seconds * 1_000_000 + int((found[7] or "").ljust(6, "0"))


def on_postgres(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    query = prepare(ruleset, readings, as_of, Postgres())
    text = query.text(TABLE, keep=[ROW])

    def answers(facts: Any) -> Any:
        with server().cursor() as cursor:
            fill(cursor, query, facts)
            cursor.execute(text)
            names = [column.name for column in cursor.description]
            rows = sorted((dict(zip(names, row, strict=True)) for row in cursor), key=lambda row: row[ROW])
        return [_answers(query.ruleset, row) for row in rows]

    return answers


@cache
def server() -> Any:
    """The connection to PostgreSQL, with exact numbers in JSON."""
    connection = postgres.connection()
    connection.execute("SET TimeZone TO 'UTC'")
    connection.execute("SET client_min_messages TO error")
    connection.prepare_threshold = None  # a table has other columns each time
    connection.adapters.register_loader("timestamptz", Microseconds)
    set_json_loads(lambda text: json.loads(text, parse_float=Decimal), connection)
    return connection


def fill(cursor: Any, query: Query, facts: Sequence[Any], *, any_numbers: bool = False) -> None:
    """A table of facts in the column types that the query asks for; with `any_numbers` in such that hold every number."""
    members = query.ruleset.facts.type.members
    kinds = [
        "NUMERIC" if any_numbers and isinstance(each.type, Number) else query.dialect.column_kind(each.type)
        for each in members
    ]
    columns = "".join(f', "{each.name}" {kind}' for each, kind in zip(members, kinds, strict=True))
    cursor.execute('DROP TABLE IF EXISTS "the facts"')
    cursor.execute(f'CREATE TEMP TABLE "the facts" ("{ROW}" BIGINT{columns})')
    marks = ", ".join(["%s"] * (len(members) + 1))
    rows = [[row, *(_text(each.get(member.name), member.type) for member in members)] for row, each in enumerate(facts)]
    cursor.executemany(f'INSERT INTO "the facts" VALUES ({marks})', rows)


def _text(value: Any, kind: Type) -> Any:
    """A fact as PostgreSQL reads it."""
    match kind:
        case ListOf() | Record() if value is not None:
            return json_text(value)
        case Number() if isinstance(value, float):
            return Decimal(repr(value))
        case Instant(zone=zone) if value is not None:
            return _moment((read_instant(value, zone) - EPOCH) // MICROSECOND)
    return value


def _moment(microseconds: int) -> str:
    """An instant as PostgreSQL reads it, which takes no offsets of more than 16 hours, but years before 1 and after 9999."""
    days, rest = divmod(microseconds, 86_400_000_000)
    ordinal = days + date(1970, 1, 1).toordinal()
    moved = CYCLE if ordinal < DAYS else -CYCLE
    day = date.fromordinal(ordinal + moved // CYCLE * DAYS)
    year = day.year - moved
    clock = (EPOCH + timedelta(microseconds=rest)).time().isoformat()
    return f"{year if year > 0 else 1 - year:04d}-{day:%m-%d} {clock}+00{'' if year > 0 else ' BC'}"


def _answers(ruleset: Ruleset, row: Mapping[str, Any]) -> Answer:
    """The answers of a row, in which JSON has become what other engines give."""
    given = dict(row)
    for logic in ruleset.decisions:
        for name, kind in logic.answer_types:
            column = f"{logic.name}.values.{name}"
            given[column] = _of_json(given[column], kind)
    return {logic.name: answer_of(logic, given) for logic in ruleset.decisions}


def _of_json(value: Any, kind: Type) -> Any:
    match value, kind:
        case list(), ListOf(element=element):
            return [_of_json(part, element) for part in value]
        case dict(), Record(members=members):
            return {each.name: _of_json(value.get(each.name), each.type) for each in members}
        case ((int() | Decimal()), Number(places=places)) if places:
            return decimal_of(units(value, kind), places)
    return value


def common(answer: Answer) -> Answer:
    """Of an answer what every back end tells."""
    parts = ("status", "outcome", "rules", "values", "missing")
    return {name: {part: found[part] for part in parts} for name, found in answer.items()}


ENGINES: Mapping[str, BackEnd] = {"duckdb": on_duckdb, "postgres": on_postgres}
