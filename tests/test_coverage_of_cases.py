"""Removing any one test case lowers a number that coverage prints, but for cases that are named here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from policy_engine.analysis.coverage import Coverage, counted, seen_of
from policy_engine.analysis.observing import Seen
from policy_engine.analysis.rule_tests import run_case
from policy_engine.analysis.sites import sites_of
from tests.support.rulebook import shipped, shipped_cases

RULESET = "engine_access"
WITHOUT_TRACE = [
    "without a role nothing is allowed",
    "without an operation",
    "without either",
    "a role that does not exist is refused as a question",
    "so is an operation that does not exist",
]
"""Cases that try nothing of the rules: the facts are invalid by the schema, or what they lack leaves the matrix undetermined."""


def seen_by_case() -> dict[str, set[Seen]]:
    """What each case of the ruleset exercises, by its name."""
    (ruleset,) = (each for each in shipped().rulebook.rulesets if each.id == RULESET)
    cases = [case for case in shipped_cases()[0] if case.ruleset == RULESET]
    seen = seen_of(ruleset, sites_of(ruleset), [run_case(shipped(), case) for case in cases])
    return {case.name: each for case, each in zip(cases, seen, strict=True)}


def coverage_by(seen: Sequence[set[Seen]]) -> Coverage:
    """The coverage by some of the cases."""
    (ruleset,) = (each for each in shipped().rulebook.rulesets if each.id == RULESET)
    return counted([(ruleset, sites_of(ruleset))], Counter(each for case in seen for each in case))


def without(seen: dict[str, set[Seen]], name: str) -> list[set[Seen]]:
    """What all cases but one exercise."""
    return [each for case, each in seen.items() if case != name]


def test_the_number_of_times_falls_with_each_case_that_tries_anything() -> None:
    seen = seen_by_case()
    times = coverage_by(list(seen.values())).times
    assert [name for name in seen if coverage_by(without(seen, name)).times >= times] == WITHOUT_TRACE


def test_the_percentage_falls_with_each_case_that_is_not_redundant() -> None:
    """Cases are left out until none can be spared: then there is one for each cell, and none that says the same again."""
    seen = seen_by_case()
    percent = coverage_by(list(seen.values())).percent
    for name in list(seen):
        if coverage_by(without(seen, name)).percent == percent:
            del seen[name]
    assert percent == 100
    assert len(seen) == 32
    assert [name for name in seen if coverage_by(without(seen, name)).percent >= percent] == []
