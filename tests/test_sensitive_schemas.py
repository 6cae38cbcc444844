"""(C9) `x-sensitive` holds where it stands, where a reference leads, and on the elements of lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine
from policy_engine.reports.explanations import MASK, Reader, as_text, explained
from tests.conftest import lay_out

DAY = date(2025, 6, 1)
WORD = {"type": "string"}
SECRET = {"type": "string", "x-sensitive": True}


def record(members: Mapping[str, Any]) -> dict[str, Any]:
    """An object with these members."""
    return {"type": "object", "additionalProperties": False, "properties": dict(members)}


def listed(items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A list of these."""
    return {"type": "array", "maxItems": 3, "items": dict(items), **more}


CASES: Mapping[str, tuple[dict[str, Any], str, Any]] = {
    "the fact": (SECRET, "x", "blue"),
    "beside a reference": ({"$ref": "#/$defs/word", "x-sensitive": True}, "x", "blue"),
    "where a reference leads": ({"$ref": "#/$defs/secret"}, "x", "blue"),
    "where a reference to a reference leads": ({"$ref": "#/$defs/twice"}, "x", "blue"),
    "a list": (listed(WORD, **{"x-sensitive": True}), "first(e for e in x)", ["blue"]),
    "the elements of a list": (listed(SECRET), "first(e for e in x)", ["blue"]),
    "the elements of a list, behind a reference": (listed({"$ref": "#/$defs/secret"}), "first(e for e in x)", ["blue"]),
    "the elements of a list behind a reference": ({"$ref": "#/$defs/secrets"}, "first(e for e in x)", ["blue"]),
    "the records of a list": (
        listed({**record({"m": WORD}), "x-sensitive": True}),
        "first(e.m for e in x)",
        [{"m": "blue"}],
    ),
    "a member of the records of a list": (listed(record({"m": SECRET})), "first(e.m for e in x)", [{"m": "blue"}]),
    "a member of records in lists of lists": (
        listed(listed(record({"m": SECRET}))),
        "first(first(e.m for e in row) for row in x)",
        [[{"m": "blue"}]],
    ),
    "the elements of lists of lists": (listed(listed(SECRET)), "first(first(e for e in row) for row in x)", [["blue"]]),
    "a record": ({**record({"m": WORD}), "x-sensitive": True}, "x.m", {"m": "blue"}),
    "a record, where a reference leads": ({"$ref": "#/$defs/record"}, "x.m", {"m": "blue"}),
    "a member behind a reference": ({"$ref": "#/$defs/holder"}, "x.m", {"m": "blue"}),
}
DEFINITIONS = {
    "word": WORD,
    "secret": SECRET,
    "twice": {"$ref": "#/$defs/secret"},
    "secrets": listed(SECRET),
    "record": {**record({"m": WORD}), "x-sensitive": True},
    "holder": record({"m": {"$ref": "#/$defs/secret"}}),
}


def told(part: Mapping[str, Any], expression: str, value: Any, folder: Path, top: Mapping[str, Any]) -> str:
    """What a customer is told by a decision whose reason names an expression."""
    rules = {
        "ruleset": "r",
        "title": "R",
        "version": "1",
        "effective": {"from": "2025-01-01"},
        "timezone": "UTC",
        "facts": "facts",
        "definitions": {"shown": expression},
        "decisions": {
            "d": {
                "question": "Q",
                "outcomes": ["yes", "no"],
                "rules": [{"id": "known", "when": "known(shown)", "then": "yes", "because": "It is {shown}."}],
                "otherwise": {"then": "no", "because": "It is not."},
            }
        },
    }
    schema = {**record({"x": part}), "$defs": DEFINITIONS, **top}
    lay_out({"rules/r.yaml": json.dumps(rules), "schemas/facts.schema.json": json.dumps(schema)}, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    explanation = engine.explain("r.d", {"x": value}, as_of=DAY)
    return as_text(explained(explanation, engine.ruleset("r", DAY), Reader.CUSTOMER))


@pytest.mark.parametrize("name", CASES)
def test_c9_a_mark_of_the_schema_is_honoured(name: str, tmp_path: Path) -> None:
    shown = told(*CASES[name], tmp_path, {})
    assert f"It is {MASK}." in shown
    assert "blue" not in shown


def test_c9_a_mark_at_the_top_is_for_every_fact(tmp_path: Path) -> None:
    assert f"It is {MASK}." in told(WORD, "x", "blue", tmp_path, {"x-sensitive": True})


def test_c9_what_is_not_marked_is_told(tmp_path: Path) -> None:
    assert "It is blue." in told({"$ref": "#/$defs/word"}, "x", "blue", tmp_path, {})
