"""Rulesets as queries for databases, by names that callers give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset

if TYPE_CHECKING:
    from policy_engine.backends.sql.dialects.base import Dialect

MOST_PARTS = 3
"""Database, schema and table."""


def query_text(
    ruleset: Ruleset,
    dialect: str,
    as_of: date,
    readings: Mapping[str, str],
    *,
    table: str | None = None,
    keep: Sequence[str] | None = None,
    view: str | None = None,
    trusted: bool = False,
    invalid: bool = False,
    any_day: bool = False,
) -> str:
    """The query of a ruleset over a table, or with `view` the definition of a view of that name.

    With `trusted` rows are taken to be valid; `invalid` asks for what is wrong with those that are not.
    With `any_day` the day is a parameter, for all days around `as_of` on which no rule changes.

    Raises `CannotRun` for names that are none and without sqlglot, `UnknownReading`, and `RulesetError` where the database cannot
    give the exact answer.
    """
    to = dialect_named(dialect)
    from policy_engine.backends.sql.text import Asked, select_text  # noqa: PLC0415 - sqlglot need not be there

    source = _parts("the table", table or ruleset.facts.name)
    name = None if view is None else _parts("the view", view)
    return select_text(ruleset, readings, as_of, to, Asked(source, keep, name, trusted, invalid, any_day))


def dialect_named(name: str) -> Dialect:
    """The dialect of a name; raises `CannotRun`, also without sqlglot."""
    try:
        from policy_engine.backends.sql.dialects.table import DIALECTS  # noqa: PLC0415 - sqlglot need not be there
    except ModuleNotFoundError as error:
        if error.name != "sqlglot":
            raise
        raise CannotRun("queries are made with sqlglot, which is missing: `pip install policy_engine[sql]`") from None
    if name not in DIALECTS:
        hint = did_you_mean(name, list(DIALECTS)) or f"there is {', '.join(DIALECTS)}"
        raise CannotRun(f"`{shown_text(name)}` is no dialect; {hint}")
    return DIALECTS[name]


def _parts(what: str, name: str) -> list[str]:
    """The parts of a table's name; raises `CannotRun`."""
    parts = name.split(".")
    if not all(parts) or len(parts) > MOST_PARTS or "\0" in name:
        raise CannotRun(f"{what}: `{shown_text(name)}` is no name of a table; write it as schema.table")
    return parts
