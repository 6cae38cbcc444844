"""Looking for facts that show what changed between two sides, near the test cases that lie beside their rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from policy_engine.analysis.change_witnesses import compare_sides
from policy_engine.frontend.loader import TEST_SUFFIX, Rulebook
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.rule_changes import Asked, SearchedChanges
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.comparison.side import Side


def searched_changes(old: Side, new: Side, tries: int) -> SearchedChanges:
    """The changes from one side to the other, with what was found in so many tries for each.

    Where both are asked on one day, other days are asked after it: the changes are those of all days.
    """
    on_one_day = old.as_of == new.as_of and old.readings == new.readings
    before, after = (Asked(side.ruleset, None if on_one_day else side.as_of, side.readings) for side in (old, new))
    cases = dict.fromkeys(str(path) for side in (old, new) for path in _test_files(side.ruleset))
    both = Rulebook((old.ruleset, new.ruleset), ())
    return compare_sides(before, after, [case for path in cases for case in _cases(Path(path), both)], tries, new.as_of)


def _test_files(ruleset: Ruleset) -> Iterator[Path]:
    """The test file beside a rule file, where there is one."""
    path = Path(ruleset.path)
    tests = path.with_name(f"{ruleset.id}{TEST_SUFFIX}{path.suffix}")
    if tests.is_file():
        yield tests


def _cases(path: Path, rulebook: Rulebook) -> tuple[RuleCase, ...]:
    """The cases that can be read; what is wrong with others is for `policy test` to say."""
    cases, _ = read_tests([path], rulebook)
    return cases
