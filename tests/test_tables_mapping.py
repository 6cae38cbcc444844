"""Mapping files: what they say, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_engine.errors import CannotRun
from policy_engine.reports.tables import csv_source, lines_source, read_mapping, source_of
from policy_engine.reports.tables.mapping import NOTHING
from tests.support.tables import account

FAULTS = [
    ("colums: {}", "1:1: a mapping file has no `colums`; did you mean `columns`?"),
    ("files: {}", "1:1: a mapping file has no `files`; there are columns, values, dates"),
    ("- a", "1:1: a mapping file is a list of `name: value`"),
    ("columns: a", "1:10: `columns` is a list of `name: value`"),
    ("columns: {Plan: plam}", "1:17: the schema `account` has no fact `plam`; did you mean `plan`?"),
    (
        "columns: {Plan: zzz}",
        "1:17: the schema `account` has no fact `zzz`; it has account_id, plan, seats, amount, since, seen_at, active, tags",
    ),
    ("columns: {Plan: [plan]}", "1:17: a column is one fact, or null: `Plan: account_id`"),
    ("values: {plan: {gold: G}}", "1:17: `gold` is no value of `plan`; it is one of basic, pro"),
    ("values: {active: {ja: J}}", "1:19: `ja` is no value of `active`; it is one of true, false"),
    ("values: {plan: {pro: [P, B], basic: B}}", "1:37: `B` stands for two values of `plan`"),
    ("values: {plan: {pro: {a: b}}}", "1:22: what stands for a value is a text, or a list of texts"),
    ("values: {plan: P}", "1:16: what stands for `plan` is a list of `name: value`"),
    ("dates: ISO", '1:8: the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"'),
    (
        'dates: {since: "%d.%m.%y"}',
        '1:16: the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"',
    ),
    ('dates: {plan: "%d.%m.%Y"}', "1:9: `plan` is no date"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text + "\n")
    with pytest.raises(CannotRun) as caught:
        read_mapping(path, account())
    assert str(caught.value) == f"{path}:{message}"


def test_all_faults_at_once(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns:\n  Plan: plam\nvalues:\n  plan: {gold: G}\n")
    with pytest.raises(CannotRun) as caught:
        read_mapping(path, account())
    assert [line.replace(str(path), "") for line in str(caught.value).split("\n")] == [
        ":2:9: the schema `account` has no fact `plam`; did you mean `plan`?",
        ":4:10: `gold` is no value of `plan`; it is one of basic, pro",
    ]


def test_what_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns: {a: plan, a: seats}\n")
    with pytest.raises(CannotRun, match=r"map\.yaml:1:20: the key `a` stands here twice"):
        read_mapping(path, account())


def table(folder: Path, text: str) -> Path:
    """A CSV file."""
    path = folder / "accounts.csv"
    path.write_text(text)
    return path


def test_a_column_that_the_file_has_not(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns:\n  Plann: plan\n  Zzz: null\n")
    with pytest.raises(CannotRun) as caught:
        csv_source(table(tmp_path, "Plan,Seats\n"), account(), read_mapping(path, account()))
    assert str(caught.value).replace(f"{tmp_path}/", "").split("\n") == [
        "map.yaml:2:3: `accounts.csv` has no column `Plann`; did you mean `Plan`?",
        "map.yaml:3:3: `accounts.csv` has no column `Zzz`; it has Plan, Seats",
    ]


def test_two_columns_for_one_fact(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns: {Plan: plan}\n")
    with pytest.raises(CannotRun) as caught:
        csv_source(table(tmp_path, "Plan,plan\n"), account(), read_mapping(path, account()))
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "`accounts.csv`: the columns `Plan` and `plan` are both the fact `plan`; map one of them to null"
    )


def test_json_lines_have_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns: {Plan: plan}\n")
    lines = tmp_path / "accounts.jsonl"
    lines.write_text("")
    with pytest.raises(CannotRun, match="is JSON Lines, whose names need no mapping; leave --map out"):
        source_of(lines, account(), read_mapping(path, account()))
    assert source_of(lines, account(), NOTHING).files == lines_source(lines, account()).files
