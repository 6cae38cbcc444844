"""The folder of a comparison: written beside its place, and put there when it is whole."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.reports.comparison.json_form import EDITION

JSON, MARKDOWN, PAGE, CHANGES = "comparison.json", "comparison.md", "comparison.html", "changes.parquet"
FILES = frozenset({JSON, MARKDOWN, PAGE, CHANGES, "changes.csv", "changes.jsonl"})


@contextmanager
def comparison_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which takes its place when all went well; raises `CannotRun`.

    A comparison that is there already is replaced; anything else is left alone.
    """
    _refuse_place(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as staging:
            made = Path(staging, "new")
            made.mkdir()
            yield made
            _refuse_place(out)
            if out.exists():
                out.rename(Path(staging, "old"))
            made.rename(out)
    except OSError as error:
        raise CannotRun(f"`{out}` cannot be written: {error.strerror}") from None


def _refuse_place(out: Path) -> None:
    """Raises `CannotRun` for a place where something else is than a comparison."""
    if out.is_symlink():
        raise CannotRun(f"`{out}` is a link to `{out.readlink()}`; name the folder itself")
    if not out.exists():
        return
    if not out.is_dir():
        raise CannotRun(f"`{out}` is there already, and is not a folder; name another")
    if Path.cwd().resolve().is_relative_to(out.resolve()):
        raise CannotRun(
            f"`{out}` is the folder you are in, or holds it; name a folder in it, such as `{out / 'comparison'}`"
        )
    if any(out.iterdir()) and not _is_comparison(out):
        raise CannotRun(f"`{out}` is there already, and is not a comparison; name another folder")


def _is_comparison(out: Path) -> bool:
    """Whether a folder holds a comparison and nothing else."""
    files = [path for path in out.rglob("*") if not (path.is_dir() and not path.is_symlink())]
    if any(path.name not in FILES or path.is_symlink() for path in files):
        return False
    try:
        content = json.loads((out / JSON).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("comparison") == EDITION


def refuse_inputs_within(out: Path, inputs: Iterable[Path]) -> None:
    """Raises `CannotRun` where an input lies in the folder that would be replaced."""
    for path in inputs:
        if path.resolve().is_relative_to(out.resolve()):
            raise CannotRun(f"the input `{path}` lies in `{out}`, which would be replaced; name another folder")
