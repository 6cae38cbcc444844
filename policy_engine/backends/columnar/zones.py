"""What clocks and calendars of a time zone show at an instant, and back: by our own tables of transitions (sentences 3.3, 12)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import lru_cache, partial
from itertools import pairwise

import polars as pl

from policy_engine.backends.columnar.days import EPOCH, LAST, WHOLE
from policy_engine.backends.columnar.dtypes import by_series
from policy_engine.language.timezones import CYCLE, REPEATS, Transition, transitions

MOMENT = pl.Datetime("us", "UTC")
SECOND = 1_000_000
DAY = 86_400 * SECOND
"""A day in microseconds, as are all times here."""
EDGE = 2 * DAY
"""More than any offset."""
EARLIEST, LATEST = (1 - EPOCH) * DAY, (LAST + 1 - EPOCH) * DAY
"""The first microsecond of the calendar, and the first after it."""
AGAIN = REPEATS * SECOND
"""From here on offsets repeat."""


def date_of(moment: pl.Expr, timezone: str) -> pl.Expr:
    """The civil date of an instant in a time zone of the pinned database."""
    return by_series(moment, partial(dates_of, timezone=timezone), pl.Date())


def dates_of(moments: pl.Series, timezone: str) -> pl.Series:
    """The civil dates of a column of instants. Often most of them are null, so only the others are converted."""
    at = moments.to_physical()
    if at.null_count() == len(at):
        return _no_dates(len(at))
    if not at.null_count():
        return _civil(at, timezone)
    is_known = at.is_not_null()
    places = pl.int_range(len(at), dtype=pl.UInt32, eager=True).filter(is_known)
    return _no_dates(len(at)).scatter(places, _civil(at.filter(is_known), timezone))


def _no_dates(count: int) -> pl.Series:
    return pl.Series([None], dtype=pl.Date).new_from_index(0, count)


def _civil(moments: pl.Series, timezone: str) -> pl.Series:
    """The civil dates of moments without nulls; null outside the calendar."""
    first, last = _bounds(moments)
    if len(moments) >= MANY and (table := _table_of(first // DECADE, last // DECADE, timezone)) is not None:
        return table[(moments - first // DECADE * DECADE) // QUARTER]
    return _sought(moments, first, last, timezone)


MANY = 4_096
"""From so many moments on, dates are looked up in a table; for fewer, a binary search finds the offset of each."""
QUARTER = 900 * SECOND
DECADE = 10 * 365 * DAY
DECADES = 4


@lru_cache(maxsize=4)
def _table_of(first: int, last: int, timezone: str) -> pl.Series | None:
    """The civil date of each quarter of an hour from one decade to another; None if a date changes within one, or for too many.

    Since the 1970s nearly all offsets are whole quarters of an hour.
    """
    if last - first >= DECADES:
        return None
    begins = pl.int_range(first * DECADE, (last + 1) * DECADE, QUARTER, dtype=WHOLE, eager=True)
    dates = _sought(begins, begins[0], begins[-1], timezone)
    ends = begins + (QUARTER - 1)
    return dates if dates.equals(_sought(ends, ends[0], ends[-1], timezone)) else None


def _sought(moments: pl.Series, first: int, last: int, timezone: str) -> pl.Series:
    """The civil dates of moments from the first to the last, by the offsets of the zone."""
    dates = (_local(first, last, timezone) // DAY).cast(pl.Int32).cast(pl.Date)
    if first < EARLIEST + EDGE or last >= LATEST - EDGE:
        dates = pl.when(dates.is_between(date.min, date.max)).then(dates)
    return pl.DataFrame({"at": moments}).select(dates).to_series()


def local_times(moments: pl.Series, timezone: str) -> pl.Series:
    """The local time of each moment of a column of microseconds, as far from 1970 as a clock there shows; null for a null."""
    if moments.null_count() == len(moments):
        return moments
    return pl.DataFrame({"at": moments}).select(_local(*_bounds(moments), timezone)).to_series()


def _local(first: int, last: int, timezone: str) -> pl.Expr:
    """The local time of each moment `at`, all of which lie from the first to the last."""
    at = pl.col("at")
    return at + _offset(_folded(at) if last >= AGAIN else at, _changes(first, last, timezone))


def _bounds(moments: pl.Series) -> tuple[int, int]:
    first, last = moments.min(), moments.max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    return first, last


def _offset(moment: pl.Expr, changes: Sequence[Transition]) -> pl.Expr:
    """How far local time is ahead."""
    offsets = pl.Series([change.offset * SECOND for change in changes], dtype=WHOLE)
    if len(changes) == 1:
        return pl.lit(offsets[0], dtype=WHOLE)
    starts = pl.Series([change.start * SECOND for change in changes[1:]], dtype=WHOLE)
    return pl.lit(offsets).gather(pl.lit(starts).search_sorted(moment, side="right"))


def _folded(moment: pl.Expr) -> pl.Expr:
    """Moments moved back, by whole cycles of the calendar, into the years for which transitions are listed."""
    return pl.when(moment < AGAIN).then(moment).otherwise((moment - AGAIN) % (CYCLE * SECOND) + AGAIN)


def _changes(first: int, last: int, timezone: str) -> Sequence[Transition]:
    """The transitions of a zone that concern moments from the first to the last."""
    changes = transitions(timezone)
    if last >= AGAIN:
        return changes
    starts = [change.start * SECOND for change in changes]
    return changes[bisect_right(starts, first) - 1 : bisect_right(starts, last)]


def instant_of(local: pl.Expr, timezone: str) -> pl.Expr:
    """The first instant at which clocks of a time zone show a local time; null where they show it at none."""
    return by_series(local, partial(instants_of, timezone=timezone), MOMENT)


def instants_of(local: pl.Series, timezone: str) -> pl.Series:
    """The same for a column of local times.

    Between two changes of its offset a clock shows all times up to one: where that is later than the time sought, it shows the
    time there, or has been put forward past it.
    """
    shown = local.to_physical().rename("at")
    if shown.null_count() == len(shown):
        return shown.cast(MOMENT)
    at, (first, last) = pl.col("at"), _bounds(shown)
    changes = _changes(first - EDGE, last + EDGE, timezone)
    ends = [(after.start + change.offset) * SECOND for change, after in pairwise(changes)]
    starts = [(change.start + change.offset) * SECOND for change in changes]
    offsets = [change.offset * SECOND for change in changes]
    folded = _folded(at)
    place = pl.lit(pl.Series(ends, dtype=WHOLE)).search_sorted(folded, side="right") if ends else pl.lit(0)
    start, offset = (pl.lit(pl.Series(each, dtype=WHOLE)).gather(place) for each in (starts, offsets))
    return pl.DataFrame(shown).select(pl.when(folded >= start).then(at - offset).cast(MOMENT)).to_series()
