"""The one table of formats: what a text must be to be a date or an instant."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def read_date(text: str) -> date:
    """The civil date of `YYYY-MM-DD`; raises `ValueError` for anything else, and for a day that no calendar has."""
    if not DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_instant(text: str) -> datetime:
    """The instant of an RFC 3339 date-time with its offset; raises `ValueError`, also for a leap second."""
    parts = DATE_TIME.fullmatch(text)
    if parts is None or parts[2].startswith("24"):
        raise ValueError(text)
    offset = "+00:00" if parts[3] in "Zz" else parts[3]
    if int(offset[1:3]) > 23 or int(offset[4:]) > 59:
        raise ValueError(text)
    return datetime.fromisoformat(f"{parts[1]}T{_padded(parts[2])}{offset}")


def _padded(time: str) -> str:
    """Python reads three or six fraction digits; RFC 3339 has any number."""
    whole, point, fraction = time.partition(".")
    return whole if not point else f"{whole}.{fraction:0<6}"


FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = MappingProxyType(
    {
        "date": (read_date, "a date such as 2025-02-28"),
        "date-time": (read_instant, "an instant with its offset such as 2025-02-28T09:30:00-05:00"),
    }
)
"""For each format its reader, which raises `ValueError`, and how a message describes it."""
