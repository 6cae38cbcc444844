"""Sub-selects over the elements of a list, as the dialects that have no lambdas take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, identifier, made
from policy_engine.backends.sql.dialects.loops import Loop

GIVEN, SECOND, ELEMENT, PLACE, NUMBER = "#given", "#second", "#element", "#place", "#number"
"""The columns of sub-selects; no name of an author has such a sign."""
STAR = Sql(exp.Star())


def local(name: str) -> Sql:
    """A column of the sub-select around it."""
    return Sql(exp.Column(this=identifier(name)))


def elements(over: Loop) -> Sql:
    """The elements of a list with their places, as a table."""
    alias = exp.TableAlias(this=identifier("elements"), columns=[identifier(over.element)])
    node = exp.Unnest(expressions=[over.listed.node], alias=alias, offset=identifier(over.place))
    return replace(over.listed, node=node)


def select(
    parts: Sequence[tuple[Sql, str]],
    table: Sql,
    *,
    passes: Sql | None = None,
    by: str | None = None,
    first_by: Sequence[Sql] = (),
    descending: bool = False,
) -> Sql:
    """A sub-select of parts with their names; of `by` one row for each value, by `first_by` only the first row."""
    query = exp.select(*(exp.Alias(this=part.node, alias=identifier(name)) for part, name in parts), copy=False)
    query = query.from_(table.node, copy=False)
    if passes is not None:
        query = query.where(passes.node, copy=False)
    if by is not None:
        query = query.group_by(exp.Column(this=identifier(by)), copy=False)
    if first_by:
        order = [exp.Ordered(this=key.node, desc=descending, nulls_first=descending) for key in first_by]
        query = query.order_by(*order, copy=False).limit(1, copy=False)
    reads = [table, *(part for part, _ in parts), *([passes] if passes is not None else [])]
    found = Sql(exp.Subquery(this=query))
    for read in reads:
        columns, variables = found.columns | read.columns, found.variables | read.variables
        found = replace(found, columns=columns, variables=variables, size=found.size + read.size)
    return found


def derived(query: Sql) -> Sql:
    """A sub-select as a table."""
    return replace(query, node=exp.Subquery(this=query.node.this, alias=exp.TableAlias(this=identifier("rows"))))


def rows(over: Loop) -> Sql:
    """What the elements give that pass, with their places, as a table."""
    names = (GIVEN, SECOND)[: len(over.parts)]
    parts = [*zip(over.parts, names, strict=True), (place_in(over), PLACE)]
    return derived(select(parts, elements(over), passes=over.passes))


def place_in(over: Loop) -> Sql:
    """The place of an element of a loop."""
    return Sql(exp.Column(this=identifier(over.place)), variables=frozenset({over.place}))


def gathered(value: Sql, *keys: Sql) -> Sql:
    """The values of all rows as a list, in the order of keys."""
    order = exp.Order(this=value.node, expressions=[exp.Ordered(this=key.node, nulls_first=False) for key in keys])
    return replace(value, node=exp.ArrayAgg(this=order))


def running(function: str, value: Sql, keys: Sequence[Sql], *, before: bool = False) -> Sql:
    """An aggregate over the rows up to each one, in the order of keys; with `before` without the row itself."""
    order = exp.Order(expressions=[exp.Ordered(this=key.node, nulls_first=False) for key in keys])
    end: dict[str, Any] = {"end": "CURRENT ROW"}
    if before:
        end = {"end": exp.Literal.number(1), "end_side": "PRECEDING"}
    spec = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", **end)
    return made(exp.Window, this=call(function, value), order=order, spec=spec)
