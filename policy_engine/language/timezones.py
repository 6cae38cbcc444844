"""Time zones from the pinned tzdata package and not from the operating system, so that answers do not depend on the machine."""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import NamedTuple

import tzdata
from pendulum.tz.timezone import Timezone

VERSION: str = tzdata.IANA_VERSION
"""The version of the time-zone database, part of every ruleset's digest."""

NAME = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


@cache
def zone(name: str) -> tzinfo:
    """The time zone of an IANA name; raises `KeyError` where there is none."""
    if not NAME.fullmatch(name):
        raise KeyError(name)
    try:
        with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
            return Timezone.from_file(file, key=name)
    except (OSError, ValueError):
        raise KeyError(name) from None


def is_timezone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        zone(name)
    except KeyError:
        return False
    return True


class Transition(NamedTuple):
    """From `start` on, seconds since 1970 in UTC, local time is `offset` seconds ahead of UTC."""

    start: int
    offset: int


LONG_AGO = -(10**12)


@cache
def transitions(name: str) -> tuple[Transition, ...]:
    """All changes of a zone's offset up to the year 2500, in order; the first holds from ever.

    Those that the zone's file lists are taken from it. The rule that holds after them changes the offset at most twice a
    year, so the offset is asked for once a month there and each change sought between two answers. From 2100 on, when no
    file lists any more, all repeats every 400 years, as the calendar does with its weekdays.
    """
    place = zone(name)
    listed = _listed(name)
    found = [Transition(LONG_AGO, _offset(place, max(listed[0] - 1, FIRST) if listed else FIRST))]
    for start in listed:
        _append(found, start, _offset(place, start))
    last = listed[-1] if listed else datetime(1970, 1, 1, tzinfo=UTC).timestamp()
    _by_rule(place, int(last), found)
    return tuple(found)


FIRST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
REPEATS = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""From here on offsets repeat with the `CYCLE`, in seconds since 1970."""
CYCLE = 146_097 * 86_400
MONTH = 28 * 86_400


def _by_rule(place: tzinfo, last: int, found: list[Transition]) -> None:
    """The changes after the last one that is listed; none where the zone's time does not change any more."""
    year = range(last, last + 14 * MONTH, MONTH)
    if len({_offset(place, moment) for moment in year}) == 1:
        return
    for moment in range(last, REPEATS + CYCLE, MONTH):
        if _offset(place, moment + MONTH) != found[-1].offset:
            _append(found, *_change(place, moment, moment + MONTH))


def _change(place: tzinfo, before: int, after: int) -> Transition:
    """The change between two moments of different offsets."""
    old = _offset(place, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(place, middle) == old else (before, middle)
    return Transition(after, _offset(place, after))


def _append(found: list[Transition], start: int, offset: int) -> None:
    if offset != found[-1].offset:
        found.append(Transition(start, offset))


def _offset(place: tzinfo, moment: int) -> int:
    """Seconds ahead of UTC at a moment."""
    away = datetime.fromtimestamp(moment, UTC).astimezone(place).utcoffset()
    assert away is not None
    return away // timedelta(seconds=1)


def _listed(name: str) -> tuple[int, ...]:
    """The moments that a zone's file lists, in its second block, that of 64 bits (RFC 9636)."""
    data = resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    is_utc, is_std, leaps, times, types, letters = counts
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + is_std + is_utc
    times = struct.unpack(">l", data[second + 32 : second + 36])[0]
    moments = struct.unpack(f">{times}q", data[second + 44 : second + 44 + 8 * times])
    return tuple(moment for moment in moments if moment >= FIRST)
