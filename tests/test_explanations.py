"""One explanation for three readers: what each is told, what a customer is not, and in which forms."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine, Status
from policy_engine.cli.main import main
from policy_engine.reports.explanations import MASK, Reader, as_text, explained
from tests.conftest import ROOT, lay_out

NOVEMBER, JUNE = date(2025, 11, 3), date(2025, 6, 30)
DAY_75 = {"enrolled_in_single_bill": False, "balance_past_due": True, "days_past_due": 75}
PLACE = re.compile(r"(\.yaml):[0-9]+:[0-9]+")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

FOR_THE_CUSTOMER = """
The answer to “Is the account cancelled by itself because it was not paid for?” is no.
The balance is 75 days past due, and the account is cancelled only after 75.
"""
FOR_THE_AGENT = """
The answer to “Is the account cancelled by itself because it was not paid for?” is no.
The balance is 75 days past due, and the account is cancelled only after 75.

What decided
  never-in-single-bill does not apply
    default(enrolled_in_single_bill, false) is false (enrolled_in_single_bill is false)
  nothing-past-due does not apply
    balance_past_due is true
  not-long-enough applies
    known(days_past_due) is true (days_past_due is 75)
    days_past_due <= unpaid_days_allowed is true (days_past_due is 75, unpaid_days_allowed is 75)
"""
FOR_THE_AUDITOR = """
suspended_account.automatic_cancellation: no (decided)
question: Is the account cancelled by itself because it was not paid for?
reason: The balance is 75 days past due, and the account is cancelled only after 75.
rules: not-long-enough
missing: none
as of: 2025-11-03 (America/New_York)

Rules
  never-in-single-bill: does not apply (rules/suspended_account.yaml)
    in_single_bill = false [definition]
      default(enrolled_in_single_bill, false) = false
        enrolled_in_single_bill = false [fact]
  nothing-past-due: does not apply (rules/suspended_account.yaml)
    all = false
      known(balance_past_due) = true
        balance_past_due = true [fact]
      not balance_past_due = false
        balance_past_due = true [fact]
  not-long-enough: applies (rules/suspended_account.yaml)
    all = true
      known(days_past_due) = true
        days_past_due = 75 [fact]
      days_past_due <= unpaid_days_allowed = true
        days_past_due = 75 [fact]
        unpaid_days_allowed = 75 [parameter: days, k5772]
  unpaid-too-long: not reached (rules/suspended_account.yaml)

Readings
  day_75: Is an account cancelled on the seventy-fifth day of non-payment, or after it? (fixed)
    after_it (taken): Who pays on day 75 has paid within 75 days, so the cancellation comes on day 76. This choice is ours.
    on_it: On day 75 there have been 75 days of non-payment.
  own_account_article: Does what the article on pausing one's own account says hold for a client account as well? (fixed)
    holds (taken): It is the same account and the same suspension, whoever asks for it.
    own_accounts_only: The article for partners does not repeat it.

Sources
  k5772: Pausing and unpausing an account, 000005772, updated 2024-11-04

Ruleset
  suspended_account, version 2025-10-09, from 2022-01-01
  digest DIGEST
"""

PATIENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "note", "born_on", "visits"],
    "properties": {
        "name": {"type": "string", "x-sensitive": True},
        "note": {"type": "string"},
        "born_on": {"type": "string", "format": "date", "x-sensitive": True},
        "visits": {
            "type": "array",
            "maxItems": 9,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["seen_on", "ward"],
                "properties": {
                    "seen_on": {"type": "string", "format": "date"},
                    "ward": {"type": "string", "x-sensitive": True},
                },
            },
        },
        "doctor": {
            "type": "object",
            "x-sensitive": True,
            "additionalProperties": False,
            "properties": {"desk": {"type": "string"}},
        },
    },
}
ADMISSION = """
ruleset: admission
title: Who is admitted
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: patient
definitions:
  grown_up_on: add_years(born_on, 18)
  wards: list(v.ward for v in visits)
  days: list(v.seen_on for v in visits)
decisions:
  ward:
    question: Is this person admitted to the ward for grown-ups?
    outcomes: [admitted, not_admitted]
    with: {since: grown_up_on}
    rules:
      - id: grown-up
        when: grown_up_on <= as_of
        then: admitted
        because: "HOLE"
    otherwise: {then: not_admitted, because: "Too young until {grown_up_on}."}
  birthday:
    question: When was this person born?
    values: {born: born_on}
"""
ADA: dict[str, Any] = {
    "name": "Ada",
    "note": "is early",
    "born_on": "1990-01-02",
    "visits": [{"seen_on": "2024-05-06", "ward": "W7"}],
    "doctor": {"desk": "D9"},
}
# A hole of a sentence, what the customer reads there, and what the agent does.
HOLES = {
    "a plain fact": ("{note}", "is early", "is early"),
    "a sensitive fact": ("{name}", MASK, "Ada"),
    "a definition over one": ("{grown_up_on}", MASK, "2008-01-02"),
    "a value over such a definition": ("{since}", MASK, "2008-01-02"),
    "a decision over one": ("{decisions.birthday.born}", MASK, "1990-01-02"),
    "a sensitive member of a list": ("{wards}", MASK, "W7"),
    "a plain member of the same list": ("{days}", "2024-05-06", "2024-05-06"),
    "a member of a sensitive record": ("{doctor.desk}", MASK, "D9"),
    "the day": ("{as_of}", "2025-06-30", "2025-06-30"),
}
Command = Callable[..., str]


def told(engine: Engine, decision: str, facts: dict[str, Any], day: date, reader: Reader) -> str:
    explanation = engine.explain(decision, facts, as_of=day)
    ruleset = engine.ruleset(decision.partition(".")[0], day)
    text = as_text(explained(explanation, ruleset, reader))
    return PLACE.sub(r"\1", text).replace(explanation.decision.ruleset.digest, "DIGEST")


def admission(folder: Path, hole: str = "{name}") -> Engine:
    lay_out(
        {
            "rules/admission.yaml": ADMISSION.replace("HOLE", hole),
            "schemas/patient.schema.json": json.dumps(PATIENT),
        },
        folder,
    )
    return Engine.load(folder / "rules", folder / "schemas")


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `policy explain admission.ward` over facts, with further options, and gives what it prints."""

    def command(facts: dict[str, Any], *options: str, hole: str = "{name} {note}") -> str:
        admission(tmp_path, hole)
        (tmp_path / "facts.json").write_text(json.dumps(facts), "utf-8")
        monkeypatch.chdir(tmp_path)
        question = ("explain", "admission.ward", "--as-of", "2025-06-30", "--facts", "facts.json")
        monkeypatch.setattr(sys, "argv", ["policy", *question, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return command


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (Reader.CUSTOMER, FOR_THE_CUSTOMER),
        (Reader.AGENT, FOR_THE_AGENT),
        (Reader.AUDITOR, FOR_THE_AUDITOR),
    ],
)
def test_what_each_reader_is_told(reader: Reader, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    engine = Engine.load("rules/suspended_account.yaml")
    decision = "suspended_account.automatic_cancellation"
    assert told(engine, decision, DAY_75, NOVEMBER, reader) == expected.removeprefix("\n")


@pytest.mark.parametrize("reader", [Reader.CUSTOMER, Reader.AGENT])
def test_who_asks_in_vain_is_told_what_is_missing(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    engine = Engine.load("rules/suspended_account.yaml")
    text = told(engine, "suspended_account.automatic_cancellation", {"balance_past_due": True}, NOVEMBER, reader)
    assert "is not known yet.\nThis cannot be decided without days_past_due.\n" in text
    agent = "days_past_due > unpaid_days_allowed is unknown, for days_past_due is absent"
    assert (agent in text) == (reader is Reader.AGENT)


# What is withheld.


@pytest.mark.parametrize("case", HOLES)
def test_a_customer_is_not_told_sensitive_facts(case: str, tmp_path: Path) -> None:
    hole, customer, agent = HOLES[case]
    engine = admission(tmp_path, f"Because of {hole}.")
    assert f"\nBecause of {customer}.\n" in told(engine, "admission.ward", ADA, JUNE, Reader.CUSTOMER)
    assert f"\nBecause of {agent}.\n" in told(engine, "admission.ward", ADA, JUNE, Reader.AGENT)
    assert f"\nreason: Because of {agent}.\n" in told(engine, "admission.ward", ADA, JUNE, Reader.AUDITOR)


def test_otherwise_withholds_too(tmp_path: Path) -> None:
    child = {**ADA, "born_on": "2015-01-02"}
    assert f"Too young until {MASK}." in told(admission(tmp_path), "admission.ward", child, JUNE, Reader.CUSTOMER)


def test_only_explanations_for_customers_withhold(tmp_path: Path) -> None:
    answer = admission(tmp_path, "{name}").decide("admission.ward", ADA, as_of=JUNE)
    assert (answer.status, answer.reason) == (Status.DECIDED, "Ada")


# The forms.


def test_json_is_the_sections(explain: Command) -> None:
    sections = json.loads(explain(ADA, "--for", "agent", "--json"))
    assert [section["heading"] for section in sections] == ["", "What decided", "Values"]
    assert sections[1]["lines"] == [
        {"depth": 0, "text": "grown-up applies"},
        {"depth": 1, "text": "grown_up_on <= as_of is true (grown_up_on is 2008-01-02, as_of is 2025-06-30)"},
    ]


def test_json_withholds_as_text_does(explain: Command) -> None:
    printed = explain(ADA, "--for", "customer", "--json")
    assert MASK in printed
    assert "Ada" not in printed


def test_markdown_is_lists_under_headings(explain: Command) -> None:
    assert explain(ADA, "--for", "agent", "--markdown") == (
        "The answer to “Is this person admitted to the ward for grown-ups?” is admitted.\n"
        "Ada is early\n"
        "\n## What decided\n\n"
        "- grown-up applies\n"
        "  - grown_up_on \\<= as_of is true (grown_up_on is 2008-01-02, as_of is 2025-06-30)\n"
        "\n## Values\n\n"
        "- since: 2008-01-02\n"
    )


def test_facts_cannot_write_markdown(explain: Command) -> None:
    facts = {**ADA, "note": "# *a* [b](c) <i>d</i> `e` | _f_"}
    line = r"# \*a\* \[b\](c) \<i\>d\</i\> \`e\` \| \_f\_"
    assert f"Ada {line}\n" in explain(facts, "--for", "agent", "--markdown")


@pytest.mark.parametrize("form", ["--json", None])
def test_without_a_decision_every_one_is_explained(
    form: str | None, explain: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    explain(ADA)
    options = [form] if form else []
    monkeypatch.setattr(
        sys, "argv", ["policy", "explain", "admission", "--facts", "facts.json", "--for", "customer", *options]
    )
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out
    if form:
        assert set(json.loads(printed)) == {"ward", "birthday"}
    else:
        assert printed.count("The answer to") == 2


@pytest.mark.parametrize("form", ["--markdown", None])
@pytest.mark.parametrize("reader", list(Reader))
def test_no_control_characters_reach_the_terminal(reader: Reader, form: str | None, explain: Command) -> None:
    nasty = "a\x1b[31mb\x1b]0;title\x07c\x9b1md\x7fe\u202ef\rg\th"
    options = [form] if form else []
    printed = explain({**ADA, "name": nasty, "note": nasty}, "--for", str(reader), *options)
    assert CONTROLS.findall(printed) == []
    assert "\\x1b" in printed


def test_json_writes_escapes_as_json_does(explain: Command) -> None:
    printed = explain({**ADA, "note": "a\x1b[31mb"}, "--for", "agent", "--json")
    assert "\x1b" not in printed
    assert "a\x1b[31mb" in json.loads(printed)[0]["lines"][1]["text"]
