"""How many values facts are, of which there may not be too many; in columns that have types.

All values at a place of the facts stand in one list, those of lists in lists too, so that no loop stands in another.
"""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.backends.parts import Part
from policy_engine.backends.sql.build import FALSE, Sql, any_of, choose, variable
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.language.types import ListOf, Record, Type

VALUE, AT = "counted", "counted_at"


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Counts values of a dialect's columns."""

    to: Dialect

    def of(self, part: Part, raw: Sql) -> Sql:
        """How many values a fact is; none where it is absent."""
        if not isinstance(part.type, ListOf | Record):
            return choose([(raw.is_known(), 1)], 0)
        return self._all(part, self.to.compacted(self.to.array([raw])))

    def _all(self, part: Part, values: Sql) -> Sql:
        """How many values several are, none of which is null."""
        count = self.to.size(values)
        for name, member in part.members.items():
            count = count + self._all(member, self._members(values, name, member.type))
        if part.element is None:
            return count
        elements = self.to.flattened(values)
        known = self.to.compacted(elements)
        return count + self._all(part.element, known) + (self.to.size(elements) - self.to.size(known))

    def is_long(self, part: Part, raw: Sql) -> Sql:
        """Whether a list in a fact may have more values than facts may have."""
        if not isinstance(part.type, ListOf | Record):
            return FALSE
        below = self._any_long_below(part, self.to.compacted(self.to.array([raw])))
        return below if part.element is None else (self.to.size(raw) > part.longest) | below

    def _any_long(self, part: Part, values: Sql) -> Sql:
        """Whether one of several values is long, none of which is null."""
        if not isinstance(part.type, ListOf | Record):
            return FALSE
        below = self._any_long_below(part, values)
        if part.element is None:
            return below
        over = Loop(values, VALUE, AT, None, (), part.type)
        return (self._counted(over, self.to.size(variable(VALUE)) > part.longest) > 0) | below

    def _any_long_below(self, part: Part, values: Sql) -> Sql:
        """Whether something in one of several values is long."""
        if part.element is not None:
            return self._any_long(part.element, self.to.compacted(self.to.flattened(values)))
        return any_of(
            [self._any_long(member, self._members(values, name, member.type)) for name, member in part.members.items()]
        )

    def _counted(self, over: Loop, flag: Sql) -> Sql:
        return self.to.count(over, flag).without(over.variables)

    def _members(self, values: Sql, name: str, kind: Type) -> Sql:
        """What all records have under a name, without nulls."""
        over = Loop(values, VALUE, AT, None, (self.to.struct_member(variable(VALUE), name),), kind)
        return self.to.compacted(self.to.aggregate("list", over).without(over.variables))
