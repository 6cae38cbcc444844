"""The page of coverage: what the tests try, beside the text of the rule files."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.reports.html.page import environment, policy, style_of

SAID = {"tried": "tried", "partly": "partly tried", "missed": "not tried"}
"""What is said of a line to those who do not see its colour."""


@dataclass(frozen=True, slots=True)
class CoveredLine:
    """A line of a file: tried, partly tried, missed, or "" where nothing is to be tried.

    `notes` are what is missing there, `of_accounts` what there is to say of it over accounts.
    """

    number: int
    text: str
    state: str
    cases: int
    notes: tuple[str, ...]
    of_accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoveredFile:
    """A file with its lines; those `left_out` are not shown."""

    path: str
    gaps: int
    lines: tuple[CoveredLine, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class CoveredPart:
    """A ruleset or library: what is tried of it in percent, and of each kind how many of how many items."""

    name: str
    percent: float
    kinds: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class UsedTable:
    """A table of accounts in a sentence, who comes by which rule or cell, and what else there is to say."""

    summary: str
    ways: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoveragePage:
    """All that the page shows; `remarks` say what was not looked for."""

    percent: float
    tried: int
    items: int
    cases: int
    parts: tuple[CoveredPart, ...]
    files: tuple[CoveredFile, ...]
    remarks: tuple[str, ...]
    accounts: tuple[UsedTable, ...]


def coverage_html(page: CoveragePage) -> str:
    """One page of HTML, without a script and without anything to fetch; equal coverage gives equal pages."""
    templates = environment()
    style = style_of(templates, "style.css", "coverage.css")
    return templates.get_template("coverage.html.j2").render(page=page, style=style, policy=policy(style), said=SAID)
