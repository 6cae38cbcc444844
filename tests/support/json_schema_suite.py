"""The official test suite of JSON Schema (`tests/data/json-schema-suite`), as far as our schemas can say its schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policy_engine.frontend.schema_keywords import KEYWORDS
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema
from tests.support.generated import as_json

SUITE = Path(__file__).parents[1] / "data/json-schema-suite"
ASSUMED: Mapping[str, tuple[str, ...]] = {
    "string": ("format", "pattern", "minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "object": ("properties", "required", "additionalProperties"),
    "boolean": (),
}
"""Our schemas name a type; where the suite's names none it gets each that its keywords speak of."""
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "integer": {"minimum": -(10**17), "maximum": 10**17},
    "number": {"minimum": -(10**12), "maximum": 10**12, "multipleOf": Decimal("0.00001")},
    "array": {"items": {"type": "integer", "minimum": -(10**17), "maximum": 10**17}},
    "object": {"additionalProperties": False, "properties": {}},
}
"""What our schemas must say where the suite's do not."""


@cache
def suite_cases() -> tuple[Any, ...]:
    """Each case of the suite that a schema of ours can say: the schema, the value, the verdict, the suite's words."""
    return tuple(_cases())


def _cases() -> Iterator[Any]:
    for path in sorted(SUITE.rglob("*.json")):
        for group in json.loads(path.read_text("utf-8"), parse_float=Decimal):
            for kind, schema in _as_ours(group["schema"]):
                for test in group["tests"]:
                    name = f"{path.stem}: {group['description']}: {test['description']}: {kind}"
                    yield pytest.param(schema, test["data"], test["valid"], test["description"], id=name)


def _as_ours(written: Any) -> Iterator[tuple[str, FactsSchema]]:
    """A schema of the suite as schemas of a property, for each type that it can be about."""
    keywords = {name: part for name, part in written.items() if name != "$schema"} if isinstance(written, dict) else {}
    kinds = [keywords["type"]] if isinstance(keywords.get("type"), str) else _kinds(keywords)
    for kind in kinds:
        part = {**NEEDED.get(kind, {}), "type": kind, **keywords}
        if kind not in KEYWORDS or part.keys() - KEYWORDS[kind] - {"type"}:
            continue
        document = {"type": "object", "additionalProperties": False, "properties": {"it": part}, "required": ["it"]}
        schema, _ = schema_of(as_json(document), "suite.schema.json", "suite")
        if schema is not None:
            yield kind, schema


def _kinds(keywords: Mapping[str, Any]) -> list[str]:
    listed = [keywords["const"]] if "const" in keywords else keywords.get("enum")
    if listed is not None:
        names = {str: "string", bool: "boolean", int: "integer", Decimal: "number"}
        return sorted({names.get(type(value), "object") for value in listed})
    return [kind for kind, names in ASSUMED.items() if keywords and set(keywords) <= set(names)]
