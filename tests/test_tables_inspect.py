"""`policy tables inspect`: what the columns of a table would become, and the first mapping file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables import NOTHING, read_mapping, source_of
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.first_mappings import first_mapping
from policy_engine.tables.inspecting import Inspection, inspect, meant, raw_columns
from tests.support.tables import account, facts_of, messages
from tests.support.tables import run as read_all
from tests.test_cli import Run, refused, run

__all__ = ["run"]
FILE = FileOptions()
FACTS = {
    "account_id": {"type": "string"},
    "plan": {"type": "string", "enum": ["basic", "pro_plus"]},
    "amount": {"type": "number", "multipleOf": 0.001, "minimum": 0, "maximum": 1_000_000},
    "since": {"type": "string", "format": "date"},
    "opens": {"type": "string", "format": "time"},
    "seen_at": {"type": "string", "format": "date-time"},
    "local_at": {"type": "string", "format": "date-time", "x-local": True},
    "active": {"type": "boolean"},
}
CHECK = "    # guessed: check"
ZONE = f"UTC{CHECK}; the file does not say it"
GUESSES = [
    ("since", ["2025-01-31", "2025-02-01"], ""),
    ("since", ["31.01.2025", "1.2.2025"], f'dates:\n  since: "%d.%m.%Y"{CHECK}\n'),
    ("since", ["01/02/2025", "01/31/2025"], f'dates:\n  since: "%m/%d/%Y"{CHECK}\n'),
    ("since", ["01/02/2025"], f'dates:\n  since: "%d/%m/%Y"{CHECK}; it could be %m/%d/%Y too\n'),
    ("since", ["20250131"], f'dates:\n  since: "%Y%m%d"{CHECK}\n'),
    ("since", ["31.01.2025 00:00:00"], f'dates:\n  since: "%d.%m.%Y %H:%M:%S"{CHECK}\n'),
    ("since", ["soon", "n/a"], f'absent:\n  since: ["n/a"]{CHECK}\n'),
    ("opens", ["9.30", "17.00"], f'times:\n  opens: "%H.%M"{CHECK}\n'),
    ("opens", ["9:30 AM"], f'times:\n  opens: "%I:%M %p"{CHECK}\n'),
    ("seen_at", ["2025-01-31T09:30:00"], f"timezone:\n  seen_at: {ZONE}\n"),
    ("seen_at", ["31.01.2025 09:30"], f'dates:\n  seen_at: "%d.%m.%Y %H:%M"{CHECK}\ntimezone:\n  seen_at: {ZONE}\n'),
    ("seen_at", ["31.01.2025 09:30:00+01:00"], f'dates:\n  seen_at: "%d.%m.%Y %H:%M:%S%z"{CHECK}\n'),
    ("amount", ["12.5", "-"], f'absent:\n  amount: ["-"]{CHECK}\n'),
    ("amount", ["1,5", "2"], f'numbers:\n  amount: {{decimal: ","}}{CHECK}\n'),
    ("amount", ["1.234,5", "2"], f'numbers:\n  amount: {{decimal: ",", thousands: "."}}{CHECK}\n'),
    ("amount", ["1,234.5"], f'numbers:\n  amount: {{decimal: ".", thousands: ","}}{CHECK}\n'),
    ("amount", ["1\u202f234,5"], f'numbers:\n  amount: {{decimal: ",", thousands: " "}}{CHECK}\n'),
    (
        "amount",
        ["1,234"],
        f'numbers:\n  amount: {{decimal: ","}}{CHECK}; it could be a number written as 1,234.56 too\n',
    ),
    ("active", ["true", "No"], ""),
    ("active", ["Ja", "nein"], f'values:\n  active:{CHECK}\n    "true": ["Ja"]\n    "false": ["nein"]\n'),
    ("plan", ["basic", "Pro Plus", "gold"], f'values:\n  plan:{CHECK}\n    "pro_plus": ["Pro Plus"]\n'),
    ("account_id", ["NA", "x"], ""),
    ("since", ["2025-06-01", "31.01.2025"], f'dates:\n  since: ["%d.%m.%Y", "%Y-%m-%d"]{CHECK}\n'),
    ("since", ["2025-06-01", "2025-06-02", "1.6.2025"], f'dates:\n  since: ["%d.%m.%Y", "%Y-%m-%d"]{CHECK}\n'),
    ("since", ["2025-06-01", "soon"], ""),
    ("opens", ["9.30", "17:00", "17:00:01"], f'times:\n  opens: ["%H.%M", "%H:%M", "%H:%M:%S"]{CHECK}\n'),
    ("opens", ["9:30", "17:00"], f'times:\n  opens: "%H:%M"{CHECK}\n'),
    (
        "seen_at",
        ["2025-01-31T09:30:00.5Z", "31.01.2025 09:30"],
        f'dates:\n  seen_at: ["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S.%f%z"]{CHECK}\ntimezone:\n  seen_at: {ZONE}\n',
    ),
    ("local_at", ["2025-01-31T09:30:00"], ""),
    ("local_at", ["31.01.2025 09:30"], f'dates:\n  local_at: "%d.%m.%Y %H:%M"{CHECK}\n'),
    (
        "local_at",
        ["2025-01-31T09:30:00", "31.01.2025 09:30"],
        f'dates:\n  local_at: ["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S"]{CHECK}\n',
    ),
    ("amount", ["1.5", "1,234.5"], f'numbers:\n  amount: {{decimal: ".", thousands: ","}}{CHECK}\n'),
]


@pytest.mark.parametrize(("fact", "cells", "written"), GUESSES)
def test_cells_tell_how_they_are_written(tmp_path: Path, fact: str, cells: list[str], written: str) -> None:
    """What is written is a mapping file; by it every cell is read that is a value in some form."""
    facts, path = facts_of(FACTS), tmp_path / "map.yaml"
    text = first_mapping(pl.DataFrame({fact: cells}), facts, FILE)
    assert text == (written or "columns: {}\n")
    path.write_text(text, "utf-8")
    (tmp_path / "a.jsonl").write_text("")
    pl.DataFrame({fact: cells}).write_csv(tmp_path / "a.csv")
    found = read_all(source_of(tmp_path / "a.csv", facts, read_mapping(path, facts)))
    assert found.invalid.height == sum(cell in ("soon", "gold") for cell in cells)


def test_no_form_is_written_by_which_more_cells_fail() -> None:
    """A comma would read all of these numbers but the last, which was read without, and comes after all that tell the form."""
    cells = [*(f"{number},5" for number in range(1_000)), "1.5"]
    assert first_mapping(pl.DataFrame({"amount": cells}), facts_of(FACTS), FILE) == "columns: {}\n"


NAMES = [
    ("Account ID", "account_id"),
    ("ACCOUNT-ID", "account_id"),
    ("Größe", "groesse"),
    ("Grosse", "groesse"),
    ("Straße", "strasse"),
    ("acount_id", "account_id"),
    ("Zzz", None),
    ("", None),
    ("数", None),
]


@pytest.mark.parametrize(("column", "fact"), NAMES)
def test_names_that_mean_a_fact(column: str, fact: str | None) -> None:
    assert meant(column, ["account_id", "groesse", "strasse", "since"]) == fact


def test_columns_of_every_name_become_a_mapping_file(tmp_path: Path) -> None:
    facts, path = account(), tmp_path / "map.yaml"
    table = pl.DataFrame(
        {"Account-Id": ["A"], 'a "b": {c}': ["x"], "Acitve": ["Ja"], "plan": ["pro"], "- x # y": ["z"]}
    )
    path.write_text(first_mapping(table, facts, FileOptions(delimiter="\t", header_row=1)), "utf-8")
    assert path.read_text("utf-8").split("values:")[0] == (
        'header_row: 1\ndelimiter: "\\t"\ncolumns:\n  "Account-Id": account_id\n'
        f'  "a \\"b\\": {{c}}": null{CHECK}; it is no fact, and is not read\n'
        f'  "Acitve": active{CHECK}\n'
        f'  "- x # y": null{CHECK}; it is no fact, and is not read\n'
    )
    table.write_csv(tmp_path / "a.csv", separator="\t")
    found = read_all(source_of(tmp_path / "a.csv", facts, read_mapping(path, facts)))
    assert messages(found) == []
    assert found.valid.select("account_id", "plan", "active").rows() == [("A", "pro", True)]


def inspected(path: Path, facts: FactsSchema, most: int = 100) -> Inspection:
    return inspect(path, raw_columns(path, FILE, most), facts, NOTHING, FILE, most)


def test_columns_with_types_that_never_fit_are_told_and_the_others_read(tmp_path: Path) -> None:
    facts = account()
    table = pl.DataFrame(
        {"plan": ["pro", "x"], "seats": ["1", "2"], "since": [1, 2], "Amount": [1.5, 2.0], "seats_2": [1, 2]}
    )
    table.write_parquet(tmp_path / "a.parquet")
    found = inspected(tmp_path / "a.parquet", facts)
    assert (found.rows, found.invalid) == (2, 1)
    assert [(one.name, one.dtype, one.fact, one.near, one.failing) for one in found.columns] == [
        ("plan", "text", "plan", None, 1),
        ("seats", "text", "seats", None, 0),
        ("since", "Int64", "since", None, 0),
        ("Amount", "Float64", None, "amount", 0),
        ("seats_2", "Int64", None, None, 0),
    ]
    assert [one.reasons for one in found.columns[:3]] == [
        ((2, '"x" is none of basic, pro'),),
        ((0, "it is String, and the schema wants whole numbers (any type of numbers)"),),
        ((0, "it is Int64, and the schema wants dates (Date, or String such as 2025-02-28)"),),
    ]


def test_json_lines_are_inspected_by_their_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"plan": "pro"}\n{"plan": "x", "Since": "1.2.2025"}\nno\n{"plan": "y"}\n{"plan": "z"}\n')
    found = inspected(path, account(), 4)
    assert (found.rows, found.invalid) == (4, 3)
    assert [(one.name, one.near, one.failing, one.reasons) for one in found.columns] == [
        ("plan", None, 2, ((2, '"x" is none of basic, pro'), (4, '"y" is none of basic, pro'))),
        ("Since", "since", 0, ()),
    ]


def test_local_times_of_a_typed_table_get_a_zone_to_check() -> None:
    moments = [datetime(2025, 1, 1)]  # noqa: DTZ001 - as such tables have them
    table = pl.DataFrame({"seen_at": moments, "local_at": moments})
    assert first_mapping(table, facts_of(FACTS), FILE) == f"timezone:\n  seen_at: {ZONE}\n"


def test_a_table_is_shown_and_a_mapping_file_written(run: Run) -> None:
    Path("a.csv").write_text("Price;cuontry;Note\n60,5;DE;x\n1,0;DE;\n")
    ran = run("tables", "inspect", "a.csv", "--ruleset", "orders", "--write-map", "m.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("a.csv by the schema order: 2 rows read, ")
    assert "column Price: no fact; did you mean price? map it: columns: {Price: price}\n" in ran.out
    assert ran.out.endswith("written: m.yaml; check what is marked in it, and give it as --map m.yaml\n")
    refused(
        run("tables", "inspect", "a.csv", "--ruleset", "orders", "--write-map", "m.yaml"),
        "--write-map: `m.yaml` is there already; name another file",
        code=2,
    )


REFUSED = [
    (("a.csv",), "whose facts? give --schema FILE, or --ruleset NAME"),
    (("a.csv", "--schema", "order", "--ruleset", "orders"), "whose facts? give --schema FILE, or --ruleset NAME"),
    (("a.csv", "--schema", "zzz"), "there is no file `schemas/zzz.schema.json`; `schemas` has "),
    (("no.csv", "--ruleset", "orders"), "there is no file `no.csv`"),
    (
        ("a.csv", "--ruleset", "orders", "--map", "no.yaml"),
        "no.yaml:1:1: the file cannot be read: No such file or directory",
    ),
]


@pytest.mark.parametrize(("arguments", "told"), REFUSED)
def test_what_cannot_be_inspected(run: Run, arguments: tuple[str, ...], told: str) -> None:
    Path("a.csv").write_text("price\n60\n")
    ran = run("tables", "inspect", *arguments, "--write-map", "m.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(told)
    assert not Path("m.yaml").exists()
