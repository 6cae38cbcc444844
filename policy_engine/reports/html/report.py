"""What a page of a report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.totals import ReportTotals, RulesetTotals, Sample


@dataclass(frozen=True, slots=True)
class File:
    """A file of the report: its name, its SHA-256 digest in hexadecimal, and a note about it, such as its size."""

    name: str
    digest: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One ruleset, what it came to, and the records drawn from its input."""

    ruleset: Ruleset
    totals: RulesetTotals
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `seed` is the one its samples were drawn with; `files` are inputs and outputs with their digests."""

    title: str
    engine_version: str
    totals: ReportTotals
    chapters: tuple[Chapter, ...]
    seed: int
    files: tuple[File, ...]
