"""What a report is asked. This module is quick to import, so that the command line can name its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

FORMATS = ("csv", "jsonl", "xlsx")
MOST_SEED, MOST_SAMPLES = 2**32, 100


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
    def from_dict(cls, told: Mapping[str, Any]) -> Arguments:
        """The arguments that a manifest tells, which are known to have their types."""
        tables = tuple((table["ruleset"], table["facts"]) for table in told["tables"])
        day = date.fromisoformat(told["as_of"])
        lists = {name: tuple(told[name]) for name in ("over", "formats")}
        return cls(**{**told, **lists, "tables": tables, "as_of": day})
