"""Forms in which files write numbers, such as 1.234,56."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from policy_engine.language.date_forms import rewritten

DECIMAL_SIGNS = (".", ",")
THOUSANDS_SIGNS = MappingProxyType(
    {
        ".": ".",
        ",": ",",
        " ": " \u00a0\u2009\u202f",
        **dict.fromkeys("\u00a0\u2009\u202f", " \u00a0\u2009\u202f"),
        **dict.fromkeys("'\u2019", "'\u2019"),
    }
)
"""Each sign with those that it stands for: blanks look alike, and so do apostrophes."""


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How numbers are written: the decimal sign, and the sign between groups of three digits, None where there is none."""

    decimal: str = "."
    thousands: str | None = None

    @property
    def pattern(self) -> str:
        """The pattern of a whole text. Groups are of three digits, and none stand behind a nought, as in 0.123."""
        groups = f"|[1-9][0-9]{{0,2}}(?:{self._thousands}[0-9]{{3}})+" if self.thousands else ""
        return f"[+-]?(?:[0-9]+{groups})(?:{re.escape(self.decimal)}[0-9]+)?"

    @property
    def replacements(self) -> tuple[tuple[str, str], ...]:
        """What makes a text of the pattern a number with a point: patterns, and what stands in place of all they match."""
        return ((self._thousands, ""),) * (self.thousands is not None) + ((re.escape(self.decimal), "."),)

    @property
    def _thousands(self) -> str:
        return f"[{THOUSANDS_SIGNS[self.thousands]}]" if self.thousands else ""

    @property
    def example(self) -> str:
        """A number that is written so."""
        return f"1{self.thousands or ''}234{self.decimal}56"

    @property
    def expected(self) -> str:
        """What it is, in a message."""
        return f"a number written as {self.example}"

    def plain(self, text: str) -> str:
        """A text of this form as a number with a point; raises `ValueError` for any other text."""
        return rewritten(text, self.pattern, self.replacements)
