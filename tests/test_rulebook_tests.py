"""The tests that analysts wrote beside the shipped rules. `make test` runs them here, all at once, and nowhere else."""

from __future__ import annotations

from policy_engine.analysis.coverage import coverage_of
from policy_engine.analysis.gaps import told
from policy_engine.analysis.rule_tests import run_case
from tests.conftest import ROOT
from tests.support.rulebook import shipped, shipped_cases

UNREACHED = """\
rules/charge_retry.yaml:239:71 no case stands just below `day > last_attempt_on`
rules/charge_retry.yaml:288:15 no case stands just below `without_result > 0`
rules/charge_retry.yaml:295:15 no two cases show that `failures > 0` decides alone
rules/charge_retry.yaml:295:15 no case stands at `failures > 0`
rules/client_management.yaml:176:15 no two cases show that `direct_support_changed_to == "disabled"` decides alone
rules/client_management.yaml:214:15 `contract == "annual"` is false in no case that comes here
rules/client_trial.yaml:85:13 `known(deactivated_on)` is false in no case that comes here
rules/client_trial.yaml:138:19 no two cases show that `there_until_the_close` decides alone
rules/email_limits.yaml:56:15 `user_role == "administrator"` is false in no case that comes here
rules/email_limits.yaml:78:15 `user_role == "administrator"` is false in no case that comes here
rules/email_limits.yaml:85:15 `user_role == "administrator"` is false in no case that comes here
rules/email_suppression.yaml:153:15 no two cases show that `status == "At Risk"` decides alone
rules/partner_earnings.yaml:164:9 no case stands at and just above `days_after_conversion < 0`
rules/partner_earnings.yaml:218:15 no case stands at and just above `days_after_conversion < 0`
rules/partner_earnings.yaml:270:15 no case stands at and just above `days_after_conversion < 0`
rules/sender_health.yaml:185:19 `inactive` is true in no case that comes here
rules/sender_health.yaml:191:19 `inactive` is true in no case that comes here
"""
"""What no facts reach, so that no case can.

- `charge_retry`: a day from today on is no earlier than an attempt that was made, and attempts are never fewer than none. Without
  a failure there is no retry day left.
- `client_management`: support that was changed was enabled or disabled, and a contract is monthly or annual; the other of
  both is decided before.
- `client_trial`: a client without a day of deactivation was not deactivated before the cycle or in its trial either, so it
  never is what decides.
- `email_limits`: whoever is no Administrator is refused before.
- `email_suppression`: a sender that is Healthy has a day on which it became so.
- `partner_earnings`: an account that moves on the day of its conversion, or later, moves soon after it, which the first rule of
  either decision says.
- `sender_health`: an inactive lead is suppressed, or all is sent, before.
"""


def test_rules_and_tests_have_no_faults() -> None:
    _, faults = shipped_cases()
    assert [str(fault) for fault in (*shipped().rulebook.diagnostics, *faults)] == []


def test_every_ruleset_and_every_decision_has_a_case() -> None:
    cases, _ = shipped_cases()
    asked = {(case.ruleset, decision) for case in cases for decision in case.expect}
    there = {(ruleset.id, decision.name) for ruleset in shipped().rulebook.rulesets for decision in ruleset.decisions}
    assert sorted(there - asked) == []


def test_they_pass_and_leave_out_only_what_no_facts_reach() -> None:
    """One test, so that one process runs each case once: a failing case is listed with what it says."""
    cases, _ = shipped_cases()
    results = [run_case(shipped(), case) for case in cases]
    failed = [f"{result.case.span}: {result.case.name}: {why}" for result in results for why in result.failures]
    assert failed == []
    assert {result.case.ruleset for result in results} == {ruleset.id for ruleset in shipped().rulebook.rulesets}
    gaps = told(each.item for each in coverage_of(shipped().rulebook.rulesets, results).gaps)
    lines = [f"{gap.span} {gap.message}".replace(f"{ROOT}/", "") for gap in gaps]
    assert lines == UNREACHED.splitlines()
