"""`policy sql`: a ruleset as one query for the database where the accounts are."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
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
from policy_engine.diagnostics import shown_text
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.files import make_folder, write_whole
from policy_engine.language.specialize import days_of_change
from policy_engine.reports import dbt_models

BOUND = ":as_of"
"""In place of a day: it is given when the query runs."""


class Form(StrEnum):
    """What is printed."""

    SELECT = "select"
    VIEW = "view"
    INVALID = "invalid"
    DBT = "dbt"


def sql(
    ruleset: RulesetArgument,
    dialect: Annotated[str, typer.Option("--dialect", help="The database: duckdb, postgres or spark.")],
    as_: Annotated[
        Form, typer.Option("--as", help="A query, a view, what is wrong with invalid rows, or a model of dbt.")
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
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="With `--as dbt`: the folder for the model's files.")
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

    any_day = as_of == BOUND
    _refuse(as_, out, view=view is not None, trusted=trusted, any_day=any_day, during=during)
    engine = Engine.load(rules, schemas)
    day = _day_of_stretch(engine, ruleset, during) if any_day else day_of_question(engine, ruleset, as_of)
    found, name = engine.ruleset(ruleset, day), view or f"{ruleset}_decisions"
    ask = partial(query_text, found, dialect, day, read_readings(reading), keep=keep, trusted=trusted)
    if out is not None:
        _write_model(
            out, name, dbt_models.model(ask, table or found.facts.name), dbt_models.properties(found, name, keep)
        )
        return
    shown = name if as_ is Form.VIEW else None
    typer.echo(ask(table=table, view=shown, invalid=as_ is Form.INVALID, any_day=any_day), nl=False)


def _refuse(as_: Form, out: Path | None, *, view: bool, trusted: bool, any_day: bool, during: str | None) -> None:
    """Raise `CannotRun` for options that do not go together."""
    if view and as_ not in (Form.VIEW, Form.DBT):
        raise CannotRun("--view names a view; write `--as view` too")
    if (out is None) is (as_ is Form.DBT):
        raise CannotRun("`--as dbt` writes a model and its properties to a folder: it goes with `--out FOLDER`")
    if trusted and as_ is Form.INVALID:
        raise CannotRun(
            "--trusted takes all rows to be valid, and `--as invalid` asks for those that are not; leave one out"
        )
    if any_day and as_ in (Form.VIEW, Form.DBT):
        raise CannotRun(f"a view has no parameters; give --as-of a day in place of `{BOUND}`")
    if during is not None and not any_day:
        raise CannotRun(f"--during goes with `--as-of {BOUND}`")


def _write_model(folder: Path, name: str, model: str, properties: str) -> None:
    """The files of a model of dbt."""
    if not dbt_models.PLAIN.fullmatch(name):
        raise CannotRun(f"--view: `{shown_text(name)}` is no name of a model")
    make_folder(folder)
    for suffix, text in ((".sql", model), (".yml", properties)):
        write_whole(folder / f"{name}{suffix}", text)
        typer.echo(str(folder / f"{name}{suffix}"))


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
