"""The shipped rulebook, loaded at most once in each process that runs tests."""

from __future__ import annotations

from functools import cache

from policy_engine import Engine
from tests.conftest import ROOT


@cache
def shipped() -> Engine:
    """An engine over `rules/` and `schemas/` of this repository."""
    return Engine.load(ROOT / "rules", ROOT / "schemas")
