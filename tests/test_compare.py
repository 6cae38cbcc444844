"""Two versions over the same accounts: the wait of sixty days against none."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine, PolicyError
from policy_engine.analysis.comparison import compare, differing, versions_of
from policy_engine.frontend.facts_files import Line, read_lines

ROOT = Path(__file__).parents[1]
ENGINE = Engine.load(ROOT / "rules", ROOT / "schemas")
OLD, NEW = versions_of(ENGINE.rulebook, "email_suppression", None, None)


def sender(since: str, status: str = "Healthy") -> Line:
    """An Administrator's question about a sender with one status."""
    facts = {
        "account_id": "A-1",
        "sender_status_history": [{"since": since, "status": status}],
        "actor": "agency_administrator",
        "has_access_to_client": True,
        "suppression_is_off": False,
    }
    return Line(1, 0, facts)


@pytest.mark.parametrize(
    ("since", "moves"),
    [
        ("2025-05-01", []),
        ("2025-05-02", [("suppression_removal", "allow", "deny")]),
        ("2025-06-30", [("suppression_removal", "allow", "deny")]),
    ],
)
def test_a_wait_denies_what_was_allowed_until_the_sixtieth_day(since: str, moves: list[tuple[str, str, str]]) -> None:
    found = compare(OLD, NEW, [sender(since)], date(2025, 6, 30))
    assert [move for move, _ in differing(found)] == moves


def test_invalid_records_are_counted_and_the_rest_is_compared() -> None:
    found = compare(
        OLD,
        NEW,
        [Line(1, 0, {"actor": "nobody"}), Line(2, 0, None, "not JSON"), sender("2025-06-01")],
        date(2025, 6, 30),
    )
    assert (found.compared, found.invalid) == (1, 2)


def test_every_record_of_the_fixtures_is_accounted_for() -> None:
    path = ROOT / "fixtures" / "senders.jsonl"
    found = compare(OLD, NEW, read_lines(path), date(2025, 6, 30))
    assert found.compared + found.invalid == len(path.read_text().splitlines())
    assert sum(count for (name, _, _), count in found.moves.items() if name == "suppression_removal") == found.compared


def test_a_change_shows_the_newer_answers_reason() -> None:
    found = compare(OLD, NEW, [sender("2025-06-01")], date(2025, 6, 30))
    change = found.changes[("suppression_removal", "allow", "deny")][0]
    assert (change.row, change.key) == (1, "A-1")
    assert "29 of 60 days" in change.new.reason
    assert json.dumps(change.old.to_dict())


def test_one_version_cannot_be_compared() -> None:
    with pytest.raises(PolicyError, match="`payouts` has 1 version; two are compared"):
        versions_of(ENGINE.rulebook, "payouts", None, None)


def test_an_unknown_version_is_told_with_those_there_are() -> None:
    with pytest.raises(PolicyError, match="there is no version `2020`; there is 2024-07-09, 2024-08-08"):
        versions_of(ENGINE.rulebook, "email_suppression", "2020", None)
