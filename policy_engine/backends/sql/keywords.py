"""The keywords of JSON Schema as conditions: whether a value breaks one; unknown where the keyword does not concern the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from policy_engine.backends.parts import Part
from policy_engine.backends.sql.build import FALSE, Sql, literal
from policy_engine.backends.sql.given import Given
from policy_engine.language.types import Boolean, Number, decimal_places

Broken = Callable[[Given, Any, Part], Sql]
TEXT_KEYWORDS = frozenset({"enum", "const", "pattern", "minLength", "maxLength"})
"""What a schema may ask of a text, also of one that is a date, an instant or a time."""


def _among(given: Given, values: list[Any], part: Part) -> Sql:
    """Whether it is none of several values."""
    if isinstance(part.type, Boolean):
        return ~given.truth().equals(values[0])
    if isinstance(part.type, Number):
        return ~given.number().among([literal(value) for value in values])
    return ~given.text().among([given.to.text(value) for value in values])


def _multiple(given: Given, step: int | Decimal, part: Part) -> Sql:
    """Whether it is no multiple of a step, where the column does not guarantee it."""
    assert isinstance(part.type, Number)
    places = decimal_places(Decimal(step))
    if (
        given.columns.keeps_places
        and not given.is_json
        and step == Decimal(1).scaleb(-places)
        and part.type.places <= places
    ):
        return FALSE
    return given.number().remainder(literal(step)).compared("!=", 0)


def _unique(given: Given, wanted: bool, part: Part) -> Sql:
    return given.repeats() if wanted else FALSE


KEYWORDS: Mapping[str, Broken] = MappingProxyType(
    {
        "minimum": lambda given, bound, part: given.number() < bound,
        "maximum": lambda given, bound, part: given.number() > bound,
        "exclusiveMinimum": lambda given, bound, part: given.number() <= bound,
        "exclusiveMaximum": lambda given, bound, part: given.number() >= bound,
        "multipleOf": _multiple,
        "enum": _among,
        "const": lambda given, value, part: _among(given, [value], part),
        "format": lambda given, name, part: given.breaks_format(part),
        "pattern": lambda given, pattern, part: ~given.to.matches(given.text(), pattern),
        "minLength": lambda given, least, part: given.to.length(given.text()) < least,
        "maxLength": lambda given, most, part: given.to.length(given.text()) > most,
        "minItems": lambda given, least, part: given.size() < least,
        "maxItems": lambda given, most, part: given.size() > most,
        "uniqueItems": _unique,
        "additionalProperties": lambda given, allowed, part: given.has_others([*part.members]),
    }
)
