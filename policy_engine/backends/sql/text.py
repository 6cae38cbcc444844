"""Queries as people get them: with a comment that says what they decide, of what, and for which day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.program import Query, prepare
from policy_engine.backends.sql.stages import table_of
from policy_engine.language.rulesets import Ruleset


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a ruleset: over which table, with which of its columns (those of keys for None), in which form.

    With `trusted` rows are taken to be valid; `invalid` asks for what is wrong with those that are not. `view` makes it a view.
    With `any_day` the day is a parameter of the query.
    """

    table: Sequence[str]
    keep: Sequence[str] | None = None
    view: Sequence[str] | None = None
    trusted: bool = False
    invalid: bool = False
    any_day: bool = False


def select_text(ruleset: Ruleset, readings: Mapping[str, str], as_of: date, dialect: Dialect, asked: Asked) -> str:
    """The query of a ruleset, or the definition of a view.

    Raises `UnknownReading`, and `RulesetError` with a diagnostic at what the dialect cannot do exactly.
    """
    query = prepare(ruleset, readings, as_of, dialect, checked=not asked.trusted, any_day=asked.any_day)
    keys = [member.name for member in ruleset.facts.type.members if member.key]
    keep = keys if asked.keep is None else asked.keep
    node = query.invalid_tree(asked.table, keep) if asked.invalid else query.tree(asked.table, keep)
    commented = node.args["with_"]
    if asked.view is not None:
        node = commented = exp.Create(this=table_of(asked.view), kind="VIEW", replace=True, expression=node)
    commented.comments = ["\n".join(["", *_header(query, asked), ""])]
    return f"{query.written(node)};\n"


def _header(query: Query, asked: Asked) -> Iterator[str]:
    """What the comment says."""
    ruleset = query.ruleset
    what = "; what is wrong with invalid rows" if asked.invalid else ""
    yield f"{ruleset.title}: {ruleset.id}, version {ruleset.version}{what}"
    day = f"the day {query.as_of}" if query.period is None else f"any day {query.period}, given as the parameter as_of"
    yield f"for {day} ({ruleset.timezone}), {query.dialect.title}; {ruleset.digest}"
    for name, choice in query.choices.items():
        yield f"reading {name} = {choice}"
    trust = ", whose rows must be valid" if asked.trusted else ""
    yield f"reads of {'.'.join(asked.table)}{trust}:"
    for member in query.facts_read():
        yield f"  {member.name} {query.dialect.column_kind(member.type)}"
    if query.dialect.setting:
        yield query.dialect.setting
