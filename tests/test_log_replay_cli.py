"""`policy log replay`, and the facts of a log as tables: `policy compare --log`, `policy test --coverage --over log:FILE`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine import Engine, open_log
from policy_engine.cli import log_options
from policy_engine.decision_log.opening import create_log
from tests.conftest import ROOT
from tests.support.commands import Ran, policy

DAY = date(2025, 6, 1)
ASKED, INVALID, VALID = 400, 19, 381
OLD, NEW = "email_suppression@2024-07-09", "email_suppression@2024-08-08"
HERE = ("--rules", str(ROOT / "rules"), "--schemas", str(ROOT / "schemas"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of questions about senders, of whom some are invalid, and one about a trial."""
    place = tmp_path_factory.mktemp("logged")
    create_log(str(place / "decisions.sqlite"), place / "decisions.keys", "example.com/log", os.urandom)
    with open_log(place / "decisions.sqlite", caller="crm") as log:
        rules = Engine.load(ROOT / "rules", ROOT / "schemas", log=log)
        assert len(list(rules.decide_many("email_suppression.suppression_removal", _senders(), as_of=DAY))) == ASKED
        rules.decide("client_trial.trial_end", {"client_id": "T-1"}, as_of=DAY)
    return place


def _senders() -> Iterator[dict[str, Any]]:
    lines = (ROOT / "fixtures" / "senders.jsonl").read_text("utf-8").splitlines()
    for number in range(ASKED):
        yield {**json.loads(lines[number % len(lines)]), "account_id": f"A-{number}"}


def replay(folder: Path, *arguments: str) -> Ran:
    return policy("log", "replay", "decisions.sqlite", *arguments, folder=folder)


def test_under_the_rules_that_decided_all_comes_out_as_recorded(folder: Path) -> None:
    ran = replay(folder, *HERE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"{VALID + 1} records decided again: all come out as recorded",
        f"not decided again: {INVALID} records, the facts were invalid, and of those no value is kept",
    ]


def test_under_another_version_those_differ_that_a_comparison_names(folder: Path, tmp_path: Path) -> None:
    ran = replay(
        folder, *HERE, "--under", OLD, "--decision", "email_suppression", "--out", str(tmp_path / "told.jsonl")
    )
    assert ran.code == 3
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text("utf-8").splitlines()]
    differing = {line["account"] for line in lines if "account" in line}
    compared = policy(
        "compare",
        OLD,
        NEW,
        "--as-of",
        str(DAY),
        "--log",
        "decisions.sqlite",
        "--out",
        str(tmp_path / "out"),
        *HERE,
        folder=folder,
    )
    assert compared.code == 3
    assert (
        f"note: {INVALID} records of `email_suppression` left out: the facts were invalid, and of those no value is kept"
        in compared.err
    )
    changes = pl.read_parquet(tmp_path / "out" / "changes.parquet")
    named = set(changes.filter(pl.col("decision") == "suppression_removal")["key"])
    assert differing == named
    assert 0 < len(named) < ASKED
    assert f"{len(named)} records of {VALID} come out otherwise; all are in {tmp_path / 'told.jsonl'}" in ran.out
    inputs = json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    assert "decisions.sqlite, email_suppression" in json.dumps(inputs)


def test_a_difference_is_shown_with_both_reasons(folder: Path) -> None:
    out = replay(folder, *HERE, "--under", OLD, "--account", "A-9").out.splitlines()
    assert out[0].startswith("email_suppression.suppression_removal of A-9 on 2025-06-01, record ")
    assert out[1:5] == [
        "  recorded: deny; The sender is counted as Healthy since 2025-04-22, which is 40 of 60 days. The switch is permitted "
        "from 2025-06-21 on, if the status stays as it is.",
        "  replayed: allow; The sender is Healthy, and no time has to pass. The switch is permitted since 2025-04-22.",
        '  earliest_date: "2025-06-21" recorded, "2025-04-22" replayed',
        "1 record of 1 come out otherwise",
    ]


def test_the_counts_are_one_json_object(folder: Path) -> None:
    told = json.loads(replay(folder, *HERE, "--under", "in-force", "--json").out)
    why = "the facts were invalid, and of those no value is kept"
    assert told == {"replayed": VALID + 1, "differing": 0, "not_replayed": {why: INVALID}, "one_sided": []}


def test_rules_that_are_not_at_hand_are_named(folder: Path, tmp_path: Path) -> None:
    text = (ROOT / "rules" / "client_trial.yaml").read_text("utf-8")
    (tmp_path / "client_trial.yaml").write_text(text, "utf-8")
    ran = replay(folder, "--rules", str(tmp_path), "--schemas", str(ROOT / "schemas"))
    assert ran.code == 0
    assert "1 record decided again: all come out as recorded" in ran.out
    assert (
        f"{VALID} records, the text that decided is not among the rules: `email_suppression` version 2024-08-08, sha256:"
        in ran.out
    )


def test_without_the_keys_nothing_is_decided_again(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "decisions.sqlite").write_bytes((folder / "decisions.sqlite").read_bytes())
    ran = replay(tmp_path, *HERE)
    assert ran.code == 2
    assert ran.out.startswith("no record was decided again\n")
    assert f"{VALID + 1} records, the payload is sealed, and its key is not at hand" in ran.out
    compared = policy("compare", OLD, NEW, "--log", "decisions.sqlite", *HERE, folder=tmp_path)
    assert compared.code == 2
    assert "the log holds no facts of `email_suppression` that can be read" in compared.err


REFUSED = [
    (
        ("log", "replay", "decisions.sqlite", "--under", "now"),
        "--under: `now` is none of recorded, in-force and RULESET@VERSION",
    ),
    (
        ("log", "replay", "decisions.sqlite", "--under", "email_supression@1"),
        "--under: there is no ruleset `email_supression`; did you mean `email_suppression`?",
    ),
    (
        ("log", "replay", "decisions.sqlite", "--under", "email_suppression@2024-07-0"),
        "--under: there is no version of `email_suppression` `2024-07-0`; did you mean `2024-07-09`?",
    ),
    (("log", "replay", "none.sqlite"), "none.sqlite"),
    (
        ("compare", OLD, NEW, "--log", "decisions.sqlite", "--facts", "x.csv"),
        "--log: --facts is for tables; leave one of the two out",
    ),
    (("compare", OLD, NEW, "--log", "none.sqlite"), "none.sqlite"),
    (("compare", OLD, NEW, "--keys", "k"), "--keys goes with --log"),
]


@pytest.mark.parametrize(("command", "message"), REFUSED)
def test_what_cannot_be_asked_is_told(command: tuple[str, ...], message: str, folder: Path) -> None:
    ran = policy(*command, *HERE, folder=folder)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())


def test_the_facts_of_a_log_are_counted_beside_the_cases(folder: Path) -> None:
    tests = str(ROOT / "rules" / "email_suppression_test.yaml")
    over = f"log:{folder / 'decisions.sqlite'}"
    ran = policy("test", tests, "--coverage", "--over", over, "--as-of", str(DAY), *HERE, folder=folder)
    assert str(VALID) in ran.out
    assert f"note: {INVALID} records of `email_suppression` left out" in " ".join(ran.err.split())


def test_without_cryptography_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_options, "find_spec", lambda name: None)
    ran = replay(folder, *HERE)
    assert ran.code == 2
    assert "cryptography" in ran.err
