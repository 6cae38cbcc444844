"""A fast yes or no to facts, for the hot path. A no is not final: `valid_facts` then says why, or finds nothing wrong.

jsonschema-rs checks all but the calendar: of a date or an instant it sees only the form, and whoever reads the text finds
out whether there is such a day. The tests compare both validators over the official suite and over generated facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema_rs

from policy_engine.language.date_texts import PATTERNS, format_of
from policy_engine.language.schema_documents import followed, parsed_schema
from policy_engine.language.text_patterns import for_validators

LINEAR = jsonschema_rs.RegexOptions()
"""Patterns are matched in time that is linear in the text."""


@cache
def validator_of(document: str) -> Callable[[object], bool]:
    """The check for a schema's JSON text; facts that it cannot take at all, such as Python dates, are a no as well."""
    return _guarded(bare_validator_of(document))


@cache
def bare_validator_of(document: str) -> Callable[[object], bool]:
    """The same check for who expects its `ValueError` for facts that it cannot take at all."""
    schema = parsed_schema(document)
    return _check(document, schema, schema)


@cache
def validator_of_member(document: str, name: str) -> Callable[[object], bool]:
    """The same check for the value of one member."""
    root = parsed_schema(document)
    passes = _guarded(_check(document, {**root, "properties": {name: root["properties"][name]}, "required": []}, root))
    return lambda value: passes({name: value})


def _check(document: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Callable[[object], bool]:
    nulls = '"uniqueItems"' not in document  # a null that is left out may make items equal
    forms = _Forms(root, nulls)
    formed = forms.of(schema)
    return jsonschema_rs.Draft202012Validator({**formed, "$defs": forms.definitions}, pattern_options=LINEAR).is_valid


def _guarded(is_valid: Callable[[object], bool]) -> Callable[[object], bool]:
    def passes(facts: object) -> bool:
        try:
            return is_valid(facts)
        except ValueError:
            return False

    return passes


@dataclass(slots=True)
class _Forms:
    """Schemas with patterns in place of formats, and where `nulls` with members that may be null.

    What references lead to becomes a definition of its own: a member that may be null says nothing of a fact that refers to it.
    """

    root: Mapping[str, Any]
    nulls: bool
    names: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)

    def of(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """A part of the schema by form.

        Every text without a format gets a pattern that all texts match: jsonschema-rs reads a text, and finds half characters in
        it, only if it must.
        """
        if "$ref" in schema:
            return {"$ref": f"#/$defs/{self._referred(schema)}"}
        read = {keyword: value for keyword, value in schema.items() if keyword != "$defs"}
        match read["type"]:
            case "object":
                needed = read.get("required", ())
                members = read.get("properties", {})
                return {**read, "properties": {name: self._member(members[name], name in needed) for name in members}}
            case "array":
                return {**read, "items": self.of(read["items"])}
            case "string":
                pattern = PATTERNS.get(format_of(read) or "", "")
                read.pop("format", None)
                return _with_pattern(read, pattern)
            case _:
                return read

    def _member(self, schema: Mapping[str, Any], is_needed: bool) -> dict[str, Any]:
        formed = self.of(schema)
        return formed if is_needed or not self.nulls else _or_null(formed)

    def _referred(self, schema: Mapping[str, Any]) -> str:
        """The name of the definition for what a part refers to."""
        reference = schema["$ref"]
        if reference not in self.names:
            self.names[reference] = name = f"r{len(self.names)}"
            self.definitions[name] = self.of(followed(schema, self.root))
        return self.names[reference]


def _with_pattern(schema: dict[str, Any], pattern: str) -> dict[str, Any]:
    """A text's schema with a pattern, beside its own where it has one."""
    if "pattern" not in schema:
        return {**schema, "pattern": pattern}
    own = {**schema, "pattern": for_validators(schema["pattern"])}
    return {**own, "allOf": [{"pattern": pattern}]} if pattern else own


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A member that need not be there may be null: it is left out before facts are validated."""
    if "$ref" in schema:
        return {"anyOf": [{"type": "null"}, schema]}
    also = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **also}
