"""Civil dates and times of instants are those of our own tables of transitions, on real databases (sentence 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from policy_engine import Engine
from policy_engine.language import clock, dates
from policy_engine.language.timezones import transitions, zone
from policy_engine.language.values import instant_text
from tests.support.sql_engines import ENGINES

ZONES = ("America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Gaza", "Asia/Kathmandu")
"""Zones with odd changes: during Ramadan, by half an hour, across the date line, by decree."""
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"moment": {"type": "string", "format": "date-time"}},
}
RULES = """
ruleset: watch
title: What a clock shows
version: "1"
effective: {from: 2000-01-01}
timezone: ZONE
facts: moment
sources: {text: {title: The text}}
decisions:
  shown: {question: What is it?, source: text, values: {day: date_of(moment), time: time_of(moment)}}
"""
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1900, 2150))
SHIFTS = (-1, 0, 43_200)
"""Seconds beside each change."""


def moments_of(name: str) -> Iterator[datetime]:
    """Instants around each change of a zone, and some between, also where offsets only repeat."""
    changes = [change.start for change in transitions(name) if FIRST <= change.start < LAST]
    for second in (*(start + shift for start in changes for shift in SHIFTS), *range(FIRST, LAST * 2, 97 * 86_400)):
        yield datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ZONES)
def test_a_query_shows_the_clock_of_its_zone(name: str, engine: str) -> None:
    rules = {"watch.yaml": RULES.replace("ZONE", name)}
    ruleset = Engine.from_text(rules, {"moment": json.dumps(SCHEMA)}).ruleset("watch", date(2025, 1, 1))
    moments = list(moments_of(name))
    answers = ENGINES[engine](ruleset, {}, date(2025, 1, 1))([{"moment": instant_text(each)} for each in moments])
    found = [answer["shown"]["values"] for answer in answers]
    place = zone(name)
    assert found == [
        {"day": dates.date_of(each, place).isoformat(), "time": clock.time_of(each, place).isoformat()}
        for each in moments
    ]
