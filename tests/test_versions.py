"""Versions in time: the day of the question picks the text that answers, and the digest says which text it was."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine import Decision, Engine, FactsError, NotInForce, Status
from policy_engine.documents.facts_files import read_lines
from tests.conftest import ROOT
from tests.support.rulebook import shipped

NAMES = sorted({ruleset.id for ruleset in shipped().rulebook.rulesets})
FIRST_DAY, FAR_AHEAD = date(2022, 1, 1), date(2035, 1, 1)
WITHOUT_WAIT, WITH_WAIT = date(2024, 8, 7), date(2024, 8, 8)
SPRING_ROWS, SUMMER_ROWS = date(2025, 7, 23), date(2025, 7, 24)


# ---- which version answers


def test_suppression_has_no_wait_until_the_wait_begins() -> None:
    before = _removal(WITHOUT_WAIT, {"since": "2024-07-20", "status": "Healthy"})
    assert (before.ruleset.version, before.outcome, before.rules) == ("2024-07-09", "allow", ("good-standing",))
    after = _removal(WITH_WAIT, {"since": "2024-07-20", "status": "Healthy"})
    assert (after.ruleset.version, after.outcome, after.rules) == ("2024-08-08", "deny", ("still-waiting",))
    assert after.values["earliest_date"] == date(2024, 9, 18)


# The same facts under both versions: the statuses with their first days, then what comes out without and with the wait.
COMPARISON = {
    "healthy for a day": ([("2024-08-06", "Healthy")], "good-standing", "still-waiting"),
    "healthy for 59 days, then 60": ([("2024-06-09", "Healthy")], "good-standing", "waited-long-enough"),
    "healthy for 58 days, then 59": ([("2024-06-10", "Healthy")], "good-standing", "still-waiting"),
    "at risk after a long good time": (
        [("2024-01-05", "Healthy"), ("2024-07-01", "At Risk")],
        "good-standing",
        "waited-long-enough",
    ),
    "at risk and never healthy": ([("2024-01-05", "At Risk")], "good-standing", "not-healthy-yet"),
    "recovered to at risk": (
        [("2024-01-05", "Healthy"), ("2024-03-01", "Limited"), ("2024-04-01", "At Risk")],
        "good-standing",
        "not-healthy-yet",
    ),
    "unhealthy": ([("2024-01-05", "Healthy"), ("2024-08-01", "Unhealthy")], "status-too-low", "status-too-low"),
    "limited": ([("2024-08-01", "Limited")], "status-too-low", "status-too-low"),
    "new": ([("2024-08-01", "New")], "status-new", "status-new"),
}


@pytest.mark.parametrize("case", COMPARISON)
def test_the_same_facts_under_both_versions_of_suppression(case: str) -> None:
    statuses, without_wait, with_wait = COMPARISON[case]
    history = [{"since": since, "status": status} for since, status in statuses]
    assert _removal(WITHOUT_WAIT, *history).rules == (without_wait,)
    assert _removal(WITH_WAIT, *history).rules == (with_wait,)


def _removal(day: date, *history: dict[str, str]) -> Decision:
    facts = {"sender_status_history": list(history), "actor": "agency_administrator", "has_access_to_client": True}
    return shipped().decide("email_suppression.suppression_removal", facts, as_of=day)


# Role, place, whether the billing is Single Bill, and what the rows of March and those of July say of managing billing.
BILLING = {
    "a client's billing": ("account_manager", "client_account", False, "allow", "deny"),
    "a client's Single Bill": ("account_manager", "client_account", True, "allow", "allow"),
    "the partner's Single Bill": ("account_manager", "partner_account", True, "deny", "allow"),
    "the partner's billing": ("account_manager", "partner_account", False, "deny", "deny"),
    "outside a partnership": ("account_manager", "own_account_non_partner", True, "deny", "deny"),
    "by the owner": ("account_owner", "client_account", False, "allow", "allow"),
    "by a Partner Manager": ("partner_manager", "client_account", True, "deny", "deny"),
}


@pytest.mark.parametrize("activity", ["view_and_manage_billing", "make_a_payment"])
@pytest.mark.parametrize("case", BILLING)
def test_the_billing_row_changes_in_july_2025(case: str, activity: str) -> None:
    role, place, single_bill, in_spring, in_summer = BILLING[case]
    facts = {"role": role, "activity": activity, "acting_in": place, "billing_scope_is_single_bill": single_bill}
    spring = shipped().decide("user_roles.permission", facts, as_of=SPRING_ROWS)
    summer = shipped().decide("user_roles.permission", facts, as_of=SUMMER_ROWS)
    assert (spring.ruleset.version, spring.outcome) == ("2025-03-14", in_spring)
    assert (summer.ruleset.version, summer.outcome) == ("2025-07-24", in_summer)


def test_all_other_rows_are_the_same_in_both_editions_of_the_roles() -> None:
    rows = [_labels("user_roles", day) for day in (SPRING_ROWS, SUMMER_ROWS)]
    assert {cell.split(".")[0] for cell in rows[0] if rows[0][cell] != rows[1][cell]} == {
        "view_and_manage_billing",
        "make_a_payment",
    }


def _labels(name: str, day: date) -> dict[str, str]:
    matrix = shipped().ruleset(name, day).decisions[0].body
    return {cell.id: cell.label for cell in getattr(matrix, "cells", ())}


# ---- before the first version, and long after the last


@pytest.mark.parametrize("name", NAMES)
def test_before_the_first_version_the_periods_are_named(name: str) -> None:
    periods = [str(version.period) for version in shipped().rulebook.versions(name)]
    with pytest.raises(NotInForce) as raised:
        shipped().decide_all(name, {}, as_of=date(2021, 12, 31))
    assert "2021-12-31" in str(raised.value)
    assert [period for period in periods if period not in str(raised.value)] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.ruleset)
@pytest.mark.parametrize("day", [FIRST_DAY, FAR_AHEAD], ids=str)
def test_every_ruleset_answers(sample: Sample, day: date) -> None:
    answers = [answer for facts in _records(sample) for answer in _answers(sample.ruleset, facts, day)]
    assert {answer.decision.split(".")[1] for answer in answers} == {
        decision.name for decision in shipped().ruleset(sample.ruleset, day).decisions
    }
    assert {answer.status for answer in answers} <= {Status.DECIDED, Status.UNDETERMINED}
    assert any(answer.status is Status.DECIDED for answer in answers)


@pytest.mark.parametrize("name", NAMES)
def test_the_versions_follow_each_other_without_end(name: str) -> None:
    periods = [version.period for version in shipped().rulebook.versions(name)]
    assert periods[0].start == FIRST_DAY
    assert [earlier.end for earlier in periods] == [*(later.start for later in periods[1:]), None]
    assert all(version.period_because for version in shipped().rulebook.versions(name)), "the assumption is not said"


def _records(sample: Sample) -> Iterator[Any]:
    return (line.facts for line in read_lines(ROOT / "fixtures" / sample.file))


def _answers(ruleset: str, facts: Any, day: date) -> tuple[Decision, ...]:
    try:
        return tuple(shipped().decide_all(ruleset, facts, as_of=day).values())
    except FactsError:
        return ()


# ---- digests


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    """A copy of the rules and schemas, to change."""
    for folder in ("rules", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def _digests(folder: Path = ROOT) -> dict[tuple[str, str], str]:
    rulesets = Engine.load(folder / "rules", folder / "schemas").rulebook.rulesets
    return {(ruleset.id, ruleset.version): ruleset.digest for ruleset in rulesets}


def _changed(folder: Path) -> set[str]:
    """The rulesets whose digests are no longer those of the real files."""
    found, real = _digests(folder), _digests()
    return {ruleset for ruleset, version in real if found[ruleset, version] != real[ruleset, version]}


def _edit(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text("utf-8"), flags=re.MULTILINE)
    assert count > 0, f"{path.name} has no {pattern}"
    path.write_text(text, "utf-8")


def test_digests_are_all_different_and_the_same_in_every_load() -> None:
    digests = _digests()
    assert digests == _digests()
    assert len(set(digests.values())) == len(digests)


def test_an_answer_carries_the_digest_of_its_version() -> None:
    digests = _digests()
    for day in (WITHOUT_WAIT, WITH_WAIT):
        answer = _removal(day)
        assert answer.ruleset.digest == digests["email_suppression", answer.ruleset.version]


def test_comments_and_layout_do_not_change_a_digest(rulebook: Path) -> None:
    for path in (rulebook / "rules").glob("*.yaml"):
        _edit(path, r"^(decisions|definitions|cases|tables):$", r"\n# A comment.\n\n\1:     # And another.")
    flow = r"  wait: \{value: 60, unit: days, source: client-accounts-article, meaning: (.*)\}"
    block = r"  wait:\n      value: 60\n      unit: days\n      source: client-accounts-article\n      meaning: \1"
    _edit(rulebook / "rules/email_suppression.yaml", flow, block)
    _edit(rulebook / "rules/payouts.yaml", r"^title: (.*)$", r'title:\n  "\1"')
    assert _changed(rulebook) == set()


class _AsWritten(float):
    """A number that `json` writes as it was read."""

    def __new__(cls, text: str) -> _AsWritten:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def test_another_layout_of_a_schema_does_not_change_a_digest(rulebook: Path) -> None:
    path = rulebook / "schemas/charge.schema.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"), parse_float=_AsWritten), indent=7), "utf-8")
    assert _changed(rulebook) == set()


def test_a_rule_changes_the_digest_of_its_version_alone(rulebook: Path) -> None:
    _edit(rulebook / "rules/email_suppression.yaml", r"value: 60,", "value: 61,")
    real, found = _digests(), _digests(rulebook)
    assert {key for key in real if real[key] != found[key]} == {("email_suppression", "2024-08-08")}


def test_a_schema_changes_the_digests_of_every_version_over_it(rulebook: Path) -> None:
    _edit(rulebook / "schemas/sender.schema.json", r'"maxItems": 500', '"maxItems": 501')
    real, found = _digests(), _digests(rulebook)
    assert {key for key in real if real[key] != found[key]} == {
        ("email_suppression", "2024-07-09"),
        ("email_suppression", "2024-08-08"),
    }


def test_the_years_of_a_calendar_change_the_digest(rulebook: Path) -> None:
    _edit(rulebook / "rules/charge_retry.yaml", r"years: \[2021, 2050\]", "years: [2021, 2051]")
    assert _changed(rulebook) == {"charge_retry"}
