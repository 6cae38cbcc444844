"""The dialect of Spark, from version 4 on."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, choose, identifier, literal, loop, made, variable
from policy_engine.backends.sql.dialects.base import EPOCH, FIRST
from policy_engine.backends.sql.dialects.functional import INNER, Functional
from policy_engine.language.text_patterns import for_columns, with_end
from policy_engine.language.types import ListOf, Time, Type

MILLION = 1_000_000
TOTAL = "#total"
"""The variable that holds what a list comes to so far."""


class Spark(Functional):
    """Spark: lists are ARRAYs, records STRUCTs, wide numbers DECIMALs of 38 digits; times of day are texts such as 22:30:00."""

    name: ClassVar[str] = "spark"
    split_by: ClassVar[str] = "SPLIT"
    title: ClassVar[str] = "Spark"
    widest: ClassVar[int | None] = 10**38 - 1
    wide: ClassVar[str] = "DECIMAL(38, 0)"
    setting: ClassVar[str] = "for Spark 4 or later"
    escapes: ClassVar[tuple[str, ...]] = ("\\", "${")
    mapped_by: ClassVar[str] = "TRANSFORM"
    filtered_by: ClassVar[str] = "FILTER"
    least: ClassVar[str] = "ARRAY_MIN"
    greatest: ClassVar[str] = "ARRAY_MAX"
    first_place: ClassVar[int] = 0

    # Days and texts

    def days_between(self, start: Sql, end: Sql) -> Sql:
        return call("DATEDIFF", end, start).cast("BIGINT")

    def day_at(self, count: Sql) -> Sql:
        return call("DATE_ADD", literal(FIRST), (count - EPOCH).cast("INT"))

    def collated(self, text: Sql) -> Sql:
        return replace(text, node=exp.Collate(this=text.node, expression=exp.Var(this="UTF8_BINARY")))

    def starts_with(self, text: Sql, start: Sql) -> Sql:
        return call("STARTSWITH", text, start)

    def ends_with(self, text: Sql, end: Sql) -> Sql:
        return call("ENDSWITH", text, end)

    def length(self, text: Sql) -> Sql:
        return call("CHAR_LENGTH", text).cast("BIGINT")

    def trimmed(self, text: Sql, blanks: str) -> Sql:
        return call("BTRIM", text, blanks)

    def matches(self, text: Sql, pattern: str) -> Sql:
        """Java takes `$` also before an end of line."""
        return call("REGEXP_LIKE", text, self.text(with_end(for_columns(pattern), r"\z")))

    # Lists and records

    def item(self, listed: Sql, place: Sql | int) -> Sql:
        return call("TRY_ELEMENT_AT", listed, place if isinstance(place, int) else place.cast("INT"))

    def size(self, listed: Sql) -> Sql:
        return call("ARRAY_SIZE", listed).cast("BIGINT")

    def slice(self, listed: Sql, start: Sql, end: Sql) -> Sql:
        return call("SLICE", listed, start.cast("INT"), (end - start + 1).cast("INT"))

    def sorted(self, listed: Sql) -> Sql:
        return call("ARRAY_SORT", listed)

    def total(self, listed: Sql) -> Sql:
        return self._folded(listed, variable(TOTAL) + variable(INNER[0]))

    def bits_of(self, listed: Sql) -> Sql:
        return self._folded(listed, variable(TOTAL).with_bits(variable(INNER[0]).cast("BIGINT")))

    def _folded(self, listed: Sql, step: Sql) -> Sql:
        """What a step makes of the elements, one after the other, from zero on."""
        return call("AGGREGATE", listed, literal(0).cast("BIGINT"), loop((TOTAL, INNER[0]), step))

    def struct(self, *parts: Sql) -> Sql:
        named = [part for place, value in enumerate(parts, 1) for part in (literal(f"part_{place}"), value)]
        return call("NAMED_STRUCT", *named)

    def field(self, struct: Sql, place: int) -> Sql:
        return made(exp.Dot, struct, Sql(identifier(f"part_{place}")))

    def struct_member(self, record: Sql, name: str) -> Sql:
        return made(exp.Dot, record, Sql(identifier(name)))

    def record(self, members: dict[str, Sql]) -> Sql:
        return call("NAMED_STRUCT", *(part for name, value in members.items() for part in (literal(name), value)))

    def joined_texts(self, listed: Sql, separator: Sql) -> Sql:
        return call("ARRAY_JOIN", listed, separator)

    def concatenated(self, one: Sql, other: Sql) -> Sql:
        return call("CONCAT", one, other)

    # What users have, and what they get

    def moment(self, raw: Sql) -> Sql:
        return call("UNIX_MICROS", raw.cast("TIMESTAMPTZ"))

    def shown_moment(self, value: Sql) -> Sql:
        return call("TIMESTAMP_MICROS", value)

    def time(self, raw: Sql) -> Sql:
        hours, minutes = (call("SUBSTRING", raw, start, 2).cast("BIGINT") for start in (1, 4))
        seconds = call("SUBSTRING", raw, 7).cast("DECIMAL(8, 6)") * MILLION
        return (hours * 60 + minutes) * 60 * MILLION + seconds.cast("BIGINT")

    def shown_time(self, value: Sql) -> Sql:
        seconds, fraction = self.quotient(value, MILLION), value.remainder(MILLION)
        parts = [self.quotient(seconds, 3600), self.quotient(seconds, 60).remainder(60), seconds.remainder(60)]
        clock = call("CONCAT_WS", ":", *(_padded(part, 2) for part in parts))
        with_fraction = call("CONCAT_WS", ".", clock, _padded(fraction, 6))
        return choose([(fraction.equals(0), clock), (fraction > 0, with_fraction)])

    def column_kind(self, kind: Type) -> str:
        match kind:
            case Time():
                return "STRING, as 22:30:00"
            case ListOf(element=element):
                return f"ARRAY<{self.column_kind(element)}>"
        return super().column_kind(kind).replace("TEXT", "STRING").replace("TIMESTAMPTZ", "TIMESTAMP")


def _padded(number: Sql, digits: int) -> Sql:
    """A number with zeros before it."""
    return call("LPAD", number.cast("TEXT"), digits, "0")
