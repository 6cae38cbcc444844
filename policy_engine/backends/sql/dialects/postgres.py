"""The dialect of PostgreSQL, from version 14 on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, column, identifier, literal, made, null, variable, where
from policy_engine.backends.sql.dialects import json_times
from policy_engine.backends.sql.dialects.base import EPOCH, FIRST, in_order
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.dialects.relational import Relational, bracket, whole
from policy_engine.backends.sql.dialects.selects import (
    ELEMENT,
    GIVEN,
    PLACE,
    derived,
    elements,
    gathered,
    local,
    select,
)
from policy_engine.language.text_patterns import for_columns
from policy_engine.language.types import (
    ANYTHING,
    Boolean,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Record,
    Text,
    Time,
    Type,
)

MILLION = 1_000_000
MOST_COPIES = 255
COUNTS, CODE = re.compile("[{,]([0-9]+)(?=[,}])"), re.compile(r"\\x\{([0-9]{4})\}")


class Postgres(Relational):
    """PostgreSQL: lists and records of users are JSONB; lists in the query are arrays, records stay JSONB.

    Layers are kept apart by OFFSET 0: the planner would put them into one another, and work everything out many times.
    """

    name: ClassVar[str] = "postgres"
    split_by: ClassVar[str] = "STRING_TO_ARRAY"
    title: ClassVar[str] = "PostgreSQL"
    fenced: ClassVar[bool] = True
    nests: ClassVar[bool] = False
    escapes: ClassVar[tuple[str, ...]] = ("\\",)
    longest_name: ClassVar[int] = 63
    setting: ClassVar[str] = "for PostgreSQL 14 or later, in a database whose encoding is UTF8"

    def record_kind(self, kind: Record) -> str:
        return "JSONB"

    # Numbers

    def quotient(self, left: Sql, right: Sql | int) -> Sql:
        return left.divided(right)

    def wide_quotient(self, left: Sql, right: Sql) -> Sql:
        return call("DIV", left, right)

    def units_of(self, number: Sql, places: int) -> Sql:
        return (number.cast("DECIMAL") * 10**places).cast("BIGINT") if places else number.cast("BIGINT")

    # Days and texts

    def bound_day(self) -> Sql:
        """By its place, since PostgreSQL itself has no parameters with names."""
        return Sql(exp.Parameter(this=exp.Literal.number(1))).cast("DATE")

    def days_between(self, start: Sql, end: Sql) -> Sql:
        return (end - start).cast("BIGINT")

    def day_at(self, count: Sql) -> Sql:
        return literal(FIRST) + (count - EPOCH).cast("INT")

    def collated(self, text: Sql) -> Sql:
        return replace(text, node=exp.Collate(this=text.node, expression=identifier("C")))

    def contains(self, text: Sql, part: Sql) -> Sql:
        return call("STRPOS", text, part) > 0

    def ends_with(self, text: Sql, end: Sql) -> Sql:
        return call("RIGHT", text, call("LENGTH", end)).equals(end)

    def trimmed(self, text: Sql, blanks: str) -> Sql:
        return call("BTRIM", text, blanks)

    def matches(self, text: Sql, pattern: str) -> Sql:
        read = CODE.sub(lambda found: f"\\u{found[1]}", for_columns(pattern))
        return made(exp.RegexpLike, text, self.text(read))

    def reads_pattern(self, pattern: str) -> bool:
        """It has no counts above 255."""
        return all(int(count) <= MOST_COPIES for count in COUNTS.findall(pattern))

    # Lists and records

    def item(self, listed: Sql, place: Sql | int) -> Sql:
        return bracket(listed, literal(place))

    def size(self, listed: Sql) -> Sql:
        return call("CARDINALITY", listed).cast("BIGINT")

    def compacted(self, listed: Sql) -> Sql:
        return call("ARRAY_REMOVE", listed, null())

    def joined_texts(self, listed: Sql, separator: Sql) -> Sql:
        return call("ARRAY_TO_STRING", listed, separator)

    def concatenated(self, one: Sql, other: Sql) -> Sql:
        return call("ARRAY_CAT", one, other)

    def member(self, record: Sql, name: str, member: Member) -> Sql:
        raw, text = call("JSONB_EXTRACT_PATH", record, name), call("JSONB_EXTRACT_PATH_TEXT", record, name)
        return in_order(self, member, self._of_json(member.type, raw, text))

    def _of_json(self, kind: Type, raw: Sql, text: Sql) -> Sql:
        """A fact that is JSON, in the form in which the query calculates; `text` is the same as a text."""
        match kind:
            case ListOf() | Record():
                return self.read(kind, raw)
            case Instant():
                return json_times.moment(self, text, kind.zone)
            case Number() | Boolean() | Date() | Time() | Text():
                return self.read(kind, text)
        raise TypeError(kind)

    def read_record(self, kind: Record, raw: Sql) -> Sql:
        return made(exp.Nullif, this=raw, expression=literal("null").cast("JSONB"))

    def read_list(self, element: Type, raw: Sql) -> Sql:
        function = call("JSONB_ARRAY_ELEMENTS", raw)
        alias = exp.TableAlias(this=identifier("elements"), columns=[identifier(ELEMENT), identifier(PLACE)])
        table = replace(function, node=exp.Table(this=function.node, ordinality=True, alias=alias))
        entry = local(ELEMENT)
        text = made(exp.JSONBExtractScalar, this=entry, expression=literal("{}"))
        read = self._of_json(element, entry, text)
        found = self.listed(select([(gathered(read, local(PLACE)), GIVEN)], table), element)
        return where(call("JSONB_TYPEOF", raw).equals("array"), found)

    def ordered(self, listed: Sql, key: Member, kind: Record) -> Sql:
        over = whole(listed)
        entry = variable(ELEMENT)
        found = select([(gathered(entry, self.member(entry, key.name, key), variable(PLACE)), GIVEN)], elements(over))
        return where(listed.is_known(), self.listed(found, kind)).without((ELEMENT, PLACE))

    # What users have, and what they get

    def as_read(self, kind: Type, raw: Sql) -> Sql:
        return call("TO_JSONB", raw) if isinstance(kind, ListOf | Record) else raw

    def fetched(self, names: Sequence[str], table: str) -> list[Sql]:
        return [call("ROW_TO_JSON", column(table)).cast("TEXT")]

    def moment(self, raw: Sql) -> Sql:
        return (made(exp.Extract, Sql(exp.Var(this="EPOCH")), raw.cast("TIMESTAMPTZ")) * MILLION).cast("BIGINT")

    def time(self, raw: Sql) -> Sql:
        return (made(exp.Extract, Sql(exp.Var(this="EPOCH")), raw.cast("TIME")) * MILLION).cast("BIGINT")

    def shown_moment(self, value: Sql) -> Sql:
        """In two parts, since an interval is multiplied in floats, which hold each of them exactly."""
        start = literal("1970-01-01 00:00:00+00").cast("TIMESTAMPTZ")
        seconds = value.divided(MILLION) * literal("1 second").cast("INTERVAL")
        return start + seconds + value.remainder(MILLION) * literal("1 microsecond").cast("INTERVAL")

    def shown_time(self, value: Sql) -> Sql:
        return literal("00:00:00").cast("TIME") + value * literal("1 microsecond").cast("INTERVAL")

    def is_shown_otherwise(self, kind: Type) -> bool:
        return not isinstance(kind, Record) and super().is_shown_otherwise(kind)

    def shown_list(self, element: Type, value: Sql) -> Sql:
        shown = self.shown(element, variable(ELEMENT))
        over = Loop(value, ELEMENT, PLACE, None, (shown,), ANYTHING)
        rows = derived(select([(shown, GIVEN), (variable(PLACE), PLACE)], elements(over)))
        found = select([(gathered(local(GIVEN), local(PLACE)), GIVEN)], rows)
        empty = self.array([]).cast(f"{self.column_kind(element)}[]")
        return where(value.is_known(), made(exp.Coalesce, this=found, expressions=[empty])).without((ELEMENT, PLACE))

    def column_kind(self, kind: Type) -> str:
        return "JSONB" if isinstance(kind, ListOf) else super().column_kind(kind)
