"""The schema of facts as a tree of parts: each has its JSON Schema keywords and its type, and references are resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import followed, parsed_schema
from policy_engine.language.types import ListOf, Record, Type

MOST_VALUES = 100_000
"""Values of one set of facts, counting lists, records and everything in them: facts with more are refused unread."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a schema: its keywords, numbers exact, its type, and the parts of its members or of its elements.

    A list of at most `longest` elements is never too long to be read at all.
    """

    schema: Mapping[str, Any]
    type: Type
    members: Mapping[str, Part]
    element: Part | None = None
    longest: int = 0

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the members that must be there, as the schema lists them."""
        return tuple(self.schema.get("required", ()))


@cache
def part_of(facts: FactsSchema) -> Part:
    """The whole schema as a part."""
    document = parsed_schema(facts.document, Decimal, facts.zone)
    longest = MOST_VALUES
    while longest > 1 and _most_values(facts.type, longest) > MOST_VALUES:
        longest //= 2
    return _Reading(document, longest).part(document, facts.type)


@dataclass(frozen=True, slots=True)
class _Reading:
    root: Mapping[str, Any]
    longest: int

    def part(self, written: Mapping[str, Any], kind: Type) -> Part:
        schema = followed(written, self.root)
        match kind:
            case Record(members=members):
                properties = schema.get("properties", {})
                return Part(schema, kind, {m.name: self.part(properties[m.name], m.type) for m in members})
            case ListOf(element=element):
                longest = min(schema.get("maxItems", self.longest), self.longest)
                return Part(schema, kind, {}, self.part(schema["items"], element), longest)
            case _:
                return Part(schema, kind, {})


def _most_values(kind: Type, longest: int) -> int:
    """How many values facts of a type can have, where no list has more than so many elements."""
    match kind:
        case Record(members=members):
            return 1 + sum(_most_values(member.type, longest) for member in members)
        case ListOf(element=element, most=most):
            return 1 + min(longest, longest if most is None else most) * _most_values(element, longest)
        case _:
            return 1
