"""Violations as lines with pointer and keyword: as queries tell them on real engines, and as they have to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from policy_engine.backends.sql.dialects.table import DIALECTS
from policy_engine.backends.sql.program import Query, prepare
from policy_engine.errors import FactsError, Violation
from policy_engine.facts.validation import valid_facts
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import LIMIT, Boolean, ListOf, Number, Record, Type
from policy_engine.reference.deciding import Evaluation, check_facts
from tests.support.choosing import Choices
from tests.support.conformance import json_text
from tests.support.generated_frames import TEXTS
from tests.support.sql_engines import TABLE, database, fill, server
from tests.support.sql_tables import ROW, arrow_table, cell

Json = Any
MISSING = re.compile("`(.*)` is missing")
Lines = list[str]
NOT_HELD = r"\\u0000|\\ud[89a-f]"
"""Texts that no database holds: with the character of code 0, and halves of characters."""


def expected(ruleset: Ruleset, facts: Json, day: date) -> Lines:
    """The violations that the reference finds."""
    try:
        check_facts(Evaluation(ruleset, valid_facts(facts, ruleset.facts), day, {}))
    except FactsError as error:
        return sorted(_line(ruleset, violation) for violation in error.violations)
    return []


def _line(ruleset: Ruleset, found: Violation) -> str:
    words = [found.pointer, found.keyword]
    if found.keyword == "required":
        words += MISSING.findall(found.message)
    if found.keyword == "check":
        words.append(str([check.because for check in ruleset.checks].index(found.message) + 1))
    return " ".join(words)


def on_duckdb(query: Query, facts: Sequence[Json]) -> dict[int, Lines]:
    """The violations of rows in DuckDB, by the number of the row."""
    text = query.written(query.invalid_tree(TABLE, [ROW]))
    with database().cursor() as cursor:
        cursor.register(TABLE[0], arrow_table(query.ruleset, facts))
        return {row: sorted(told) for row, told in cursor.sql(text).fetchall()}


def on_postgres(query: Query, facts: Sequence[Json]) -> dict[int, Lines]:
    """The violations of rows in PostgreSQL."""
    text = query.written(query.invalid_tree(TABLE, [ROW]))
    with server().cursor() as cursor:
        fill(cursor, query, facts, any_numbers=True)
        return {row: sorted(told) for row, told in cursor.execute(text)}


def decided(query: Query, facts: Sequence[Json], engine: str) -> list[dict[str, Json]]:
    """The rows of the result of a query that decides."""
    text = query.text(TABLE, [ROW])
    with database().cursor() if engine == "duckdb" else server().cursor() as cursor:
        if engine == "duckdb":
            cursor.register(TABLE[0], arrow_table(query.ruleset, facts))
        else:
            fill(cursor, query, facts, any_numbers=True)
        rows = cursor.execute(text).fetchall()
        names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


ENGINES = {"duckdb": on_duckdb, "postgres": on_postgres}


def checked_query(ruleset: Ruleset, day: date, engine: str) -> Query:
    """The query that says which rows are invalid."""
    return prepare(ruleset, {}, day, DIALECTS[engine], checked=True)


def fits_columns(ruleset: Ruleset, facts: Json, engine: str) -> bool:
    """Whether the columns of an engine can hold facts, whether or not they are valid."""
    if not isinstance(facts, dict) or not {*facts} <= {member.name for member in ruleset.facts.type.members}:
        return False
    if re.search(NOT_HELD, json_text(facts)):
        return False
    is_json = engine == "postgres"
    return all(_holds(facts.get(member.name), member.type, is_json) for member in ruleset.facts.type.members)


def _holds(value: Json, kind: Type, is_json: bool) -> bool:
    if value is None or (is_json and isinstance(kind, ListOf | Record)):
        return True
    match kind:
        case Number(places=places):
            return _is_number(value) and (is_json or _has_places(value, places))
        case ListOf(element=element):
            return isinstance(value, list) and all(_holds(part, element, is_json) for part in value)
        case Record(members=members):
            names = {member.name: member.type for member in members}
            known = isinstance(value, dict) and {*value} <= {*names}
            return known and all(_holds(part, names[name], is_json) for name, part in value.items())
    return _is_text_of(value, kind)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _has_places(value: Json, places: int) -> bool:
    """Whether a decimal of 18 digits with so many places holds a number."""
    scaled = Decimal(str(value)) * 10**places
    return bool(scaled.is_finite() and scaled == int(scaled) and abs(scaled) <= LIMIT)


def _is_text_of(value: Json, kind: Type) -> bool:
    if isinstance(kind, Boolean):
        return isinstance(value, bool)
    try:
        cell(value, kind)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str)


class Damage:
    """Damages facts in one place, by choices."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def of(self, value: Json) -> Json:
        """Facts with a change somewhere."""
        if self.choices.chance(35) or not isinstance(value, dict | list) or not value:
            return self.other(value)
        if isinstance(value, dict):
            name = self.choices.one_of([*value])
            if self.choices.chance(15):
                return {key: part for key, part in value.items() if key != name}
            return {**value, name: self.of(value[name])}
        at = self.choices.between(0, len(value) - 1)
        return [*value[:at], self.of(value[at]), *value[at + 1 :]]

    def other(self, value: Json) -> Json:
        """Another value, as a rule one of the same kind."""
        if self.choices.chance(15):
            return self.choices.one_of(ANYTHING)
        match value:
            case bool():
                return not value
            case int() | float() | Decimal():
                return self.choices.one_of(NUMBERS)
            case str():
                return self.choices.one_of(TEXTS)
            case list():
                return self.choices.one_of([[], [*value, None], value * 2, value * 20])
            case dict():
                return self.choices.one_of([{}, {**value, "other": 1}, {**value, "other": None}])
        return self.choices.one_of(ANYTHING)


ANYTHING: tuple[Json, ...] = (None, True, 1, 0, Decimal("0.5"), "", "x", "true", "1", [], {}, [1], {"a": 1})
NUMBERS = (
    0, 1, -1, 7, 10**17, -(10**17), 999_999_999_999_999_999, Decimal("0.01"), Decimal("0.005"), Decimal("99.5"), Decimal("0.125"),
    10**25, 10**41, Decimal(1).scaleb(-45), 1.0,
)  # fmt: skip
