"""`policy sql`: a ruleset as one query for the database where the accounts are."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    ReadingOption,
    RulesetArgument,
    RulesOption,
    SchemasOption,
    day_of_question,
    read_readings,
)
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun

if TYPE_CHECKING:
    from policy_engine.backends.sql.dialects.base import Dialect

MOST_PARTS = 3
"""Database, schema and table."""


class Form(StrEnum):
    """What is printed."""

    SELECT = "select"
    VIEW = "view"


def sql(
    ruleset: RulesetArgument,
    dialect: Annotated[str, typer.Option("--dialect", help="The database: duckdb, postgres or spark.")],
    as_: Annotated[Form, typer.Option("--as", help="A query, or the definition of a view.")] = Form.SELECT,
    table: Annotated[
        str | None,
        typer.Option("--from", metavar="TABLE", help="The table, as schema.table; named like the facts if left out."),
    ] = None,
    view: Annotated[
        str | None, typer.Option("--view", metavar="NAME", help="The name of the view; RULESET_decisions if left out.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="A column to stand before the decisions; the keys if left out."),
    ] = None,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Print a ruleset as one query that decides every row of a table, in the columns of a report."""
    to = _dialect(dialect)
    from policy_engine.backends.sql.text import select_text  # noqa: PLC0415 - sqlglot need not be there

    engine = Engine.load(rules, schemas)
    day = day_of_question(engine, ruleset, as_of)
    found = engine.ruleset(ruleset, day)
    if view is not None and as_ is not Form.VIEW:
        raise CannotRun("--view names a view; write `--as view` too")
    name = _parts("--view", view or f"{ruleset}_decisions") if as_ is Form.VIEW else None
    source = _parts("--from", table or found.facts.name)
    text = select_text(found, read_readings(reading), day, to, source, keep=keep, view=name)
    typer.echo(text, nl=False)


def _dialect(name: str) -> Dialect:
    """The dialect of a name; raises `CannotRun`."""
    try:
        from policy_engine.backends.sql.dialects.table import DIALECTS  # noqa: PLC0415 - sqlglot need not be there
    except ModuleNotFoundError as error:
        if error.name != "sqlglot":
            raise
        raise CannotRun(
            "queries are made with sqlglot, which is not installed: `pip install policy_engine[sql]`"
        ) from None
    if name not in DIALECTS:
        hint = did_you_mean(name, list(DIALECTS)) or f"there is {', '.join(DIALECTS)}"
        raise CannotRun(f"--dialect: `{shown_text(name)}` is no dialect; {hint}")
    return DIALECTS[name]


def _parts(option: str, name: str) -> list[str]:
    """The parts of a table's name; raises `CannotRun`."""
    parts = name.split(".")
    if not all(parts) or len(parts) > MOST_PARTS or "\0" in name:
        raise CannotRun(f"{option}: `{shown_text(name)}` is no name of a table; write it as schema.table")
    return parts
