"""What must be seen of the rulebook, asked through the engine: days, money, instants, coverage.

The role tables have a file of their own, `test_role_matrices.py`; the names of readings are in `test_names.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policy_engine import Decision
from policy_engine.analysis.coverage import coverage_of
from policy_engine.analysis.rule_tests import CaseResult, run_case
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import ROOT
from tests.support.rulebook import shipped

DAY = date(2025, 6, 30)
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


# ---- the tests that stand beside the rules


@pytest.fixture(scope="module")
def results() -> list[CaseResult]:
    cases, faults = read_tests([ROOT / "rules"], shipped().rulebook)
    assert list(faults) == []
    return [run_case(shipped(), case) for case in cases]


UNREACHED = """\
rules/charge_retry.yaml:295:15: no case stands on `failures > 0`: both sides equal
rules/client_trial.yaml:86:9: no case stands on `deactivated_on > agency_cycle_close_date`: the left side one more
rules/partner_earnings.yaml:164:9: no case stands on `days_after_conversion < 0`: both sides equal
rules/partner_earnings.yaml:218:15: no case stands on `days_after_conversion < 0`: both sides equal
rules/partner_earnings.yaml:270:15: no case stands on `days_after_conversion < 0`: both sides equal
"""
"""Boundaries on which no answer depends. Without a failure there is no retry day left. A client that leaves after the close does
not leave before its trial ends, which is enough by itself. An account that moves on the day of its conversion moves soon
after it, which the first rule of either decision says."""


def test_they_pass_and_leave_out_only_what_no_facts_reach(results: list[CaseResult]) -> None:
    coverage = coverage_of(shipped().rulebook.rulesets, results)
    assert [result.case.name for result in results if not result.passed] == []
    told = [f"{gap.span}: {gap.told}" for gap in coverage.gaps]
    assert [line.replace(f"{ROOT}/", "") for line in told] == UNREACHED.splitlines()


def test_every_ruleset_is_under_test(results: list[CaseResult]) -> None:
    assert {result.case.ruleset for result in results} == {ruleset.id for ruleset in shipped().rulebook.rulesets}
