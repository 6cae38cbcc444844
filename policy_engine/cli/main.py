"""The command `policy`: its commands, and the messages and exit codes of errors."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli import (
    check,
    compare,
    decide,
    formatting,
    log,
    lsp,
    new,
    report,
    rules,
    run_tests,
    schemas,
    serve,
    sql,
    stubs,
    table_commands,
)
from policy_engine.cli.options import Exit
from policy_engine.cli.output import OutputLost, guarded_output, never_fail_on_characters
from policy_engine.cli.show import console, diagnostic_text, safe
from policy_engine.errors import CannotRun, EngineFault, FactsError, PolicyError, RulesetError
from policy_engine.files import refuse_unreadable_name
from policy_engine.version import VERSION

app = typer.Typer(
    name="policy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="Begin a ruleset, from answers or from a table.")(new.new)
app.command(short_help="Check rule files, their schemas and their tests.")(check.check)
app.command(short_help="Write rule and test files in one layout.")(formatting.fmt)
app.command(short_help="Decide one question about facts, or all of a ruleset.")(decide.decide)
app.command(short_help="Decide, and show how the answer came about.")(decide.explain)
app.command("test", short_help="Run the tests that stand beside the rules.")(run_tests.run_tests)
app.command("compare", short_help="Show whose answer changes between two sides, and why.")(compare.compare_sides)
app.command(short_help="Serve an editor, over the language server protocol.")(lsp.lsp)
app.command(short_help="Print a ruleset as a query for a database.")(sql.sql)
app.command(short_help="Write the schemas by which editors check as you type.")(schemas.schemas)
app.command(short_help="Write a Python module with the types of all decisions.")(stubs.stubs)
app.add_typer(
    report.app,
    name="report",
    help="Decide tables of accounts, and sum up; or verify such a report.",
    short_help="Decide tables of accounts, and sum up.",
)
app.add_typer(table_commands.app, name="tables", short_help="Look at tables of facts before they are decided.")
app.add_typer(serve.app, name="serve", short_help="Answer over HTTP.")
app.add_typer(log.app, name="log", short_help="Keep the decision log: verify, read, prove, erase.")
app.add_typer(rules.app, name="rules", short_help="List the rulesets, show one, or write their pages.")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"policy_engine {VERSION}")
        raise typer.Exit


@app.callback()
def policy(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Decide questions by rules in plain YAML: check them, test them, ask them, report with them."""


def main() -> None:
    """Run the command line; every error of ours becomes a message on standard error and an exit code."""
    never_fail_on_characters()
    try:
        with guarded_output():
            run()
    except CannotRun as error:
        report_error(error)
        sys.exit(Exit.COULD_NOT_RUN)
    except OutputLost as lost:
        lost.let_go()
        if lost.pipe_is_closed:
            sys.exit(Exit.NOBODY_READS)
        report_error(CannotRun(str(lost)))
        sys.exit(Exit.COULD_NOT_RUN)


def run() -> None:
    """Run the command line, whatever becomes of what it prints."""
    try:
        refuse_unreadable_arguments(sys.argv)
        app()
    except (PolicyError, EngineFault) as error:
        report_error(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)


def refuse_unreadable_arguments(arguments: list[str]) -> None:
    """Raises `CannotRun` for an argument that is not UTF-8: no message, page or manifest could hold such a name."""
    for argument in arguments:
        refuse_unreadable_name(Path(argument))


def exit_code(error: PolicyError | EngineFault) -> Exit:
    """The code with which the command ends."""
    match error:
        case EngineFault():
            return Exit.OWN_FAULT
        case RulesetError() | FactsError():
            return Exit.FAULTS
    return Exit.COULD_NOT_RUN


def report_error(error: PolicyError | EngineFault) -> None:
    """Print what went wrong to standard error."""
    err = console(stderr=True)
    match error:
        case RulesetError(diagnostics=diagnostics):
            for diagnostic in diagnostics:
                err.print(diagnostic_text(diagnostic))
        case FactsError(violations=violations):
            err.print(
                f"the facts are invalid, and nothing was decided: {len(violations)} violation{'s' * (len(violations) != 1)}"
            )
            for violation in violations:
                err.print(safe(f"  {violation.pointer or '(the facts)'}: {violation.message}"))
        case EngineFault():
            traceback.print_exception(error.__cause__)
            err.print(safe(f"{error}; please report it, with the lines above and the ruleset"))
        case _:
            for line in str(error).split("\n"):  # one for each fault of a file
                err.print(safe(line))
