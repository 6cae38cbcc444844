"""Units: which words name the same one, and what products and quotients of them are."""

from __future__ import annotations

import pytest

from policy_engine.language.units import PLAIN, unit_of


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("days", "days"),
        ("Calendar day", "days"),
        ("working-days", "business days"),
        ("EUR", "EUR"),
        ("euro", "EUR"),
        ("\u20ac", "EUR"),
        ("US dollars", "USD"),
        ("%", "percent"),
        ("per cent", "percent"),
        ("euros per day", "EUR per day"),
        ("EUR per contact per month", "EUR per contact per month"),
        ("Account Owners", "account owners"),
    ],
)
def test_words_name_a_unit_in_whatever_number_and_letters(words: str, name: str) -> None:
    unit = unit_of(words)
    assert unit.name == name
    assert unit.words == words


def test_products_and_quotients() -> None:
    euros, days, daily = unit_of("EUR"), unit_of("days"), unit_of("euros per day")
    assert euros.times(days) == days.times(euros)
    assert euros.times(days).name == "EUR times days"
    assert euros.times(days).words == ""
    assert daily.times(days) == euros
    assert daily.times(days).words == "EUR"
    assert euros.times(days, -1) == daily
    assert days.times(days, -1) == PLAIN
    assert days.times(PLAIN) == days
    assert PLAIN.times(days, -1).name == "one per day"
