"""Parsing what a rule file says of calendars: the weekend, and calendars of holidays by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from policy_engine.diagnostics import did_you_mean, meaning, say
from policy_engine.documents.nodes import ScalarNode, SequenceNode, plain
from policy_engine.fixes import Advice
from policy_engine.frontend.fields import Fields, read_date
from policy_engine.frontend.shape_hints import ISO_DATE
from policy_engine.language.calendars import calendars_like, code_meant, holidays_of, is_calendar, years_of
from policy_engine.language.values import Holidays
from policy_engine.language.weekdays import DAYS
from policy_engine.source import Authored

CODES = "write the code of a country such as DE, of a part of one such as DE-BY, or of a market such as XETR"


def weekend_of(fields: Fields) -> tuple[int, ...] | None:
    """The days under `weekend`, 1 for Monday, in their order; None where there are none, or what stands there was reported."""
    node = fields.node.get("weekend")
    if node is None:
        return None
    items = node.items if isinstance(node, SequenceNode) else ()
    words = [item.text.value if isinstance(item, ScalarNode) else "" for item in items]
    odd = next((at for at, word in enumerate(words) if word not in DAYS or word in words[:at]), None)
    if odd is None and isinstance(node, SequenceNode) and len(words) < len(DAYS):
        return tuple(sorted(DAYS.index(word) + 1 for word in words))
    span, hint = (node.span, None) if odd is None else (items[odd].span, _meant_day(words[odd]))
    fields.faults.append(say("weekend-days", span, hint=hint))
    return None


def _meant_day(word: str) -> Advice | None:
    near = did_you_mean(word.lower(), DAYS)
    return None if near is None or word in DAYS else replace(near, old=word)


def calendar_of(fields: Fields) -> Holidays | None:
    """The holidays of the calendars that a parameter names, in its years; None where there are none, or a fault was reported."""
    if fields.node.get("calendar") is None:
        for key in ("years", "add", "remove", "weekend"):
            if (node := fields.node.get(key)) is not None:
                fields.faults.append(say("needless-key", node.span, key=key, thing="a parameter without a calendar"))
        return None
    texts, before = _names(fields), len(fields.faults)
    for text in texts:
        if not is_calendar(text.value):
            fields.faults.append(say("unknown-calendar", text.span, hint=_near(text.value), name=text.value))
    names = tuple(dict.fromkeys(text.value for text in texts))
    if not names or len(fields.faults) > before:
        return None
    years = _years(fields, names)
    return None if years is None else _changed(fields, names, *years)


def _names(fields: Fields) -> tuple[Authored, ...]:
    """The calendars that are named: one, or each of a list."""
    if isinstance(fields.node.get("calendar"), ScalarNode):
        name = fields.text("calendar")
        return () if name is None else (name,)
    names = fields.texts("calendar")
    node = fields.node.get("calendar")
    if not names and isinstance(node, SequenceNode):
        fields.wrong("`calendar`", "the name of a calendar, or a list of names", node)
    return names


def _near(name: str) -> Advice:
    """What may be meant by a calendar that there is not."""
    meant, known = code_meant(name), calendars_like(name)
    if meant is not None:
        return meaning(name, meant)
    if "-" in known[0]:  # codes of two letters are near to all others
        return f"there are {', '.join(sorted(known))}"
    return did_you_mean(name, known) or CODES


def _years(fields: Fields, names: tuple[str, ...]) -> tuple[int, int] | None:
    listed, (earliest, latest) = fields.node.get("years"), years_of(names)
    match plain(listed) if listed is not None else None:
        case [int(first), int(last)] if earliest <= first <= last <= latest:
            return first, last
    place = listed or fields.node.get("calendar")
    assert place is not None
    fields.faults.append(say("calendar-years", place.span, first=earliest, last=latest))
    return None


def _changed(fields: Fields, names: tuple[str, ...], first: int, last: int) -> Holidays | None:
    """The holidays with those that are added, without those that are removed."""
    before, whole = len(fields.faults), holidays_of(names, first, last)
    removed = _days(fields, "remove", whole)
    added = _days(fields, "add", whole)
    weekend = weekend_of(fields)
    if len(fields.faults) > before:
        return None
    return replace(holidays_of(names, first, last, added, removed), weekend=weekend)


def _days(fields: Fields, key: str, calendar: Holidays) -> Mapping[date, str]:
    """The days under a key with their reasons; one that changes nothing is reported."""
    found: dict[date, str] = {}
    for name, reason in fields.named(key, ISO_DATE):
        day = read_date(name, fields.faults) if ISO_DATE.fullmatch(name.value) else None
        if not isinstance(reason, ScalarNode) or not reason.text.value.strip():
            fields.wrong(f"`{name.value}`", "the reason, in words", reason)
        elif day is not None:
            why, hint = _needless(day, key, calendar)
            if why is not None:
                fields.faults.append(say("calendar-day", name.span, hint=hint, day=day, why=why))
            found[day] = reason.text.value.strip()
    return found


def _needless(day: date, key: str, calendar: Holidays) -> tuple[str | None, str | None]:
    """Why a day changes nothing in a calendar, and what may be meant."""
    if not calendar.first <= day.year <= calendar.last:
        return f"lies outside the years {calendar.first} to {calendar.last}", None
    if key == "add":
        return (f"is a holiday of {calendar.name} already", None) if day in calendar.dates else (None, None)
    if day in calendar.dates:
        return None, None
    near = min(calendar.dates, key=lambda other: abs((other - day).days), default=None)
    return f"is no holiday of {calendar.name}", f"did you mean `{near}`?" if near and abs(
        (near - day).days
    ) <= NEAR else None


NEAR = 7
"""Within so many days another holiday may be meant."""
