"""Only the rulesets that are asked for are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine, RulesetError, UnknownDecision

ROOT = Path(__file__).parents[1]
DAY = date(2025, 6, 30)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with a sound ruleset in two versions, another, and a broken one."""
    for name in ("email_suppression.yaml", "email_suppression.before-2024-08-08.yaml", "payouts.yaml"):
        (tmp_path / name).write_text((ROOT / "rules" / name).read_text())
    (tmp_path / "broken.yaml").write_text("ruleset: broken\ndecisions: nothing\n")
    return tmp_path


def test_every_version_of_what_is_asked_for_is_read_and_nothing_else(rules: Path) -> None:
    engine = Engine.load(rules, ROOT / "schemas", only=["email_suppression"])
    assert [ruleset.version for ruleset in engine.rulebook.rulesets] == ["2024-07-09", "2024-08-08"]


def test_without_a_wish_everything_is_read(rules: Path) -> None:
    with pytest.raises(RulesetError, match=r"broken\.yaml"):
        Engine.load(rules, ROOT / "schemas")


def test_where_nothing_has_the_name_everything_is_read_so_that_the_nearest_can_be_told(rules: Path) -> None:
    (rules / "broken.yaml").unlink()
    engine = Engine.load(rules, ROOT / "schemas", only=["payout"])
    with pytest.raises(UnknownDecision, match="did you mean `payouts`"):
        engine.decide("payout.payout_window", {}, as_of=DAY)
