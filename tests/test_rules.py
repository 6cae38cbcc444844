"""The shipped rules: the tests that analysts wrote beside them, one by one, and the behaviours that were promised by name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policy_engine.analysis.rule_tests import run_case
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.decisions import Decision, Status
from tests.conftest import ROOT
from tests.support.rulebook import shipped

JULY = date(2025, 7, 1)
CASES, FAULTS = read_tests([ROOT / "rules"], shipped().rulebook)


def test_rules_and_tests_have_no_faults() -> None:
    assert [str(fault) for fault in (*shipped().rulebook.diagnostics, *FAULTS)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.ruleset}: {case.name}")
def test_case(case: RuleCase) -> None:
    result = run_case(shipped(), case)
    assert result.passed, "\n".join(result.failures)


def test_every_ruleset_and_every_decision_has_a_case() -> None:
    asked = {(case.ruleset, decision) for case in CASES for decision in case.expect}
    there = {(ruleset.id, decision.name) for ruleset in shipped().rulebook.rulesets for decision in ruleset.decisions}
    assert sorted(there - asked) == []


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
