"""Checking regular expressions of schemas: only what Python, Rust and ECMAScript read alike is allowed, and no huge counts."""

from __future__ import annotations

import re

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


def fault_of(pattern: str) -> tuple[str, str] | None:
    """Why a pattern is refused and what to write instead, or None where it is fine."""
    if len(pattern) > LONGEST_PATTERN:
        return f"it has more than {LONGEST_PATTERN} characters", "shorten it"
    try:
        _check(pattern)
        re.compile(pattern)
        matcher(pattern)
    except _Refused as refused:
        return refused.why, refused.hint
    except (re.error, RecursionError, OverflowError, ValueError):
        return "it cannot be read", "see the regular expressions of JSON Schema"
    return None


def _check(pattern: str) -> None:
    """Read a pattern piece by piece: a character, a set or a group, each with its count."""
    at, parts = 0, [0]  # the parts of the whole, and of each group that is open
    while at < len(pattern):
        if pattern[at] == "|":
            at += 1
            continue
        if pattern[at] == "(":
            at = _group(pattern, at, len(parts))
            parts.append(0)
            continue
        if pattern[at] == ")" and len(parts) == 1:
            raise _Refused("a round bracket closes that was never opened", "write `\\)` where it is meant as a sign")
        piece, at = (parts.pop(), at + 1) if pattern[at] == ")" else (1, _single(pattern, at))
        piece, at = _counted(pattern, at, piece)
        parts[-1] += piece
    if len(parts) > 1:
        raise _Refused("a round bracket is never closed", "write `\\(` where it is meant as a sign")


def _counted(pattern: str, at: int, parts: int) -> tuple[int, int]:
    """The parts of a piece with its count written out, and where the next piece begins."""
    found = COUNT.match(pattern, at)
    if found is None:
        if pattern[at : at + 1] == "{":
            raise _Refused("a brace that counts nothing is not understood everywhere", "write `\\{`")
        return parts, at
    parts *= _copies(found)
    if parts > MOST_PARTS:
        raise _Refused(f"its counts write out to more than {MOST_PARTS} characters", "use maxLength")
    at = found.end() + pattern.startswith("?", found.end())
    if pattern.startswith(("*", "+", "?"), at):
        raise _Refused("possessive repetition is not understood everywhere", "leave the second sign out")
    return parts, at


def _copies(count: re.Match[str]) -> int:
    """How often a part stands in a row where its count is written out."""
    if count[1] is None:
        return 1
    least = int(count[1])
    most = least if count[2] is None else int(count[3]) if count[3] else least + 1
    if most < least:
        raise _Refused("it counts down", "write the lesser number first")
    return max(most, 1)


def _group(pattern: str, at: int, depth: int) -> int:
    """Where what is in a group begins."""
    if pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
        raise _Refused("look-around and named groups are not understood everywhere", "use ( ) or (?: )")
    if depth > DEEPEST:
        raise _Refused("it is nested too deep", "shorten it")
    return at + (3 if pattern.startswith("(?:", at) else 1)


def _single(pattern: str, at: int) -> int:
    """The end of a character or a set."""
    match sign := pattern[at]:
        case "[":
            return _set(pattern, at)
        case "\\":
            return _escape(pattern, at)
        case "*" | "+" | "?":
            raise _Refused("there is nothing before it to repeat", f"write `\\{sign}` where it is meant as a sign")
        case "]" | "}" | "{":
            raise _Refused("a bracket has no partner", f"write `\\{sign}` where it is meant as a sign")
    return at + 1


def _escape(pattern: str, at: int) -> int:
    escape = pattern[at : at + 2]
    if escape in UNLIKE:
        raise _Refused(f"{escape} means different characters in different engines", UNLIKE[escape])
    if not LITERAL_ESCAPE.fullmatch(escape):
        raise _Refused(f"{escape} is not understood everywhere", "escape only signs that have a meaning")
    return at + 2


def _set(pattern: str, start: int) -> int:
    at = begin = start + (2 if pattern.startswith("[^", start) else 1)
    while not pattern.startswith("]", at):
        if at >= len(pattern):
            raise _Refused("a set in brackets is never closed", "write `\\[` where it is meant as a sign")
        at = _escape(pattern, at) if pattern[at] == "\\" else at + 1
    if at == begin:
        raise _Refused("a set in brackets is empty", "write its characters")
    if "$" in pattern[begin:at].replace("\\$", ""):
        raise _Refused("a `$` in a set is not understood everywhere", "write `\\$`")
    if SET_IN_SET.search(pattern, begin, at):
        raise _Refused("a set inside a set is not understood everywhere", "escape the sign with a backslash")
    return at + 1
