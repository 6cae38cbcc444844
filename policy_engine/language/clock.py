"""Clock time: the time of day of an instant, and hours, minutes and seconds on the time line. Total, or raises `Undefined`."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from policy_engine.language.causes import INSTANT_OUTSIDE
from policy_engine.language.dates import date_near_the_end
from policy_engine.language.values import EPOCH, Undefined

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def time_of(moment: datetime, zone: tzinfo) -> time:
    """The time of day of an instant in a time zone; undefined where the calendar does not have its date there."""
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        _, local = date_near_the_end(moment, zone)
    return local.time().replace(fold=0)


def hours_between(start: datetime, end: datetime) -> int:
    """Whole hours from the start to the end, towards zero."""
    return _between(start, end, HOUR)


def minutes_between(start: datetime, end: datetime) -> int:
    """Whole minutes from the start to the end, towards zero."""
    return _between(start, end, MINUTE)


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from the start to the end, towards zero."""
    return _between(start, end, SECOND)


def _between(start: datetime, end: datetime, unit: timedelta) -> int:
    return (end - start) // unit if start <= end else -((start - end) // unit)


def add_hours(moment: datetime, count: int) -> datetime:
    """The instant so many hours later, in UTC."""
    return _later(moment, count, HOUR)


def add_minutes(moment: datetime, count: int) -> datetime:
    """The instant so many minutes later, in UTC."""
    return _later(moment, count, MINUTE)


def _later(moment: datetime, count: int, unit: timedelta) -> datetime:
    try:
        return EPOCH + ((moment - EPOCH) + count * unit)
    except OverflowError:
        raise Undefined(INSTANT_OUTSIDE) from None
