"""Time zones from the pinned tzdata package, never from the machine: an answer must not depend on where it was given."""

from __future__ import annotations

import re
from datetime import tzinfo
from functools import cache
from importlib import resources

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
