"""Queries as people get them: with a comment that says what they decide, of what, and for which day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from sqlglot import exp

from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.program import Query, prepare, table_of
from policy_engine.language.rulesets import Ruleset


def select_text(
    ruleset: Ruleset,
    readings: Mapping[str, str],
    as_of: date,
    dialect: Dialect,
    table: Sequence[str],
    *,
    keep: Sequence[str] | None = None,
    view: Sequence[str] | None = None,
) -> str:
    """The query of a ruleset over a table, or with `view` the definition of a view of that name.

    `keep` are columns of the table that stand before the decisions; those that the schema marks as keys if left out. Raises
    `UnknownReading`, and `RulesetError` with a diagnostic at what the dialect cannot do exactly.
    """
    query = prepare(ruleset, readings, as_of, dialect)
    keys = [member.name for member in ruleset.facts.type.members if member.key]
    node = query.tree(table, keys if keep is None else keep)
    commented = node.args["with_"]
    if view is not None:
        node = commented = exp.Create(this=table_of(view), kind="VIEW", replace=True, expression=node)
    commented.comments = ["\n".join(["", *_header(query, table), ""])]
    return f"{query.written(node)};\n"


def _header(query: Query, table: Sequence[str]) -> Iterator[str]:
    """What the comment says."""
    ruleset = query.ruleset
    yield f"{ruleset.title}: {ruleset.id}, version {ruleset.version}"
    yield f"for the day {query.as_of} ({ruleset.timezone}), {query.dialect.title}; {ruleset.digest}"
    for name, choice in query.choices.items():
        yield f"reading {name} = {choice}"
    yield f"reads of {'.'.join(table)}, whose rows must be valid:"
    for member in query.facts_read():
        yield f"  {member.name} {query.dialect.column_kind(member.type)}"
    if query.dialect.setting:
        yield query.dialect.setting
