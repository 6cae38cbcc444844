"""Libraries in generated rulesets: some of the parts of a ruleset moved into a library, from which the ruleset takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.choosing import Choices

Json = Any
SECTIONS = ("readings", "parameters", "tables", "definitions")
HEAD = {"library": "shared", "title": "Shared", "version": "1", "facts": "generated"}
NAME = re.compile(r"[a-z_][a-z0-9_]*")


def divided(whole: Json, choices: Choices) -> tuple[Json, Json] | None:
    """A ruleset that takes some of its parts from a library, and the library; None where it would take none.

    A part is moved with all that it stands on. Those that the ruleset's own text names are listed; the others come along.
    """
    parts = {name: (section, part) for section in SECTIONS for name, part in whole.get(section, {}).items()}
    below = {name: set(_names_in(part)) & parts.keys() for name, (_, part) in parts.items()}
    moved = _with_all_below([name for name in parts if choices.chance(40)], below)
    rest = {key: value for key, value in whole.items() if key not in SECTIONS}
    own = {name: part for name, part in parts.items() if name not in moved}
    listed = sorted((set(_names_in(rest)) | set(_names_in([part for _, part in own.values()]))) & moved)
    if not listed:
        return None
    library = {**HEAD, **_by_section({name: parts[name] for name in parts if name in moved})}
    return {**rest, "use": {"shared": listed}, **_by_section(own)}, library


def _with_all_below(names: list[str], below: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(below[name])
    return found


def _by_section(parts: Mapping[str, tuple[str, Json]]) -> dict[str, dict[str, Json]]:
    made: dict[str, dict[str, Json]] = {}
    for name, (section, part) in parts.items():
        made.setdefault(section, {})[name] = part
    return made


def _names_in(value: Json) -> Iterator[str]:
    """Whatever could be a name in the texts of plain data; keys too, which may be the axes of a matrix."""
    match value:
        case dict():
            for key, part in value.items():
                yield from (*NAME.findall(str(key)), *_names_in(part))
        case list() | tuple():
            for part in value:
                yield from _names_in(part)
        case str():
            yield from NAME.findall(value)
