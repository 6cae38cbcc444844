"""`policy rules` and `policy compare` over the shipped rulebook, as a person runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.commands import policy, policy_process


def test_the_list_names_every_ruleset_with_its_versions_and_questions() -> None:
    told = policy("rules").out
    assert "email_suppression  When an agency may switch" in told
    assert "  version 2024-07-09, from 2022-01-01 until 2024-08-08\n" in told
    assert "  payout_window: " in told


def test_a_page_is_printed_as_it_is_written() -> None:
    page = (ROOT / "docs" / "rulebook" / "payouts.md").read_text()
    assert policy("rules", "show", "payouts").out == page


def test_the_generated_functions_can_be_read() -> None:
    told = policy("rules", "show", "email_suppression", "--code", "--as-of", "2025-06-30").out
    assert "def decide_suppression_removal(facts, as_of):" in told
    assert "Healthy" not in told, "author text never becomes program text"


def test_an_unknown_ruleset_is_told_with_those_there_are() -> None:
    ran = policy("rules", "show", "payout")
    assert ran.code == 2
    assert ran.out == ""
    assert "there is no ruleset `payout`" in ran.err


def test_stale_and_lost_pages_are_found_and_mended(tmp_path: Path) -> None:
    assert policy("rules", "docs", "--out", str(tmp_path)).code == 0
    assert policy("rules", "docs", "--out", str(tmp_path), "--check").code == 0
    page, lost = tmp_path / "payouts.md", tmp_path / "gone.md"
    lost.write_text(page.read_text())
    page.write_text(page.read_text() + "old")
    checked = policy("rules", "docs", "--out", str(tmp_path), "--check")
    assert checked.code == 1
    assert "payouts.md is not current" in checked.err
    assert "gone.md is the page of no ruleset" in checked.err
    policy("rules", "docs", "--out", str(tmp_path))
    assert policy("rules", "docs", "--out", str(tmp_path), "--check").code == 0
    assert not lost.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("payouts", "--facts", "fixtures/payouts.jsonl"), "`payouts` has 1 version; two are compared"),
        (("email_suppression", "--facts", "nowhere.jsonl"), "nowhere.jsonl"),
        (("email_suppression", "--facts", "fixtures/senders.jsonl", "--old", "2020"), "there is no version `2020`"),
        (("email_suppression", "--facts", "fixtures/senders.jsonl", "--as-of", "June"), "`June` is not a date"),
    ],
)
def test_what_cannot_be_compared_is_told(arguments: tuple[str, ...], told: str) -> None:
    ran = policy("compare", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert told in ran.err


def test_the_comparison_shows_whose_answer_changes_and_why() -> None:
    ran = policy("compare", "email_suppression", "--facts", "fixtures/senders.jsonl", "--as-of", "2025-06-30")
    assert ran.out.startswith("email_suppression: version 2024-07-09 against 2024-08-08, as of 2025-06-30\n")
    assert "\n141 accounts, 134 compared, 7 invalid\n" in ran.out
    assert (
        "suppression_removal: allow -> deny: 24\n  the rule still-waiting is new: `all of known(clock_started_on);"
        in ran.out
    )
    assert ran.code == 3


def test_the_code_of_a_decision_is_the_same_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names come in one order, whatever order Python's sets have, which the seed of their hashes decides."""
    shown = []
    for seed in ("0", "1", "2", "3"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        shown.append(policy_process("rules", "show", "client_management", "--code", "--as-of", "2025-06-30"))
    assert shown[0].code == 0
    assert len({each.out for each in shown}) == 1
