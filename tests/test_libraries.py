"""Libraries: what a digest covers, which files are read, and that a ruleset with taken parts answers like one that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine, RulesetError
from policy_engine.analysis.coverage import coverage_of
from policy_engine.analysis.rule_tests import run_case
from policy_engine.frontend.loader import load
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.traces import Step
from policy_engine.reports.rule_pages import page_of
from tests.conftest import lay_out, said
from tests.support.commands import policy

DAY = date(2025, 2, 1)
FACTS = {"billed_on": "2025-01-10"}
COMMON = """\
library: common
title: What is shared
version: "1"
effective: {from: 2020-01-01}
facts: invoice
sources:
  terms: {title: The terms}
readings:
  last_day: {question: Q, choice: counts, choices: {counts: Y, does_not: N}, source: terms}
parameters:
  grace: {value: 14, unit: days, source: terms}
  fee: {value: 4.90, unit: euros}
tables:
  rates: {keys: {days: range}, columns: {rate: integer}, from: rates.csv}
definitions:
  days_open: days_between(billed_on, as_of)
  is_late: days_open > grace if last_day == "counts" else days_open >= grace
  rate: rates[days_open].rate
"""
HEAD = """\
ruleset: dunning
title: Reminders
version: "1"
effective: {from: 2025-01-01}
timezone: Europe/Berlin
facts: invoice
"""
USE = "use: {common: [is_late, rate]}\n"
DECISION = """\
decisions:
  remind: {question: Is a reminder sent?, values: {late: is_late, rate: rate}}
"""
SCHEMA = """\
{"type": "object", "additionalProperties": false, "required": ["billed_on"],
 "properties": {"billed_on": {"type": "string", "format": "date"}}}
"""
FILES = {
    "rules/common.yaml": COMMON,
    "rules/rates.csv": "days_from,days_below,rate\n,30,1\n30,,2\n",
    "rules/dunning.yaml": HEAD + USE + DECISION,
    "schemas/invoice.schema.json": SCHEMA,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a library and a ruleset that takes parts of it."""
    lay_out(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def digest() -> str:
    (ruleset,) = Engine.load().rulebook.rulesets
    return ruleset.digest


def change(old: str, new: str, name: str = "rules/common.yaml") -> None:
    text = Path(name).read_text("utf-8")
    assert old in text
    Path(name).write_text(text.replace(old, new), "utf-8")


# Digests.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 14", "value: 15"),
        ("value: 14", "value: 14.0"),
        ("title: The terms", "title: Other terms"),
        ("choice: counts", "choice: does_not"),
        ("days_open > grace", "days_open >= grace"),
        ("  days_open: days_between(billed_on, as_of)\n", ""),
    ],
)
def test_the_digest_covers_what_is_taken_with_all_that_comes_along(old: str, new: str) -> None:
    before = digest()
    change(old, new)
    if not new:  # the same definition, behind the others
        Path("rules/common.yaml").write_text(Path("rules/common.yaml").read_text() + old)
    assert digest() != before


def test_the_digest_covers_the_rows_of_a_table_that_is_taken() -> None:
    before = digest()
    change("30,,2", "30,,3", "rules/rates.csv")
    assert digest() != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 4.90", "value: 5.90"),
        ("  fee: {value: 4.90, unit: euros}\n", ""),
        ("title: What is shared", "title: What all share"),
        ('version: "1"', 'version: "2"'),
        ("parameters:\n", "parameters:   # with a comment\n"),
    ],
)
def test_the_digest_covers_nothing_else_of_the_library(old: str, new: str) -> None:
    before = digest()
    change(old, new)
    assert digest() == before


def test_the_order_of_what_is_listed_is_part_of_the_digest() -> None:
    before = digest()
    change("[is_late, rate]", "[rate, is_late]", "rules/dunning.yaml")
    assert digest() != before


# Answers.


def test_a_ruleset_answers_as_if_the_parts_were_its_own() -> None:
    taken = Engine.load().decide("dunning.remind", FACTS, as_of=DAY)
    Path("rules/common.yaml").unlink()
    own = COMMON.partition("facts: invoice\n")[2]
    Path("rules/dunning.yaml").write_text(HEAD + own + DECISION, "utf-8")
    written = Engine.load().decide("dunning.remind", FACTS, as_of=DAY)
    assert (taken.values, taken.readings, taken.sources) == (written.values, written.readings, written.sources)
    assert taken.values == {"late": True, "rate": 1}


def test_a_reading_of_a_library_is_switched_in_the_ruleset() -> None:
    answers = [
        Engine.load().decide("dunning.remind", {"billed_on": "2025-01-18"}, as_of=DAY, readings={"last_day": choice})
        for choice in ("counts", "does_not")
    ]
    assert [answer.values["late"] for answer in answers] == [False, True]


# Files.


def broken(rules: Path) -> None:
    (rules / "broken.yaml").write_text('library: broken\ntitle: T\nversion: "1"\ndefinitions: {a: n}\n')


def elsewhere(rules: Path) -> None:
    (rules / "common.yaml").rename(rules / "other.yml")


@pytest.mark.parametrize("change_files", [broken, elsewhere])
def test_only_the_libraries_of_what_is_wanted_are_read(folder: Path, change_files: Callable[[Path], None]) -> None:
    change_files(folder / "rules")
    engine = Engine.load(only=["dunning"])
    assert engine.decide("dunning.remind", FACTS, as_of=DAY).values["rate"] == 1
    assert [library.id for library in engine.rulebook.libraries] == ["common"]


def test_a_broken_library_is_told_where_all_is_read(folder: Path) -> None:
    broken(folder / "rules")
    with pytest.raises(RulesetError, match=r"broken\.yaml:4:18"):
        Engine.load()


def test_a_ruleset_finds_its_library_beside_itself() -> None:
    assert Engine.load("rules/dunning.yaml").decide("dunning.remind", FACTS, as_of=DAY).values["rate"] == 1


def test_of_a_library_that_was_not_asked_for_nothing_unused_is_told() -> None:
    assert [d.code for d in load([Path("rules/dunning.yaml")], Path("schemas")).diagnostics] == []
    assert [(d.code, str(d.span)) for d in load([Path("rules")], Path("schemas")).diagnostics] == [
        ("unused-part", "rules/common.yaml:12:3")
    ]


def test_a_library_is_checked_by_itself() -> None:
    assert load([Path("rules/common.yaml")], Path("schemas")).diagnostics == ()
    change("days_open > grace", "days_open > grase")
    Path("rules/dunning.yaml").unlink()
    assert said() == (
        "rules/common.yaml:17:24: error[unknown-name]: there is no fact, parameter, definition or reading `grase` "
        "(did you mean `grace`?)\n"
    )


def test_a_fault_in_a_csv_file_of_a_library_is_told_once() -> None:
    Path("rules/second.yaml").write_text(FILES["rules/dunning.yaml"].replace("dunning", "second"), "utf-8")
    change("30,,2", "20,,2", "rules/rates.csv")
    assert [line.split(" ")[0] for line in said().splitlines()] == ["rules/rates.csv:3:1:"]


# Where a part comes from.


def test_a_trace_names_the_library_of_each_part() -> None:
    trace = Engine.load().explain("dunning.remind", FACTS, as_of=DAY).trace
    notes = {step.text: step.note for step in _steps(trace.values) if step.note}
    assert notes == {
        "is_late": "library common",
        "last_day": "Q Not: does_not (library common)",
        "days_open": "library common",
        "grace": "days, terms, library common",
        "rate": "library common",
        "rates[days_open].rate": "days below 30, library common",
    }


def _steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _steps(step.steps)


def test_the_page_of_a_ruleset_names_the_library_of_each_part() -> None:
    page = page_of(Engine.load().rulebook.versions("dunning"))
    for line in (
        "- `is_late` (boolean, library common): `days_open > grace if",
        "| grace (library common) | 14 days | always |  | terms |",
        "**rates**, library common",
        "- **last_day** (library common): Q",
        "- `terms`: The terms (library common)",
    ):
        assert f"\n{line}" in page


def test_a_report_names_libraries_and_is_verified_with_what_it_took_from_them(folder: Path) -> None:
    Path("invoices.csv").write_text("billed_on\n2025-01-10\n2025-01-30\n")
    make = ("report", "dunning=invoices.csv", "--as-of", "2025-02-01", "--out", "out")
    assert policy(*make, folder=folder).code == 0
    page = Path("out/report.html").read_text("utf-8")
    assert page.count("of the library common") == 3  # a parameter, a reading and a source
    change("value: 4.90", "value: 5.90")
    assert policy("report", "verify", "out", folder=folder).code == 0
    change("value: 14", "value: 15")
    ran = policy("report", "verify", "out", folder=folder)
    assert (ran.code, "the ruleset `dunning` has changed" in ran.err) == (2, True)


def test_versions_that_take_other_versions_of_a_library_are_compared(folder: Path) -> None:
    change("effective: {from: 2020-01-01}", "effective: {from: 2020-01-01, until: 2026-01-01}")
    newer = COMMON.replace('version: "1"', 'version: "2"').replace("{from: 2020-01-01}", "{from: 2026-01-01}")
    Path("rules/common.new.yaml").write_text(newer.replace("value: 14", "value: 60"), "utf-8")
    ruleset = FILES["rules/dunning.yaml"]
    change("{from: 2025-01-01}", "{from: 2025-01-01, until: 2026-01-01}", "rules/dunning.yaml")
    newer = ruleset.replace('version: "1"', 'version: "2"').replace("{from: 2025-01-01}", "{from: 2026-01-01}")
    Path("rules/dunning.new.yaml").write_text(newer, "utf-8")
    Path("invoices.csv").write_text("billed_on\n2025-01-10\n2025-01-30\n")
    ran = policy("compare", "dunning", "--facts", "invoices.csv", "--as-of", "2025-02-01", folder=folder)
    assert (ran.code, ran.err) == (3, "")
    assert "remind: the value late differs: 1\n  `grace` is 60, was 14: 1\n    row 1: true -> false\n" in ran.out


# Tests of a library.

TESTS = """\
tests: common
cases:
  - name: the fifteenth day is late
    as_of: 2025-01-16
    facts: {billed_on: 2025-01-01}
    expect: {is_late: true, days_open: 15, rate: {values: {rate: 1}}}
  - name: the fourteenth is by the other reading
    as_of: 2025-01-15
    facts: {billed_on: 2025-01-01}
    readings: {last_day: does_not}
    expect: {is_late: true}
tables:
  - name: days
    columns: [as_of, billed_on, is_late, rate]
    rows: [[2025-01-15, 2025-01-01, false, 1], [2025-01-31, 2025-01-01, true, 2]]
"""


def results(tests: str, name: str = "rules/common_test.yaml") -> list[tuple[str, ...]]:
    """What went wrong in each case."""
    Path(name).write_text(tests, "utf-8")
    rulebook = Engine.load().rulebook
    cases, faults = read_tests([Path(name)], rulebook)
    assert faults == ()
    engine = Engine(rulebook.with_libraries())
    return [run_case(engine, case).failures for case in cases]


def test_the_tests_of_a_library_ask_for_its_definitions() -> None:
    assert results(TESTS) == [()] * 4
    change("value: 14", "value: 15")
    assert [bool(failures) for failures in results(TESTS)] == [True, True, False, False]


def test_a_library_is_tested_only_on_days_on_which_its_parameters_have_values() -> None:
    change("effective: {from: 2020-01-01}\n", "")
    change("grace: {value: 14,", "grace: {values: {2025-01-15: 14},")
    change("effective: {from: 2025-01-01}", "effective: {from: 2025-01-20}", "rules/dunning.yaml")
    told = results(TESTS.replace("as_of: 2025-01-16", "as_of: 2025-01-14"))
    assert "not in force on 2025-01-14" in told[0][0]
    assert told[1:] == [()] * 3


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{is_late: true}", "{is_late: 1}", "test-value"),
        ("{is_late: true}", "{is_lat: true}", "test-decision"),
        ("{is_late: true}", "{grace: 14}", "test-decision"),
        ("billed_on: 2025-01-01}", "billed: 2025-01-01}", "unknown-member"),
        ("tests: common", "tests: comon", "test-ruleset"),
    ],
)
def test_what_the_tests_of_a_library_say_is_checked(old: str, new: str, says: str) -> None:
    Path("rules/common_test.yaml").write_text(TESTS.replace(old, new), "utf-8")
    assert f"error[{says}]" in said()


def test_the_coverage_of_a_library_counts_once_and_whoever_tries_it() -> None:
    Path("rules/second.yaml").write_text(FILES["rules/dunning.yaml"].replace("dunning", "second"), "utf-8")
    case = (
        '  - {name: N, as_of: "2025-01-16", facts: {billed_on: 2025-01-01}, expect: {remind: {values: {late: true}}}}\n'
    )
    for name in ("dunning", "second"):
        Path(f"rules/{name}_test.yaml").write_text(f"tests: {name}\ncases:\n{case}", "utf-8")
    Path("rules/common_test.yaml").write_text(TESTS, "utf-8")
    rulebook = Engine.load().rulebook.with_libraries()
    cases, _ = read_tests([Path("rules")], rulebook)
    covered = coverage_of(rulebook.rulesets, [run_case(Engine(rulebook), case) for case in cases])
    assert {owner: [str(tally) for tally in tallies] for owner, tallies in covered.by_owner.items()} == {
        "library common": [
            "3 of 3 values",
            "7 of 8 conditions both ways",
            "3 of 4 conditions that decide alone",
            "2 of 2 branches",
            "1 of 1 readings switched",
            "2 of 2 table rows",
            "3 of 6 sides of boundaries",
        ],
        "dunning 1": ["2 of 2 values", "1 of 2 conditions both ways", "0 of 1 conditions that decide alone"],
        "second 1": ["2 of 2 values", "1 of 2 conditions both ways", "0 of 1 conditions that decide alone"],
    }
