"""`policy check --fix` over every faulty and every hostile file that there is: no traceback, and no file worse than before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from policy_engine.cli.check import look_at
from policy_engine.diagnostics import Diagnostic, Severity
from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.yaml_reader import file_text, read_text
from policy_engine.frontend.fixing import fix_all
from tests.alone.test_hostile_corpora import CASES as HOSTILE
from tests.conftest import lay_out
from tests.support.commands import policy
from tests.test_diagnostics import CASES

NO_FILES = "places: "
"""Hostile places are no files, and are not opened."""
ENDLESS = frozenset({"rules: noughts", "rules: a million noughts"})
"""Files with more faults than are told at a time, of which not all are fixed."""
TOO_LONG = frozenset({"rules: anchors without number", "rules: many cut calls"})
"""Files with so much to fix that it takes twenty rounds of half a second."""
ALL: Mapping[str, Mapping[str, Any]] = {
    **{str(case): case.files for case in CASES},
    **{name: files for name, files in HOSTILE.items() if not name.startswith(NO_FILES) and name not in TOO_LONG},
}
look = partial(look_at, [Path("rules")], [Path("rules")], Path("schemas"))


def errors(found: tuple[Diagnostic, ...]) -> int:
    """The number of errors."""
    return sum(diagnostic.severity is Severity.ERROR for diagnostic in found)


def is_read(path: str) -> bool:
    """Whether a file can be read."""
    text, faults = file_text(Path(path))
    read = json_nodes if path.endswith(".json") else read_text
    return not faults and (path.endswith(".csv") or read(text, path)[0] is not None)


@pytest.mark.parametrize("name", ALL)
def test_fix_makes_nothing_worse(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(ALL[name], tmp_path)
    monkeypatch.chdir(tmp_path)
    fixing = fix_all(look)
    if fixing.fixed:
        before, unread = errors(look(file_text)), [path for path in fixing.texts if not is_read(path)]
        ran = policy("check", "--fix", "--format", "line", folder=tmp_path)
        assert (ran.code, "Traceback" in ran.err) == (1 if errors(fixing.left) else 0, False)
        assert [path for path in fixing.texts if not is_read(path) and path not in unread] == []
        assert unread or errors(fixing.left) <= before
        assert bool(fixing.open) == (name in ENDLESS)
