"""Lists in the dialects that have functions of functions: DuckDB and Spark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

from policy_engine.backends.sql.build import Sql, call, choose, coalesce, literal, loop, variable, where
from policy_engine.backends.sql.dialects.base import Dialect, in_order
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.language.types import Member, Record, Type

INNER, KEYED = ("#row", "#place"), ("#key", "#at")
"""The variables of loops that no author wrote: no name of an author has such a sign."""


class Functional(Dialect):
    """Aggregates by filter and map; records are structs."""

    mapped_by: ClassVar[str]
    filtered_by: ClassVar[str]
    least: ClassVar[str]
    greatest: ClassVar[str]
    first_place: ClassVar[int]

    @abstractmethod
    def slice(self, listed: Sql, start: Sql, end: Sql) -> Sql:
        """The elements from one place to another, both included."""

    @abstractmethod
    def sorted(self, listed: Sql) -> Sql:
        """A list of structs in rising order."""

    @abstractmethod
    def total(self, listed: Sql) -> Sql:
        """The sum of a list; unknown where it is empty."""

    @abstractmethod
    def bits_of(self, listed: Sql) -> Sql:
        """All bits of a list's numbers; unknown where it is empty."""

    @abstractmethod
    def struct(self, *parts: Sql) -> Sql:
        """Several values together."""

    @abstractmethod
    def field(self, struct: Sql, place: int) -> Sql:
        """One of several values, counted from 1."""

    @abstractmethod
    def record(self, members: dict[str, Sql]) -> Sql:
        """A record of members."""

    def place_of(self, name: str) -> Sql:
        found = variable(name)
        return found if self.first_place == 1 else found + (1 - self.first_place)

    def read_list(self, element: Type, raw: Sql) -> Sql:
        return self.mapped(raw, INNER, self.read(element, variable(INNER[0])))

    def read_record(self, kind: Record, raw: Sql) -> Sql:
        members = {each.name: self._read_member(each, self.member(raw, each.name, each)) for each in kind.members}
        return where(raw.is_known(), self.record(members))

    def _read_member(self, member: Member, raw: Sql) -> Sql:
        return in_order(self, member, self.read(member.type, raw))

    def ordered(self, listed: Sql, key: Member, kind: Record) -> Sql:
        entry = variable(INNER[0])
        rows = self.mapped(
            listed, INNER, self.struct(self.member(entry, key.name, key), self.place_of(INNER[1]), entry)
        )
        return self.mapped(self.sorted(rows), INNER, self.field(entry, 3))

    def shown_list(self, element: Type, value: Sql) -> Sql:
        return self.mapped(value, INNER, self.shown(element, variable(INNER[0])))

    def shown(self, kind: Type, value: Sql) -> Sql:
        if isinstance(kind, Record) and self.is_shown_otherwise(kind):
            members = {each.name: self.shown(each.type, self.member(value, each.name, each)) for each in kind.members}
            return where(value.is_known(), self.record(members))
        return super().shown(kind, value)

    def compacted(self, listed: Sql) -> Sql:
        return self.filtered(listed, INNER, variable(INNER[0]).is_known())

    def mapped(self, listed: Sql, names: tuple[str, str], body: Sql) -> Sql:
        """What a body makes of each element."""
        return call(self.mapped_by, listed, loop(_used(names, body), body))

    def filtered(self, listed: Sql, names: tuple[str, str], body: Sql) -> Sql:
        """The elements for which a body is true."""
        return call(self.filtered_by, listed, loop(_used(names, body), body))

    def bound(self, value: Sql, name: str, body: Sql) -> Sql:
        return self.item(call(self.mapped_by, self.array([value]), loop((name,), body)), 1)

    def count(self, over: Loop, flag: Sql) -> Sql:
        return self.size(self.filtered(over.listed, over.variables, flag))

    def bits(self, over: Loop, word: Sql) -> Sql:
        return coalesce(self.bits_of(self.mapped(over.listed, over.variables, word)), 0)

    def aggregate(self, function: str, over: Loop) -> Sql:
        return AGGREGATES[function](self, over)

    def passing(self, over: Loop) -> Sql:
        """The elements that pass the filter."""
        return over.listed if over.passes is None else self.filtered(over.listed, over.variables, over.passes)

    def given(self, over: Loop, value: Sql | None = None) -> Sql:
        """What the elements give that pass."""
        body = over.parts[0] if value is None else value
        passing = self.passing(over)
        is_itself = body.is_atom and body.variables == {over.element}
        return passing if is_itself else self.mapped(passing, over.variables, body)

    def picked(self, over: Loop, place: int) -> Sql:
        """The first (1) or the last (-1) element that passes."""
        return self.item(self.given(over), place)

    def breaks(self, over: Loop) -> Sql:
        """The places of the elements that do not pass; unknown for the others."""
        assert over.passes is not None
        return self.mapped(over.listed, over.variables, where(~over.passes, self.place_of(over.place)))

    def last_run(self, over: Loop) -> Sql:
        """The elements after the last that does not pass."""
        if over.passes is None:
            return self.given(over)
        start = coalesce(call(self.greatest, self.breaks(over)), 0) + 1
        run = self.slice(over.listed, start, self.size(over.listed))
        return self.given(over._replace(listed=run, passes=None))

    def longest_run(self, over: Loop) -> Sql:
        """The greatest distance of a place from the last break up to it."""
        if over.passes is None:
            return self.size(over.listed)
        breaks = self.breaks(over)
        before = self.filtered(breaks, KEYED, variable(KEYED[0]) <= self.place_of(INNER[1]))
        lengths = self.mapped(over.listed, INNER, self.place_of(INNER[1]) - coalesce(call(self.greatest, before), 0))
        return where(over.listed.is_known(), coalesce(call(self.greatest, lengths), 0))

    def sorted_by(self, over: Loop) -> Sql:
        """The elements in the order of their keys."""
        key, value = over.parts
        rows = self.mapped(self.passing(over), over.variables, self.struct(key, self.place_of(over.place), value))
        return self.mapped(self.sorted(rows), INNER, self.field(variable(INNER[0]), 3))

    def by_key(self, over: Loop, keys: Sql, value: Callable[[Sql], Sql]) -> Sql:
        """For each key, by first occurrence, what is made of the elements that have it."""
        row, place = variable(INNER[0]), self.place_of(INNER[1])
        earlier = self.filtered(keys, KEYED, variable(KEYED[0]).equals(row) & (self.place_of(KEYED[1]) < place))
        firsts = self.filtered(keys, INNER, self.size(earlier).equals(0))
        return self.mapped(firsts, INNER, value(row))

    def counts_by(self, over: Loop) -> Sql:
        """How often each key occurs."""
        keys = self.given(over)
        return self.by_key(
            over, keys, lambda row: self.size(self.filtered(keys, KEYED, variable(KEYED[0]).equals(row)))
        )

    def sums_by(self, over: Loop) -> Sql:
        """The numbers of each key added up."""
        keys, rows = self.given(over, over.parts[0]), self.given(over, self.struct(*over.parts))
        entry = variable(KEYED[0])

        def sum_of(row: Sql) -> Sql:
            own = self.filtered(rows, KEYED, self.field(entry, 1).equals(row))
            return self.total(self.mapped(own, KEYED, self.field(entry, 2)))

        return self.by_key(over, keys, sum_of)

    def covered_days(self, over: Loop) -> Sql:
        """Of the periods in order, what each adds to those before it."""
        rows = self.sorted(self.mapped(self.passing(over), over.variables, self.struct(*over.parts)))
        row, place = variable(INNER[0]), self.place_of(INNER[1])
        start, until = self.field(row, 1), self.field(row, 2)
        earlier = self.slice(rows, literal(1), place - 1)
        before = call(self.greatest, self.mapped(earlier, KEYED, self.field(variable(KEYED[0]), 2)))
        since = choose([(before > start, before)], start)
        days = self.mapped(rows, INNER, choose([(until > since, self.days_between(since, until))], 0))
        return where(over.listed.is_known(), coalesce(self.total(days), 0))

    def quantity(self, over: Loop) -> Sql:
        """How many elements pass."""
        return self.size(self.passing(over))

    def sum(self, over: Loop) -> Sql:
        """What the elements give that pass, added up."""
        return where(over.listed.is_known(), coalesce(self.total(self.given(over)), 0))

    def distinct(self, listed: Sql) -> Sql:
        row, place = variable(INNER[0]), self.place_of(INNER[1])
        earlier = self.filtered(listed, KEYED, variable(KEYED[0]).equals(row) & (self.place_of(KEYED[1]) < place))
        return self.filtered(listed, INNER, self.size(earlier).equals(0))

    def taken(self, listed: Sql, number: Sql, *, last: bool) -> Sql:
        size, place = self.size(listed), self.place_of(INNER[1])
        passes = place > size - number if last else place <= number
        return where(number.is_known(), self.filtered(listed, INNER, passes))


def _used(names: tuple[str, str], body: Sql) -> tuple[str, ...]:
    """The variables that a loop has to name: the second only where it is read."""
    return names if names[1] in body.variables else names[:1]


AGGREGATES: Mapping[str, Callable[[Functional, Loop], Sql]] = MappingProxyType(
    {
        "count": Functional.quantity,
        "sum": Functional.sum,
        "min": lambda lists, over: call(lists.least, lists.given(over)),
        "max": lambda lists, over: call(lists.greatest, lists.given(over)),
        "first": lambda lists, over: lists.picked(over, 1),
        "last": lambda lists, over: lists.picked(over, -1),
        "list": lambda lists, over: lists.given(over),
        "last_run": Functional.last_run,
        "longest_run": Functional.longest_run,
        "counts_by": Functional.counts_by,
        "sums_by": Functional.sums_by,
        "sorted_by": Functional.sorted_by,
        "covered_days": Functional.covered_days,
    }
)
