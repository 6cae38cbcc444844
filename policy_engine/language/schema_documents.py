"""A facts' schema as JSON: the form in which validators take it, and resolving its references.

References are followed here and by two libraries. So only those are allowed that all three read alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

FRAGMENT = re.compile(r"#(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@?-]|%[0-9A-Fa-f]{2})*)*")
"""`#` and a JSON pointer, in the characters that a URI may have as they are."""
BAD_ESCAPE = re.compile("~(?![01])")
ADDRESSES = ("$id", "$schema")
NAMED_PARTS = ("$defs", "properties")
"""Keywords whose members are schemas."""


def parsed_schema(document: str, parse_float: Callable[[str], object] = float, zone: str = "UTC") -> dict[str, Any]:
    """The schema in a JSON text without its addresses: the libraries would resolve them, each in its own way.

    Where it has `x-local`, that becomes the name of the time zone.
    """

    def in_zone(part: dict[str, Any]) -> dict[str, Any]:
        return {**part, "x-local": zone} if part.get("x-local") is True else part

    schema = json.loads(document, parse_float=parse_float, object_hook=in_zone)
    return {keyword: value for keyword, value in schema.items() if keyword not in ADDRESSES}


def steps_of(reference: str) -> tuple[str, ...] | None:
    """The steps from the top of a schema to where a reference leads, None for one that leads out of it or cannot be read.

    `#/$defs/a%20b` has the steps `$defs` and `a b`.
    """
    if not FRAGMENT.fullmatch(reference):
        return None
    try:
        pointer = unquote(reference.removeprefix("#"), errors="strict")
    except UnicodeDecodeError:
        return None
    if BAD_ESCAPE.search(pointer):
        return None
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def leads_to_schema(steps: tuple[str, ...]) -> bool:
    """Whether steps lead from the top to where a schema stands, and not, say, to a list of names."""
    left: Iterator[str] = iter(steps)
    return all(step == "items" or (step in NAMED_PARTS and next(left, None) is not None) for step in left)


def followed(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a part of a checked schema refers to in the end; itself where it refers to nothing."""
    while "$ref" in schema:
        steps, schema = steps_of(schema["$ref"]) or (), root
        for step in steps:
            schema = schema[step]
    return schema
