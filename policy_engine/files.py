"""Writing files so that what is there is always whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from policy_engine.errors import CannotRun


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it there; raises `CannotRun`, and then leaves what was there."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be written: {error.strerror}") from None


@contextmanager
def whole_folder(path: Path, marker: str) -> Iterator[Path]:
    """A folder to fill, that takes its name only when all went well; raises `CannotRun`.

    A folder of that name is replaced if it holds `marker`, that is, if it is one of ours; any other is left alone.
    """
    if path.exists() and not (path / marker).is_file() and (not path.is_dir() or any(path.iterdir())):
        raise CannotRun(f"`{path}` is there already, and is not a report; name another folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            yield temporary
            temporary.chmod(0o755)
            if path.exists():
                shutil.rmtree(path)
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be written: {error.strerror}") from None
