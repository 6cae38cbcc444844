"""Running a command again each time that a file below some folders changes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from policy_engine.documents.yaml_reader import file_text, read_text
from policy_engine.frontend.rule_cases import fixture_path
from policy_engine.frontend.rule_tests import test_files
from policy_engine.lsp.case_symbols import fixtures_named

OPTION = "--watch"
SECONDS = 0.3
"""How long it waits between two looks at the files."""


def run_at_each_change(places: Sequence[Path]) -> NoReturn:
    """Run this command without `--watch` now, and again whenever a file changes, until it is interrupted."""
    command = [sys.executable, "-m", "policy_engine", *(each for each in sys.argv[1:] if each != OPTION)]
    while True:
        watched = [*places, *_fixtures(places)]
        before = _state(watched)
        subprocess.run(command, check=False)
        typer.echo("waiting for a file to change; Ctrl-C ends", err=True)
        while _state(watched) == before:
            time.sleep(SECONDS)


def _fixtures(places: Sequence[Path]) -> list[Path]:
    """The files from which the test files there take facts; what cannot be read names none."""
    tests = test_files(place for place in places if place.exists())
    named = ((name, test) for test in tests for name in fixtures_named(read_text(file_text(test)[0], str(test))[0]))
    return [file for name, test in named if (file := fixture_path(name, test)) is not None]


def _state(places: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """The time of the last change and the size of every file."""
    found = {}
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # an editor that writes a new file may have taken the old one away
            found[path] = status.st_mtime_ns, status.st_size
    return found
