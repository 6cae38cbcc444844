"""What must be seen of the rulebook, asked through the engine: days, money, instants, waits, missing facts.

The role tables have a file of their own, `test_role_matrices.py`; the names of readings are in `test_rulebook_names.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from policy_engine import Decision
from policy_engine.language.decisions import Status
from tests.support.rulebook import shipped

DAY = date(2025, 6, 30)
JULY = date(2025, 7, 1)
NONE: Mapping[str, str] = {}


def ask(decision: str, facts: dict[str, Any], as_of: date = DAY, readings: Mapping[str, str] = NONE) -> Decision:
    return shipped().decide(decision, facts, as_of=as_of, readings=readings)


# ---- weekdays and business days

# The billing date, the fifth weekday after it, and the tenth.
RETRIES = {
    "a Monday": ("2025-09-01", date(2025, 9, 8), date(2025, 9, 15)),
    "a leap February": ("2024-02-23", date(2024, 3, 1), date(2024, 3, 8)),
    "a Saturday": ("2025-02-01", date(2025, 2, 7), date(2025, 2, 14)),
    "a Sunday": ("2025-03-02", date(2025, 3, 7), date(2025, 3, 14)),
    "Thanksgiving in between": ("2025-11-21", date(2025, 11, 28), date(2025, 12, 5)),
    "Christmas and New Year in between": ("2025-12-19", date(2025, 12, 26), date(2026, 1, 2)),
}


@pytest.mark.parametrize("case", RETRIES)
def test_retries_come_on_the_fifth_and_tenth_weekday_and_holidays_count(case: str) -> None:
    billed, fifth, tenth = RETRIES[case]
    assert _retry_dates(billed) == (fifth, tenth)


def test_where_holidays_are_skipped_the_retries_come_later() -> None:
    later = _retry_dates("2025-12-19", {"holidays_in_retries": "are_skipped"})
    assert later == (date(2025, 12, 29), date(2026, 1, 6))


def _retry_dates(billed: str, readings: Mapping[str, str] = NONE) -> Any:
    charge = {"billing_date": billed, "opted_out_of_platform_billing": False, "payment_method": "card", "attempts": []}
    return ask("charge_retry.charge_status", charge, readings=readings).values["retry_dates"]


def test_a_payout_over_the_turn_of_the_year() -> None:
    collected = {"funds_collected_on": "2025-12-22", "bank_holidays": ["2025-12-25", "2026-01-01"]}
    window = ask("payouts.payout_window", collected).values
    assert window == {"earliest": date(2025, 12, 26), "latest": date(2025, 12, 30)}


# ---- money, exactly

# Multiple, top of the tier, e-mails sent: allowance, e-mails above it, fee.
OVERAGES = {
    "the article's example": ((10, 2500, 40_000), (25_000, 15_000, "30.000")),
    "below the allowance": ((10, 2500, 20_000), (25_000, 0, "0.000")),
    "exactly the allowance": ((10, 2500, 25_000), (25_000, 0, "0.000")),
    "one above it, not rounded": ((10, 2500, 25_001), (25_000, 1, "0.002")),
    "a thousand above it": ((12, 500, 7_000), (6_000, 1_000, "2.000")),
    "the largest multiple": ((24, 10_000, 240_007), (240_000, 7, "0.014")),
}


@pytest.mark.parametrize("case", OVERAGES)
def test_the_fee_for_sending_more(case: str) -> None:
    (multiple, top, sends), (allowance, over, fee) = OVERAGES[case]
    usage = {"plan_send_multiple": multiple, "contact_tier_top": top, "sends": sends}
    answer = ask("send_overage.overage", usage)
    assert answer.values == {"allowance": allowance, "sends_over": over, "overage_fee_usd": Decimal(fee)}
    assert str(answer.values["overage_fee_usd"]) == fee, "all places of the price are shown"


@pytest.mark.parametrize(
    ("months", "nonprofit", "item", "percent"),
    [
        (6, False, "subscription", 10),
        (12, False, "subscription", 15),
        (6, True, "subscription", 20),
        (12, True, "subscription", 30),
        (12, True, "add_on", 0),
        (7, False, "subscription", 0),
    ],
)
def test_the_discount_for_paying_in_advance(months: int, nonprofit: bool, item: str, percent: int) -> None:
    facts = {"prepay_months": months, "nonprofit": nonprofit, "item": item}
    assert ask("send_overage.prepay_discount", facts).values == {"discount_percent": percent}


# Contacts: the fee in US dollars, Australian dollars and pounds, and where 10,000 belongs to the top tier.
STORAGE = {
    0: ((5, 7, 5), (5, 7, 5)),
    2_500: ((5, 7, 5), (5, 7, 5)),
    2_501: ((10, 13, 10), (10, 13, 10)),
    9_999: ((10, 13, 10), (10, 13, 10)),
    10_000: ((10, 13, 10), (20, 26, 20)),
    10_001: ((20, 26, 20), (20, 26, 20)),
}


@pytest.mark.parametrize("contacts", STORAGE)
@pytest.mark.parametrize("tier", ["middle_tier", "top_tier"])
def test_the_storage_fee_in_three_currencies(contacts: int, tier: str) -> None:
    expected = STORAGE[contacts][tier == "top_tier"]
    for currency, amount in zip(("USD", "AUD", "GBP"), expected, strict=True):
        account = {"contacts": contacts, "currency": currency}
        answer = ask("suspended_account.monthly_fee", account, readings={"ten_thousand_contacts": tier})
        assert answer.values == {"amount": amount, "currency": currency}


# ---- instants become days in New York, also where the clocks change in between

# An event, and a move some seconds around the midnight that ends its sixtieth day.
CLOCK_CHANGES = {
    "spring, the last second": ("2025-01-08", "2025-03-10T03:59:59Z", "eligible"),
    "spring, midnight": ("2025-01-08", "2025-03-10T04:00:00Z", "not_eligible"),
    "spring, midnight in winter's hours": ("2025-01-08", "2025-03-10T05:00:00Z", "not_eligible"),
    "autumn, the last second": ("2025-09-03", "2025-11-03T04:59:59Z", "eligible"),
    "autumn, midnight": ("2025-09-03", "2025-11-03T05:00:00Z", "not_eligible"),
    "autumn, midnight in summer's hours": ("2025-09-03", "2025-11-03T04:00:00Z", "eligible"),
    "written far from New York": ("2025-09-03", "2025-11-03T13:59:59+09:00", "eligible"),
}


@pytest.mark.parametrize("case", CLOCK_CHANGES)
def test_an_instant_is_a_day_in_new_york(case: str) -> None:
    converted, moved_at, expected = CLOCK_CHANGES[case]
    move = {
        "destination_category": "referred",
        "customer_conversion_date": converted,
        "move_effective_at": moved_at,
        "partner_deployment_date": "2020-01-01",
    }
    assert ask("partner_earnings.new_account_bonus", move, date(2025, 12, 1)).outcome == expected


def test_an_evening_in_new_york_is_the_day_before_in_utc() -> None:
    charge = {"billing_at": "2025-03-10T03:59:59Z", "opted_out_of_platform_billing": False, "payment_method": "card"}
    periods = ask("charge_retry.invoice_periods", {**charge, "attempts": []}).values
    assert periods["billing_date"] == date(2025, 3, 9)


# ---- behaviours that were promised by name


def move(days: int | None, deployed: str = "2020-01-01", converted: str = "2025-01-01") -> dict[str, object]:
    """A move to Referred so many days after the conversion; None: there was no conversion, and the move is on 2025-03-02."""
    moved = date.fromisoformat(converted) + timedelta(days=60 if days is None else days)
    facts: dict[str, object] = {
        "destination_category": "referred",
        "move_effective_date": moved.isoformat(),
        "partner_deployment_date": deployed,
    }
    return facts if days is None else facts | {"customer_conversion_date": converted}


@pytest.mark.parametrize("decision", ["new_account_bonus", "revenue_share"])
@pytest.mark.parametrize(
    ("days", "choice", "outcome"),
    [
        (60, "counts", "eligible"),
        (61, "counts", "not_eligible"),
        (59, "does_not_count", "eligible"),
        (60, "does_not_count", "not_eligible"),
    ],
)
def test_the_sixtieth_day_after_the_conversion(decision: str, days: int, choice: str, outcome: str) -> None:
    readings = {"day_60": choice}
    answer = shipped().decide(f"partner_earnings.{decision}", move(days), as_of=JULY, readings=readings)
    assert answer.outcome == outcome
    assert f"{days} days after the conversion" in answer.reason
    assert answer.readings["day_60"] == choice


@pytest.mark.parametrize("decision", ["new_account_bonus", "revenue_share"])
@pytest.mark.parametrize(("deployed", "outcome"), [("2025-02-01", "eligible"), ("2020-01-01", "not_eligible")])
def test_without_a_conversion_the_deployment_decides(decision: str, deployed: str, outcome: str) -> None:
    assert shipped().decide(f"partner_earnings.{decision}", move(None, deployed), as_of=JULY).outcome == outcome


def test_a_missing_role_is_undetermined() -> None:
    facts = {"activity": "send_test_emails", "acting_in": "client_account"}
    answer = shipped().decide("user_roles.permission", facts, as_of=date(2025, 8, 1))
    assert (answer.status, answer.outcome, answer.missing) == (Status.UNDETERMINED, None, ("role",))
    assert "role" in answer.reason


def sender(*history: tuple[str, str]) -> dict[str, object]:
    """An agency's Administrator asks about a client with this history."""
    entries = [{"since": since, "status": status} for since, status in history]
    return {"sender_status_history": entries, "actor": "agency_administrator", "has_access_to_client": True}


def removal(day: str, *history: tuple[str, str]) -> Decision:
    """May suppression be switched off on that day?"""
    return shipped().decide("email_suppression.suppression_removal", sender(*history), as_of=date.fromisoformat(day))


def test_the_wait_is_sixty_days() -> None:
    healthy = ("2025-01-01", "Healthy")
    assert removal("2025-03-01", healthy).outcome == "deny"
    assert removal("2025-03-02", healthy).outcome == "allow"


def test_the_wait_restarts_after_a_drop_to_limited() -> None:
    history = [("2025-01-01", "Healthy"), ("2025-02-20", "Limited"), ("2025-02-21", "Healthy")]
    answer = removal("2025-03-02", *history)
    assert answer.outcome == "deny"
    assert answer.values["healthy_since"] == date(2025, 2, 21)
    assert answer.values["earliest_date"] == date(2025, 4, 22)
    assert removal("2025-04-22", *history).outcome == "allow"


def test_the_wait_is_kept_through_at_risk() -> None:
    history = [("2025-01-01", "Healthy"), ("2025-02-20", "At Risk"), ("2025-02-25", "Healthy")]
    answer = removal("2025-03-02", *history)
    assert (answer.outcome, answer.values["healthy_since"]) == ("allow", date(2025, 1, 1))


def test_the_wait_ignores_what_has_not_happened_yet() -> None:
    history = [("2025-01-01", "Healthy"), ("2025-03-03", "Limited")]
    assert removal("2025-03-02", *history).outcome == "allow"
    assert removal("2025-03-03", *history).outcome == "deny"
