"""`policy sql`: a ruleset as one query for the database where the accounts are."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

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
    read_day,
    read_readings,
)
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.language.specialize import days_of_change

BOUND = ":as_of"
"""In place of a day: it is given when the query runs."""


class Form(StrEnum):
    """What is printed."""

    SELECT = "select"
    VIEW = "view"
    INVALID = "invalid"


def sql(
    ruleset: RulesetArgument,
    dialect: Annotated[str, typer.Option("--dialect", help="The database: duckdb, postgres or spark.")],
    as_: Annotated[
        Form, typer.Option("--as", help="A query, a view, or what is wrong with invalid rows.")
    ] = Form.SELECT,
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
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Do not validate: all rows are known to be valid.")
    ] = False,
    as_of: AsOfOption = None,
    during: Annotated[
        str | None,
        typer.Option("--during", metavar="DAY", help="With `--as-of :as_of`: a day around which no rule may change."),
    ] = None,
    reading: ReadingOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Print a ruleset as one query that decides every row of a table, in the columns of a report."""
    from policy_engine.reports.queries import query_text  # noqa: PLC0415 - sqlglot need not be there

    if view is not None and as_ is not Form.VIEW:
        raise CannotRun("--view names a view; write `--as view` too")
    if trusted and as_ is Form.INVALID:
        raise CannotRun(
            "--trusted takes all rows to be valid, and `--as invalid` asks for those that are not; leave one out"
        )
    engine = Engine.load(rules, schemas)
    any_day = as_of == BOUND
    if any_day and as_ is Form.VIEW:
        raise CannotRun(f"a view has no parameters; give --as-of a day in place of `{BOUND}`")
    if during is not None and not any_day:
        raise CannotRun(f"--during goes with `--as-of {BOUND}`")
    day = _day_of_stretch(engine, ruleset, during) if any_day else day_of_question(engine, ruleset, as_of)
    name = view or f"{ruleset}_decisions" if as_ is Form.VIEW else None
    found, choices = engine.ruleset(ruleset, day), read_readings(reading)
    text = query_text(
        found,
        dialect,
        day,
        choices,
        table=table,
        keep=keep,
        view=name,
        trusted=trusted,
        invalid=as_ is Form.INVALID,
        any_day=any_day,
    )
    typer.echo(text, nl=False)


def _day_of_stretch(engine: Engine, ruleset: str, during: str | None) -> date:
    """A day of those for which a query may be given its day; raises `CannotRun` where rules change and none is named."""
    if during is not None:
        return read_day(during, "--during")
    versions = engine.rulebook.versions(ruleset)
    starts = [version.period.start for version in versions]
    changes = [*starts[1:], *(day for version in versions for day in days_of_change(version))]
    if changes:
        named = ", ".join(map(str, sorted(changes)))
        raise CannotRun(
            f"`{ruleset}` changes on {named}; say by a day between them which days are meant: `--during DAY`"
        )
    return starts[0] if starts else day_of_question(engine, ruleset, None)
