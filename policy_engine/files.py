"""Writing files so that what is there is always whole, and telling files from pipes, devices and folders."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from policy_engine.errors import CannotRun

WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def write_whole(path: Path, content: str | bytes, permissions: int = 0o666) -> None:
    """Write a file beside its place and rename it there; raises `CannotRun`, and then leaves what was there.

    Where `path` is a link, the file that it leads to is written. A file that was there keeps its permissions, and is not
    replaced where nobody may write it; a new one gets those given, less what the user's mask takes away.
    """
    try:
        place = path.resolve()
        if place.exists() and not place.is_file():
            raise CannotRun(f"`{path}` is not a file, and is not replaced; name a file")
        if place.exists() and not place.stat().st_mode & WRITABLE:
            raise CannotRun(f"`{path}` is protected from writing, and is not replaced")
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
            temporary = Path(folder, place.name)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permissions)
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            if place.exists():
                shutil.copymode(place, temporary)
            temporary.replace(place)
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be written: {error.strerror}") from None


def make_folder(path: Path) -> None:
    """Make a folder where there is none, and those above it; raises `CannotRun`."""
    try:
        if path.exists() and not path.is_dir():
            raise CannotRun(f"`{path}` is not a folder; name another")
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"the folder `{path}` cannot be made: {error.strerror}") from None


def refuse_unreadable_name(path: Path) -> None:
    """Raises `CannotRun` for a name that is not UTF-8: no message, page or manifest could hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise CannotRun(f"the name `{path}` is not UTF-8; give the file or folder another name") from None
