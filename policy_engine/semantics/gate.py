"""A fast yes or no to facts, for the hot path. A no is not final: `valid_facts` then says why, or finds nothing wrong.

jsonschema-rs judges all but the calendar: of a date or an instant it sees only the form, and whoever reads the text finds
out whether there is such a day. The tests compare the two judges over the official suite and over generated facts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import jsonschema_rs

HOUR, SIXTIETH = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
FORMS: Mapping[str, str] = MappingProxyType(
    {
        "date": f"^{DAY}$",
        "date-time": f"^{DAY}[Tt]{HOUR}:{SIXTIETH}:{SIXTIETH}(?:\\.[0-9]{{1,6}})?(?:[Zz]|[+-]{HOUR}:{SIXTIETH})$",
    }
)
"""The form of each format; that the day exists is left to who reads it."""


@cache
def gate_of(document: str) -> Callable[[object], bool]:
    """The check for a schema's JSON text; facts that it cannot take at all, such as Python dates, are a no as well."""
    unique = '"uniqueItems"' in document  # a null that is left out may make items equal
    schema = _by_form(json.loads(document), nulls=not unique)
    is_valid = jsonschema_rs.Draft202012Validator(schema).is_valid

    def passes(facts: object) -> bool:
        try:
            return is_valid(facts)
        except ValueError:
            return False

    return passes


@cache
def gate_of_member(document: str, name: str) -> Callable[[object], bool]:
    """The same check for the value of one member."""
    schema = json.loads(document)
    passes = gate_of(json.dumps({**schema, "properties": {name: schema["properties"][name]}, "required": []}))
    return lambda value: passes({name: value})


def _by_form(schema: Any, *, nulls: bool) -> Any:
    """The schema with patterns in place of formats, and where `nulls` with members that may be null.

    Every other text gets a pattern that all texts match: jsonschema-rs reads a text, and finds half characters in it, only
    if it must.
    """
    if isinstance(schema, list):
        return [_by_form(part, nulls=nulls) for part in schema]
    if not isinstance(schema, dict):
        return schema
    read = {name: _by_form(part, nulls=nulls) for name, part in schema.items()}
    if nulls and read.get("type") == "object" and "properties" in read:
        needed = read.get("required", ())
        members = {name: part if name in needed else _or_null(part) for name, part in read["properties"].items()}
        return {**read, "properties": members}
    if read.get("type") != "string":
        return read
    return {"pattern": FORMS.get(str(read.pop("format", "")), ""), **read}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A member that need not be there may be null: it is left out before facts are judged."""
    if not isinstance(schema.get("type"), str):
        return {"anyOf": [{"type": "null"}, schema]}
    also = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **also}
