"""The corpora of `tests/hostile/`, and the rule file and the schema that each of their entries is put into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conftest import ROOT, read_data

EXPRESSIONS: Mapping[str, list[Any]] = read_data(ROOT / "tests/hostile/expressions.yaml")
FILES: Mapping[str, Mapping[str, Any]] = read_data(ROOT / "tests/hostile/files.yaml")
BOOLEAN = {"type": "boolean"}
FACTS: dict[str, Any] = {
    "n": {"type": "integer", "minimum": 0, "maximum": 1000},
    "word": {"type": "string"},
    "flag": BOOLEAN,
    "history": {
        "type": "array",
        "items": {"type": "object", "additionalProperties": False, "properties": {"x": BOOLEAN}},
    },
}
HEAD = {
    "ruleset": "hostile",
    "title": "Hostile",
    "version": "1",
    "effective": {"from": "2025-01-01"},
    "timezone": "UTC",
    "facts": "facts",
}


def record(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A closed object."""
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **more}


def ruleset(expression: str) -> str:
    """A rule file with one value, as JSON, which is YAML."""
    values = {"v": expression}
    return json.dumps({**HEAD, "decisions": {"d": {"question": "Q", "values": values}}})


def written(entry: Any) -> str:
    """An expression of the file, long ones written out."""
    if isinstance(entry, str):
        return entry
    before, part, times, after = entry["repeat"]
    part_after, times_after = entry.get("then", ["", 0])
    return f"{before}{part * times}{after}{part_after * times_after}"
