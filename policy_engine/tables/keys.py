"""The key of an account as text: the same whether it comes from Parquet, CSV or JSON Lines, and whether its row is valid."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl

from policy_engine.backends.columnar.arithmetic import presented
from policy_engine.backends.columnar.times import date_text, instant_text, time_text
from policy_engine.language.date_texts import read_instant, read_time
from policy_engine.language.rounding import decimal_of
from policy_engine.language.types import Boolean, Date, Instant, Member, Number, Record, Text, Time, Type
from policy_engine.language.values import instant_text as text_of_instant


def key_of(record: Record) -> Member | None:
    """The fact that names an account, where the schema marks one."""
    return next((member for member in record.members if member.key), None)


def key_column(member: Member) -> pl.Expr:
    """The text of a key from its canonical column."""
    key = pl.col(member.name)
    match member.type:
        case Text():
            return key
        case Number(places=places):
            return presented(key, places).cast(pl.String)
        case Date():
            return date_text(key)
        case Instant():
            return instant_text(key, "us")
        case Time():
            return time_text(key)
        case Boolean():
            return key.cast(pl.String)
    return pl.struct(key).struct.json_encode()


def key_text(value: object, kind: Type) -> str | None:
    """The text of a key in JSON types, also of one that is invalid."""
    if value is None or (isinstance(value, str) and isinstance(kind, Text) and value.isascii()):
        return value
    match kind, value:
        case Number(places=places), int() | float() | Decimal() if not isinstance(value, bool):
            return _number(Decimal(str(value)), places)
        case Instant(zone=zone), str():
            return _instant(value, zone)
        case Time(), str():
            return _time(value)
        case _, str():
            return whole_text(value)
    return whole_text(json.dumps(value, ensure_ascii=False, default=str))


def _time(text: str) -> str:
    """A time of day in one form; a text that is none as it is."""
    try:
        return read_time(text).isoformat()
    except ValueError:
        return text


def _number(number: Decimal, places: int) -> str:
    """A number with all places of its type; one that has more, or is far too large, as it is."""
    if not number.is_finite() or number.adjusted() > 40 or number != round(number, places):
        return str(number)
    return f"{decimal_of(int(number.scaleb(places)), places):f}" if places else str(int(number))


def _instant(text: str, zone: str | None) -> str:
    try:
        return text_of_instant(read_instant(text, zone))
    except ValueError:
        return whole_text(text)


def whole_text(text: str) -> str:
    """A text of whole characters: half ones, which no column can hold, are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
