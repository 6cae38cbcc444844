"""The lines of the files that have items of coverage, with what is tried on each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from policy_engine.analysis.coverage import Coverage
from policy_engine.analysis.items import Counted
from policy_engine.documents.yaml_reader import file_text

LARGEST = 100_000_000
"""Bytes of the largest file of rules or rows that is shown."""
Lines = Mapping[int, list[Counted]]
"""The items on the lines of a file, by the numbers of those that have any."""


def lines_of(path: Path) -> list[str]:
    """The lines of a file, as places count them; none where it cannot be read any more."""
    text, _ = file_text(path, LARGEST)
    return text.split("\n")


def by_file(coverage: Coverage) -> dict[str, Lines]:
    """The items of coverage by file and line."""
    found: dict[str, dict[int, list[Counted]]] = {}
    for each in coverage.items:
        found.setdefault(each.item.span.path, {}).setdefault(each.item.span.line, []).append(each)
    return dict(found)
