"""The tests that analysts wrote beside the shipped rules. `make test` runs them here, all at once, and nowhere else."""

from __future__ import annotations

from policy_engine.analysis.coverage import coverage_of
from policy_engine.analysis.rule_tests import run_case
from tests.conftest import ROOT
from tests.support.rulebook import shipped, shipped_cases

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
    failed = [f"{result.case.span}: {result.case.name}: {told}" for result in results for told in result.failures]
    assert failed == []
    assert {result.case.ruleset for result in results} == {ruleset.id for ruleset in shipped().rulebook.rulesets}
    told = [f"{gap.span}: {gap.message}" for gap in coverage_of(shipped().rulebook.rulesets, results).gaps]
    assert [line.replace(f"{ROOT}/", "") for line in told] == UNREACHED.splitlines()
