"""Values as they stand in a user's table, before they are known to be facts: what is asked of them, and how they are taken apart.

A condition over a value that is not there is unknown, and so says nothing against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from policy_engine.backends.sql.build import FALSE, Sql
from policy_engine.backends.sql.value_counts import ValueCounts
from policy_engine.language.date_texts import HOUR, LOCAL_FORMAT, SIXTIETH

if TYPE_CHECKING:
    from policy_engine.backends.parts import Part
    from policy_engine.backends.sql.dialects.base import Dialect
    from policy_engine.backends.sql.dialects.columns import Columns

LONG_MONTHS, MONTHS = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])", "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
FEBRUARY, LEAP = "02-(?:0[1-9]|1[0-9]|2[0-8])", "0[48]|[2468][048]|[13579][26]"
LEAP_YEAR = f"(?:[0-9]{{2}}(?:{LEAP})|(?:[02468][048]|[13579][26])00)"
DAY = f"(?:[0-9]{{4}}-(?:{LONG_MONTHS}|{MONTHS}|{FEBRUARY})|{LEAP_YEAR}-02-29)"
"""The days that the calendar has, also those of a year 0000."""
SECONDS = f"{SIXTIETH}(?:[.][0-9]{{1,6}})?"
CLOCK, OFFSET = f"{HOUR}:{SIXTIETH}:{SECONDS}", f"(?:[Zz]|[+-]{HOUR}:{SIXTIETH})"
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "date": f"^{DAY}$",
        "date-time": f"^{DAY}[Tt]{CLOCK}{OFFSET}$",
        LOCAL_FORMAT: f"^{DAY}[Tt]{CLOCK}{OFFSET}?$",
        "time": f"^{HOUR}:{SIXTIETH}(?::{SECONDS})?$",
    }
)
"""The patterns of texts that are dates, instants and times; a year 0000 and local times that no clock shows are among them."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value in a column that has a type of the database, or in a part of such a column."""

    columns: Columns
    raw: Sql

    @property
    def to(self) -> Dialect:
        """The dialect."""
        return self.columns.to

    @property
    def is_json(self) -> bool:
        """Whether it may be anything that JSON can be."""
        return False

    @property
    def is_there(self) -> Sql:
        """Whether there is a value."""
        return self.raw.is_known()

    @property
    def is_record(self) -> Sql:
        """Whether it is a record."""
        return self.is_there

    def part(self, raw: Sql) -> Given:
        """Another value of the same kind of column."""
        return type(self)(self.columns, raw)

    def member(self, name: str) -> Given:
        """A member of a record."""
        return self.part(self.to.struct_member(self.raw, name))

    def elements(self) -> Sql:
        """The elements of a list as a list of the query."""
        return self.raw

    def size(self) -> Sql:
        """How many elements a list has."""
        return self.to.size(self.elements())

    def values(self, part: Part) -> Sql:
        """How many values it is, itself and all that is in it; none where it is absent."""
        return ValueCounts(self.to).of(part, self.raw)

    def is_long(self, part: Part) -> Sql:
        """Whether a list in it may have more values than facts may have."""
        return ValueCounts(self.to).is_long(part, self.raw)

    def repeats(self) -> Sql:
        """Whether an element of a list of plain values stands there twice."""
        return self.to.size(self.to.distinct(self.elements())) < self.size()

    def is_of_type(self, name: str) -> Sql | None:
        """Whether it is of a type of JSON Schema, None where its column guarantees it."""
        return self.columns.is_whole(self.number()) if name == "integer" else None

    def is_unfit(self) -> Sql:
        """Whether it cannot be read at all, such as NaN."""
        return self.columns.is_no_number(self.number())

    def has_others(self, names: Sequence[str]) -> Sql:
        """Whether a record has other members than these."""
        return FALSE

    def text(self) -> Sql:
        """It as a text, compared by code points."""
        return self.to.collated(self.raw.cast("TEXT"))

    def number(self) -> Sql:
        """It as a number."""
        return self.raw

    def truth(self) -> Sql:
        """It as a truth."""
        return self.raw

    def breaks_format(self, part: Part) -> Sql:
        """Whether it is a date, an instant or a time of day that no fact can be."""
        return self.columns.outside_calendar(part.type, self.raw)
