"""What the dialects have in common, and the constructs in which they differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, column, identifier, literal, made, null, tight
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.language.text_patterns import for_columns
from policy_engine.language.types import (
    TEXT,
    Anything,
    Boolean,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Ratio,
    Record,
    Text,
    Time,
    Type,
    member_of,
    record_in,
)

FIRST = date(1970, 1, 1)
EPOCH = FIRST.toordinal()
"""The first day from which engines count, and its ordinal; 1 January 0001 has 1."""

AS_OF = "as_of"
"""The parameter that has the day of the question."""


class Dialect(ABC):
    """How a dialect writes what the others write differently.

    In all of them a boolean is a BOOLEAN, a number a BIGINT of its type's units, a text a text compared by code points, a date a
    DATE, an instant a BIGINT of microseconds since 1970, a time one of microseconds since midnight, a ratio an array of numerator
    and denominator, a list an array. `widest` is the largest whole number by which ratios are compared, None where any is held;
    `fenced` where the planner must be kept from putting layers into one another, `nests` where lists may hold lists.
    `longest_name` is how many bytes of a column's name count; `setting` is what a session needs.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    fenced: ClassVar[bool] = False
    nests: ClassVar[bool] = True
    widest: ClassVar[int | None] = None
    wide: ClassVar[str] = "DECIMAL"
    longest_name: ClassVar[int] = 1_000
    setting: ClassVar[str] = ""
    escapes: ClassVar[tuple[str, ...]] = ()
    character: ClassVar[str] = "CHR"
    split_by: ClassVar[str] = "STRING_SPLIT"

    # Types

    def kind_of(self, kind: Type) -> str:
        """The SQL type in which values of a type are held."""
        match kind:
            case Boolean():
                return "BOOLEAN"
            case Number() | Instant() | Time():
                return "BIGINT"
            case Text():
                return "TEXT"
            case Date():
                return "DATE"
            case Ratio():
                return "BIGINT[]"
            case ListOf(element=Anything()):
                return "TEXT[]"
            case ListOf(element=element):
                return f"{self.kind_of(element)}[]"
            case Record():
                return self.record_kind(kind)
        return "BOOLEAN"

    def record_kind(self, kind: Record) -> str:
        """The SQL type of a record."""
        members = ", ".join(f"{identifier(each.name).sql('duckdb')} {self.kind_of(each.type)}" for each in kind.members)
        return f"STRUCT({members})"

    def nothing(self, kind: Type) -> Sql:
        """The unknown of a type."""
        return null(self.kind_of(kind))

    # Numbers

    def quotient(self, left: Sql, right: Sql | int) -> Sql:
        """Whole division towards zero."""
        return left.halved(right)

    def widened(self, value: Sql) -> Sql:
        """A whole number in the widest type."""
        return value.cast(self.wide)

    def wide_quotient(self, left: Sql, right: Sql) -> Sql:
        """Whole division towards zero of widest numbers."""
        return self.quotient(left, right)

    def scaled_down(self, units: Sql, places: int) -> Sql:
        """Units as an exact decimal of so many places."""
        factor = Sql(exp.cast(exp.Literal.string(f"0.{1:0{places}d}"), f"DECIMAL({places}, {places})"))
        return units.cast("DECIMAL(18, 0)") * factor

    def units_of(self, number: Sql, places: int) -> Sql:
        """A decimal as units."""
        exact = number.cast(f"DECIMAL(18, {places})") if places else number
        return (exact * 10**places).cast("BIGINT") if places else exact.cast("BIGINT")

    # Days

    def bound_day(self) -> Sql:
        """The day of the question, given as a parameter when the query runs."""
        return Sql(exp.Placeholder(this=AS_OF)).cast("DATE")

    def ordinal(self, day: Sql) -> Sql:
        """The ordinal of a date."""
        return self.days_between(literal(FIRST), day) + EPOCH

    @abstractmethod
    def days_between(self, start: Sql, end: Sql) -> Sql:
        """Days from the start to the end."""

    @abstractmethod
    def day_at(self, count: Sql) -> Sql:
        """The date of an ordinal that lies in the calendar."""

    def part(self, name: str, day: Sql) -> Sql:
        """The year, month or day of a date."""
        return made(exp.Extract, Sql(exp.Var(this=name.upper())), day).cast("BIGINT")

    # Texts

    def collated(self, text: Sql) -> Sql:
        """A text compared by code points."""
        return text

    def starts_with(self, text: Sql, start: Sql) -> Sql:
        """Whether a text begins with another."""
        return call("starts_with", text, start)

    def contains(self, text: Sql, part: Sql) -> Sql:
        """Whether another text stands somewhere in a text."""
        return call("contains", text, part)

    def ends_with(self, text: Sql, end: Sql) -> Sql:
        """Whether a text ends with another."""
        return call("ends_with", text, end)

    def length(self, text: Sql) -> Sql:
        """How many code points a text has."""
        return call("length", text).cast("BIGINT")

    def trimmed(self, text: Sql, blanks: str) -> Sql:
        """A text without characters at its ends."""
        return call("trim", text, blanks)

    def matches(self, text: Sql, pattern: str) -> Sql:
        """Whether a pattern, written as in schemas, is found in a text."""
        return call("REGEXP_MATCHES", text, self.text(for_columns(pattern)))

    def reads_pattern(self, pattern: str) -> bool:
        """Whether the dialect reads a pattern as schemas mean it."""
        return True

    # Lists and records

    def array(self, elements: Sequence[Sql], kind: Type | None = None) -> Sql:
        """A list of elements; its type is needed where there are none."""
        listed = made(exp.Array, expressions=list(elements))
        return listed if elements or kind is None else listed.cast(self.kind_of(ListOf(kind)))

    def item(self, listed: Sql, place: Sql | int) -> Sql:
        """The element at a place, counted from 1; unknown where there is none."""
        return call("list_extract", listed, place)

    def size(self, listed: Sql) -> Sql:
        """How many elements a list has."""
        return call("len", listed)

    def member(self, record: Sql, name: str, member: Member) -> Sql:
        """A member of a record of the query."""
        return self.struct_member(record, name)

    def struct_member(self, record: Sql, name: str) -> Sql:
        """A member of a STRUCT."""
        return call("struct_extract", record, name)

    def text(self, value: str) -> Sql:
        """A constant text, without what a session may read as the start of something else (`escapes`)."""
        for escape in self.escapes:
            if escape in value:
                return self._without(escape, value)
        return literal(value)

    def _without(self, escape: str, value: str) -> Sql:
        """A text put together of its parts around an escape, whose first character stands there by its code."""
        first, *others = value.split(escape)
        found = self.text(first)
        for other in others:
            sign = call(self.character, ord(escape[0]))
            found = made(exp.DPipe, made(exp.DPipe, found, sign), self.text(escape[1:] + other))
        return tight(found)

    def texts(self, elements: Sequence[Sql]) -> Sql:
        """A list of texts, of which some may be null."""
        return self.array(elements, TEXT)

    @abstractmethod
    def compacted(self, listed: Sql) -> Sql:
        """A list without its nulls."""

    @abstractmethod
    def joined_texts(self, listed: Sql, separator: Sql) -> Sql:
        """The texts of a list with a separator between them."""

    def lines(self, listed: Sql, separator: Sql) -> Sql:
        """The texts of a list that are known, with a constant separator between them; unknown where there are none."""
        return made(exp.Nullif, this=self.joined_texts(listed, separator), expression=literal(""))

    def flattened(self, lists: Sql) -> Sql:
        """The elements of several lists, none of which is null, as one list."""
        return call("FLATTEN", lists)

    def split(self, text: Sql, separator: Sql) -> Sql:
        """The parts of a text between separators, as a list."""
        return call(self.split_by, text, separator)

    @abstractmethod
    def concatenated(self, one: Sql, other: Sql) -> Sql:
        """Two lists one after the other."""

    # Loops over lists

    @abstractmethod
    def place_of(self, name: str) -> Sql:
        """The place of an element, counted from 1, by the variable that has it."""

    @abstractmethod
    def bound(self, value: Sql, name: str, body: Sql) -> Sql:
        """A body that reads a value, worked out once, by the name of a variable; the value is no list."""

    @abstractmethod
    def count(self, over: Loop, flag: Sql) -> Sql:
        """For how many elements a flag is true; unknown where the list is."""

    @abstractmethod
    def bits(self, over: Loop, word: Sql) -> Sql:
        """The bits of all elements' words."""

    @abstractmethod
    def aggregate(self, function: str, over: Loop) -> Sql:
        """An aggregate whose filters and elements are all known; `any` and `all` are none of these."""

    @abstractmethod
    def distinct(self, listed: Sql) -> Sql:
        """The elements, each once, by first occurrence."""

    @abstractmethod
    def taken(self, listed: Sql, number: Sql, *, last: bool) -> Sql:
        """The first or the last so many elements; all where there are fewer."""

    # What users have, and what they get

    def read(self, kind: Type, raw: Sql) -> Sql:
        """A fact as it stands in the user's table, in the form in which the query calculates."""
        match kind:
            case Number(places=places):
                return self.units_of(raw, places)
            case Text():
                return self.collated(raw.cast("TEXT"))
            case Instant():
                return self.moment(raw)
            case Time():
                return self.time(raw)
            case Boolean() | Date():
                return raw.cast(self.kind_of(kind))
            case ListOf(element=element):
                return self.read_list(element, raw)
            case Record():
                return self.read_record(kind, raw)
        raise TypeError(kind)

    def as_read(self, kind: Type, raw: Sql) -> Sql:
        """A fact as it is read from a user's column of a type that is near the one it has to have."""
        return raw

    def fetched(self, names: Sequence[str], table: str) -> list[Sql]:
        """The columns of a table of facts as they leave the database."""
        return [column(name) for name in names]

    @abstractmethod
    def read_list(self, element: Type, raw: Sql) -> Sql:
        """A list as it stands in the user's table."""

    @abstractmethod
    def read_record(self, kind: Record, raw: Sql) -> Sql:
        """A record as it stands in the user's table."""

    @abstractmethod
    def ordered(self, listed: Sql, key: Member, kind: Record) -> Sql:
        """A list of records in the order of a member; those of equal keys stay in the order they have."""

    @abstractmethod
    def moment(self, raw: Sql) -> Sql:
        """The microseconds of an instant."""

    @abstractmethod
    def time(self, raw: Sql) -> Sql:
        """The microseconds of a time of day."""

    def shown(self, kind: Type, value: Sql) -> Sql:
        """A value in the form of answers."""
        match kind:
            case Number(places=places) if places:
                return self.scaled_down(value, places)
            case Instant():
                return self.shown_moment(value)
            case Time():
                return self.shown_time(value)
            case ListOf(element=element) if self.is_shown_otherwise(element):
                return self.shown_list(element, value)
        return value

    def is_shown_otherwise(self, kind: Type) -> bool:
        """Whether answers show a value in another form than the one in which the query calculates."""
        match kind:
            case Number(places=places):
                return places > 0
            case ListOf(element=element):
                return self.is_shown_otherwise(element)
            case Record(members=members):
                return any(self.is_shown_otherwise(member.type) for member in members)
        return isinstance(kind, Instant | Time)

    @abstractmethod
    def shown_list(self, element: Type, value: Sql) -> Sql:
        """A list of values in the form of answers."""

    @abstractmethod
    def shown_moment(self, value: Sql) -> Sql:
        """An instant from its microseconds."""

    @abstractmethod
    def shown_time(self, value: Sql) -> Sql:
        """A time of day from its microseconds."""

    def column_kind(self, kind: Type) -> str:
        """What the user's column has to be, in words of the dialect."""
        match kind:
            case Number(places=0):
                return "BIGINT"
            case Number(places=places):
                return f"DECIMAL(18, {places})"
            case Instant():
                return "TIMESTAMPTZ"
            case Time():
                return "TIME"
        return self.kind_of(kind)


def in_order(to: Dialect, member: Member, value: Sql) -> Sql:
    """A list in the order that its schema promises; any other value as it is."""
    record = record_in(member.type)
    if member.ordered_by is None or record is None:
        return value
    key = member_of(record, member.ordered_by)
    assert key is not None
    return to.ordered(value, key, record)
