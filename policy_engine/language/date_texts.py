"""How dates, instants and times are written as facts (ISO 8601, RFC 3339); other forms are in `date_forms`.

Patterns mean the same to Python, to Polars and to jsonschema-rs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from types import MappingProxyType
from typing import Any

from policy_engine.language import timezones

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_IS_DAY = re.compile(DAY).fullmatch
HOUR, SIXTIETH = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
LOCAL = f"{DAY}[Tt]{HOUR}:{SIXTIETH}:{SIXTIETH}(?:\\.[0-9]{{1,6}})?"
OFFSET = f"(?:[Zz]|[+-]{HOUR}:{SIXTIETH})"
MOMENT = LOCAL + OFFSET
TIME = f"{HOUR}:{SIXTIETH}(?::{SIXTIETH}(?:\\.[0-9]{{1,6}})?)?"
LOCAL_FORMAT = "date-time without offset"
"""What the format `date-time` is called here where the schema has `x-local` beside it: the offset may be left out."""
PATTERNS: Mapping[str, str] = MappingProxyType(
    {"date": f"^{DAY}$", "date-time": f"^{MOMENT}$", LOCAL_FORMAT: f"^{LOCAL}{OFFSET}?$", "time": f"^{TIME}$"}
)
"""The pattern of each format; whether the calendar has the day, or a clock shows the time, it does not say."""


class SkippedTimeError(ValueError):
    """A local time that no clock shows, because it is put forward past it; the message says so, and what to write."""


def format_of(schema: Mapping[str, Any]) -> str | None:
    """The format that a part of a schema gives to a text."""
    return LOCAL_FORMAT if schema.get("x-local") else schema.get("format")


def read_date(text: str) -> date:
    """The civil date of `YYYY-MM-DD`; raises `ValueError` for anything else, and for a day that no calendar has."""
    if not _IS_DAY(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_instant(text: str, zone: str | None = None) -> datetime:
    """The instant of an RFC 3339 date-time; raises `ValueError`, also for a leap second.

    The offset may be left out where a time zone is given by its IANA name. Of two instants at which a clock there shows the
    time it is then the earlier; where it shows the time at none `SkippedTimeError` is raised.
    """
    if not re.fullmatch(MOMENT if zone is None else f"{LOCAL}{OFFSET}?", text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text.upper())
    return moment if zone is None or moment.tzinfo is not None else _in_zone(moment, zone)


def _in_zone(local: datetime, zone: str) -> datetime:
    """The instant of a local time; its offset is fixed, so that it can be calculated with."""
    here = local.replace(tzinfo=timezones.zone(zone))
    before, after = here.utcoffset(), here.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    if before < after:
        later = (local + (after - before)).isoformat()
        raise SkippedTimeError(
            f"does not exist in {zone}, where clocks are put forward; write {later}, or give the offset"
        )
    return local.replace(tzinfo=timezone(before))


def read_time(text: str) -> time:
    """The time of day of `HH:MM`, `HH:MM:SS` or one with up to six digits of a second; raises `ValueError` for anything else."""
    if not re.fullmatch(TIME, text):
        raise ValueError(text)
    return time.fromisoformat(text)


def read_formatted(text: str, form: str, zone: str = "UTC") -> date | datetime | time:
    """What a text of a format is; raises `ValueError`. The zone is that of instants without an offset."""
    match form:
        case "date":
            return read_date(text)
        case "time":
            return read_time(text)
        case _:
            return read_instant(text, zone if form == LOCAL_FORMAT else None)


EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "date": "a date such as 2025-02-28",
        "date-time": "an instant with its offset such as 2025-02-28T09:30:00-05:00",
        LOCAL_FORMAT: "an instant such as 2025-02-28T09:30:00, with or without an offset",
        "time": "a time of day such as 09:30",
    }
)
"""For each format how a message describes it."""
