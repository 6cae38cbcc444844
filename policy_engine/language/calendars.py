"""Named calendars of holidays, from the `holidays` library, expanded once when a ruleset is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from policy_engine.language.values import Holidays

CALENDARS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "us_federal": ("country", "US"),
        "federal_reserve": ("financial", "XFED"),
        "target2": ("financial", "XECB"),
    }
)
"""Our names, and where the library keeps each calendar."""

EARLIEST, LATEST = 1900, 2200


@cache
def holidays_of(name: str, first: int, last: int) -> Holidays:
    """The holidays of a calendar in the years `first` to `last`, as observed, sorted; raises `KeyError` for other names."""
    import holidays  # noqa: PLC0415 - slow to import, and most rulesets name no calendar

    kind, code = CALENDARS[name]
    make = holidays.country_holidays if kind == "country" else holidays.financial_holidays
    # The year after may put its New Year's Day on the last weekday of this one.
    dates = make(code, years=range(first, last + 2))
    return Holidays(name, first, last, tuple(sorted(day for day in dates if first <= day.year <= last)))
