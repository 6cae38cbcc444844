"""Facts as JSON, with all digits of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from policy_engine.facts.foreign import Refused, members_of, plain_value, time_text


def json_bytes(value: object) -> bytes:
    """Facts, or a question with them, as JSON in UTF-8; raises `TypeError` for what has no form in JSON.

    They may be what `Engine.decide` takes: mappings, dataclasses, pydantic models, dates, decimals, NumPy's numbers.
    """
    try:
        return _written(value, "").encode("utf-8", "backslashreplace")
    except RecursionError:
        raise TypeError("facts are nested too deep") from None


def _written(value: object, place: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return encode_basestring(str.__str__(value))
        case int():
            return int.__repr__(value)
        case float() | Decimal():
            return _number(value, place)
        case list() | tuple():
            return f"[{','.join(_written(part, f'{place}/{at}') for at, part in enumerate(value))}]"
    members = members_of(value)
    return _other(value, place) if members is None else _object(members, place)


def _number(value: float | Decimal, place: str) -> str:
    exact = Decimal(float.__repr__(value)) if isinstance(value, float) else value
    if not exact.is_finite():
        raise TypeError(f"{place or 'the facts'}: NaN and infinities are not numbers")
    return str(exact)


def _object(members: Mapping[Any, object], place: str) -> str:
    for name in members:
        if not isinstance(name, str):
            raise TypeError(f"{place or 'the facts'}: a name is a text, not a Python {type(name).__name__}")
    told = (f"{encode_basestring(name)}:{_written(member, f'{place}/{name}')}" for name, member in members.items())
    return f"{{{','.join(told)}}}"


def _other(value: object, place: str) -> str:
    """A date, a time, or a value of another library."""
    try:
        if isinstance(value, time):
            return f'"{time_text(value)}"'
        return f'"{value.isoformat()}"' if isinstance(value, date) else _written(plain_value(value, None), place)
    except Refused as refused:
        raise TypeError(f"{place or 'the facts'}: a Python {type(value).__name__} is no fact; {refused}") from None
