"""Columns of dates and instants as texts in the form of answers; what Polars cannot write is shown as a number."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import polars as pl

FIRST_DAY, LAST_DAY = date.min, date.max
FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
DAY = 86_400
"""Seconds."""
WRITABLE = 95_000_000 * DAY
"""Polars can write moments up to so many seconds from 1970, in either direction; beyond that it panics."""
SHIFT = 23 * 3_600 + 59 * 60
"""The largest offset, in seconds: moments whose date in UTC lies outside the calendar are written with it."""
EPOCH = date(1970, 1, 1).toordinal()
BEGIN, END = (date.min.toordinal() - EPOCH) * DAY, (date.max.toordinal() + 1 - EPOCH) * DAY
"""Seconds from 1970 to the first moment of the calendar, and to the first behind it."""
A_SECOND = MappingProxyType({"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000})
FRACTION = MappingProxyType({"ms": (".3f", ".000"), "us": (".6f", ".000000"), "ns": (".9f", ".000000000")})
"""For each unit the format of fractions of a second, and the text that is removed where they are zero."""


def in_microseconds(dtype: Any) -> Any:
    """The type with integers for instants, of which Python cannot hold all in UTC."""
    match dtype:
        case pl.Datetime():
            return pl.Int64()
        case pl.List():
            return pl.List(in_microseconds(dtype.inner))
        case pl.Struct():
            return pl.Struct({field.name: in_microseconds(field.dtype) for field in dtype.fields})
    return dtype


def in_calendar(moment: pl.Expr, unit: str) -> pl.Expr:
    """Whether a moment in UTC lies between the years 1 and 9999; null for a null."""
    second = A_SECOND[unit]
    return moment.to_physical().is_between(BEGIN * second, END * second, closed="left")


def date_text(day: pl.Expr) -> pl.Expr:
    """A date such as 2025-02-28."""
    number = day.to_physical()
    written = pl.when(number.is_between(-WRITABLE // DAY, WRITABLE // DAY)).then(day).dt.to_string("%Y-%m-%d")
    return pl.coalesce(written, pl.concat_str(number, pl.lit(" days from 1970-01-01")))


def time_text(time: pl.Expr) -> pl.Expr:
    """A time of day such as 09:30:00, with the digits of a second that it needs: none, six, or nine."""
    written = time.dt.to_string("%H:%M:%S%.9f").str.strip_suffix(".000000000")
    return written.str.replace(r"(\.[0-9]{6})000$", "$1")


def instant_text(moment: pl.Expr, unit: str) -> pl.Expr:
    """An instant in UTC such as 2025-02-28T14:30:00Z, with six digits of a second where it has parts of one."""
    number, second = moment.to_physical(), A_SECOND[unit]
    early = number.is_between((BEGIN - SHIFT) * second, BEGIN * second - 1)
    late = number.is_between(END * second, (END + SHIFT) * second - 1)
    local = number + pl.when(early).then(SHIFT * second).when(late).then(-SHIFT * second).otherwise(0)
    offset = pl.when(early).then(pl.lit("+23:59")).when(late).then(pl.lit("-23:59")).otherwise(pl.lit("Z"))
    return pl.concat_str(local_text(local.cast(pl.Datetime(unit)), unit), offset)  # type: ignore[arg-type]


def local_text(moment: pl.Expr, unit: str) -> pl.Expr:
    """A date and a time such as 2025-02-28T14:30:00, without an offset."""
    number, (fraction, nothing) = moment.to_physical(), FRACTION[unit]
    near = (
        number.is_between(-WRITABLE * A_SECOND[unit], WRITABLE * A_SECOND[unit]) if unit != "ns" else pl.lit(value=True)
    )
    written = pl.when(near).then(moment).dt.to_string(f"%Y-%m-%dT%H:%M:%S%{fraction}").str.strip_suffix(nothing)
    written = written.str.replace(r"(\.[0-9]{6})000$", "$1") if unit == "ns" else written
    written = written.str.replace(r"(\.[0-9]{3})$", "${1}000") if unit == "ms" else written
    return pl.coalesce(written, pl.concat_str(number, pl.lit(f" {unit} from 1970-01-01T00:00:00")))
