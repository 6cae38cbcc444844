"""From a caller's facts to valid, typed values: sentences 1 to 3 of the meaning. Facts are never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from policy_engine.errors import FactsError, Violation
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Instant, ListOf, Member, Number, Record, Type
from policy_engine.language.values import RecordValue, Value, settle
from policy_engine.semantics.formats import read_date, read_instant

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
    from policy_engine.semantics.violations import violations_of  # noqa: PLC0415 - jsonschema is slow to import

    violations = violations_of(plain, schema.document)
    if violations:
        raise FactsError(violations)
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
            members[name] = _plain(member, f"{pointer}/{escaped(name)}", unfit)
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


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


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
