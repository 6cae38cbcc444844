"""What clocks and calendars of a time zone show at an instant: by our own tables of transitions (sentence 12).

Engines have tables of other editions, so theirs are not asked. An instant is a number of microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from policy_engine.backends.sql.arithmetic import floored, modulo
from policy_engine.backends.sql.build import Sql, choose, literal, where
from policy_engine.backends.sql.days import LAST, Days, bounded
from policy_engine.backends.sql.dialects.base import EPOCH
from policy_engine.backends.sql.ranks import chosen_by_rank
from policy_engine.language.timezones import CYCLE, REPEATS, transitions

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
EARLIEST, LATEST = (1 - EPOCH) * DAY, (LAST + 1 - EPOCH) * DAY
"""The first microsecond of the calendar, and the first after it."""
AGAIN = REPEATS * SECOND
"""From here on offsets repeat."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Writes the functions of instants in a time zone."""

    days: Days
    timezone: str

    def date_of(self, moment: Sql) -> Sql:
        """The civil date of an instant."""
        return self.days.bound(
            self.local(moment), lambda local: self.days.day_of(floored(self.days.to, local, literal(DAY)) + EPOCH)
        )

    def time_of(self, moment: Sql) -> Sql:
        """The time of day of an instant; unknown where the calendar has no such date there."""
        return self.days.bound(
            self.local(moment),
            lambda local: where(local.between(EARLIEST, LATEST - 1), modulo(local, literal(DAY))),
        )

    def local(self, moment: Sql) -> Sql:
        """The local time, in microseconds as if the clock showed UTC."""
        changes = transitions(self.timezone)
        if len(changes) == 1:
            return self.days.kept(moment + changes[0].offset * SECOND)
        starts = [change.start * SECOND for change in changes[1:]]
        offsets = [change.offset * SECOND for change in changes]
        folded = self._folded(moment) if starts[-1] >= AGAIN else moment
        return self.days.bound(folded, lambda at: moment + chosen_by_rank(at, starts, offsets))

    def _folded(self, moment: Sql) -> Sql:
        """A moment moved back, by whole cycles of the calendar, into the years for which transitions are listed."""
        again = (moment - AGAIN).remainder(CYCLE * SECOND) + AGAIN
        return choose([(moment >= AGAIN, again)], moment)


def between(unit: int) -> Callable[[Days, Sql, Sql], Sql]:
    """What counts whole units from one instant to another, towards zero."""
    return lambda days, start, end: days.to.quotient(end - start, unit)


def add(unit: int) -> Callable[[Days, Sql, Sql], Sql]:
    """What adds units to an instant; unknown outside the years 0001 to 9999."""
    most = (LATEST - EARLIEST) // unit + DAY // unit

    def later(days: Days, moment: Sql, count: Sql) -> Sql:
        made = days.kept(moment + bounded(count, most) * unit)
        return where(made.between(EARLIEST, LATEST - 1), made)

    return later
