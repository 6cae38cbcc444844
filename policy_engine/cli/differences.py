"""What differs between two texts, as other programs take it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

LINE = re.compile(r"[^\n]*\n|[^\n]+")


def differing_lines(before: str, after: str, path: str) -> Iterator[str]:
    """The lines of a unified diff of two texts of a file, each with its end."""
    for line in difflib.unified_diff(LINE.findall(before), LINE.findall(after), path, path):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
