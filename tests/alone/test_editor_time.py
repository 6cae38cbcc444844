"""Who types in a ruleset of 1,000 rules is offered something within 50 ms of processor time."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from benchmarks.editor import LIMIT, RULES, WRITTEN, answer, timed, write
from policy_engine.lsp.workspace import Snapshot, Workspace


class Large(NamedTuple):
    """A large ruleset: its file, its lines, and what is known of it."""

    path: Path
    lines: list[str]
    snapshot: Snapshot


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    """The large ruleset of the benchmark."""
    path, workspace = write(tmp_path_factory.mktemp("large")), Workspace()
    text = path.read_text("utf-8")
    project = workspace.put(path, text)
    assert project is not None
    snapshot = workspace.look(project)
    snapshot.make_ready([path])
    return Large(path, text.split("\n"), snapshot)


def test_it_is_large_and_has_no_errors(large: Large) -> None:
    assert sum("{id: r" in line for line in large.lines) == RULES
    assert [ruleset.id for ruleset in large.snapshot.rulebook.rulesets] == ["large"]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_completion_takes_no_longer(written: str, large: Large) -> None:
    at = large.lines.index("definitions:") + 1
    lines = [*large.lines[:at], written, *large.lines[at:]]
    assert '"label"' in answer(large.snapshot, large.path, lines, at)
    assert median(timed(lambda: answer(large.snapshot, large.path, lines, at)) for _ in range(5)) < LIMIT
