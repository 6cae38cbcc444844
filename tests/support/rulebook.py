"""The shipped rulebook, loaded at most once in each process that runs tests."""

from __future__ import annotations

from functools import cache

from policy_engine import Engine
from policy_engine.diagnostics import Diagnostic
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import ROOT


@cache
def shipped() -> Engine:
    """An engine over `rules/` and `schemas/` of this repository."""
    return Engine.load(ROOT / "rules", ROOT / "schemas")


@cache
def shipped_cases() -> tuple[tuple[RuleCase, ...], tuple[Diagnostic, ...]]:
    """The cases of the tests that stand beside the shipped rules, and the faults of their files."""
    return read_tests([ROOT / "rules"], shipped().rulebook)
