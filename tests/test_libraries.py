"""Libraries: what a digest covers, which files are read, and that a ruleset with taken parts answers like one that has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine, RulesetError
from policy_engine.frontend.loader import load
from tests.conftest import lay_out, said

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
