"""Queries for the rows of a table themselves: its facts, in one order whatever engine gives them.

What a user asks for stays the text that it is: a query that sqlglot reads and writes again may be another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, column, literal, made, null
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.plan import named
from policy_engine.backends.sql.program import INVALID, Query
from policy_engine.backends.sql.stages import Output, table_of
from policy_engine.language.types import ListOf, Member, Record, Text

ROWS, HELD, ANSWERS = "policy_rows", "policy_facts", "policy_answers"
"""What a user asks for, its facts, and the answers about them, as parts of one query."""


def all_of(dialect: Dialect, table: Sequence[str]) -> str:
    """The query for a whole table."""
    return _text(dialect, exp.select("*").from_(table_of(table)))


def facts_of(dialect: Dialect, members: Sequence[Member], rows: str, there: Collection[str]) -> str:
    """The query for the facts in the rows of another; those that are not `there` are null."""
    read = [named(_fact(dialect, member, member.name in there), member.name) for member in members]
    return _with(dialect, {ROWS: rows}, exp.select(*read).from_(table_of([ROWS])))


def ordered_facts(dialect: Dialect, members: Sequence[Member], held: str) -> str:
    """The query for the facts that another gives, in their order and in the form in which they are fetched."""
    fetched = dialect.fetched([member.name for member in members], HELD)
    rows = exp.select(*(each.node for each in fetched)).from_(table_of([HELD]))
    return _with(dialect, {HELD: held}, rows.order_by(*_order(dialect, members)))


def ordered_answers(query: Query, members: Sequence[Member], held: str) -> str:
    """The query for the answers about the facts that another gives, in their order; of invalid facts all is null."""
    dialect = query.dialect
    answers = query.text([HELD], keep=[member.name for member in members])
    rows = exp.select(*map(_answer, query.outputs())).from_(table_of([ANSWERS]))
    return _with(dialect, {HELD: held, ANSWERS: answers}, rows.order_by(*_order(dialect, members)))


def _answer(output: Output) -> Any:
    """A column of answers: of invalid facts there is none, not even a status."""
    answer = column(output.name)
    is_status = output.name.endswith(".status")
    return named(made(exp.Nullif, this=answer, expression=literal(INVALID)) if is_status else answer, output.name)


def _fact(dialect: Dialect, member: Member, is_there: bool) -> Sql:
    return dialect.as_read(member.type, column(member.name)) if is_there else null(dialect.column_kind(member.type))


def _order(dialect: Dialect, members: Sequence[Member]) -> Iterator[Any]:
    """By the key, then by the other facts, lists and records last: rows that are equal in all of it are the same."""
    for member in sorted(members, key=lambda member: (not member.key, _is_nested(member))):
        value = column(member.name)
        ordered = dialect.collated(value) if isinstance(member.type, Text) else value
        yield exp.Ordered(this=ordered.node, nulls_first=True)


def _is_nested(member: Member) -> bool:
    return isinstance(member.type, ListOf | Record)


def _with(dialect: Dialect, parts: Mapping[str, str], rows: Any) -> str:
    """A query that reads of others, which are texts."""
    names = (f"{_text(dialect, table_of([name]))} AS (\n{text}\n)" for name, text in parts.items())
    return f"WITH {', '.join(names)}\n{_text(dialect, rows)}"


def _text(dialect: Dialect, node: Any) -> str:
    return str(node.sql(dialect=dialect.name))
