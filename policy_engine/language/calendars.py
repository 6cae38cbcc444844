"""Named calendars of holidays, from the `holidays` library, expanded once when a ruleset is loaded.

A calendar has the code of a country (DE), of a part of one (DE-BY) or of a market (XETR), as the library has them, or one of
our own names. The library is slow to import, and most rulesets name no calendar, so each function imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from policy_engine.language.values import Holidays

OWN: Mapping[str, str] = MappingProxyType({"us_federal": "US", "federal_reserve": "XFED", "target2": "XECB"})
"""Our names, and the codes of the calendars."""


def is_calendar(name: str) -> bool:
    """Whether there is a calendar of that name."""
    return name in OWN or name in _codes()


def calendars_like(name: str) -> tuple[str, ...]:
    """The calendars among which one is looked for: the parts of a country that the name begins with, or all that are whole."""
    whole, dash, _ = name.partition("-")
    codes = _codes()
    parts = tuple(code for code in codes if dash and code.startswith(f"{whole}-"))
    return parts or (*OWN, *(code for code in codes if "-" not in code))


def code_meant(name: str) -> str | None:
    """The code of a calendar of which the library knows another one, such as GB for UK or DE-BY for DE-Bayern."""
    import holidays  # noqa: PLC0415

    whole, dash, part = name.partition("-")
    if whole in holidays.list_supported_countries():
        made: Any = holidays.country_holidays(whole)
        code = made.country
    elif whole in holidays.list_supported_financial():
        made = holidays.financial_holidays(whole)
        code = made.market
    else:
        return None
    meant = f"{code}-{made.subdivisions_aliases.get(part, part)}" if dash else code
    return meant if meant in _codes() else None


@cache
def _codes() -> frozenset[str]:
    """The code of every calendar of the library."""
    import holidays  # noqa: PLC0415

    countries = holidays.list_supported_countries(include_aliases=False)
    markets = holidays.list_supported_financial(include_aliases=False)
    both = [*countries.items(), *markets.items()]
    return frozenset(code for whole, parts in both for code in (whole, *(f"{whole}-{part}" for part in parts)))


def years_of(names: tuple[str, ...]) -> tuple[int, int]:
    """The first and the last year that the library knows of all these calendars."""
    made = [_made(name) for name in names]
    return max(each.start_year for each in made), min(each.end_year for each in made)


def holidays_of(
    names: tuple[str, ...],
    first: int,
    last: int,
    added: Mapping[date, str] = MappingProxyType({}),
    removed: Mapping[date, str] = MappingProxyType({}),
) -> Holidays:
    """The holidays of any of some calendars in the years `first` to `last`, as observed, sorted; some days put in or left out.

    The days say why. Raises `KeyError` for a calendar that there is not.
    """
    dates = {day for name in names for day in _dates(name, first, last)}
    kept = tuple(sorted((dates | added.keys()) - removed.keys()))
    return Holidays(" and ".join(names), first, last, kept, None, tuple(added.items()), tuple(removed.items()))


@cache
def _dates(name: str, first: int, last: int) -> frozenset[date]:
    # The year after may put its New Year's Day on the last weekday of this one.
    return frozenset(day for day in _made(name, range(first, last + 2)) if first <= day.year <= last)


def _made(name: str, years: range = range(0)) -> Any:
    """The library's object of a calendar in some years."""
    import holidays  # noqa: PLC0415

    code = OWN.get(name, name)
    if code not in _codes():
        raise KeyError(name)
    whole, _, part = code.partition("-")
    is_market = whole in holidays.list_supported_financial(include_aliases=False)
    make = holidays.financial_holidays if is_market else holidays.country_holidays
    return make(whole, subdiv=part or None, years=years)
