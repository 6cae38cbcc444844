"""The manifest of a report: what it was made from and by, what it was asked, and what it came to, each with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import ReportTotals
from policy_engine.version import VERSION

MANIFEST = "manifest.json"
EDITION = 2
"""Raised whenever a manifest has other fields than before."""
LIBRARIES = ("polars", "xlsxwriter")
"""What writes the tables of a report: another version of them may write the same rows in other bytes."""


@dataclass(frozen=True, slots=True)
class Digested:
    """A file by its name, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str

    def to_dict(self) -> dict[str, object]:
        """The file in JSON types."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Digested:
        """The file that a manifest tells, whose parts are known to have their types."""
        return cls(told["name"], told["bytes"], told["sha256"])


def digested(path: Path, name: str) -> Digested:
    """A file's digest; raises `CannotRun`."""
    try:
        if not path.is_file():
            raise CannotRun(f"`{path}` is not a file" if path.exists() else f"there is no file `{path}`")
        with path.open("rb") as file:
            return Digested(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None


def manifest_of(
    engine: Engine,
    jobs: Sequence[Job],
    arguments: Arguments,
    totals: ReportTotals,
    inputs: Iterable[Digested],
    outputs: Iterable[Digested],
) -> dict[str, object]:
    """The manifest in JSON types."""
    return {
        "manifest": EDITION,
        "engine": VERSION,
        "libraries": libraries(),
        "arguments": arguments.to_dict(),
        "rulesets": [_ruleset(job.ruleset) for job in jobs],
        "inputs": [one.to_dict() for one in inputs],
        "counts": [
            {"ruleset": one.ruleset, "rows": one.rows, "valid": one.valid, "invalid": one.invalid}
            for one in totals.rulesets
        ],
        "outputs": [one.to_dict() for one in outputs],
    }


def libraries() -> dict[str, str]:
    """The version of each library that writes tables."""
    return {name: version(name) for name in LIBRARIES}


def _ruleset(ruleset: Ruleset) -> dict[str, object]:
    """A ruleset and its schema; the ruleset's digest covers what both say, the schema's that it was the same text."""
    return {
        "id": ruleset.id,
        "version": ruleset.version,
        "digest": ruleset.digest,
        "file": ruleset.path,
        "schema": {"name": ruleset.facts.name, "sha256": hashlib.sha256(ruleset.facts.document.encode()).hexdigest()},
    }
