"""The text of generated functions, for tracebacks, debuggers and the messages of faults.

Python asks the loader of a function's module for its lines. So nothing is registered anywhere, and the text goes with it.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from itertools import count

LINES_AROUND = 3
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Source:
    """A module's loader that knows the text of one generated function."""

    text: str

    def get_source(self, _: str) -> str:
        """The text."""
        return self.text


def file_name(about: str) -> str:
    """A name for the file that a generated function would stand in; no two are the same."""
    return f"<{about}, {next(_numbers)}>.py"


def excerpt(error: BaseException) -> str:
    """The lines of generated code in which an error was raised, the one at fault marked."""
    found = "no generated code was running"
    for frame, line in traceback.walk_tb(error.__traceback__):
        loader = frame.f_globals.get("__loader__")
        if isinstance(loader, Source):
            found = f"{frame.f_code.co_filename}, line {line}:\n{_around(loader.text, line)}"
    return found


def _around(text: str, line: int) -> str:
    lines = text.splitlines()
    first = max(line - 1 - LINES_AROUND, 0)
    shown = enumerate(lines[first : line + LINES_AROUND], start=first + 1)
    return "\n".join(f"{'>' if number == line else ' '} {number:4} {words}" for number, words in shown)
