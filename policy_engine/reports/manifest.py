"""The manifest of a report: what it was made from and by, what it was asked, and what it came to, each with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import ReportTotals
from policy_engine.version import VERSION

MANIFEST = "manifest.json"
EDITION = 1


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a report was asked: enough to make it again. Paths are as they were given."""

    tables: tuple[tuple[str, str], ...]
    as_of: date
    rules: str
    schemas: str
    readings: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    over: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    seed: int = 0
    samples: int = 2

    def to_dict(self) -> dict[str, object]:
        """The arguments in JSON types."""
        return {
            "tables": [{"ruleset": ruleset, "facts": facts} for ruleset, facts in self.tables],
            "as_of": self.as_of.isoformat(),
            "rules": self.rules,
            "schemas": self.schemas,
            "readings": dict(self.readings),
            "maps": dict(self.maps),
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "over": list(self.over),
            "formats": list(self.formats),
            "seed": self.seed,
            "samples": self.samples,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, object]) -> Arguments:
        """The arguments that a manifest tells; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        values: dict[str, object] = dict(told)
        tables = values.pop("tables")
        assert isinstance(tables, list)
        values["tables"] = tuple((str(table["ruleset"]), str(table["facts"])) for table in tables)
        values["as_of"] = date.fromisoformat(str(values["as_of"]))
        for name in ("over", "formats"):
            listed = values[name]
            assert isinstance(listed, list)
            values[name] = tuple(listed)
        return cls(**values)  # type: ignore[arg-type]  # a name that is none is a TypeError


@dataclass(frozen=True, slots=True)
class Digested:
    """A file by its name, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str

    def to_dict(self) -> dict[str, object]:
        """The file in JSON types."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}


def digested(path: Path, name: str) -> Digested:
    """A file's digest; raises `CannotRun`."""
    try:
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
        "arguments": arguments.to_dict(),
        "rulesets": [_ruleset(job.ruleset) for job in jobs],
        "inputs": [one.to_dict() for one in inputs],
        "counts": [
            {"ruleset": one.ruleset, "rows": one.rows, "valid": one.valid, "invalid": one.invalid}
            for one in totals.rulesets
        ],
        "outputs": [one.to_dict() for one in outputs],
    }


def _ruleset(ruleset: Ruleset) -> dict[str, object]:
    """A ruleset and its schema; the ruleset's digest covers what both say, the schema's that it was the same text."""
    return {
        "id": ruleset.id,
        "version": ruleset.version,
        "digest": ruleset.digest,
        "file": ruleset.path,
        "schema": {"name": ruleset.facts.name, "sha256": hashlib.sha256(ruleset.facts.document.encode()).hexdigest()},
    }
