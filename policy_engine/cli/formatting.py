"""`policy fmt`: rule and test files in one layout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.differences import differing_lines
from policy_engine.cli.options import RULES, Exit
from policy_engine.cli.show import console, diagnostic_text, safe
from policy_engine.cli.standard_input import DASH, STANDARD_INPUT, standard_input
from policy_engine.documents.yaml_reader import file_text
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.files import write_whole
from policy_engine.frontend.formatting import format_text
from policy_engine.frontend.loader import yaml_files


def fmt(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Rule and test files, or folders of them; - lays out standard input.  [default: rules]",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a file has another layout.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
) -> None:
    """Write rule and test files in one layout: indentation, blanks, quotes, and tables whose columns line up.

    What files say, their comments and the order of their keys stay. A file with faults is left as it is.

    Exit code 0: fine. 1: a file with faults, or, with --check, one of another layout. 2: could not run.
    """
    if paths == [DASH]:
        _lay_out_input(check=check, diff=diff)
        return
    if paths and DASH in paths:
        raise CannotRun(f"`{DASH}` is {STANDARD_INPUT} and goes with no file")
    places = [Path(path) for path in paths] if paths else [RULES]
    files = yaml_files(places)
    if not files:
        raise CannotRun(f"there is no rule file in {', '.join(map(str, places))}")
    changed, left = _lay_out(files, writes=not (check or diff), shows=diff)
    console(stderr=diff).print(_summary(len(files), changed, left, wrote=not (check or diff)))
    raise typer.Exit(Exit.FAULTS if left or (check and changed) else Exit.FINE)


def _summary(files: int, changed: int, left: int, *, wrote: bool) -> str:
    told = f"{files} file{'s' * (files != 1)}: {changed} {'laid out' if wrote else 'to lay out'}"
    return f"{told}, {left} left as {'it is' if left == 1 else 'they are'}" if left else told


def _lay_out(files: Sequence[Path], *, writes: bool, shows: bool) -> tuple[int, int]:
    """Lay out some files; how many change, and how many cannot be laid out, which is told."""
    changed = left = 0
    for path in files:
        try:
            before = _text_of(path)
            after = format_text(before, str(path))
        except (RulesetError, CannotRun) as error:
            _tell(error)
            left += 1
            continue
        if after != before:
            changed += 1
            if writes:
                write_whole(path, after)
            _print_exactly("".join(differing_lines(before, after, str(path))) if shows else f"{path}\n")
    return changed, left


def _text_of(path: Path) -> str:
    """The text of a file with its own ends of lines; raises `RulesetError` or `CannotRun`."""
    _, faults = file_text(path)
    if faults:
        raise RulesetError(faults)
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:  # it was changed since it was looked at
        raise CannotRun(f"`{path}` cannot be read: {error}") from None


def _tell(error: RulesetError | CannotRun) -> None:
    err = console(stderr=True)
    if isinstance(error, CannotRun):
        err.print(safe(str(error)))
        return
    for diagnostic in error.diagnostics:
        err.print(diagnostic_text(diagnostic))


def _lay_out_input(*, check: bool, diff: bool) -> None:
    try:
        before = standard_input().read().decode()
    except UnicodeDecodeError:
        raise CannotRun(f"{STANDARD_INPUT} is not UTF-8") from None
    after = format_text(before, STANDARD_INPUT)
    if diff:
        _print_exactly("".join(differing_lines(before, after, STANDARD_INPUT)))
    elif not check:
        _print_exactly(after)
    raise typer.Exit(Exit.FAULTS if check and after != before else Exit.FINE)


def _print_exactly(text: str) -> None:
    """Print a text as UTF-8 and with its own ends of lines, whatever the terminal's are."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # a test or a caller may have put something else there
    if reconfigure is not None:
        reconfigure(encoding="utf-8", newline="")
    typer.echo(text, nl=False)
