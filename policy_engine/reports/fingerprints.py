"""Telling whether files were changed while a report was made from them.

A fingerprint is what the file system says of a file: which one it is, its size, and when its content and its attributes were
last changed. Whoever writes to a file, or puts another in its place, changes its fingerprint, even if all times are set back.
Two changes are not seen: one within the same tick of the file system's clock as the first look (some milliseconds; up to seconds
on file systems with coarser times) that leaves the size as it was, and one through a memory mapping that is not written back yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policy_engine.errors import CannotRun, EngineFault, PolicyError


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file as its file system describes it; times are in nanoseconds."""

    device: int
    inode: int
    size: int
    content_changed: int
    attributes_changed: int


def fingerprint(path: Path) -> Fingerprint | None:
    """What lies at a path, links followed; None where nothing does."""
    try:
        return fingerprint_of(path.stat())
    except OSError:
        return None


def fingerprint_of(found: os.stat_result) -> Fingerprint:
    """The fingerprint in what `stat` gives."""
    return Fingerprint(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


Fingerprints = Mapping[Path, Fingerprint | None]


def fingerprints(paths: Iterable[Path]) -> Fingerprints:
    """The fingerprints of files, to be compared later."""
    return {path: fingerprint(path) for path in paths}


@contextmanager
def unchanged(before: Fingerprints, then: str = "no report is written; run the report again") -> Iterator[None]:
    """While files are read: raises `CannotRun` where one was changed, whatever else was found wrong with it.

    `then` says what comes of it, and what to do.
    """
    try:
        yield
    except (PolicyError, EngineFault):
        _refuse_changed(before, then)
        raise
    _refuse_changed(before, then)


def _refuse_changed(before: Fingerprints, then: str) -> None:
    for path, was in before.items():
        if fingerprint(path) != was:
            raise CannotRun(f"`{path}` was changed while it was read, and {then} when nobody writes to it")
