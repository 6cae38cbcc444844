"""From a caller's facts to valid, typed values: sentences 1 to 3 of the meaning. Facts are never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from policy_engine.errors import FactsError, Violation
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Instant, ListOf, Member, Number, Record, Type
from policy_engine.language.values import RecordValue, Value, settle
from policy_engine.semantics.formats import FORMATS, read_date, read_instant

DEEPEST = 64
DIGITS = 40
LARGEST: int = 10**DIGITS
Json = Any
"""Facts in JSON types, numbers exact: dict, list, str, bool, int, Decimal."""


def valid_facts(facts: Mapping[str, object], schema: FactsSchema) -> RecordValue:
    """The facts as typed values; raises `FactsError` with every violation."""
    plain, unfit = to_json_types(facts)
    if unfit:
        raise FactsError(unfit)
    violations = [_violation(error) for error in _validator(schema.document).iter_errors(plain)]
    if violations:
        raise FactsError(sorted(violations, key=lambda violation: _natural(violation.pointer)))
    return _record(plain, schema.type)


def typed_facts(facts: Mapping[str, object], schema: FactsSchema) -> RecordValue:
    """The typed values of facts that are known to be valid."""
    return _record(to_json_types(facts)[0], schema.type)


def to_json_types(facts: object) -> tuple[Json, list[Violation]]:
    """A caller's facts in JSON types, members that are null left out, and what no JSON could say.

    Floats become the decimal that their shortest form writes; dates and instants of Python become their text.
    """
    unfit: list[Violation] = []
    if not isinstance(facts, Mapping):
        return None, [_unfit("", facts, "an object", f"facts are an object, not {_kind(facts)}")]
    return _plain(facts, "", unfit), unfit


def _plain(value: object, pointer: str, unfit: list[Violation]) -> Json:
    if pointer.count("/") > DEEPEST:
        unfit.append(
            _unfit(pointer, value, f"at most {DEEPEST} levels", f"facts are nested more than {DEEPEST} levels deep")
        )
        return None
    match value:
        case bool() | None:
            return value
        case int():
            return _integer(value, pointer, unfit)
        case float() | Decimal():
            return _number(value, pointer, unfit)
        case str():
            return _text(value, pointer, unfit)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return _members(value, pointer, unfit)
        case list() | tuple():
            return [_plain(item, f"{pointer}/{index}", unfit) for index, item in enumerate(value)]
    unfit.append(_unfit(pointer, str(type(value).__name__), "a JSON value", f"{_kind(value)} is not a JSON value"))
    return None


def _members(value: Mapping[object, object], pointer: str, unfit: list[Violation]) -> Json:
    """An object without the members that are null."""
    members = {}
    for name, member in value.items():
        if not isinstance(name, str):
            unfit.append(_unfit(pointer, str(name), "names that are texts", f"the name {name!r} is not a text"))
        elif member is not None:
            members[name] = _plain(member, f"{pointer}/{_escaped(name)}", unfit)
    return members


def _integer(value: int, pointer: str, unfit: list[Violation]) -> Json:
    if abs(value) >= LARGEST:
        words = "a number too large to be meant"
        unfit.append(_unfit(pointer, words, "a number of at most 40 digits", f"this is {words}"))
        return None
    return int(value)


def _number(value: float | Decimal, pointer: str, unfit: list[Violation]) -> Json:
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if not exact.is_finite():
        unfit.append(_unfit(pointer, str(value), "a number", "NaN and infinities are not numbers"))
        return None
    if not -DIGITS < exact.adjusted() < DIGITS:
        words = "a number too large or too small to be meant"
        unfit.append(_unfit(pointer, words, "a number of at most 40 digits", f"this is {words}"))
        return None
    return int(exact) if exact == exact.to_integral_value() else exact


def _text(value: str, pointer: str, unfit: list[Violation]) -> Json:
    try:
        value.encode()
    except UnicodeEncodeError:
        shown = value.encode("utf-8", "backslashreplace").decode()
        unfit.append(
            _unfit(pointer, shown, "a text of whole characters", "the text holds half a character (a lone surrogate)")
        )
        return None
    return str(value)


def _unfit(pointer: str, value: object, expected: str, message: str) -> Violation:
    return Violation(pointer, value if isinstance(value, str) else _kind(value), "type", expected, message)


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "null" if value is None else names.get(type(value), f"a Python {type(value).__name__}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _natural(pointer: str) -> list[tuple[bool, int, str]]:
    """Positions sort as numbers."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pointer.split("/")]


def _record(value: Mapping[str, Json], kind: Record) -> RecordValue:
    return RecordValue(kind.path, {m.name: _typed(value[m.name], m.type, m) for m in kind.members if m.name in value})


def _typed(value: Json, kind: Type, member: Member | None = None) -> Value:
    match kind:
        case Date():
            return read_date(value)
        case Instant():
            return read_instant(value)
        case Number():
            return settle(value, kind)
        case Record():
            return _record(value, kind)
        case ListOf(element=element):
            return _ordered([_typed(item, element) for item in value], member.ordered_by if member else None)
        case _:
            return value  # type: ignore[no-any-return]  # a boolean or a text


def _ordered(items: list[Value], by: str | None) -> tuple[Value, ...]:
    """The items in the order the schema asks for, stably."""
    if by is None:
        return tuple(items)
    return tuple(sorted(items, key=lambda item: item.members[by]))  # type: ignore[union-attr,arg-type,return-value]


@cache
def _validator(document: str) -> Draft202012Validator:
    """A validator that asserts our formats, counts exactly, and fetches nothing."""
    checker = FormatChecker(formats=())
    for name, (read, _) in FORMATS.items():
        checker.checks(name, raises=ValueError)(_format_check(read))
    schema = json.loads(document, parse_float=Decimal)
    return EXACT(schema, format_checker=checker, registry=Registry())  # type: ignore[no-any-return]


def _format_check(read: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    return check


def _multiple_of(validator: object, step: int | Decimal, value: Json, schema: object) -> Iterator[ValidationError]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return
    if Fraction(value) % Fraction(step):
        yield ValidationError(f"{value} is not a multiple of {step}")


def _pattern(validator: object, pattern: str, value: Json, schema: object) -> Iterator[ValidationError]:
    """As ECMAScript reads it: `$` is the end, and not also the place before a last line break."""
    if isinstance(value, str) and not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


EXACT = extend(  # type: ignore[no-untyped-call]  # jsonschema does not say
    Draft202012Validator, {"multipleOf": _multiple_of, "pattern": _pattern}
)


def _violation(error: ValidationError) -> Violation:
    pointer = "".join(f"/{_escaped(str(part))}" for part in error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    expected, message = _words(error, schema)
    value, keyword = error.instance, str(error.validator)
    if keyword == "required":
        value = None
    return Violation(pointer, _json_value(value), keyword, expected, message, str(schema.get("description", "")))


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


def _words(error: ValidationError, schema: Mapping[str, Any]) -> tuple[str, str]:
    """What was expected, and a sentence that says what is wrong."""
    wanted: Any = error.validator_value
    shown = _shown(error.instance)
    match error.validator:
        case "required":
            name = error.message.split("'")[1]
            return f"a value for `{name}`", f"`{name}` is missing"
        case "additionalProperties":
            extra = [name for name in _names(error.instance) if name not in schema.get("properties", {})]
            names = ", ".join(f"`{name}`" for name in extra)
            return f"one of {', '.join(schema.get('properties', {}))}", f"there is no fact {names}"
        case "type":
            return f"{_TYPES.get(wanted, wanted)}", f"{shown} is not {_TYPES.get(wanted, wanted)}"
        case "enum":
            return f"one of {_list(wanted)}", f"{shown} is none of {_list(wanted)}"
        case "format":
            return FORMATS[wanted][1], f"{shown} is not {FORMATS[wanted][1]}"
        case "multipleOf":
            return f"a multiple of {wanted}", f"{shown} is not a multiple of {wanted}"
        case keyword:
            phrase = _PHRASES.get(str(keyword), f"{keyword} {{}}").format(wanted)
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


def _names(instance: object) -> Iterable[str]:
    return instance if isinstance(instance, Mapping) else ()


def _shown(value: Json) -> str:
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
