"""`policy check --fix` over every faulty file and some hostile ones of each kind: no traceback, and no file worse than before.

With `FIX_CASES=all` over every hostile one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from policy_engine.cli.check import look_at
from policy_engine.cli.fix import write_fixed
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
EVERY = 1 if os.environ.get("FIX_CASES") == "all" else 6
"""One in so many hostile files of a kind is tried, and one in so many of all files by the command, unless all are asked for."""


def chosen(names: Iterable[str]) -> Iterator[str]:
    """Some names of each kind, the same ones whatever else is among them."""
    for _, kind in groupby(sorted(names), key=kind_of):
        ranked = sorted(kind, key=lambda name: crc32(name.encode()))
        yield from ranked[: -(-len(ranked) // EVERY)]


def is_chosen(name: str) -> bool:
    """Whether the command itself is run over a file, which takes longer."""
    return crc32(name.encode()) % EVERY == 0


def kind_of(name: str) -> str:
    """The kind of a hostile file; `simpleeval` and `more` are kinds of their own."""
    return name.partition(":")[0].partition(" ")[0]


TRIED = {name for name in HOSTILE if not name.startswith(NO_FILES) and name not in TOO_LONG}
ALL: Mapping[str, Mapping[str, Any]] = {
    **{str(case): case.files for case in CASES},
    **{name: HOSTILE[name] for name in sorted({*chosen(TRIED), *ENDLESS})},
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
        if is_chosen(name):
            ran = policy("check", "--fix", "--format", "line", folder=tmp_path)
            assert (ran.code, "Traceback" in ran.err) == (1 if errors(fixing.left) else 0, False)
        else:
            write_fixed(fixing)
        assert look(file_text) == fixing.left
        assert [path for path in fixing.texts if not is_read(path) and path not in unread] == []
        assert unread or errors(fixing.left) <= before
        assert bool(fixing.open) == (name in ENDLESS)
