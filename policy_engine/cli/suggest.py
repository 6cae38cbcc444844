"""`policy test --suggest`: cases for the rules and cells that no case comes by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from policy_engine.analysis.suggesting import suggestions_for
from policy_engine.cli.mutate import show_case, write_cases
from policy_engine.cli.show import console, safe
from policy_engine.frontend.loader import TEST_SUFFIX, Rulebook
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.rulesets import Ruleset


def suggest(rulebook: Rulebook, cases: Sequence[RuleCase], tries: int, *, everything: bool, write: bool) -> bool:
    """Show the cases suggested for each ruleset that has cases, or for `everything`, and tell whether all is done.

    `write` adds them to the test files, which may be written so that it cannot be done.
    """
    tested, done = {case.ruleset for case in cases}, True
    for ruleset in rulebook.rulesets:
        if everything or ruleset.id in tested:
            own = [case for case in cases if case.is_of(ruleset)]
            done &= _suggest(ruleset, own, tries, write=write)
    return done


def _suggest(ruleset: Ruleset, cases: Sequence[RuleCase], tries: int, *, write: bool) -> bool:
    found = suggestions_for(ruleset, cases, tries)
    for case in found.cases:
        show_case(case)
    for way in found.not_found:
        words = f"{ruleset.path}: no facts were found in {tries:,} tries that come by {way}"
        console().print(safe(words))
    if not found.cases and not found.not_found:
        console().print(safe(f"{ruleset.id} {ruleset.version}: every rule and cell has a case"))
    if not (found.cases and write):
        return True
    path = Path(ruleset.path)
    own = path.with_name(f"{ruleset.id}{TEST_SUFFIX}{path.suffix}")
    return write_cases(Path(cases[0].span.path) if cases else own, found.cases)
