"""Which regular expressions a schema may use: those that Python, Rust and ECMAScript read alike, and no huge ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policy_engine.language.text_patterns import matcher

LONGEST_PATTERN = 200
DEEPEST = 20
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
LITERAL_ESCAPE = re.compile(r"\\[\\.^$*+?()\[\]{}|/\-tnrf]")
COUNT = re.compile(r"[*+?]|\{([0-9]+)(,([0-9]*))?\}")
SET_IN_SET = re.compile(r"(?<!\\)(?:\[|&&|--|~~|\|\|)")
MOST_PARTS = 1_000
"""Characters and sets that a pattern may have with its counts written out: `(?:[a-z]{3}-){2}` has eight."""


class _Refused(Exception):  # noqa: N818 - carries the answer, and never leaves this module
    """The pattern is refused: why, and what to write instead."""

    def __init__(self, why: str, hint: str) -> None:
        self.why, self.hint = why, hint


@dataclass(slots=True)
class _Reading:
    """One pass over a pattern, as far as `at`."""

    pattern: str
    at: int = 0

    @property
    def sign(self) -> str:
        """The next character, "" at the end."""
        return self.pattern[self.at : self.at + 1]


def fault_of(pattern: str) -> tuple[str, str] | None:
    """Why a pattern is refused and what to write instead, or None where it is fine."""
    if len(pattern) > LONGEST_PATTERN:
        return f"it has more than {LONGEST_PATTERN} characters", "shorten it"
    reading = _Reading(pattern)
    try:
        _alternatives(reading, 0)
        if reading.sign:
            raise _Refused("a round bracket closes that was never opened", "write `\\)` where it is meant as a sign")
        re.compile(pattern)
        matcher(pattern)
    except _Refused as refused:
        return refused.why, refused.hint
    except (re.error, RecursionError, OverflowError, ValueError):
        return "it cannot be read", "see the regular expressions of JSON Schema"
    return None


def _alternatives(reading: _Reading, depth: int) -> int:
    """Read alternatives up to a closing bracket or the end; how many parts they have, counts written out."""
    if depth > DEEPEST:
        raise _Refused("it is nested too deep", "shorten it")
    parts = 0
    while reading.sign not in ("", ")"):
        if reading.sign == "|":
            reading.at += 1
        else:
            parts += _piece(reading, depth)
    return parts


def _piece(reading: _Reading, depth: int) -> int:
    """Read one character, set or group with its count; how many parts it has."""
    parts = _group(reading, depth) if reading.sign == "(" else _single(reading)
    found = COUNT.match(reading.pattern, reading.at)
    if found is None:
        if reading.sign == "{":
            raise _Refused("a brace that counts nothing is not understood everywhere", "write `\\{`")
        return parts
    parts *= _copies(found)
    if parts > MOST_PARTS:
        raise _Refused(f"its counts write out to more than {MOST_PARTS} characters", "use maxLength")
    reading.at = found.end()
    if reading.sign == "?":
        reading.at += 1
    if reading.sign in ("*", "+", "?") and reading.sign:
        raise _Refused("possessive repetition is not understood everywhere", "leave the second sign out")
    return parts


def _copies(count: re.Match[str]) -> int:
    """How often a part stands in a row where its count is written out."""
    if count[1] is None:
        return 1
    least = int(count[1])
    most = least if count[2] is None else int(count[3]) if count[3] else least + 1
    if most < least:
        raise _Refused("it counts down", "write the lesser number first")
    return max(most, 1)


def _group(reading: _Reading, depth: int) -> int:
    reading.at += 1
    if reading.sign == "?":
        if not reading.pattern.startswith("?:", reading.at):
            raise _Refused("look-around and named groups are not understood everywhere", "use ( ) or (?: )")
        reading.at += 2
    parts = _alternatives(reading, depth + 1)
    if reading.sign != ")":
        raise _Refused("a round bracket is never closed", "write `\\(` where it is meant as a sign")
    reading.at += 1
    return parts


def _single(reading: _Reading) -> int:
    """Read one character or set."""
    match reading.sign:
        case "[":
            _set(reading)
        case "\\":
            _escape(reading)
        case "*" | "+" | "?":
            raise _Refused(
                "there is nothing before it to repeat", f"write `\\{reading.sign}` where it is meant as a sign"
            )
        case "]" | "}" | "{":
            raise _Refused("a bracket has no partner", f"write `\\{reading.sign}` where it is meant as a sign")
        case _:
            reading.at += 1
    return 1


def _escape(reading: _Reading) -> None:
    escape = reading.pattern[reading.at : reading.at + 2]
    if escape in UNLIKE:
        raise _Refused(f"{escape} means different characters in different engines", UNLIKE[escape])
    if not LITERAL_ESCAPE.fullmatch(escape):
        raise _Refused(f"{escape} is not understood everywhere", "escape only signs that have a meaning")
    reading.at += 2


def _set(reading: _Reading) -> None:
    start = reading.at
    reading.at += 2 if reading.pattern.startswith("[^", start) else 1
    begin = reading.at
    while reading.sign != "]":
        if not reading.sign:
            raise _Refused("a set in brackets is never closed", "write `\\[` where it is meant as a sign")
        if reading.sign == "\\":
            _escape(reading)
        else:
            reading.at += 1
    if reading.at == begin:
        raise _Refused("a set in brackets is empty", "write its characters")
    if "$" in reading.pattern[begin : reading.at].replace("\\$", ""):
        raise _Refused("a `$` in a set is not understood everywhere", "write `\\$`")
    if SET_IN_SET.search(reading.pattern, begin, reading.at):
        raise _Refused("a set inside a set is not understood everywhere", "escape the sign with a backslash")
    reading.at += 1
