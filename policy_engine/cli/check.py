"""`policy check`: every fault of the rule and test files at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.diagnostic_forms import github, gitlab, sarif
from policy_engine.cli.fix import fixed_line, not_fixed, print_differences, write_fixed
from policy_engine.cli.options import RULES, SCHEMAS, Exit, SchemasOption
from policy_engine.cli.show import console, diagnostic_line, diagnostic_text
from policy_engine.diagnostics import WORDINGS, Diagnostic, Severity, did_you_mean, has_errors, in_order, shown_text
from policy_engine.documents.yaml_reader import file_text
from policy_engine.errors import CannotRun
from policy_engine.frontend.files import ReadText
from policy_engine.frontend.fixing import Fixing, fix_all, reading
from policy_engine.frontend.loader import load, rule_files
from policy_engine.frontend.rule_tests import read_tests, test_files, unchecked


class Form(StrEnum):
    """How diagnostics are printed."""

    TEXT = "text"
    JSON = "json"
    LINE = "line"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"


class Warnings(StrEnum):
    """What becomes of warnings: they fail the check, are shown, or are counted only."""

    ERROR = "error"
    SHOW = "show"
    HIDE = "hide"


PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE.parent / "docs" / "diagnostics", PACKAGE / "pages")
"""Where the pages about diagnostics are: in a checkout, and in an installed package."""
MORE = "policy check --explain CODE tells more"
OF_ALL_FILES = frozenset({"unused-fact", "unmentioned-value"})
"""What is told of a schema by all rulesets over it together."""
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
    fix: Annotated[
        bool, typer.Option("--fix", help="First mend in the files what can surely be mended, and say so.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change, as a diff, and write nothing.")
    ] = False,
) -> None:
    """Check rule files, their schemas and their tests, and report every fault and every warning.

    Exit code 0: no fault. 1: faults in the files, or, with --warnings error, warnings, or, with --diff, something to mend. 2:
    could not run.
    """
    if strict and warnings is Warnings.HIDE:
        raise CannotRun("--strict fails on warnings and --warnings hide leaves them out: give one of the two")
    if diff and form is not Form.TEXT:
        raise CannotRun("--diff shows a diff and nothing else: leave --format out")
    if code is not None:
        typer.echo(page_about(code), nl=False)
        return
    places = paths or [RULES]
    rules, tests = rule_files(places), test_files(places)
    if not rules and not tests:
        raise CannotRun(f"there is no rule file in {', '.join(map(str, places))}")
    look = partial(look_at, places, rules or sorted({test.parent for test in tests}), schemas)
    fixing = fix_all(look) if fix or diff else Fixing({}, {}, (), look(file_text))
    fixing, left_out = _told_of_part(fixing, rules)
    failed = bool(fixing.left) if strict or warnings is Warnings.ERROR else has_errors(fixing.left)
    summary = f"{_counted(len(rules), 'rule file')}, {_counted(len(tests), 'test file')}: {_summary(fixing.left)}"
    summary += " once this is fixed" if diff and fixing.texts else ""
    summary += not_fixed(fixing) if fix or diff else ""
    summary += _not_checked(rules, tests, schemas, fixing) + left_out
    if diff:
        print_differences(fixing, summary)
        raise typer.Exit(Exit.FAULTS if fixing.texts or failed else Exit.FINE)
    write_fixed(fixing)
    shown = [each for each in fixing.left if warnings is not Warnings.HIDE or each.severity is Severity.ERROR]
    _print(shown, form, summary, fixing.fixed if fix else None)
    raise typer.Exit(Exit.FAULTS if failed else Exit.FINE)


def look_at(places: list[Path], rules: list[Path], schemas: Path, read: ReadText) -> tuple[Diagnostic, ...]:
    """What is wrong with files whose texts are given."""
    rulebook = load(rules, schemas, read=read)
    _, faults = read_tests(places, rulebook, read)
    return in_order([*rulebook.diagnostics, *faults])


def _told_of_part(fixing: Fixing, rules: Sequence[Path]) -> tuple[Fixing, str]:
    """Without what only all rule files of a folder can tell, where these are not all; and how much that is, in words."""
    if set(rule_files({path.parent for path in rules})) <= {*rules}:
        return fixing, ""
    left = tuple(each for each in fixing.left if each.code not in OF_ALL_FILES)
    count = len(fixing.left) - len(left)
    told = f"; {_counted(count, 'warning')} left out, since other rule files of the folder may read what these do not"
    return replace(fixing, left=left), told if count else ""


def _not_checked(rules: list[Path], tests: Sequence[Path], schemas: Path, fixing: Fixing) -> str:
    """How many test files were not checked, because what they test has faults."""
    if not tests or not has_errors(fixing.left):
        return ""
    read = reading(fixing.texts)
    count = len(unchecked(tests, load(rules, schemas, lints=False, read=read), read))
    return (
        f"; {_counted(count, 'test file')} not checked, since what {'it tests' if count == 1 else 'they test'} has faults"
        if count
        else ""
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"


def _summary(diagnostics: tuple[Diagnostic, ...]) -> str:
    """The numbers of faults and of warnings."""
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)
    faults = len(diagnostics) - warnings
    found = _counted(faults, "fault") if faults else "no faults"
    return f"{found}, {_counted(warnings, 'warning')}" if warnings else found


def _print(diagnostics: Sequence[Diagnostic], form: Form, summary: str, fixed: Sequence[Diagnostic] | None) -> None:
    """What is left, behind what was `fixed`, if anything was to be."""
    for diagnostic in fixed or () if form is not Form.JSON else ():
        typer.echo(fixed_line(diagnostic), err=form is not Form.TEXT)
    if form is Form.TEXT:
        _print_text(diagnostics, summary)
    elif form is Form.JSON:
        told = {"diagnostics": [diagnostic.to_dict() for diagnostic in diagnostics]}
        typer.echo(json.dumps(told if fixed is None else told | {"fixed": [each.to_dict() for each in fixed]}))
    elif form in (Form.SARIF, Form.GITLAB):
        typer.echo(json.dumps(sarif(diagnostics) if form is Form.SARIF else gitlab(diagnostics)))
    else:
        for diagnostic in diagnostics:
            typer.echo(diagnostic_line(diagnostic) if form is Form.LINE else github(diagnostic))


def _print_text(diagnostics: Sequence[Diagnostic], summary: str) -> None:
    out = console()
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
