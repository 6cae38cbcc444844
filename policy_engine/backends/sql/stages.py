"""The stages of a query: the table, the facts in the form in which the query calculates, layers of columns, and the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlglot import exp

from policy_engine.backends.sql.build import TRUE, Sql, choose, column, identifier, truth_of, where
from policy_engine.backends.sql.dialects.base import Dialect, in_order
from policy_engine.backends.sql.dialects.columns import Columns
from policy_engine.backends.sql.plan import FACTS, Plan, layer_query, named
from policy_engine.backends.sql.validation import Validity
from policy_engine.language.types import Member

SOURCE, GIVEN, VALIDATED, STEP, PREFIX = "source", "given", "validated", "step_", "policy_"
"""The user's table, its rows, these with whether they are valid, the layers above the facts; and what goes before these names
where the table has one like them."""
FITS, VIOLATIONS = "#fits", "#violations"
"""The columns that say whether a row is valid by its schema, and what is wrong with it; no fact has such a sign."""


class Output(NamedTuple):
    """A column of the result."""

    name: str
    value: Sql


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query is to give: columns, those of the table that stand before them, and for which rows only."""

    outputs: Sequence[Output]
    keep: Sequence[str]
    only: Sql = TRUE


@dataclass(slots=True)
class Stages:
    """Puts a query over a table together. `members` are the facts; with `validity` only valid ones are read."""

    dialect: Dialect
    columns: Columns
    plan: Plan
    members: Sequence[Member]
    table: Sequence[str]
    validity: Validity | None = None
    found: list[tuple[str, Any]] = field(default_factory=list)

    def query(self, wanted: Wanted) -> Any:
        """The query."""
        needed = self.plan.needed([*(output.value for output in wanted.outputs), wanted.only])
        beside = {name: self.plan.fresh(f"{name}_as_given") if name in needed else name for name in wanted.keep}
        if self.validity is not None:
            self._add_given(self.validity)
        self._add(FACTS, self._facts(needed, beside))
        for number, layer in enumerate(self.plan.layers(needed), 1):
            self._add(f"{STEP}{number}", layer_query(self.found[-1][0], layer, fenced=self.dialect.fenced))
        kept = [named(column(inside), name) for name, inside in beside.items()]
        last = exp.select(*kept, *(named(output.value, output.name) for output in wanted.outputs), copy=False)
        last = last.from_(exp.Table(this=identifier(self.found[-1][0])), copy=False)
        if truth_of(wanted.only) is None:
            last = last.where(wanted.only.node.copy(), copy=False)
        for name, stage in self.found:
            last = last.with_(identifier(name), as_=stage, copy=False)
        return last

    def _add(self, name: str, stage: Any) -> None:
        before = PREFIX if len(self.table) == 1 and _is_stage(self.table[0]) else ""
        self.found.append((f"{before}{name}", stage))

    def _add_given(self, validity: Validity) -> None:
        """The rows of the table, with whether they are valid by their schema; asked only where columns have their types."""
        every: Any = exp.Column(this=exp.Star(), table=identifier(SOURCE))
        prepared = [named(value, name) for name, value in self.columns.prepared(self.members, of_source)]
        fits = named(where(self._typed(self.members), validity.fits), FITS)
        self._add(GIVEN, self._fenced(exp.select(every, *(prepared or [fits])).from_(self._source())))
        if prepared:
            self._add(VALIDATED, self._fenced(exp.select(every.copy(), fits).from_(self._last())))

    def _fenced(self, query: Any) -> Any:
        return query.offset(0, copy=False) if self.dialect.fenced else query

    def _last(self) -> Any:
        """The last stage, by the name of the table."""
        return exp.Table(this=identifier(self.found[-1][0]), alias=exp.TableAlias(this=identifier(SOURCE)))

    def _facts(self, needed: frozenset[str], beside: Mapping[str, str]) -> Any:
        """The facts that are read, in the form in which the query calculates."""
        members = [member for member in self.members if member.name in needed]
        chosen = [named(of_source(name), inside) for name, inside in beside.items()]
        chosen += [named(self._read(member), member.name) for member in members]
        if self.validity is None:
            query = exp.select(*(chosen or [named(TRUE, "nothing_is_read")])).from_(self._source())
            return query.where(self._typed(members).node) if members else query
        chosen.append(named(of_source(FITS), FITS))
        if VIOLATIONS in needed:
            chosen.append(named(where(~of_source(FITS), self.validity.told), VIOLATIONS))
        return exp.select(*chosen).from_(self._last(), copy=False)

    def _read(self, member: Member) -> Sql:
        """A fact; of an invalid row there is none, so that nothing is worked out of it."""
        fact = in_order(self.dialect, member, self.dialect.read(member.type, of_source(member.name)))
        return fact if self.validity is None else where(of_source(FITS), fact)

    def _source(self) -> Any:
        return exp.alias_(table_of(self.table), identifier(SOURCE), table=True)

    def _typed(self, members: Sequence[Member]) -> Sql:
        """True where the columns of facts have types that facts need; the database stops where one has another."""
        wrong = [(~self.columns.has_type(each.type, of_source(each.name)), self._failure(each)) for each in members]
        return self.columns.once(choose(wrong, TRUE), self._source())

    def _failure(self, member: Member) -> Sql:
        message = f"the column {member.name} has to be {self.dialect.column_kind(member.type)}"
        return self.columns.failure(message, of_source(member.name))


def of_source(name: str) -> Sql:
    """A column of the user's table."""
    return Sql(exp.Column(this=identifier(name), table=identifier(SOURCE)))


def table_of(names: Sequence[str]) -> Any:
    """A table by the names of database, schema and table, of which the first may be left out."""
    parts = dict(zip(("this", "db", "catalog"), map(identifier, reversed(names)), strict=False))
    return exp.Table(**parts)


def _is_stage(name: str) -> bool:
    """Whether a table has a name of one of the query's own parts."""
    return name.lower() in (FACTS, GIVEN, VALIDATED) or name.lower().startswith(STEP)
