"""A fast yes or no to facts, for the hot path. A no is not final: `valid_facts` then says why, or finds nothing wrong.

jsonschema-rs says yes only where jsonschema would, with our formats asserted and nothing fetched; the tests compare them over
the official suite. Facts that it cannot take at all, such as Python dates, are a no as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import jsonschema_rs

from policy_engine.semantics.formats import read_instant


@cache
def gate_of(document: str) -> Callable[[object], bool]:
    """The check for a schema's JSON text."""
    validator = jsonschema_rs.Draft202012Validator(
        _read_whole(json.loads(document)), validate_formats=True, formats={"date": is_date, "date-time": is_instant}
    )
    is_valid = validator.is_valid

    def passes(facts: object) -> bool:
        try:
            return is_valid(facts)
        except ValueError:
            return False

    return passes


def _read_whole(schema: Any) -> Any:
    """The schema, each text with a pattern: jsonschema-rs reads a text, and finds half characters, only if it must."""
    if isinstance(schema, list):
        return [_read_whole(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    read = {name: _read_whole(part) for name, part in schema.items()}
    return {"pattern": "", **read} if read.get("type") == "string" else read


def is_date(text: str) -> bool:
    """Whether a text is a real civil date written YYYY-MM-DD."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10 and text[4] == text[7] == "-"


def is_instant(text: str) -> bool:
    """Whether a text is an RFC 3339 date-time with its offset."""
    try:
        read_instant(text)
    except ValueError:
        return False
    return True
