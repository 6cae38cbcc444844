"""Mapping files: what they say, and every fault with its place."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.language.date_forms import written_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables import TableMapping, csv_source, frame_source, read_mapping, source_of, source_of_frame
from tests.support.tables import account, facts_of, messages, run

DATES = (
    'the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"; and perhaps a time: " %H:%M:%S"'
)
INSTANTS = (
    "the form of instants names %d, %m, %Y, %H (or %I and %p), %M and %z once each, and perhaps %S and %f: "
    '"%Y-%m-%d %H:%M:%S%z"; without %z name the time zone: timezone: Europe/Berlin'
)
FAULTS = [
    ("header_row: 0", "1:13: `header_row` is the number of a row, from 1"),
    ("header_row: true", "1:13: `header_row` is the number of a row, from 1"),
    ("sheet: [Data]", "1:8: `sheet` is a text"),
    (
        "encoding: utf-9",
        "1:11: there is no encoding of text `utf-9`; did you mean `utf-8`? There are utf-8, utf-16, cp1252, "
        "latin-1, cp1250, shift_jis, gb18030 and more",
    ),
    ("delimiter: ab", "1:12: `delimiter`: `ab` is no delimiter; it is one sign such as ; or | or tab"),
    ("colums: {}", "1:1: a mapping file has no `colums`; did you mean `columns`?"),
    (
        "zzz: {}",
        "1:1: a mapping file has no `zzz`; there are columns, constants, values, absent, dates, times, timezone, numbers, scale, "
        "lists, histories, sheet, header_row, encoding, delimiter",
    ),
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
        for form in ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %I:%M%z", "%d.%m.%Y %H:%M%p%z")
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

FAULTS_OF_NUMBERS = [
    ("numbers: ','", "1:10: `numbers` is a list of `name: value`"),
    (
        "numbers: {decimals: ','}",
        '1:11: the form of numbers has no `decimals`; it is written: numbers: {decimal: ",", thousands: "."}',
    ),
    ("numbers: {decimal: ;}", '1:20: the decimal sign is a point or a comma, in quotes: decimal: ","'),
    (
        "numbers: {amount: {thousands: _}}",
        '1:31: the thousands sign is a point, a comma, a blank or an apostrophe, in quotes: thousands: ","',
    ),
    ('numbers: {decimal: ",", thousands: ","}', "1:36: the decimal sign and the thousands sign differ"),
    ('numbers: {thousands: "."}', '1:22: a point is the decimal sign where no other is named: decimal: ","'),
    ('numbers: {plan: {decimal: ","}}', "1:11: `plan` is no number"),
    *(
        (
            f"scale: {{amount: {scale}}}",
            "1:17: a scale is a power of ten: 0.01 where the file has cents, 1000 where it has thousands",
        )
        for scale in ("0.02", "0", "-10", "cents", "true", "1E10", "[0.01]", "'0.01'")
    ),
    ("scale: {plan: 0.01}", "1:9: `plan` is no number"),
]
FAULTS_OF_CONSTANTS = [
    ("constants: {plam: pro}", "1:13: the schema `account` has no fact `plam`; did you mean `plan`?"),
    ("constants: {plan: gold}", "1:19: `gold` is no value of `plan`; it is one of basic, pro"),
    ("constants: {plan: null}", "1:19: `null` is no value of `plan`; leave the constant out"),
    ("constants: {plan: [pro]}", "1:19: a constant is one value: `plan: DE`"),
    ("constants: {amount: '1,5'}", "1:21: `1,5` is no value of `amount`, which is a number"),
]
TWO_WAYS = "name one of them, or write one of the two otherwise in the file"
FAULTS_OF_SEVERAL_FORMS = [
    (
        'dates: ["%d/%m/%Y", "%m/%d/%Y"]',
        f"1:21: `2/1/1011` could be read by the form %d/%m/%Y and otherwise by %m/%d/%Y; {TWO_WAYS}",
    ),
    (
        'dates: {since: ["%Y-%m-%d", "%d%m%Y", "%Y%m%d"]}',
        f"1:39: `01011011` could be read by the form %d%m%Y and otherwise by %Y%m%d; {TWO_WAYS}",
    ),
    ('dates: ["%d.%m.%Y", {since: "%d.%m"}]', f"1:29: {DATES}"),
    ('times: {since: "%H.%M"}', "1:9: `since` is no time of day"),
    (
        'times: "%H"',
        '1:8: the form of times names %H (or %I and %p) and %M once each, and perhaps %S and %f: "%H.%M"',
    ),
]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *(*FAULTS, *FAULTS_OF_FORMS, *NULLS),
        *(*FAULTS_OF_NUMBERS, *FAULTS_OF_CONSTANTS, *FAULTS_OF_SEVERAL_FORMS),
    ],
)
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


SHIFT = {
    "amount": {"type": "number", "multipleOf": 0.01, "minimum": -10_000_000, "maximum": 10_000_000},
    "seats": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    "share": {"type": "number", "multipleOf": 0.0001, "minimum": 0, "maximum": 1},
    "opens": {"type": "string", "format": "time"},
    "seen_at": {"type": "string", "format": "date-time"},
    "since": {"type": "string", "format": "date"},
    "open": {"type": "boolean"},
    "country": {"type": "string", "maxLength": 2},
}


def mapping_of(folder: Path, text: str, facts: FactsSchema) -> TableMapping:
    """The mapping of a text."""
    path = folder / "map.yaml"
    path.write_text(text, "utf-8")
    return read_mapping(path, facts)


GERMAN = '{decimal: ",", thousands: "."}'
SWISS, FRENCH = '{thousands: "\'"}', '{decimal: ",", thousands: " "}'
NUMBERS: list[tuple[str, dict[str, int | None]]] = [
    (
        GERMAN,
        {
            "1.234,56": 123456,
            "1234,56": 123456,
            "-1.234": -123400,
            "0,5": 50,
            "1.000.000,00": 100000000,
            " 12,50 ": 1250,
        }
        | dict.fromkeys(
            ("1.23,4", "12.34", "0.123", "1.2345", "1234.567,0", ".123", "1,", ",5", "1,234.5", "1.234.56")
        ),
    ),
    ('{decimal: ","}', {"1234,5": 123450, "12.5": None, "1.234,5": None}),
    ('{thousands: ","}', {"1,234.5": 123450, "1234.5": 123450, "1,23.5": None, "12,34": None}),
    (
        FRENCH,
        {
            "1 234,56": 123456,
            "1\u00a0234,56": 123456,
            "1\u202f234\u202f567": 123456700,
            "12 34": None,
            "1 234 56": None,
        },
    ),
    (SWISS, {"1'234.56": 123456, "1\u2019234.56": 123456, "1234.56": 123456, "1,5": None}),
]


@pytest.mark.parametrize(("form", "cells"), NUMBERS)
def test_numbers_of_a_form_are_read_exactly(tmp_path: Path, form: str, cells: dict[str, int | None]) -> None:
    """In CSV, in texts of a table with types, and in JSON Lines alike; what has not the form is told."""
    facts = facts_of(SHIFT)
    mapping = mapping_of(tmp_path, f"numbers: {form}", facts)
    path, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    path.write_text("amount\tcountry\n" + "".join(f"{cell}\tDE\n" for cell in cells), "utf-8")
    lines.write_text("".join(f"{json.dumps({'amount': cell})}\n" for cell in cells))
    frame = pl.DataFrame({"amount": list(cells)})
    written = mapping.style("amount").numbers
    assert written is not None
    told = [f"`{cell}` is not {written.expected}" for cell, units in cells.items() if units is None]
    for source in (
        csv_source(path, facts, mapping),
        frame_source(frame, facts, mapping),
        source_of(lines, facts, mapping),
    ):
        found = run(source)
        assert found.valid["amount"].to_list() == [units for units in cells.values() if units is not None]
        assert [message.split(": ", 2 if "line" in message else 1)[-1] for message in messages(found)] == told


SCALED = [
    ("amount", "0.01", {123456: 123456, 5: 5, -7: -7, 0: 0}),
    ("seats", "0.01", {1200: 12, 1250: None, 0: 0}),
    ("seats", "1000", {12: 12_000, 1001: None, 0: 0}),
    ("share", "0.01", {50: 5000, 101: None, 100: 10000}),
    ("amount", "1000", {3: 300000, 10_001: None}),
]


@pytest.mark.parametrize(("fact", "scale", "numbers"), SCALED)
def test_numbers_are_scaled_exactly(tmp_path: Path, fact: str, scale: str, numbers: dict[int, int | None]) -> None:
    facts = facts_of(SHIFT)
    mapping = mapping_of(tmp_path, f"scale: {{{fact}: {scale}}}", facts)
    path, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    path.write_text(f"{fact}\n" + "".join(f"{number}\n" for number in numbers))
    lines.write_text("".join(f'{{"{fact}": {number}}}\n' for number in numbers))
    frame = pl.DataFrame({fact: list(numbers)})
    kinds = pl.Int64, pl.Float64, pl.Decimal(20, 2)
    frames = [frame_source(frame.with_columns(pl.col(fact).cast(kind)), facts, mapping) for kind in kinds]
    for source in (csv_source(path, facts, mapping), source_of(lines, facts, mapping), *frames):
        found = run(source)
        assert found.valid[fact].to_list() == [units for units in numbers.values() if units is not None]
        assert found.invalid.height == sum(units is None for units in numbers.values())


@pytest.mark.parametrize(
    ("cell", "told"), [("1234.5", "12.345 is not a multiple of 0.01"), ("x", "`x` is not a number")]
)
def test_more_places_than_a_fact_has_are_told(tmp_path: Path, cell: str, told: str) -> None:
    facts = facts_of(SHIFT)
    path = tmp_path / "a.csv"
    path.write_text(f"amount\n{cell}\n")
    (message,) = messages(run(csv_source(path, facts, mapping_of(tmp_path, "scale: {amount: 0.01}", facts))))
    assert told in message


def test_a_large_number_is_scaled_without_loss_of_digits(tmp_path: Path) -> None:
    facts = facts_of({"n": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 9_999_999_999_999_999}})
    mapping = mapping_of(tmp_path, "scale: {n: 0.01}", facts)
    for text in ("899999999999999901", "899999999999999999"):
        lines = tmp_path / "a.jsonl"
        lines.write_text(f'{{"n": {text}}}\n')
        assert run(source_of(lines, facts, mapping)).valid["n"].to_list() == [int(text)]


TIMES = [
    ("%H.%M", {"9.30": "09:30:00", "09.30": "09:30:00", "9:30": None, "24.00": None}),
    (
        "%I:%M %p",
        {"1:30 PM": "13:30:00", "12:30 am": "00:30:00", "12:00 PM": "12:00:00", "13:00 AM": None, "0:10 PM": None},
    ),
    ('["%H:%M", "%H:%M:%S"]', {"09:30": "09:30:00", "9:30:15": "09:30:15", "9.30": None}),
]


@pytest.mark.parametrize(("form", "cells"), TIMES)
def test_times_of_a_form(tmp_path: Path, form: str, cells: dict[str, str | None]) -> None:
    facts = facts_of(SHIFT)
    written = form if form.startswith("[") else f'"{form}"'
    frame = pl.DataFrame({"opens": list(cells)})
    found = run(frame_source(frame, facts, mapping_of(tmp_path, f"times: {written}", facts)))
    assert found.valid["opens"].to_list() == [time.fromisoformat(text) for text in cells.values() if text is not None]
    assert found.invalid.height == sum(text is None for text in cells.values())


def test_instants_by_a_clock_of_twelve_hours(tmp_path: Path) -> None:
    facts = facts_of(SHIFT)
    mapping = mapping_of(tmp_path, 'dates: {seen_at: "%m/%d/%Y %I:%M:%S %p %z"}', facts)
    frame = pl.DataFrame({"seen_at": ["3/1/2025 12:05:09 AM -0500", "3/1/2025 1:05:09 pm Z", "3/1/2025 13:05:09 PM Z"]})
    found = run(frame_source(frame, facts, mapping))
    assert found.valid["seen_at"].to_list() == [
        datetime(2025, 3, 1, 5, 5, 9, tzinfo=UTC),
        datetime(2025, 3, 1, 13, 5, 9, tzinfo=UTC),
    ]


def test_several_forms_of_one_fact_and_one_for_the_others(tmp_path: Path) -> None:
    facts = facts_of({**SHIFT, "until": {"type": "string", "format": "date"}})
    mapping = mapping_of(tmp_path, 'dates: ["%d.%m.%Y", {until: ["%Y-%m-%d", "%d/%m/%Y"]}]', facts)
    frame = pl.DataFrame({"since": ["1.2.2025", "2025-02-01"], "until": ["2025-02-01", "1/2/2025"]})
    found = run(frame_source(frame, facts, mapping))
    assert found.valid.select("since", "until").rows() == [(date(2025, 2, 1), date(2025, 2, 1))]
    assert messages(found) == ["2 None /since format: `2025-02-01` is not a date written as %d.%m.%Y"]


def test_constants_stand_in_every_row_of_every_table(tmp_path: Path) -> None:
    facts = facts_of(SHIFT, ("country", "amount"))
    text = "constants: {country: DE, amount: 1.5, since: 2025-02-28, open: true}\nnumbers: {decimal: ','}"
    mapping = mapping_of(tmp_path, text, facts)
    path, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    path.write_text("seats\n1\n-1\n")
    lines.write_text('{"seats": 1}\n{"seats": -1}\n')
    frame = pl.DataFrame({"seats": [1, -1]})
    for source in (
        csv_source(path, facts, mapping),
        source_of(lines, facts, mapping),
        frame_source(frame, facts, mapping),
    ):
        found = run(source)
        assert source.warnings == ()
        names = ("country", "amount", "since", "open", "seats")
        assert found.valid.select(names).rows() == [("DE", 150, date(2025, 2, 28), True, 1)]
        assert messages(found) == ["2 None /seats minimum: -1 is not 0 or more"]


def test_a_constant_that_the_table_has(tmp_path: Path) -> None:
    facts = facts_of(SHIFT)
    mapping = mapping_of(tmp_path, "columns: {Land: country}\nconstants: {country: DE}", facts)
    with pytest.raises(CannotRun) as caught:
        frame_source(pl.DataFrame({"Land": ["AT"]}), facts, mapping)
    assert str(caught.value) == (
        "the table: the column `Land` is the fact `country`, which the mapping file gives otherwise; "
        "map the column to null: columns: {Land: null}"
    )
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"Land": "AT"}\n{"Land": null}\n')
    assert messages(run(source_of(lines, facts, mapping))) == [
        "1 None /country mapping: `Land` is the fact `country`, which is a constant of the mapping file; map it to null"
    ]


def test_json_lines_under_a_mapping(tmp_path: Path) -> None:
    """Members are renamed and left out, texts stand for values and for none; a line that is no JSON is told as ever."""
    text = "columns: {Id: account_id, Note: null, Plan: plan}\nvalues: {plan: {pro: P}, active: {true: J}}\n"
    text += "absent: [NA]\ndates: '%d.%m.%Y'\nscale: {amount: 0.01}\n"
    mapping = mapping_of(tmp_path, text, account())
    lines = tmp_path / "a.jsonl"
    lines.write_text(
        '{"Id": "A", "Note": {"x": [1]}, "Plan": "P", "active": "J", "since": "1.2.2025", "amount": 1250}\n'
        '{"Id": "B", "Plan": "pro", "active": false, "since": "NA", "amount": "NA", "tags": ["P"]}\n'
        '{"Id": "C", "Plan": "X"}\n'
        '{"Id": "D", "Plan": "P", "plan": "pro"}\n'
        '{"Id": "E", "Plan": "P", "since": "2025-02-01", "amount": 12.5, "other": 1}\n'
        '{"Id": "F", "Plan": "P", "Plan": "P"}\n'
        '{"Id": "\\u0047", "Plan": "P", "amount": 1E1}\n'
    )
    found = run(source_of(lines, account(), mapping))
    assert found.valid.select("account_id", "plan", "active", "since", "amount", "tags").rows() == [
        ("A", "pro", True, date(2025, 2, 1), 1250, None),
        ("B", "pro", False, None, None, ["P"]),
        ("G", "pro", None, None, 10, None),
    ]
    assert messages(found) == [
        '3 C /plan enum: "X" is none of basic, pro',
        "4 D /plan mapping: `plan` is the fact `plan`, which is given by another member too; map it to null",
        "5 E / additionalProperties: there is no fact `other`",
        "5 E /amount multipleOf: 0.125 is not a multiple of 0.01",
        "5 E /since format: `2025-02-01` is not a date written as %d.%m.%Y",
        "6 None / json: the name `Plan` stands twice in one object",
    ]


ZONED = {
    "2025-01-01T12:00:00": datetime(2025, 1, 1, 11, tzinfo=UTC),
    "2025-07-01T12:00:00.5": datetime(2025, 7, 1, 10, 0, 0, 500_000, tzinfo=UTC),
    "2025-07-01T12:00:00-04:00": datetime(2025, 7, 1, 16, tzinfo=UTC),
    "2025-10-26T02:30:00": datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    "2025-03-30T02:30:00": "`2025-03-30T02:30:00` does not exist in Europe/Berlin, where clocks are put forward; "
    "write 2025-03-30T03:30:00, or give the offset",
}


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "{seen_at: Europe/Berlin}", "[America/New_York, {seen_at: Europe/Berlin}]"]
)
def test_instants_without_an_offset_are_read_in_the_zone_of_the_file(tmp_path: Path, zone: str) -> None:
    """In every table; the hour that is skipped is told, of the hour that comes twice it is the first."""
    facts = facts_of(SHIFT)
    mapping = mapping_of(tmp_path, f"timezone: {zone}", facts)
    frame = pl.DataFrame({"seen_at": list(ZONED)})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    local = frame.filter(~pl.col("seen_at").str.ends_with("-04:00")).select(pl.col("seen_at").str.to_datetime())
    places = source_of(tmp_path / "a.csv", facts, mapping), source_of(tmp_path / "a.jsonl", facts, mapping)
    for source in (*places, source_of_frame(frame, facts, mapping), source_of_frame(local, facts, mapping)):
        found = run(source)
        wanted = [moment for moment in ZONED.values() if isinstance(moment, datetime)]
        assert set(wanted) - set(found.valid["seen_at"]) <= {datetime(2025, 7, 1, 16, tzinfo=UTC)}
        (message,) = messages(found)
        assert "does not exist in Europe/Berlin, where clocks are put forward; write 2025-03-30T03:30:00" in message


def test_forms_of_instants_may_lack_the_offset_where_the_zone_is_known(tmp_path: Path) -> None:
    facts = facts_of(SHIFT)
    text = "timezone: America/New_York\ndates: {seen_at: ['%m/%d/%Y %I:%M %p', '%Y-%m-%d %H:%M:%S%z']}"
    frame = pl.DataFrame({"seen_at": ["7/1/2025 9:30 PM", "2025-07-01 09:30:00Z", "3/9/2025 2:30 AM"]})
    found = run(source_of_frame(frame, facts, mapping_of(tmp_path, text, facts)))
    assert found.valid["seen_at"].to_list() == [
        datetime(2025, 7, 2, 1, 30, tzinfo=UTC),
        datetime(2025, 7, 1, 9, 30, tzinfo=UTC),
    ]
    assert messages(found) == [
        "3 None /seen_at format: `3/9/2025 2:30 AM` does not exist in America/New_York, where clocks are put forward; "
        "write 2025-03-09T03:30:00, or give the offset"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timezone: Berlin", "1:11: `Berlin` is no time zone; it is written as Europe/Berlin"),
        ("timezone: {seen_at: CEST5}", "1:21: `CEST5` is no time zone; it is written as Europe/Berlin"),
        ("timezone: {since: UTC}", "1:12: `since` is no instant"),
    ],
)
def test_a_zone_that_there_is_not(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CannotRun) as caught:
        mapping_of(tmp_path, text, facts_of(SHIFT))
    assert str(caught.value) == f"{tmp_path}/map.yaml:{message}"
