"""The columns of users' tables: which types they may have, and what of facts those types do not guarantee."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from policy_engine.backends.sql.build import FALSE, TRUE, Sql, all_of, call, choose
from policy_engine.backends.sql.dialects.base import EPOCH, Dialect
from policy_engine.backends.sql.given import FORMATS, Given
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Time, Type

DAY, MINUTE = 86_400_000_000, 60_000_000
FARTHEST = DAY - MINUTE
"""Microseconds of the greatest offset that an instant may be written with."""
EARLIEST = (date.min.toordinal() - EPOCH) * DAY - FARTHEST
LATEST = (date.max.toordinal() + 1 - EPOCH) * DAY + FARTHEST - 1
"""The first and the last microsecond that some offset has in the years 0001 to 9999."""


@dataclass(frozen=True, slots=True)
class Columns(ABC):
    """What a dialect's columns of users' tables are. `keeps_places` where their types say how many places numbers have."""

    to: Dialect
    keeps_places: ClassVar[bool] = True

    def prepared(self, members: Sequence[Member], column: Callable[[str], Sql]) -> Iterator[tuple[str, Sql]]:
        """Columns that are made of those of facts before something is asked of them."""
        yield from ()

    def given(self, member: Member, column: Callable[[str], Sql]) -> Given:
        """A fact as it stands in its column."""
        return Given(self, column(member.name))

    # Types

    @abstractmethod
    def type_pattern(self, kind: Type) -> str:
        """The pattern of the types in which values of a type are what facts are; of no list and no record."""

    def has_type(self, kind: Type, raw: Sql) -> Sql:
        """Whether a column has a type in which its values are what facts are."""
        match kind:
            case ListOf(element=element):
                return self.is_list(raw) & self.has_type(element, self.to.item(raw, 1))
            case Record(members=members):
                return all_of([self.has_type(each.type, self.to.struct_member(raw, each.name)) for each in members])
        return self.to.matches(self.type_of(raw), f"^(?:{self.type_pattern(kind)})$")

    def type_of(self, raw: Sql) -> Sql:
        """The name of a column's type."""
        return call("TYPEOF", raw)

    def is_list(self, raw: Sql) -> Sql:
        """Whether a column holds lists, as far as it is not seen by taking an element."""
        return TRUE

    @abstractmethod
    def failure(self, message: str, raw: Sql) -> Sql:
        """A truth that cannot be worked out: the database stops with a message about a column."""

    def once(self, condition: Sql, table: Any) -> Sql:
        """A condition that asks only for types of a table's columns, which the database works out once."""
        return condition

    # What types do not guarantee

    def is_whole(self, number: Sql) -> Sql | None:
        """Whether a number has no places, None where its type guarantees it."""
        return None

    def is_no_number(self, number: Sql) -> Sql:
        """Whether a number is one that cannot be read, such as NaN."""
        return FALSE

    def outside_calendar(self, kind: Type, raw: Sql) -> Sql:
        """Whether a date, an instant or a time of day is one that no fact can be."""
        match kind:
            case Date():
                return ~raw.between(date.min, date.max)
            case Time():
                return self.to.time(raw) >= DAY
        return raw.is_known() & choose([(self.to.moment(raw).between(EARLIEST, LATEST), FALSE)], TRUE)


def decimals(places: int) -> str:
    """The pattern of types of decimals with at most so many places."""
    return f"DECIMAL[(][0-9]+,(?:{'|'.join(map(str, range(places + 1)))})[)]"


class DuckDBColumns(Columns):
    """The columns of DuckDB. A column that is always null has the type NULL."""

    def type_pattern(self, kind: Type) -> str:
        match kind:
            case Boolean():
                return 'BOOLEAN|"NULL"'
            case Number(places=places):
                return f'TINYINT|SMALLINT|INTEGER|BIGINT|{decimals(places)}|"NULL"'
            case Text():
                return 'VARCHAR|ENUM[(][^)]*[)]|"NULL"'
            case Date():
                return 'DATE|"NULL"'
            case Instant():
                return 'TIMESTAMP WITH TIME ZONE|"NULL"'
        return 'TIME|"NULL"'

    def is_list(self, raw: Sql) -> Sql:
        return self.to.matches(self.type_of(raw), '\\]$|^"NULL"$')

    def failure(self, message: str, raw: Sql) -> Sql:
        return call("ERROR", message)


class SparkColumns(Columns):
    """The columns of Spark. A column that is always null has the type void; a CHAR would be padded."""

    def type_pattern(self, kind: Type) -> str:
        match kind:
            case Boolean():
                return "boolean|void"
            case Number(places=places):
                return f"tinyint|smallint|int|bigint|{decimals(places).lower()}|void"
            case Date():
                return "date|void"
            case Instant():
                return "timestamp|void"
        return "string[^)]*|varchar[(][0-9]+[)]|void"

    def failure(self, message: str, raw: Sql) -> Sql:
        return call("RAISE_ERROR", message)

    def outside_calendar(self, kind: Type, raw: Sql) -> Sql:
        if isinstance(kind, Time):
            return ~self.to.matches(raw, FORMATS["time"])
        return super().outside_calendar(kind, raw)
