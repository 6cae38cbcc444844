"""Running test cases from an editor: what can be run from where, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from policy_engine.analysis.rule_tests import CaseResult, run_case
from policy_engine.engine import Engine
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.lsp.case_symbols import named_items
from policy_engine.lsp.workspace import CaseDocument, Snapshot


@dataclass(frozen=True, slots=True)
class Lens:
    """What can be run from a line, counted from 0: the tests of a ruleset, those of a file, or of it one case or one table."""

    line: int
    title: str
    file: str | None = None
    case: str | None = None
    table: str | None = None
    ruleset: str | None = None

    def has(self, case: RuleCase) -> bool:
        """Whether a case of its file or ruleset is among what it runs."""
        of_table = self.table is None or case.name.startswith(f"{self.table}: ")
        return of_table and self.case in (case.name, None)


@dataclass(frozen=True, slots=True)
class Run:
    """The results of the cases that were run; `refused` says why none could be."""

    results: tuple[CaseResult, ...]
    refused: str | None = None

    @property
    def failed(self) -> list[CaseResult]:
        """The cases that failed."""
        return [result for result in self.results if not result.passed]

    @property
    def summary(self) -> str:
        """What came out, in a sentence."""
        if self.refused is not None:
            return self.refused
        failed = len(self.failed)
        return f"{len(self.results) - failed} passed, {failed} failed"


def lenses(snapshot: Snapshot, path: Path) -> list[Lens]:
    """What can be run from the lines of a rule or test file."""
    test, file = snapshot.tests.get(str(path)), snapshot.files.get(str(path))
    if test is not None:
        return [Lens(0, "run these tests", str(path)), *_of_parts(test)] if test.cases else []
    if file is None or file.syntax is None:
        return []
    name = file.syntax.id
    count = sum(len(test.cases) for test in snapshot.tests.values() if test.ruleset == name.value)
    title = f"run the tests of {name.value} ({count})"
    return [Lens(name.span.line - 1, title, ruleset=name.value)] if count else []


def _of_parts(test: CaseDocument) -> Iterator[Lens]:
    """The cases that are written one by one, and the tables."""
    for case in named_items(test.node, "cases"):
        yield Lens(case.span.line - 1, "run this case", str(test.path), case=case.value)
    for table in named_items(test.node, "tables"):
        yield Lens(table.span.line - 1, "run this table", str(test.path), table=table.value)


def run(snapshot: Snapshot, lens: Lens) -> Run:
    """Run the cases of a lens; those of a file or a ruleset with errors are not run."""
    chosen = list(_chosen(snapshot, lens))
    if not chosen:
        return Run((), "no case could be run: the tests, or their rules, have errors or are gone")
    rulebook = replace(snapshot.rulebook.with_libraries(), diagnostics=())
    return Run(tuple(_results(Engine(rulebook), chosen)))


def _chosen(snapshot: Snapshot, lens: Lens) -> Iterator[RuleCase]:
    sound = {ruleset.id for ruleset in snapshot.rulebook.with_libraries().rulesets} - snapshot.rulebook.refused
    for path, test in snapshot.tests.items():
        if test.ruleset in sound and lens.file in (path, None) and lens.ruleset in (test.ruleset, None):
            yield from filter(lens.has, test.cases)


def _results(engine: Engine, cases: Sequence[RuleCase]) -> Iterator[CaseResult]:
    for case in cases:
        yield run_case(engine, case)
