"""The clock of the service: the one place that reads it. The engine has none, and is told the day of a question."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from policy_engine.language.timezones import zone


def day_in(timezone: str) -> date:
    """The civil date now in a time zone, by its IANA name."""
    return datetime.now(zone(timezone)).date()


@dataclass(frozen=True, slots=True)
class Clock:
    """What is read of the time: the day in a time zone, seconds since 1970, and seconds that never go back."""

    day: Callable[[str], date] = day_in
    seconds: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic


CLOCK = Clock()
