"""Which regular expressions a schema may use: those that Python, Rust and ECMAScript read alike."""

from __future__ import annotations

import re

LONGEST_PATTERN = 200
UNLIKE = {
    "\\d": "write [0-9]",
    "\\w": "write [A-Za-z0-9_]",
    "\\s": "write a blank in brackets",
    "\\D": "write [^0-9]",
    "\\W": "write [^A-Za-z0-9_]",
    "\\S": "write a set in brackets",
    "\\b": "leave it out",
    "\\B": "leave it out",
    "\\A": "write ^",
    "\\Z": "write $",
    "\\z": "write $",
    "\\p": "write the characters in brackets",
    "\\P": "write the characters in brackets",
}
ESCAPED = re.compile(r"\\.")
LITERAL_ESCAPE = re.compile(r"\\[\\.^$*+?()\[\]{}|/\-tnrf]")
QUANTIFIED = r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})"
NESTED = re.compile(rf"\([^()]*{QUANTIFIED}[^()]*\)\s*(?:[*+]|\{{[0-9]+,[0-9]*\}}|\{{[0-9]{{2,}}\}})")
ALTERNATIVES_REPEATED = re.compile(r"\([^()]*\|[^()]*\)(?:[*+]|\{[0-9]+,[0-9]*\}|\{[0-9]{2,}\})")


def fault_of(pattern: str) -> tuple[str, str] | None:
    """Why a pattern is refused and what to write instead, or None where it is fine."""
    if len(pattern) > LONGEST_PATTERN:
        return f"it has more than {LONGEST_PATTERN} characters", "shorten it"
    for escape in ESCAPED.findall(pattern):
        if escape in UNLIKE:
            return f"{escape} means different characters in different engines", UNLIKE[escape]
        if not LITERAL_ESCAPE.fullmatch(escape):
            return f"{escape} is not understood everywhere", "escape only signs that have a meaning"
    if "(?" in pattern.replace("(?:", ""):
        return "look-around and named groups are not understood everywhere", "use ( ) or (?: )"
    if NESTED.search(pattern) or ALTERNATIVES_REPEATED.search(pattern):
        return "a repeated group that itself repeats or chooses can take forever", "repeat single characters or sets"
    return _syntax_fault(pattern)


def _syntax_fault(pattern: str) -> tuple[str, str] | None:
    """What Python's own reader says of it; signs that only some engines take literally must be escaped."""
    if re.search(r"[*+?}][+]", pattern):
        return "possessive repetition is not understood everywhere", "leave the second sign out"
    if re.search(r"(?<!\\)\[[^\]]*(?<!\\)(?:\[|&&|--|~~|\|\|)", pattern):
        return "a set inside a set is not understood everywhere", "escape the sign with a backslash"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error), "see the regular expressions of JSON Schema"
    return None
