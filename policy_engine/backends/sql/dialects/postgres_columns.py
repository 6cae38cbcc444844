"""The columns of users' tables in PostgreSQL, among them JSONB, in which anything may stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlglot import exp

from policy_engine.backends.parts import MOST_VALUES, Part
from policy_engine.backends.sql.build import FALSE, Sql, call, choose, coalesce, identifier, literal, made, tight, where
from policy_engine.backends.sql.dialects.columns import EARLIEST, LATEST, Columns
from policy_engine.backends.sql.dialects.json_times import names_no_moment
from policy_engine.backends.sql.dialects.selects import ELEMENT, GIVEN, NUMBER, PLACE, STAR, gathered, local, select
from policy_engine.backends.sql.given import FORMATS, Given
from policy_engine.language.date_texts import format_of
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Time, Type

LARGE = r"(?=[0-9.]{1,81}$)[1-9][0-9]{0,39}(?:[.][0-9]*)?"
SMALL = "0[.]0{0,38}[1-9][0-9]{0,79}|0(?:[.]0{1,39})?"
PLACES = 40
LARGEST = 10**PLACES
NUMBERS = f"^-?(?:{LARGE}|{SMALL})$"
"""The texts of numbers that are read: of at most 80 digits, before the point at most 40, and less than 40 noughts behind it."""
MILLION = 1_000_000


WITHOUT_NULLS, ELEMENTS = "#plain ", "#elements "
"""Begin the names of columns with JSON without its nulls, and with the elements of lists."""


class PostgresColumns(Columns):
    """The columns of PostgreSQL. A CHAR is none for texts: whether its blanks count depends on what is done with it."""

    keeps_places: ClassVar[bool] = False

    def prepared(self, members: Sequence[Member], column: Callable[[str], Sql]) -> Iterator[tuple[str, Sql]]:
        """JSON without members that are null, which are absent, and the elements of its lists."""
        for member in members:
            if isinstance(member.type, ListOf | Record):
                json = call("JSONB_STRIP_NULLS", column(member.name))
                yield (
                    f"{WITHOUT_NULLS}{member.name}",
                    made(exp.Nullif, this=json, expression=literal("null").cast("JSONB")),
                )
            if isinstance(member.type, ListOf):
                yield f"{ELEMENTS}{member.name}", _if_list(json, elements_of(json))

    def given(self, member: Member, column: Callable[[str], Sql]) -> Given:
        if isinstance(member.type, ListOf | Record):
            return GivenJson(self, column(f"{WITHOUT_NULLS}{member.name}"), column(f"{ELEMENTS}{member.name}"))
        return Given(self, column(member.name))

    def has_type(self, kind: Type, raw: Sql) -> Sql:
        return self.to.matches(self.type_of(raw), f"^(?:{self.type_pattern(kind)})$")

    def type_pattern(self, kind: Type) -> str:
        match kind:
            case Boolean():
                return "boolean"
            case Number():
                return "smallint|integer|bigint|numeric"
            case Text():
                return "text|character varying"
            case Date():
                return "date"
            case Instant():
                return "timestamp with time zone"
            case Time():
                return "time without time zone"
        return "jsonb"

    def type_of(self, raw: Sql) -> Sql:
        return call("PG_TYPEOF", raw).cast("TEXT")

    def failure(self, message: str, raw: Sql) -> Sql:
        """A text that is no truth; with the type in it, since a constant would fail before the query runs."""
        return made(exp.DPipe, literal(f"{message}, and is "), self.type_of(raw)).cast("BOOLEAN")

    def once(self, condition: Sql, table: Any) -> Sql:
        """By a sub-select over one row, since it would be worked out for each."""
        one = exp.select("*").from_(table.copy()).limit(1)
        rows = exp.Subquery(this=one, alias=exp.TableAlias(this=identifier(table.alias)))
        return Sql(exp.Subquery(this=exp.select(condition.node).from_(rows)))

    def is_whole(self, number: Sql) -> Sql | None:
        return number.remainder(1).equals(0)

    def is_no_number(self, number: Sql) -> Sql:
        """The pattern, which takes long, only where the size of a number and its places do not settle it."""
        exact = number.cast("DECIMAL")
        usual = (call("ABS", exact) < LARGEST) & (call("SCALE", exact) < PLACES)
        return choose([(usual, FALSE)], ~self.to.matches(number.cast("TEXT"), NUMBERS))

    def outside_calendar(self, kind: Type, raw: Sql) -> Sql:
        if isinstance(kind, Instant):
            seconds = made(exp.Extract, Sql(exp.Var(this="EPOCH")), raw)
            return ~(seconds * MILLION).between(EARLIEST, LATEST)
        return super().outside_calendar(kind, raw)


@dataclass(frozen=True, slots=True)
class GivenJson(Given):
    """A value in JSONB without members that are null, where it may be anything that JSON can be.

    `listed` has the elements where they are known already.
    """

    listed: Sql | None = None

    @property
    def is_json(self) -> bool:
        return True

    @property
    def is_record(self) -> Sql:
        return self._is("object")

    def _is(self, name: str) -> Sql:
        return _kind(self.raw).equals(name)

    def _as(self, name: str, value: Sql) -> Sql:
        return where(self._is(name), value)

    def _text(self) -> Sql:
        return tight(made(exp.JSONBExtractScalar, this=self.raw, expression=literal("{}")))

    def member(self, name: str) -> Given:
        return self.part(call("JSONB_EXTRACT_PATH", self.raw, name))

    def part(self, raw: Sql) -> Given:
        return GivenJson(self.columns, raw)

    def elements(self) -> Sql:
        return _if_list(self.raw, elements_of(self.raw)) if self.listed is None else self.listed

    def size(self) -> Sql:
        return self.to.size(self.listed) if self.listed else _if_list(self.raw, call("JSONB_ARRAY_LENGTH", self.raw))

    def values(self, part: Part) -> Sql:
        return coalesce(values_in(self.raw), 0)

    def is_long(self, part: Part) -> Sql:
        """A list of JSON may stand anywhere, so its text is measured: each value has a character at least."""
        return call("LENGTH", self.raw.cast("TEXT")) > MOST_VALUES

    def is_of_type(self, name: str) -> Sql | None:
        if name != "integer":
            return self._is(name)
        is_number = self._is("number")
        return choose([(is_number, self.columns.is_whole(self.number()) or FALSE), (~is_number, FALSE)])

    def has_others(self, names: Sequence[str]) -> Sql:
        others = self.raw - self.to.texts([literal(name) for name in names])
        return self._as("object", others.compared("!=", literal("{}").cast("JSONB")))

    def text(self) -> Sql:
        return self._as("string", self.to.collated(self._text()))

    def number(self) -> Sql:
        return self._as("number", self._text().cast("DECIMAL"))

    def truth(self) -> Sql:
        return self._as("boolean", self._text().equals("true"))

    def breaks_format(self, part: Part) -> Sql:
        text, form = self.text(), format_of(part.schema) or ""
        formed = self.to.matches(text, FORMATS[form])
        if form == "time":
            return ~formed
        broken = ~formed | self.to.starts_with(text, literal("0000"))
        if isinstance(part.type, Instant) and part.type.zone is not None:
            broken |= where(formed, names_no_moment(self.to, text, part.type.zone))
        return broken


def _kind(json: Sql) -> Sql:
    return call("JSONB_TYPEOF", json)


def _if_list(json: Sql, value: Sql) -> Sql:
    """What is made of a list of JSON; unknown of anything else."""
    return where(_kind(json).equals("array"), value)


def elements_of(json: Sql) -> Sql:
    """The elements of a list of JSON as an array."""
    function = call("JSONB_ARRAY_ELEMENTS", json)
    alias = exp.TableAlias(this=identifier("elements"), columns=[identifier(ELEMENT), identifier(PLACE)])
    table = replace(function, node=exp.Table(this=function.node, ordinality=True, alias=alias))
    found = select([(gathered(local(ELEMENT), local(PLACE)), GIVEN)], table)
    return made(exp.Coalesce, this=found, expressions=[literal("{}").cast("JSONB[]")])


def values_in(json: Sql) -> Sql:
    """How many values JSON is, itself and all that is in it."""
    function = call("JSONB_PATH_QUERY", json, "strict $.**")
    return select([(call("COUNT", STAR), NUMBER)], replace(function, node=exp.Table(this=function.node)))
