"""What must never reach a terminal."""

from __future__ import annotations

import re
import unicodedata

ESCAPES = {
    "colour": "\x1b[31m",
    "link": "\x1b]8;;https://example.com\x1b\\",
    "title": "\x1b]0;owned\x07",
    "one byte": "\x9b31m",
    "rubout": "\x7f\x08",
    "bidi": "\u202e\u2066",
    "lines": "\x0b\x0c\x85\u2028",
    "return": "\r",
}
HOSTILE = "".join(ESCAPES.values())
"""Every kind of sign that moves a terminal or turns a text around."""
QUOTED = "".join(f"\\u{ord(sign):04x}" for sign in HOSTILE)
"""The same as both JSON and YAML write it between double quotes."""
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def unprintable(text: str) -> list[str]:
    """The control characters in a text but the ends of lines, and what turns the direction of writing."""
    controls = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Zl", "Zp")}
    return sorted(f"U+{ord(c):04X}" for c in controls | set(BIDI.findall(text)))
