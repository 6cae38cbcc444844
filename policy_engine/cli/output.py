"""Standard output and error in the encoding of the terminal, whatever that can hold."""

from __future__ import annotations

import codecs
import sys
from types import MappingProxyType

PLAIN = MappingProxyType(
    {
        "\u2588": "#",  # the bar of shares
        "\u2502": "|",
        "\u251c": "|",
        "\u2514": "`",
        "\u2500": "-",
        "\u2501": "-",
        "\u2212": "-",
        "\u2013": "-",
        "\u201c": '"',
        "\u201d": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u2026": "...",
    }
)
"""What stands for the signs that this program itself writes where an encoding lacks them."""
NAME = "policy_engine.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks: a plain sign where there is one, else the character's number as Python writes it."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


def never_fail_on_characters() -> None:
    """Let no character that a terminal's encoding lacks end a command whose work is done."""
    codecs.register_error(NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test or a caller may have put something else there
        if reconfigure is not None:
            reconfigure(errors=NAME)
