"""`policy stubs`: a Python module by which type checkers know the outcomes, values and facts of every decision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.options import RULES, SCHEMAS, Exit, RulesOption, SchemasOption
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole


def stubs(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The Python module to write, such as rules_types.py.")],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where the module is not current.")
    ] = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Write a Python module by which type checkers know the outcomes, values and facts of every decision."""
    from policy_engine.reports.stubs import GENERATED, stubs_of  # noqa: PLC0415 - no other command needs it

    if out.suffix != ".py":
        raise CannotRun(f"`{out}` is no Python module; give a name that ends in .py")
    text = stubs_of(Engine.load(rules, schemas).rulesets)
    there = out.read_text("utf-8", "replace") if out.is_file() else None
    if check and there != text:
        typer.echo(f"not current: {out}; run `policy stubs {out}`", err=True)
        raise typer.Exit(Exit.FAULTS)
    if there is not None and not there.startswith(GENERATED):
        raise CannotRun(f"`{out}` was not written by `policy stubs`, and is not replaced; name another file")
    if there != text:
        write_whole(out, text)
        typer.echo(str(out))
