"""Schemas of facts and of answers as OpenAPI has them: everything that a reference names is a component."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import followed, parsed_schema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Text, Time, Type

PLACE = "#/components/schemas/"
OTHER = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(slots=True)
class Components:
    """Schemas by name; the facts of rulesets with one schema are one component."""

    schemas: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str, schema: dict[str, Any]) -> dict[str, str]:
        """A reference to a schema, which becomes the component of a name."""
        self.schemas[name] = schema
        return {"$ref": f"{PLACE}{name}"}

    def facts(self, schema: FactsSchema) -> dict[str, str]:
        """A reference to the component of a schema of facts."""
        name = f"{schema.name}_facts"
        if name not in self.schemas:
            root = parsed_schema(schema.document, zone=schema.zone)
            self.schemas[name] = {}  # its place, before those that it refers to
            self.schemas[name] = self._part(root, root, name)
        return {"$ref": f"{PLACE}{name}"}

    def _part(self, part: Mapping[str, Any], root: Mapping[str, Any], name: str) -> dict[str, Any]:
        if "$ref" in part:
            return {**part, "$ref": self._referred(part, root, name)}
        made = {keyword: value for keyword, value in part.items() if keyword != "$defs"}
        if "properties" in made:
            needed = made.get("required", ())
            made["properties"] = {
                member: self._member(below, root, name, is_needed=member in needed)
                for member, below in made["properties"].items()
            }
        if "items" in made:
            made["items"] = self._part(made["items"], root, name)
        return made

    def _member(
        self, part: Mapping[str, Any], root: Mapping[str, Any], name: str, *, is_needed: bool
    ) -> dict[str, Any]:
        made = self._part(part, root, name)
        return made if is_needed else or_null(made)

    def _referred(self, part: Mapping[str, Any], root: Mapping[str, Any], name: str) -> str:
        """Where the component is of what a part refers to."""
        own = f"{name}{OTHER.sub('_', part['$ref'].removeprefix('#/$defs').replace('/', '.'))}"
        if own not in self.schemas:
            self.schemas[own] = {}
            self.schemas[own] = self._part(followed(part, root), root, name)
        return f"{PLACE}{own}"


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that also takes null, which is read as absent."""
    if not isinstance(schema.get("type"), str) or "const" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    also = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **also}


def answered(kind: Type) -> dict[str, Any]:
    """The schema of a value of an answer."""
    match kind:
        case Boolean():
            return {"type": "boolean"}
        case Number(places=0):
            return {"type": "integer"}
        case Number():
            return {"type": "string", "description": "A decimal with all its places."}
        case Text(values=tuple() as values):
            return {"type": "string", "enum": list(values)}
        case Date():
            return {"type": "string", "format": "date"}
        case Instant():
            return {"type": "string", "format": "date-time"}
        case Time():
            return {"type": "string", "description": "A time of day."}
        case ListOf(element=element):
            return {"type": "array", "items": answered(element)}
    return {"type": "string"}
