"""Mapping files: what they say, and every fault with its place."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import written_as
from policy_engine.tables import csv_source, frame_source, lines_source, read_mapping, source_of
from policy_engine.tables.mapping import NOTHING
from tests.support.tables import account, messages, run

DATES = (
    'the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"; and perhaps a time: " %H:%M:%S"'
)
INSTANTS = (
    'the form of instants names %d, %m, %Y, %H, %M and %z once each, and perhaps %S and %f: "%Y-%m-%d %H:%M:%S%z"'
)
FAULTS = [
    ("colums: {}", "1:1: a mapping file has no `colums`; did you mean `columns`?"),
    ("files: {}", "1:1: a mapping file has no `files`; there are columns, values, dates, absent"),
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
    ("dates: ISO", f"1:8: {DATES}"),
    ('dates: {since: "%d.%m.%y"}', f"1:16: {DATES}"),
    ('dates: {plan: "%d.%m.%Y"}', "1:9: `plan` is no date"),
]


FAULTS_OF_FORMS = [
    *(
        (f'dates: {{since: "{form}"}}', f"1:16: {DATES}")
        for form in ("%d.%m", "%d.%d.%Y", "%d.%m.%Y %z", "%d.%B.%Y", "%d.%m.%Y%%")
    ),
    *((f'dates: {{since: "{form}"}}', f"1:16: {DATES}") for form in ("%dx%m.%Y", "%d.%m.%Y %H:%H", "")),
    *(
        (f'dates: {{seen_at: "{form}"}}', f"1:18: {INSTANTS}")
        for form in ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %I:%M%z")
    ),
]
NULLS = [
    (
        "values: {active: {null: NA}}",
        "1:19: `null` is no value of `active`; name the texts that mean that there is none: absent: {active: [...]}",
    ),
    (
        "values: {since: {~: NA}}",
        "1:18: `~` is no value of `since`; name the texts that mean that there is none: absent: {since: [...]}",
    ),
    (
        "values: {account_id: {NULL: NA}}",
        "1:23: `NULL` is no value of `account_id`; name the texts that mean that there is none: absent: {account_id: [...]}",
    ),
    ("values: {since: {soon: S}}", "1:18: `soon` is no value of `since`, which is a date such as 2025-02-28"),
    ("values: {seats: {many: M}}", "1:18: `many` is no value of `seats`, which is a number"),
    (
        "absent: [NA, pro]",
        "1:14: `pro` is or stands for a value of `plan`; "
        "name the facts for which it means that there is none: absent: {FACT: [...]}",
    ),
    (
        "{values: {active: {true: J}}, absent: {active: [J]}}",
        "1:49: `J` is or stands for a value of `active`; "
        "name the facts for which it means that there is none: absent: {FACT: [...]}",
    ),
    ("absent: {plam: [NA]}", "1:10: the schema `account` has no fact `plam`; did you mean `plan`?"),
    ("absent: {since: {a: b}}", "1:17: what stands for a value is a text, or a list of texts"),
]


@pytest.mark.parametrize(("text", "message"), [*FAULTS, *FAULTS_OF_FORMS, *NULLS])
def test_c5_c6_faults_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
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


def rows_and_faults(folder: Path, mapping: str, text: str) -> tuple[list[tuple[object, ...]], list[str]]:
    """The valid rows of a CSV file under a mapping, and what is wrong with the others."""
    path = folder / "map.yaml"
    path.write_text(mapping)
    found = run(csv_source(table(folder, text), account(), read_mapping(path, account())))
    names = [name for name in text.split("\n", maxsplit=1)[0].split(",") if name in found.valid.columns]
    return found.valid.select(names).rows(), messages(found)


@pytest.mark.parametrize(
    ("absent", "none"),
    [
        ('[NA, NULL, "-", \\N]', {"NA", "NULL", "-", "\\N"}),
        ("NA", {"NA"}),
        ("[null]", {"null"}),
        ("{since: [NA]}", {"NA"}),
        ("{since: NA, plan: x}", {"NA"}),
        ('[NA, {since: ["-", 0000-00-00]}]', {"NA", "-", "0000-00-00"}),
        ("[]", set()),
    ],
)
def test_c6_texts_that_mean_absent(tmp_path: Path, absent: str, none: set[str]) -> None:
    cells = ["NA", "NULL", "null", "-", "\\N", "0000-00-00", " NA "]
    text = "plan,since\n" + "".join(f"pro,{cell}\n" for cell in cells)
    valid, wrong = rows_and_faults(tmp_path, f"absent: {absent}\n", text)
    assert len(valid) == sum(cell.strip() in none for cell in cells)
    assert len(wrong) == len(cells) - len(valid)
    assert set(valid) <= {("pro", None)}


def test_c6_absent_texts_of_facts_of_every_kind(tmp_path: Path) -> None:
    mapping = "absent: [NA]\nvalues: {active: {true: J}}\n"
    text = "account_id,plan,seats,amount,since,seen_at,active,tags,other\n" + "NA,pro" + ",NA" * 7 + "\n"
    assert rows_and_faults(tmp_path, mapping, text) == ([(None, "pro", None, None, None, None, None, None)], [])
    assert rows_and_faults(tmp_path, "absent: {seats: [NA]}", "account_id,plan,seats\nNA,pro,NA\n") == (
        [("NA", "pro", None)],
        [],
    )
    assert rows_and_faults(tmp_path, "absent: [NA]", "account_id,plan\n NA,pro\n") == ([(" NA", "pro")], [])
    _, wrong = rows_and_faults(tmp_path, "absent: [NA]", "plan,seats\nNA,NA\n")
    assert wrong == ["1 None / required: `plan` is missing"]


def test_c6_absent_texts_of_typed_tables(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("absent: [NA, {since: ['-']}]\nvalues: {plan: {pro: P}}\n")
    frame = pl.DataFrame({"account_id": ["NA", "A", "-"], "plan": ["P", "P", "P"], "since": ["NA", "-", "2025-01-01"]})
    for one in (frame, frame.with_columns(pl.col("plan", "since").cast(pl.Categorical))):
        found = run(frame_source(one, account(), read_mapping(path, account())))
        assert found.valid.select("account_id", "plan", "since").rows() == [
            (None, "pro", None),
            ("A", "pro", None),
            ("-", "pro", date(2025, 1, 1)),
        ]


def test_c6_a_value_is_written_as_facts_are_whatever_the_form_of_dates(tmp_path: Path) -> None:
    mapping = 'values: {since: {2025-01-01: start}}\ndates: "%d.%m.%Y"\n'
    valid, wrong = rows_and_faults(tmp_path, mapping, "plan,since\npro,start\npro,02.01.2025\npro,2025-01-03\n")
    assert valid == [("pro", date(2025, 1, 1)), ("pro", date(2025, 1, 2))]
    assert [message.split(":")[0] for message in wrong] == ["3 None /since format"]


FORMS = [
    ("%d%m%Y", {"01112025": "2025-11-01", "1112025": None, "1122025": None, "11112025": "2025-11-11"}),
    ("%Y%m%d", {"20251101": "2025-11-01", "2025111": None, "202511": None}),
    ("%Y%m%d%H%M", {"202511010000": "2025-11-01", "202511010001": None}),
    ("%d.%m%Y", {"1.112025": "2025-11-01", "1.12025": None}),
    ("%d%m.%Y", {"0111.2025": "2025-11-01", "111.2025": None}),
    ("%d.%m.%Y", {"1.2.2025": "2025-02-01", "01.02.2025": "2025-02-01", "1.2.25": None, "1.2.2025 00:00": None}),
    (
        "%d.%m.%Y %H:%M",
        {"1.2.2025 0:00": "2025-02-01", "1.2.2025 00:00": "2025-02-01", "1.2.2025 00:01": None, "1.2.2025": None},
    ),
    (
        "%Y-%m-%d %H:%M:%S",
        {"2025-03-01 00:00:00": "2025-03-01", "2025-03-01 23:59:59": None, "2025-02-30 00:00:00": None},
    ),
    ("%Y-%m-%dT%H:%M:%SZ", {"2025-03-01T00:00:00Z": "2025-03-01", "2025-03-01T00:00:00": None}),
    ("%Y-%m-%d %H:%M:%S.%f", {"2025-03-01 00:00:00.0000000": "2025-03-01", "2025-03-01 00:00:00.001": None}),
    (
        "%m/%d/%Y %I:%M:%S %p",
        {"3/1/2025 12:00:00 AM": "2025-03-01", "3/1/2025 12:00:00 PM": None, "3/1/2025 1:00:00 AM": None},
    ),
]


@pytest.mark.parametrize(("form", "cells"), FORMS)
def test_c5_a_date_has_one_reading(tmp_path: Path, form: str, cells: dict[str, str | None]) -> None:
    for cell, day in cells.items():
        valid, wrong = rows_and_faults(tmp_path, f'dates: "{form}"\n', f"plan,since\npro,{cell}\n")
        assert valid == ([] if day is None else [("pro", date.fromisoformat(day))])
        at_midnight = " at midnight" if "%H" in form or "%I" in form else ""
        told = f"1 None /since format: line 2: `{cell}` is not a date written as {form}{at_midnight}"
        assert wrong == ([told] if day is None else [])


@pytest.mark.parametrize("form", ["%d%m%Y", "%Y%m%d", "%d.%m%Y", "%d%m.%Y", "%m-%d-%Y", "%Y%d%m", "%m%d%Y"])
def test_c5_no_two_dates_are_written_alike(form: str) -> None:
    """Each day of two years, with and without its zeros: whatever is read is the day that was written."""
    date_form = written_as("date", form)
    assert date_form is not None
    written: dict[str, set[str]] = {}
    for day in (date(2024, 1, 1) + timedelta(days=at) for at in range(730)):
        for d in {f"{day.day:02}", str(day.day)}:
            for m in {f"{day.month:02}", str(day.month)}:
                text = form.replace("%d", d).replace("%m", m).replace("%Y", str(day.year))
                if re.fullmatch(date_form.pattern, text):
                    written.setdefault(text, set()).add(date_form.iso(text))
                    assert day.isoformat() in written[text]
    assert all(len(days) == 1 for days in written.values())


@pytest.mark.parametrize(
    ("cell", "form"),
    [("2025-03-01 00:00:00", "%Y-%m-%d %H:%M:%S"), ("2025-03-01T00:00", "%Y-%m-%dT%H:%M")],
)
def test_c5_a_date_with_midnight_is_told_its_form(tmp_path: Path, cell: str, form: str) -> None:
    _, wrong = rows_and_faults(tmp_path, "{}", f"plan,since\npro,{cell}\n")
    assert wrong == [
        f"1 None /since format: line 2: `{cell}` is not a date such as 2025-02-28; "
        f'or give the file\'s form of dates in a mapping file (--map, dates: "{form}")'
    ]
    valid, wrong = rows_and_faults(tmp_path, f'dates: "{form}"\n', f"plan,since\npro,{cell}\n")
    assert (valid, wrong) == ([("pro", date(2025, 3, 1))], [])


INSTANTS_READ = [
    ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 09:30:00+0100", datetime(2025, 3, 1, 8, 30, tzinfo=UTC)),
    ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 9:30:00-05:00", datetime(2025, 3, 1, 14, 30, tzinfo=UTC)),
    ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 09:30:00", None),
    ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 24:30:00Z", None),
    ("%d.%m.%Y %H:%M %z", "1.3.2025 09:30 Z", datetime(2025, 3, 1, 9, 30, tzinfo=UTC)),
    ("%Y%m%dT%H%M%S.%f%z", "20250301T093000.25Z", datetime(2025, 3, 1, 9, 30, 0, 250_000, tzinfo=UTC)),
    ("%Y%m%dT%H%M%S%z", "2025031T093000Z", None),
]


@pytest.mark.parametrize(("form", "cell", "moment"), INSTANTS_READ)
def test_c5_instants_of_a_form(tmp_path: Path, form: str, cell: str, moment: datetime | None) -> None:
    valid, wrong = rows_and_faults(tmp_path, f'dates: {{seen_at: "{form}"}}\n', f"plan,seen_at\npro,{cell}\n")
    assert valid == ([] if moment is None else [("pro", moment)])
    told = f"1 None /seen_at format: line 2: `{cell}` is not an instant written as {form}"
    assert wrong == ([told] if moment is None else [])
