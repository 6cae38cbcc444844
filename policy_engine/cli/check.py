"""`policy check`: every fault of the rule and test files at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.diagnostic_forms import github, sarif
from policy_engine.cli.options import RULES, SCHEMAS, Exit, SchemasOption
from policy_engine.cli.show import console, diagnostic_line, diagnostic_text
from policy_engine.diagnostics import WORDINGS, Diagnostic, Severity, did_you_mean, has_errors, in_order, shown_text
from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import load, rule_files
from policy_engine.frontend.rule_tests import read_tests, test_files


class Form(StrEnum):
    """How diagnostics are printed."""

    TEXT = "text"
    JSON = "json"
    LINE = "line"
    SARIF = "sarif"
    GITHUB = "github"


class Warnings(StrEnum):
    """What becomes of warnings: they fail the check, are shown, or are counted only."""

    ERROR = "error"
    SHOW = "show"
    HIDE = "hide"


PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE.parent / "docs" / "diagnostics", PACKAGE / "pages")
"""Where the pages about diagnostics are: in a checkout, and in an installed package."""
MORE = "policy check --explain CODE tells more"
MOST_DRAWN = 200
"""The number of diagnostics that are shown with their lines."""


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Rule and test files, or folders of them.  [default: rules]")
    ] = None,
    schemas: SchemasOption = SCHEMAS,
    form: Annotated[
        Form, typer.Option("--format", help="Marked lines, one line per fault, or a form for programs.")
    ] = Form.TEXT,
    code: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help="Print the page about a code, such as unknown-name, and end."),
    ] = None,
    warnings: Annotated[
        Warnings, typer.Option(help="Fail on warnings as on faults, show them, or only count them.")
    ] = Warnings.SHOW,
    strict: Annotated[bool, typer.Option("--strict", help="The same as --warnings error, as CI should.")] = False,
) -> None:
    """Check rule files, their schemas and their tests, and report every fault and every warning.

    Exit code 0: no fault. 1: faults in the files, or, with --warnings error, warnings. 2: could not run.
    """
    if strict and warnings is Warnings.HIDE:
        raise CannotRun("--strict fails on warnings and --warnings hide leaves them out: give one of the two")
    if code is not None:
        typer.echo(page_about(code), nl=False)
        return
    places = paths or [RULES]
    rules, tests = rule_files(places), test_files(places)
    if not rules and not tests:
        raise CannotRun(f"there is no rule file in {', '.join(map(str, places))}")
    rulebook = load(rules or {test.parent for test in tests}, schemas)
    _, faults = read_tests(places, rulebook)
    diagnostics = in_order([*rulebook.diagnostics, *faults])
    files = f"{_counted(len(rules), 'rule file')}, {_counted(len(tests), 'test file')}"
    shown = [each for each in diagnostics if warnings is not Warnings.HIDE or each.severity is Severity.ERROR]
    _print(shown, form, f"{files}: {_summary(diagnostics)}")
    failed = bool(diagnostics) if strict or warnings is Warnings.ERROR else has_errors(diagnostics)
    raise typer.Exit(Exit.FAULTS if failed else Exit.FINE)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"


def _summary(diagnostics: tuple[Diagnostic, ...]) -> str:
    """The numbers of faults and of warnings."""
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)
    faults = len(diagnostics) - warnings
    found = _counted(faults, "fault") if faults else "no faults"
    return f"{found}, {_counted(warnings, 'warning')}" if warnings else found


def _print(diagnostics: Sequence[Diagnostic], form: Form, summary: str) -> None:
    out = console()
    if form is Form.JSON:
        typer.echo(json.dumps({"diagnostics": [diagnostic.to_dict() for diagnostic in diagnostics]}))
        return
    if form is Form.SARIF:
        typer.echo(json.dumps(sarif(diagnostics)))
        return
    if form is not Form.TEXT:
        for diagnostic in diagnostics:
            typer.echo(diagnostic_line(diagnostic) if form is Form.LINE else github(diagnostic))
        return
    for diagnostic in diagnostics[:MOST_DRAWN]:
        out.print(diagnostic_text(diagnostic))
    if len(diagnostics) > MOST_DRAWN:
        out.print(f"and {len(diagnostics) - MOST_DRAWN} more; --format line tells them all")
    out.print(summary)
    if diagnostics:
        out.print(MORE)


def page_about(code: str) -> str:
    """What there is to say about the code of a diagnostic; raises `CannotRun`."""
    if code not in WORDINGS:
        near = did_you_mean(code, WORDINGS)
        raise CannotRun(f"no diagnostic has the code `{shown_text(code)}`{f'; {near}' if near else ''}")
    for folder in FOLDERS:
        path = folder / f"{code}.md"
        if path.is_file():
            return path.read_text("utf-8")
    raise CannotRun(f"the page about `{code}` is not installed")
