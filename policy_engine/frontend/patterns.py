"""Which regular expressions a schema may use: those that Python, Rust and ECMAScript read alike, and soon."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
MOST_OPEN = 6
MANY = 1_000
"""What stands for no bound, and the most that a count may say."""


class _Refused(Exception):  # noqa: N818 - carries the answer, and never leaves this module
    """The pattern is refused: why, and what to write instead."""

    def __init__(self, why: str, hint: str) -> None:
        self.why, self.hint = why, hint


@dataclass(slots=True)
class _Reading:
    """One pass over a pattern, as far as `at`."""

    pattern: str
    at: int = 0
    open_parts: int = 0

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
    except _Refused as refused:
        return refused.why, refused.hint
    except (re.error, RecursionError, OverflowError):
        return "it cannot be read", "see the regular expressions of JSON Schema"
    return None


def _alternatives(reading: _Reading, depth: int) -> bool:
    """Read alternatives up to a closing bracket or the end; whether what they match may be of more than one form."""
    if depth > DEEPEST:
        raise _Refused("it is nested too deep", "shorten it")
    varies = False
    while True:
        while reading.sign not in ("", "|", ")"):
            varies = _piece(reading, depth) or varies
        if reading.sign != "|":
            return varies
        reading.at += 1
        varies = True


def _piece(reading: _Reading, depth: int) -> bool:
    """Read one character, set or group with its count; whether it may match in more than one form."""
    group = reading.sign == "("
    varies = _group(reading, depth) if group else _single(reading)
    found = COUNT.match(reading.pattern, reading.at)
    if found is None:
        if reading.sign == "{":
            raise _Refused("a brace that counts nothing is not understood everywhere", "write `\\{`")
        return varies
    least, most = _counts(found)
    reading.at = found.end()
    if reading.sign == "?":
        reading.at += 1
    if reading.sign in ("*", "+", "?") and reading.sign:
        raise _Refused("possessive repetition is not understood everywhere", "leave the second sign out")
    if group and most > 1 and varies:
        raise _Refused(
            "a repeated group that itself repeats or chooses can take forever", "repeat single characters or sets"
        )
    if least != most or (group and varies):
        _count_open(reading)
    return varies or least != most


def _count_open(reading: _Reading) -> None:
    """Parts in a row that may each match more or less are tried in all combinations."""
    reading.open_parts += 1
    if reading.open_parts > MOST_OPEN:
        raise _Refused(
            f"more than {MOST_OPEN} parts of open length can take forever", "write fixed counts, or shorten it"
        )


def _counts(found: re.Match[str]) -> tuple[int, int]:
    """How often at least and at most."""
    signs = {"*": (0, MANY), "+": (1, MANY), "?": (0, 1)}
    if found.group() in signs:
        return signs[found.group()]
    least = int(found[1])
    most = least if found[2] is None else int(found[3]) if found[3] else MANY
    if max(least, most) > MANY:
        raise _Refused(f"it counts to more than {MANY}", "use maxLength")
    if most < least:
        raise _Refused("it counts down", "write the lesser number first")
    return least, most


def _group(reading: _Reading, depth: int) -> bool:
    reading.at += 1
    if reading.sign == "?":
        if not reading.pattern.startswith("?:", reading.at):
            raise _Refused("look-around and named groups are not understood everywhere", "use ( ) or (?: )")
        reading.at += 2
    varies = _alternatives(reading, depth + 1)
    if reading.sign != ")":
        raise _Refused("a round bracket is never closed", "write `\\(` where it is meant as a sign")
    reading.at += 1
    return varies


def _single(reading: _Reading) -> bool:
    """Read one character or set, which matches in one form."""
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
    return False


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
