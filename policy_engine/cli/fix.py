"""`policy check --fix` and `--diff`: writing what fixes make of files, or showing it."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path

import typer

from policy_engine.cli.differences import differing_lines
from policy_engine.cli.show import LONGEST_LINE
from policy_engine.diagnostics import Diagnostic, shown_text
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.fixing import Fixing


def write_fixed(fixing: Fixing) -> None:
    """Write the files that were fixed, with the byte order marks that they had; raises `CannotRun` and says what was written."""
    marks = {path: _mark(path, text) for path, text in fixing.before.items()}
    written: list[str] = []
    for path, text in fixing.texts.items():
        try:
            write_whole(Path(path), marks[path] + text)
        except CannotRun as error:
            done = f"only {', '.join(written)} was written" if written else "nothing was written"
            raise CannotRun(f"{error}; {done}") from None
        written.append(path)


def _mark(path: str, before: str) -> str:
    """The byte order mark of a file, if any, which must still be as it was when it was read; raises `CannotRun`."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read any more: {error.strerror}; nothing was written") from None
    if content.removeprefix(codecs.BOM_UTF8) != before.encode():
        raise CannotRun(f"`{path}` changed while it was being fixed; nothing was written: try again")
    return "\ufeff" if content.startswith(codecs.BOM_UTF8) else ""


def fixed_line(diagnostic: Diagnostic) -> str:
    """What was done, and where it was needed."""
    title = "" if diagnostic.fix is None else diagnostic.fix.title
    return shown_text(f"{diagnostic.span}: fixed[{diagnostic.code}]: {title}", LONGEST_LINE)


def not_fixed(fixing: Fixing) -> str:
    """How many of the diagnostics that are left have a fix that was not made, and why; nothing where none has."""
    asked = sum(each.fix is not None and not each.fix.sure for each in fixing.left)
    told = f"; {asked} with a fix that only you can confirm" if asked else ""
    if fixing.open:
        told += f"; {len(fixing.open)} with a fix that was left out: it brings other errors, or there are too many for one run"
    return told


def print_differences(fixing: Fixing, summary: str) -> None:
    """Print a unified diff, as other programs take it, and on standard error a summary."""
    to_screen = sys.stdout.isatty()
    for path, text in sorted(fixing.texts.items()):
        for line in differing_lines(fixing.before[path], text, path):
            typer.echo(f"{shown_text(line.rstrip(), LONGEST_LINE)}\n" if to_screen else line, nl=False)
    typer.echo(summary, err=True)
