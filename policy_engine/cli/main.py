"""The command `policy`: its commands, and what a person is told when one cannot go on."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from policy_engine.cli import check, compare, decide, report, rules, run_tests, schemas
from policy_engine.cli.options import Exit
from policy_engine.cli.show import console, diagnostic_text, safe
from policy_engine.errors import EngineFault, FactsError, PolicyError, RulesetError

app = typer.Typer(
    name="policy",
    help="Decide questions by rules in plain YAML: check them, test them, ask them, report with them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(check.check)
app.command()(decide.decide)
app.command()(decide.explain)
app.command("test")(run_tests.run_tests)
app.command("compare")(compare.compare_versions)
app.command()(schemas.schemas)
app.add_typer(report.app, name="report", help="Decide tables of accounts, and sum up; or verify such a report.")
app.add_typer(rules.app, name="rules")


def main() -> None:
    """Run the command line; every error of ours becomes a message on standard error and an exit code."""
    try:
        app()
    except (PolicyError, EngineFault) as error:
        tell(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def exit_code(error: PolicyError | EngineFault) -> Exit:
    """The code with which the command ends."""
    match error:
        case EngineFault():
            return Exit.OWN_FAULT
        case RulesetError() | FactsError():
            return Exit.FAULTS
    return Exit.COULD_NOT_RUN


def tell(error: PolicyError | EngineFault) -> None:
    """Say what went wrong, on standard error."""
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
            err.print(safe(str(error)))
