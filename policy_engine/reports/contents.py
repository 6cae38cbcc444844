"""What lies in a report's folder, held against the files that its manifest lists."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.reports.manifest import MANIFEST, Digested, digested


def missing(report: Path, files: Sequence[Digested]) -> Iterator[str]:
    """Files that are listed and not there, each as a sentence."""
    for file in files:
        path = report / file.name
        if not (path.exists() or path.is_symlink()):
            yield f"the output `{path}` is not there any more"


def strangers(report: Path, files: Sequence[Digested]) -> Iterator[str]:
    """Whatever is there and is not a file of the report as it was written, each as a sentence; raises `CannotRun`."""
    listed = {file.name: file for file in files}
    folders = {str(parent) for name in listed for parent in Path(name).parents}
    for path in everything_in(report):
        name = path.relative_to(report).as_posix()
        kind = path.lstat().st_mode
        if stat.S_ISDIR(kind) and name in folders:
            continue
        if name not in listed and name != MANIFEST:
            yield f"`{path}` is none of the report's files"
        elif not stat.S_ISREG(kind):
            yield f"`{path}` is not a file, as the report's are"
        elif name in listed and differs(path, listed[name]):
            yield f"the output `{path}` has changed since the report was made"


def differs(path: Path, before: Digested) -> bool:
    """Whether a file has other bytes than those that were digested; raises `CannotRun`."""
    return path.stat().st_size != before.size or digested(path, before.name) != before


def everything_in(folder: Path) -> Iterator[Path]:
    """Files, links and folders below a folder, sorted, links not followed; what is in a folder stands behind it."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise CannotRun(f"the folder `{folder}` cannot be read: {error.strerror}") from None
    for path in found:
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from everything_in(path)
