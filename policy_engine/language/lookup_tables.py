"""Look-up tables: rows that are found by their keys, and a parameter asked for its value on another day, which is one too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from policy_engine.language.origins import from_library
from policy_engine.language.types import DATE, Type
from policy_engine.language.values import Value, in_words
from policy_engine.source import Span

Made = TypeVar("Made")


class Range(NamedTuple):
    """The values from `start` up to, and without, `below`; where one is None the range is open there."""

    start: Any
    below: Any

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        after = bool(self.start is None or self.start <= value)
        return after and bool(self.below is None or value < self.below)

    def __str__(self) -> str:
        since = None if self.start is None else f"from {in_words(self.start)}"
        until = None if self.below is None else f"below {in_words(self.below)}"
        return " ".join(part for part in (since, until) if part)


class TableRow(NamedTuple):
    """A row: a value or a range for each key, the cells of the columns, and the line and column where it stands."""

    keys: tuple[Any, ...]
    cells: tuple[Value, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its values, or with `ranged` the ends of its ranges, are of a type."""

    name: str
    type: Type
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: all of its cells are of a type."""

    name: str
    type: Type
    unit: str | None = None
    span: Span = field(compare=False, repr=False, default=Span(""))


VALID = Key("the day", DATE, ranged=True)
"""The last key of a table whose rows have periods, and the only one of a parameter's values."""


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A table with keys; no two rows have the same values, and `otherwise` has the cells where no row is found.

    `dated` where the last key is the day on which a row is in force; `of_day` where only the rows in force on the day of the
    question are left. `of_parameter` where the rows are the values of a parameter.
    Two tables are equal only where they are one, so that nodes which hold them are quickly compared.
    """

    name: str
    keys: tuple[Key, ...]
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...] = field(repr=False)
    otherwise: tuple[Value, ...] | None = None
    dated: bool = False
    of_day: bool = False
    of_parameter: bool = False
    meaning: str | None = None
    source: str | None = None
    path: str = ""
    span: Span = field(repr=False, default=Span(""))
    library: str | None = None

    @property
    def asked_keys(self) -> tuple[Key, ...]:
        """The keys that a look-up writes between its brackets."""
        return self.keys[:-1] if self.dated else self.keys

    @property
    def asked(self) -> str:
        """How a look-up is written, with the names of the keys."""
        return f"{self.name}[{', '.join(key.name for key in self.asked_keys)}]"

    def place_of(self, column: str) -> int:
        """Which of the columns has a name; raises `KeyError` where none has."""
        return self._places[column]

    def column(self, name: str) -> Column:
        """The column of a name."""
        return self.columns[self._places[name]]

    def row(self, values: Sequence[Value]) -> TableRow | None:
        """The row that has these values of its keys, None where there is none."""
        exact = tuple(value for key, value in zip(self.keys, values, strict=True) if not key.ranged)
        ranged = [(at, values[at]) for at, key in enumerate(self.keys) if key.ranged]
        rows = self._by_exact_keys.get(exact, ())
        return next((row for row in rows if all(_holds(row.keys[at], value) for at, value in ranged)), None)

    def row_span(self, row: TableRow) -> Span:
        """Where a row stands."""
        return Span(self.path, row.line, row.column)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days on which rows begin or cease to be in force, in order."""
        ends = {end for row in self.rows if self.dated for end in row.keys[-1]}
        return tuple(sorted(ends - {None}))

    def stretch(self, day: date) -> int:
        """The number of the stretch of days around a day on which the same rows are in force."""
        return bisect_right(self.days, day)

    def on(self, day: date) -> LookupTable:
        """The table of the rows in force on a day, without the day as a key; one and the same on all days of a stretch."""
        stretch = self.stretch(day)
        if stretch not in self._on_days:
            if len(self._on_days) >= MOST_STRETCHES:
                self._on_days.clear()
            rows = tuple(row._replace(keys=row.keys[:-1]) for row in self.rows if _holds(row.keys[-1], day))
            self._on_days[stretch] = replace(self, keys=self.keys[:-1], rows=rows, dated=False, of_day=True)
        return self._on_days[stretch]

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is made of the table under a key, such as an index; made when it is first asked for."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[no-any-return]  # what was made

    @cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def _on_days(self) -> dict[int, LookupTable]:
        return {}

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {column.name: place for place, column in enumerate(self.columns)}

    @cached_property
    def _by_exact_keys(self) -> Mapping[tuple[Value, ...], list[TableRow]]:
        """The rows by the values of those keys that are no ranges."""
        places = [at for at, key in enumerate(self.keys) if not key.ranged]
        found: dict[tuple[Value, ...], list[TableRow]] = {}
        for row in self.rows:
            found.setdefault(tuple([row.keys[at] for at in places]), []).append(row)
        return found


MOST_STRETCHES = 16
"""Of the tables of one stretch of days, so many are kept at hand."""


def _holds(key: Value | Range, value: Value) -> bool:
    return key.holds(value) if isinstance(key, Range) else key == value


def no_row(table: LookupTable, values: Sequence[Value], *, told: bool) -> str:
    """The cause of a look-up that finds no row; the values of its keys are named only where they may be `told`.

    The last value is the day, where the rows have periods.
    """
    if table.of_parameter:
        return f"`{table.name}` has no value on {values[0]}" if told else f"`{table.name}` has no value on that day"
    if not told:
        return f"`{table.name}` has no row for {_listed([f'this {key.name}' for key in table.asked_keys])}"
    asked = [f"{key.name} {shown(value)}" for key, value in zip(table.asked_keys, values, strict=False)]
    day = f" on {values[-1]}" if table.dated or table.of_day else ""
    return f"`{table.name}` has no row for {_listed(asked)}{day}"


def shown(value: Value) -> str:
    """A value of a key as messages show it: texts in quotes, numbers without needless zeros."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return in_words(value)


def row_in_words(table: LookupTable, row: TableRow | None) -> str:
    """Which row a look-up found, by its keys, the source of the table and its library."""
    if row is None:
        found = ["otherwise"] if table.otherwise is not None else ["no row"]
    else:
        found = [key_in_words(key, value) for key, value in zip(table.keys, row.keys, strict=True)]
    cited = [table.source] if table.source else []
    return ", ".join([*(part for part in found if part), *cited, *from_library(table.library)])


def key_in_words(key: Key, value: Value | Range) -> str:
    """A key with its value, or its range; "" for a row that is always in force."""
    if not isinstance(value, Range):
        return f"{key.name} {shown(value)}"
    return key_range(key, value) if key is VALID else f"{key.name} {key_range(key, value) or 'any'}"


def key_range(key: Key, value: Value | Range) -> str:
    """The value or the range that a row has of a key, as a page shows it."""
    if not isinstance(value, Range):
        return in_words(value)
    return str(value).replace("below", "until") if key is VALID else str(value)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
