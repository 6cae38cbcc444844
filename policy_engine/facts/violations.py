"""What is wrong with facts, in words: jsonschema finds every violation, and each is told in ours (sentences 2 and 3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from policy_engine.diagnostics import did_you_mean
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json, escaped
from policy_engine.language.date_texts import EXPECTED, SkippedTimeError, format_of, read_formatted
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import parsed_schema
from policy_engine.language.text_patterns import matcher

MOST_VIOLATIONS = 1_000
"""Past so many, one more helps nobody."""
MOST_NAMED = 10
"""So many names that are no facts are told."""


def violations_of(facts: Json, schema: FactsSchema) -> list[Violation]:
    """The violations of a schema by facts in JSON types, the first thousand, in document order."""
    errors = islice(_validator(schema).iter_errors(facts), MOST_VIOLATIONS)
    return in_order(map(_violation, errors))


def member_violations(name: str, value: Json, schema: FactsSchema) -> list[Violation]:
    """The violations by the value of one fact, as jsonschema finds them."""
    validator = _validator(schema)
    errors = validator.descend(value, validator.schema["properties"][name], path=name)  # type: ignore[index]
    return [_violation(error) for error in islice(errors, MOST_VIOLATIONS)]


def whole_violations(keyword: str, wanted: Any, facts: Json, schema: Mapping[str, Any]) -> list[Violation]:
    """The violations of `required` or `additionalProperties` by facts as a whole."""
    if keyword == "required":
        return [violation("", keyword, wanted, None, schema, name) for name in wanted if name not in facts]
    known = schema.get("properties", {})
    return [violation("", keyword, wanted, facts, schema)] if any(name not in known for name in facts) else []


def in_order(violations: Iterable[Violation]) -> list[Violation]:
    """Violations in document order, stably."""
    return sorted(violations, key=lambda violation: _natural(violation.pointer))


def _natural(pointer: str) -> list[tuple[bool, int, str]]:
    """Positions sort as numbers."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pointer.split("/")]


def _validator(schema: FactsSchema) -> Draft202012Validator:
    """A validator that asserts our formats, counts exactly, and fetches nothing."""
    return _validator_in_zone(schema.document, schema.zone)


@cache
def _validator_in_zone(document: str, zone: str) -> Draft202012Validator:
    return EXACT(parsed_schema(document, Decimal, zone), registry=Registry())  # type: ignore[no-any-return]


def _format(validator: object, form: str, value: Json, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    if isinstance(value, str) and (fault := _format_fault(value, schema)):
        yield ValidationError(f"{value!r} {fault}")


def _format_fault(value: str, schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a text by the format that a part of a schema gives it."""
    form = format_of(schema) or ""
    try:
        read_formatted(value, form, schema.get("x-local", ""))
    except SkippedTimeError as skipped:
        return str(skipped)
    except ValueError:
        return f"is not {EXPECTED[form]}"
    return None


def _multiple_of(validator: object, step: int | Decimal, value: Json, schema: object) -> Iterator[ValidationError]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return
    if Fraction(value) % Fraction(step):
        yield ValidationError(f"{value} is not a multiple of {step}")


def _pattern(validator: object, pattern: str, value: Json, schema: object) -> Iterator[ValidationError]:
    if isinstance(value, str) and not matcher(pattern)(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _unique_items(validator: object, wanted: bool, value: Json, schema: object) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list) and len({_identity(item) for item in value}) < len(value):
        yield ValidationError("an element stands twice")


def _identity(value: Json) -> object:
    """What two JSON values share where they are equal, and only there: a number is no truth value, members have no order.

    Numbers are told apart by their digits: of numbers Python's own hashes are no secret, and could be made to collide.
    """
    match value:
        case bool() | None:
            return value
        case int() | Decimal():
            return "number", "/".join(map(str, value.as_integer_ratio()))
        case list():
            return "list", *map(_identity, value)
        case Mapping():
            return frozenset((name, _identity(member)) for name, member in value.items())
        case _:
            return value


EXACT = extend(  # type: ignore[no-untyped-call]  # jsonschema does not say
    Draft202012Validator,
    {"multipleOf": _multiple_of, "pattern": _pattern, "uniqueItems": _unique_items, "format": _format},
)


def scalar_violations(value: Json, schema: Mapping[str, Any], pointer: str, facts: FactsSchema) -> list[Violation]:
    """The violations by one value that is neither list nor object, of its own part of a schema (references followed)."""
    validator = _validator(facts)
    checks = ((keyword, wanted, EXACT.VALIDATORS.get(keyword)) for keyword, wanted in schema.items())
    broken = (
        (keyword, wanted)
        for keyword, wanted, check in checks
        if check and _any(check, validator, wanted, value, schema)
    )
    return [violation(pointer, keyword, wanted, value, schema) for keyword, wanted in broken]


def _any(check: Callable[..., Any], *asked: object) -> bool:
    """Whether a keyword's check finds an error; one that does not concern the value gives None."""
    return next(iter(check(*asked) or ()), None) is not None


def _violation(error: ValidationError) -> Violation:
    pointer = "".join(f"/{escaped(str(part))}" for part in error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    keyword = str(error.validator)
    name = error.message.split("'")[1] if keyword == "required" else ""
    return violation(pointer, keyword, error.validator_value, error.instance, schema, name)


def violation(
    pointer: str, keyword: str, wanted: Any, value: Json, schema: Mapping[str, Any], name: str = ""
) -> Violation:
    """A violation in words: of a keyword that wants `wanted`, by a value; `name` is the fact that is missing."""
    expected, message = _words(keyword, wanted, value, schema, name)
    shown = None if keyword == "required" else _json_value(value)
    return Violation(pointer, shown, keyword, expected, message, str(schema.get("description", "")))


def _json_value(value: Json) -> object:
    match value:
        case Decimal():
            return float(value)
        case Mapping():
            return {name: _json_value(member) for name, member in value.items()}
        case list():
            return [_json_value(item) for item in value]
        case _:
            return value


def _words(keyword: str, wanted: Any, value: Json, schema: Mapping[str, Any], name: str) -> tuple[str, str]:
    """What was expected, and a sentence that says what is wrong."""
    shown = _shown(value)
    match keyword:
        case "required":
            return f"a value for `{name}`", f"`{name}` is missing"
        case "additionalProperties":
            known = tuple(schema.get("properties", {}))
            extra = [name for name in value if name not in known]
            more = f" and {len(extra) - MOST_NAMED:,} more" if len(extra) > MOST_NAMED else ""
            named = ", ".join(_meant(name, known) for name in extra[:MOST_NAMED])
            return f"one of {', '.join(known)}", f"there is no fact {named}{more}"
        case "type":
            return f"{_TYPES.get(wanted, wanted)}", f"{shown} is not {_TYPES.get(wanted, wanted)}"
        case "enum":
            listed = ", ".join(map(str, wanted))
            return f"one of {listed}", f"{shown} is none of {listed}"
        case "format":
            return EXPECTED[format_of(schema) or ""], f"{shown} {_format_fault(value, schema)}"
        case "multipleOf":
            return f"a multiple of {wanted}", f"{shown} is not a multiple of {wanted}"
        case "const" if isinstance(wanted, bool):
            return _shown(wanted), f"{shown} is not {_shown(wanted)}"
        case _:
            phrase = _PHRASES.get(keyword, f"{keyword} {{}}").format(wanted)
            return phrase, f"{shown} is not {phrase}"


_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_PHRASES = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "a text of at least {} characters",
    "maxLength": "a text of at most {} characters",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "uniqueItems": "a list without repetition",
    "const": "{}",
    "pattern": "a text that matches {}",
}


@lru_cache(maxsize=1024)
def _meant(name: str, known: tuple[str, ...]) -> str:
    """A name that the schema does not have, with the one that was most likely meant."""
    hint = did_you_mean(name, known)
    return f"`{name}` ({hint})" if hint else f"`{name}`"


def _shown(value: Json) -> str:
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]}..."
