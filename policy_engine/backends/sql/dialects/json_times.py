"""Texts of instants in PostgreSQL's JSONB: read by their parts, since the database takes no offset of 16 hours or more."""

from __future__ import annotations

from policy_engine.backends.sql.build import Sql, any_of, call, choose
from policy_engine.backends.sql.dialects.base import FIRST, Dialect
from policy_engine.backends.sql.local_times import is_skipped, moment_of

MINUTE = 60_000_000
DAY = 1_440 * MINUTE
OFFSET = "[+-][0-9]{2}:[0-9]{2}$"


def moment(to: Dialect, text: Sql, zone: str | None) -> Sql:
    """The microseconds of an instant; one without an offset is in the time zone."""
    local = _local(to, text)
    with_offset = [(_ends_with_offset(to, text), local - _offset(text)), (_is_utc(to, text), local)]
    return choose(with_offset if zone is None else [*with_offset, (text.is_known(), moment_of(to, local, zone))])


def names_no_moment(to: Dialect, text: Sql, zone: str) -> Sql:
    """Whether a text without an offset is a local time that no clock shows."""
    elsewhere = any_of([_ends_with_offset(to, text), _is_utc(to, text)])
    return choose([(~elsewhere, is_skipped(to, _local(to, text), zone))])


def _local(to: Dialect, text: Sql) -> Sql:
    """What the clock shows, in microseconds since 1970."""
    day, clock = call("LEFT", text, 10).cast("DATE"), call("SUBSTRING", call("SUBSTR", text, 12), "^[0-9:.]+")
    return (day - FIRST).cast("BIGINT") * DAY + to.time(clock)


def _ends_with_offset(to: Dialect, text: Sql) -> Sql:
    return to.matches(text, OFFSET)


def _is_utc(to: Dialect, text: Sql) -> Sql:
    return to.matches(text, "[Zz]$")


def _offset(text: Sql) -> Sql:
    """The microseconds by which a clock with an offset is ahead."""
    end = call("RIGHT", text, 6)
    minutes = call("SUBSTR", end, 2, 2).cast("BIGINT") * 60 + call("SUBSTR", end, 5, 2).cast("BIGINT")
    return choose([(call("LEFT", end, 1).equals("-"), minutes * -MINUTE)], minutes * MINUTE)
