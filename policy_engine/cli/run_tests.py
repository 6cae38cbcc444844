"""`policy test`: run the cases of test files; a failing case shows how its decision came about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer
from rich.text import Text

from policy_engine.analysis.rule_tests import CaseResult, run_case
from policy_engine.cli.case_selection import Selection, remember
from policy_engine.cli.covering import Asked, below, cover
from policy_engine.cli.failures import failure_lines
from policy_engine.cli.mutate import mutate as try_mutants
from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    DelimiterOption,
    EncodingOption,
    Exit,
    HeaderRowOption,
    InputFormatOption,
    MapOption,
    ReadingOption,
    RulesOption,
    SchemasOption,
    SheetOption,
)
from policy_engine.cli.over_options import DatedByOption, Over, OverOption
from policy_engine.cli.show import answer_text, console, diagnostic_line, diagnostic_text, explanation_tree, safe
from policy_engine.cli.suggest import suggest as suggest_cases
from policy_engine.cli.watching import OPTION, run_at_each_change
from policy_engine.diagnostics import Diagnostic
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.loader import Rulebook
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests, test_files


def run_tests(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Test files, or folders of them.  [default: rules]")
    ] = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Also show beside the rules what no case tries."),
    ] = False,
    coverage_out: Annotated[
        Path | None,
        typer.Option(
            "--coverage-out",
            metavar="DIR",
            help="With --coverage: also write it as coverage.html, coverage.json, cobertura.xml and lcov.info.",
        ),
    ] = None,
    over: OverOption = None,
    dated_by: DatedByOption = None,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    mapping: MapOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    words: Annotated[
        str | None,
        typer.Option("-k", metavar="WORDS", help="Only the cases whose file, ruleset or name has these words."),
    ] = None,
    last_failed: Annotated[
        bool,
        typer.Option(
            "--last-failed",
            help="Only the cases that failed the last time, or that -x did not come to; all where there are none.",
        ),
    ] = False,
    first: Annotated[bool, typer.Option("-x", help="Stop at the first case that fails.")] = False,
    watch: Annotated[
        bool, typer.Option(OPTION, help="Run again each time that a rule, schema, test or fixture changes.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show the whole way to the answers of a case that fails.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write the results as JUnit XML.")] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Also make small faults in the rules, and show those that no case sees.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Also show cases for the rules and cells that no case comes by.")
    ] = False,
    tries: Annotated[
        int, typer.Option(min=0, help="With --mutate and --suggest: how often facts are looked for.")
    ] = 5_000,
    write: Annotated[
        bool, typer.Option("--write", help="Add the cases shown to the test files, to be confirmed.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            metavar="PERCENT",
            help="With --coverage and --mutate: fail only where less is tried, or fewer faults seen; else for anything left.",
        ),
    ] = None,
) -> None:
    """Run the tests that stand beside the rules.

    Exit code 0: all passed. 1: a case failed, a test file has faults, or coverage or mutation was asked for and leaves something
    out. 2: could not run.
    """
    if watch:
        run_at_each_change([rules, schemas, *(paths or ())])
    selection = Selection(words, last_failed)
    if (coverage or mutate or suggest) and (first or not selection.is_all):
        raise CannotRun("coverage, mutation and suggestions are of all cases: leave out -k, -x and --last-failed")
    if write and not (mutate or suggest):
        raise CannotRun("--write goes with --mutate and --suggest")
    if fail_under is not None and not (mutate or coverage):
        raise CannotRun("--fail-under goes with --coverage and --mutate")
    if coverage_out is not None and not coverage:
        raise CannotRun("--coverage-out goes with --coverage")
    accounts = Over(
        tuple(over or ()), dated_by, as_of, reading, mapping, encoding, delimiter, sheet, header_row, input_format
    )
    accounts.refuse_without(coverage)
    rulebook = Engine.load(rules, schemas).rulebook
    engine = Engine(rulebook.with_libraries())
    cases, faults = _read(paths or [rules], engine.rulebook, named=bool(paths))
    selected = selection.of(cases)
    results = _run(engine, selected, first=first, trace=trace)
    failed = [result.case for result in results if not result.passed]
    remember(selected, [*failed, *selected[len(results) :]])
    also = below(rulebook.rulesets, paths or [rules])
    try:
        if junit is not None:
            write_whole(junit, _junit(results, faults))
        covered = not coverage or cover(engine, results, Asked(also, accounts, coverage_out, fail_under))
    finally:  # the cases have run, also where what was asked for beside cannot be read or written
        console().print(_summary(len(results), len(failed), len(cases)))
    if not results and not faults:
        console(stderr=True).print("no test cases were found")
    added = not suggest or suggest_cases(engine.rulebook, cases, tries, everything=not paths, write=write)
    well = results and not failed and not faults and covered
    if mutate:
        well = try_mutants(engine.rulebook, cases, tries, passed=bool(well), write=write, fail_under=fail_under)
    raise typer.Exit(Exit.FINE if well and added else Exit.FAULTS)


def _read(
    paths: Sequence[Path], rulebook: Rulebook, *, named: bool
) -> tuple[tuple[RuleCase, ...], tuple[Diagnostic, ...]]:
    """The cases and the faults, which are shown; raises `CannotRun` where a path that was named holds no test file."""
    for path in paths if named else ():
        if not test_files([path]):
            raise CannotRun(f"`{path}` holds no test file; the name of one ends in _test.yaml")
    cases, faults = read_tests(paths, rulebook)
    for fault in faults:
        console(stderr=True).print(diagnostic_text(fault))
    return cases, faults


def _run(engine: Engine, cases: Sequence[RuleCase], *, first: bool, trace: bool) -> list[CaseResult]:
    """The results of the cases, up to the `first` that fails where that is asked; those that fail are shown."""
    results = []
    for case in cases:
        result = run_case(engine, case)
        results.append(result)
        if not result.passed:
            _show(result, engine, trace=trace)
            if first:
                break
    return results


def _summary(run: int, failed: int, there: int) -> str:
    told = f"{run - failed} passed, {failed} failed"
    return told if run == there else f"{told}, {there - run} not run"


def _show(result: CaseResult, engine: Engine, *, trace: bool) -> None:
    out = console()
    name, *lines = failure_lines(result)
    out.print(Text.assemble(("failed", "bold red"), "  ", safe(name)))
    for line in [f"  {failure}" for failure in result.failures] if trace else lines:
        out.print(safe(line))
    for explanation in result.explanations if trace else ():
        out.print(answer_text(explanation.decision, engine.ruleset(result.case.ruleset, result.case.as_of)), end="")
        out.print(explanation_tree(explanation))


def _junit(results: Sequence[CaseResult], faults: Sequence[Diagnostic]) -> str:
    """Results as JUnit XML; a fault of a test file, whose cases may not have been read, is an error."""
    failed = sum(not result.passed for result in results)
    counts = {"tests": len(results) + len(faults), "failures": failed, "errors": len(faults)}
    suite = ElementTree.Element("testsuite", {"name": "policy", **{name: str(count) for name, count in counts.items()}})
    for fault in faults:
        case = ElementTree.SubElement(suite, "testcase", classname=safe(fault.span.path).plain, name=fault.code)
        ElementTree.SubElement(case, "error", message=safe(diagnostic_line(fault)).plain)
    for result in results:
        case = ElementTree.SubElement(
            suite, "testcase", classname=result.case.ruleset, name=safe(result.case.name).plain
        )
        if not result.passed:
            failures = "\n".join(safe(failure).plain for failure in result.failures)
            ElementTree.SubElement(case, "failure", message=failures.split("\n")[0]).text = failures
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
