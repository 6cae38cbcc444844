"""Columns as editors count them, and as we do.

The protocol counts the columns of a line from 0 in units of UTF-16, unless client and server agree on another encoding; a
character such as an emoji has two of them. We count characters, from 0 at a caret and from 1 in a `Span`.
"""

from __future__ import annotations

UTF_8, UTF_16, UTF_32 = "utf-8", "utf-16", "utf-32"


def units_before(line: str, characters: int, encoding: str = UTF_16) -> int:
    """How many units of the encoding so many characters of a line have, all of them where it is shorter."""
    return sum(_units(character, encoding) for character in line[:characters])


def characters_before(line: str, units: int, encoding: str = UTF_16) -> int:
    """How many characters of a line stand before a column that is counted in units; all of them where it is shorter."""
    for index, character in enumerate(line):
        if units <= 0:
            return index
        units -= _units(character, encoding)
    return len(line)


def _units(character: str, encoding: str) -> int:
    match encoding:
        case "utf-8":
            return len(character.encode("utf-8", "replace"))
        case "utf-32":
            return 1
    return 2 if ord(character) > 0xFFFF else 1
