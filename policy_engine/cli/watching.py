"""Running a command again each time that a file below some folders changes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

OPTION = "--watch"
SECONDS = 0.3
"""How long it waits between two looks at the files."""


def run_at_each_change(places: Sequence[Path]) -> NoReturn:
    """Run this command without `--watch` now, and again whenever a file changes, until it is interrupted."""
    command = [sys.executable, "-m", "policy_engine", *(each for each in sys.argv[1:] if each != OPTION)]
    while True:
        before = _state(places)
        subprocess.run(command, check=False)
        typer.echo("waiting for a file to change; Ctrl-C ends", err=True)
        while _state(places) == before:
            time.sleep(SECONDS)


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
