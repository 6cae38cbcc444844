"""Fingerprints of files, by which a change is noticed while a report is made from them.

A fingerprint is what the file system says of a file: its inode, its size, and when its content and its attributes were last
changed. Writing to a file, or putting another in its place, changes its fingerprint, even if all times are set back. Two changes
go unnoticed: one that leaves the size as it was within the same tick of the file system's clock as the first look (milliseconds;
up to seconds on file systems with coarser times), and one through a memory mapping that is not written back yet.
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
    """What the file system says of a file; times are in nanoseconds."""

    device: int
    inode: int
    size: int
    content_changed: int
    attributes_changed: int


def fingerprint(path: Path) -> Fingerprint | None:
    """The fingerprint of the file at a path, links followed; None where there is none."""
    try:
        return fingerprint_of(path.stat())
    except OSError:
        return None


def fingerprint_of(found: os.stat_result) -> Fingerprint:
    """The fingerprint in the result of `stat`."""
    return Fingerprint(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


Fingerprints = Mapping[Path, Fingerprint | None]


def fingerprints(paths: Iterable[Path]) -> Fingerprints:
    """The fingerprints of files, to be compared later."""
    return {path: fingerprint(path) for path in paths}


@contextmanager
def unchanged(before: Fingerprints, then: str = "no report is written; run the report again") -> Iterator[None]:
    """Raise `CannotRun` where one of the files was changed meanwhile, in place of any other error that this may have caused.

    `then` says what follows, and what to do.
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
