"""The arguments of a report, and their limits. Imports no Polars, so that `policy --help` stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

FORMATS = ("csv", "jsonl", "xlsx")
INPUT_FORMATS = ("csv", "jsonl", "parquet", "xlsx")
AUDITOR, CUSTOMER = AUDIENCES = ("auditor", "customer")
"""For whom a report is: an auditor sees all, a customer no sensitive fact."""
MOST_SEED, MOST_SAMPLES = 2**32, 100


@dataclass(frozen=True, slots=True)
class Arguments:
    """Everything that a report is made from, as its manifest records it. Paths are as they were given."""

    tables: tuple[tuple[str, str], ...]
    as_of: date
    rules: str
    schemas: str
    readings: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    input_format: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    over: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    seed: int = 0
    samples: int = 2
    max_invalid: str | None = None
    max_undetermined: str | None = None
    expect: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    audience: str = AUDITOR
    brief: bool = False
    reasons: bool = False
    keep_formulas: bool = False

    def to_dict(self) -> dict[str, object]:
        """The arguments in JSON types."""
        tables = [{"ruleset": ruleset, "facts": facts} for ruleset, facts in self.tables]
        return {**asdict(self), "tables": tables, "as_of": self.as_of.isoformat()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Arguments:
        """The arguments in a manifest, whose types were checked when it was read."""
        tables = tuple((table["ruleset"], table["facts"]) for table in content["tables"])
        day = date.fromisoformat(content["as_of"])
        lists = {name: tuple(content[name]) for name in ("over", "formats", "expect")}
        return cls(**{**content, **lists, "tables": tables, "as_of": day})
