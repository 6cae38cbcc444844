"""Values as YAML that the reader reads back as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ /-][A-Za-z0-9_]+)*|\d{4}-\d{2}-\d{2}")
"""Texts that YAML reads as they are, but for `WORDS`."""
WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])


def in_yaml(value: Any) -> str:
    """A value on one line of YAML."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{in_yaml(name)}: {in_yaml(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(in_yaml, value)) + "]"
    text = str(value)
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
