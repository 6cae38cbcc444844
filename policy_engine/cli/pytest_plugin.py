"""A pytest plugin: each case of a test file of rules (`*_test.yaml`) is a test.

The rules are those of the folder of the test file, or of the setting `policy_rules`; the schemas those of the folder `schemas`
of the project, or of the setting `policy_schemas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy_engine.analysis.rule_tests import run_case
from policy_engine.cli.failures import failure_lines
from policy_engine.cli.show import diagnostic_line
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend.loader import TEST_SUFFIX
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests

OURS = re.compile(r"""^[\ufeff{\s]*["']?tests["']?\s*:""", re.MULTILINE)
"""How a test file of rules names its ruleset; other tools have files of such names too."""
ENGINES = pytest.StashKey[dict[tuple[Path, Path], Engine]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings of the plugin."""
    parser.addini("policy_rules", "the folder of rule files; that of the test file if left out", default="")
    parser.addini("policy_schemas", "the folder of the facts' schemas", default="schemas")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The cases of a test file of rules."""
    if file_path.suffix != ".yaml" or not file_path.stem.endswith(TEST_SUFFIX):
        return None
    text = file_path.read_bytes().decode(errors="replace")
    return RuleTestFile.from_parent(parent, path=file_path) if OURS.search(text) else None


class RuleTestFile(pytest.File):
    """A test file of rules."""

    def collect(self) -> Iterator[pytest.Item]:
        """Each case; raises `CollectError` where the rules or the test file have faults."""
        try:
            engine = self._engine()
            cases, faults = read_tests([self.path], engine.rulebook)
        except RulesetError as error:
            raise self.CollectError("\n".join(map(diagnostic_line, error.diagnostics))) from None
        except CannotRun as error:
            raise self.CollectError(str(error)) from None
        if faults:
            raise self.CollectError("\n".join(map(diagnostic_line, faults)))
        for case in cases:
            yield RuleTestItem.from_parent(self, name=case.name, engine=engine, case=case)

    def _engine(self) -> Engine:
        root = self.config.rootpath
        rules = root / self.config.getini("policy_rules") if self.config.getini("policy_rules") else self.path.parent
        schemas = root / self.config.getini("policy_schemas")
        engines = self.config.stash.setdefault(ENGINES, {})
        if (rules, schemas) not in engines:
            engines[rules, schemas] = Engine(Engine.load(rules, schemas).rulebook.with_libraries())
        return engines[rules, schemas]


class RuleTestFailed(Exception):  # noqa: N818 - a failure, told in lines, and not an error of the program
    """A case failed."""


class RuleTestItem(pytest.Item):
    """A case of a test file."""

    def __init__(self, *, engine: Engine, case: RuleCase, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # what pytest gives to every item
        self.engine, self.case = engine, case

    def runtest(self) -> None:
        """Ask the engine; raises `RuleTestFailed`."""
        result = run_case(self.engine, self.case)
        if not result.passed:
            raise RuleTestFailed("\n".join(failure_lines(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The failure in lines; anything else as pytest shows it."""
        if isinstance(excinfo.value, RuleTestFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place of the case."""
        return self.path, self.case.span.line - 1, self.name
