"""Workspaces over the files of this repository, or over copies of them, without an editor."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from policy_engine.lsp.workspace import Project, Snapshot, Workspace
from tests.conftest import ROOT


class Caret(NamedTuple):
    """A text without its mark `|`, and the line and the column of the mark, from 0."""

    text: str
    line: int
    column: int


def marked(text: str) -> Caret:
    """A text with a caret in it."""
    at = text.index("|")
    return Caret(text[:at] + text[at + 1 :], text.count("\n", 0, at), at - (text.rfind("\n", 0, at) + 1))


def below(path: Path, line: str, written: str) -> Caret:
    """The text of a file with what is written below one of its lines, up to the caret."""
    lines = path.read_text("utf-8").split("\n")
    at = lines.index(line) + 1
    caret = marked(written)
    text = "\n".join([*lines[:at], *caret.text.split("\n"), *lines[at:]])
    return Caret(text, at + caret.line, caret.column)


def project_of(workspace: Workspace, path: Path) -> Project:
    """The project of a file."""
    project = workspace.put(path, path.read_text("utf-8"))
    assert project is not None, path
    return project


def looked_at(path: Path) -> Snapshot:
    """What is known of the project of a file."""
    workspace = Workspace()
    return workspace.look(project_of(workspace, path))


def copied(folder: Path, *names: str) -> Path:
    """A folder with copies of folders of this repository."""
    for name in names:
        shutil.copytree(ROOT / name, folder / Path(name).name)
    return folder


def written(files: Iterable[tuple[str, str]], folder: Path) -> Path:
    """A folder with files of these names and texts."""
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder
