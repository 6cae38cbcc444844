"""Decisions in other forms: instants in one form, no formulas, and nothing cut without a word."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from policy_engine.reports.exports import write_csv, write_lines
from policy_engine.reports.workbook import sheet_name
from tests.conftest import lay_out
from tests.test_cli import Run, run
from tests.test_report_keys import put

__all__ = ["run"]
RULES = """\
ruleset: t
title: T
version: "1"
effective: {from: 2025-01-01}
timezone: America/New_York
facts: f
decisions:
  v:
    question: Which?
    values: {at: paid_at, seen: seen, note: note}
"""
INSTANT = {"type": "string", "format": "date-time"}


def written(form: str, table: pl.DataFrame, folder: Path) -> str:
    """A table in another form."""
    {"csv": write_csv, "jsonl": write_lines}[form](table.lazy(), folder / "table")
    return (folder / "table").read_text("utf-8")


def records(path: str) -> list[dict[str, str]]:
    """The records of a CSV file."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_c7_instants_have_one_form_everywhere_that_we_read_again(run: Run) -> None:
    seen = {"type": "array", "maxItems": 3, "items": INSTANT}
    put({"type": "string"}, paid_at=INSTANT, seen=seen, note={"type": "string"})
    Path("rules/t.yaml").write_text(RULES)
    moments = [
        "2025-03-09T02:30:00-05:00",
        "2025-01-01T00:00:00.25Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
    ]
    texts = [
        "2025-03-09T07:30:00Z",
        "2025-01-01T00:00:00.250000Z",
        "9999-12-31T01:00:59-23:59",
        "0001-01-01T22:59:00+23:59",
    ]
    lines = [{"id": "A", "n": 1, "note": "x", "paid_at": moment, "seen": [moment, moments[0]]} for moment in moments]
    Path("a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--format", "csv", "--format", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    rows = records("out/decisions.csv")
    objects = [json.loads(line) for line in Path("out/decisions.jsonl").read_text().splitlines()]
    assert [row["v.values.at"] for row in rows] == [one["v.values.at"] for one in objects] == texts
    assert [row["v.values.seen"] for row in rows] == [f"{text}; {texts[0]}" for text in texts]
    assert [one["v.values.seen"] for one in objects] == [[text, texts[0]] for text in texts]
    for text, line in zip(texts, lines, strict=True):
        Path("one.json").write_text(json.dumps(line))
        told = json.loads(run("decide", "t.v", "--facts", "one.json", "--as-of", "2025-07-01", "--json").out)
        assert (told["values"]["at"], told["values"]["seen"]) == (text, [text, texts[0]])
    again = "".join(
        f'{row["id"]},1,x,{row["v.values.at"]},"{json.dumps([row["v.values.at"]]).replace(chr(34), chr(34) * 2)}"\n'
        for row in rows
    )
    Path("again.csv").write_text("id,n,note,paid_at,seen\n" + again)
    assert run("report", "t=again.csv", "--as-of", "2025-07-01", "--out", "out", "--format", "csv").code == 0
    assert [row["v.values.at"] for row in records("out/decisions.csv")] == texts


def test_c7_instants_within_records_and_lists_of_lists(tmp_path: Path) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    table = pl.DataFrame(
        {"a": [{"at": at}], "b": [[{"at": at}]], "c": [[[at], [at, at]]], "d": [[Decimal("1.50"), None]]}
    )
    assert written("csv", table, tmp_path) == (
        'a,b,c,d\n"{""at"":""2025-01-01T00:00:00Z""}","{""at"":""2025-01-01T00:00:00Z""}",'
        "2025-01-01T00:00:00Z; 2025-01-01T00:00:00Z; 2025-01-01T00:00:00Z,1.50\n"
    )
    text = "2025-01-01T00:00:00Z"
    assert json.loads(written("jsonl", table, tmp_path)) == {
        "a": {"at": text},
        "b": [{"at": text}],
        "c": [[text], [text, text]],
        "d": ["1.50", None],
    }


CELLS = [
    ("=1+1", "'=1+1"),
    ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
    ("+1+1", "'+1+1"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\uff1d1", "'\uff1d1"),
    ("-", "'-"),
    ("+49 30 1", "'+49 30 1"),
    ("-3", "-3"),
    ("+3.50", "+3.50"),
    ("a=1", "a=1"),
    ("'x", "'x"),
    ("", ""),
    (" =1", "' =1"),
    ("\n=1", "'\n=1"),
    ("\na", "'\na"),
    (" \t\u00a0+1", "' \t\u00a0+1"),
    ("\ufeff=1", "'\ufeff=1"),
    ("\u200b\uff0d1", "'\u200b\uff0d1"),
    ("\uff0b1", "'\uff0b1"),
    ("\uff201", "'\uff201"),
    ("\x00@1", "'\x00@1"),
    (" a", " a"),
    ("a\n=1", "a\n=1"),
]
SIGNED = ("-3", "+3.50")
"""What is a number by itself, but not at the head of a list."""


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_c10_no_cell_of_csv_is_a_formula(tmp_path: Path, text: str, cell: str) -> None:
    frame = pl.DataFrame({"note": [text], "list": [[text, "x"]], "n": [-3]})
    written("csv", frame.with_columns(name=pl.col("note").cast(pl.Categorical)), tmp_path)
    (row,) = records(str(tmp_path / "table"))
    many = f"{text}; x"
    assert (row["note"], row["name"], row["n"]) == (cell, cell, "-3")
    assert row["list"] == (f"'{many}" if cell != text or text in SIGNED else many)


def test_c10_formulas_in_keys_and_violations(run: Run) -> None:
    put({"type": "string", "maxLength": 5})
    lay_out({"a.jsonl": '{"id": "=1+1", "n": 9}\n{"id": "@SUM(1)", "n": 77}\n'}, Path())
    assert (
        run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--format", "csv", "--format", "jsonl").code
        == 0
    )
    assert records("out/decisions.csv")[0]["id"] == "'=1+1"
    assert records("out/invalid.csv")[0]["key"] == "'@SUM(1)"
    assert json.loads(Path("out/decisions.jsonl").read_text())["id"] == "=1+1"


def test_formulas_are_kept_where_that_is_asked_for(run: Run) -> None:
    put({"type": "string"})
    lay_out({"a.jsonl": '{"id": "=1+1", "n": 9}\n'}, Path())
    asked = ("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--format", "csv", "--keep-formulas")
    assert run(*asked).code == 0
    assert records("out/decisions.csv")[0]["id"] == "=1+1"
    assert json.loads(Path("out/manifest.json").read_text())["arguments"]["keep_formulas"] is True
    assert run("report", "verify", "out").code == 0


@pytest.mark.parametrize("options", [(), ("--keep-formulas",)])
def test_every_text_of_a_workbook_is_a_text(run: Run, options: tuple[str, ...]) -> None:
    put({"type": "string"})
    texts = [text for text, _ in CELLS if text.isprintable()]
    Path("a.jsonl").write_text("".join(json.dumps({"id": text, "n": 9}) + "\n" for text in texts))
    assert run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--format", "xlsx", *options).code == 0
    assert [row[1] for row in sheets("out/report.xlsx")["decisions"]][1:] == texts


SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(path: str) -> dict[str, list[list[str]]]:
    """The texts of each sheet, row by row."""
    with zipfile.ZipFile(path) as book:
        names = [
            str(one.get("name")) for one in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEETS}sheet")
        ]
        found = [ElementTree.fromstring(book.read(f"xl/worksheets/sheet{at}.xml")) for at in range(1, len(names) + 1)]
    assert not any(list(sheet.iter(f"{SHEETS}f")) for sheet in found)
    return {
        name: [["".join(cell.itertext()) for cell in row] for row in sheet.iter(f"{SHEETS}row")]
        for name, sheet in zip(names, found, strict=True)
    }


def test_c10_a_cell_that_excel_cannot_hold_is_cut_and_said(run: Run) -> None:
    put({"type": "string"})
    keys = ["x" * 32_767, "y" * 32_768, "\U0001f600" * 16_383, "\U0001f600" * 16_384, "=1+1"]
    Path("a.jsonl").write_text("".join(json.dumps({"id": key, "n": 9}) + "\n" for key in keys))
    ran = run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--format", "xlsx")
    assert ran.code == 0
    assert ran.err == (
        "note: report.xlsx: 2 cells of the sheet `decisions` have more than 32,767 characters, and are cut; "
        "the Parquet files hold all\n"
    )
    column = [row[1] for row in sheets("out/report.xlsx")["decisions"]][1:]
    assert column == [
        keys[0],
        "y" * 32_761 + " [cut]",
        keys[2],
        "\U0001f600" * 16_380 + " [cut]",
        "=1+1",
    ]


def test_c10_names_of_sheets_never_collide() -> None:
    taken = ["summary"]
    for ruleset in ("a" * 40, "a" * 39 + "b", "A" * 41, "history", "x[1]/y", "'q'"):
        for what in ("decisions", "invalid"):
            taken.append(sheet_name(ruleset, what, taken))
    assert taken[1:7] == [
        "a" * 21 + " decisions",
        "a" * 23 + " invalid",
        "a" * 19 + "~2 decisions",
        "a" * 21 + "~2 invalid",
        "A" * 19 + "~3 decisions",
        "A" * 21 + "~3 invalid",
    ]
    assert taken[9:] == ["x_1__y decisions", "x_1__y invalid", "_q_ decisions", "_q_ invalid"]
    assert len({name.lower() for name in taken}) == len(taken)
    assert max(map(len, taken)) == 31


def test_c10_rulesets_of_one_beginning_have_sheets_of_their_own(run: Run) -> None:
    put({"type": "string"})
    names = ["rules_for_accounts_of_the_north", "rules_for_accounts_of_the_south"]
    rules = Path("rules/t.yaml").read_text()
    Path("rules/t.yaml").unlink()
    for name in names:
        Path(f"rules/{name}.yaml").write_text(rules.replace("ruleset: t", f"ruleset: {name}"))
    Path("a.jsonl").write_text('{"id": "A", "n": 9}\n')
    ran = run(
        "report", *(f"{name}=a.jsonl" for name in names), "--as-of", "2025-07-01", "--out", "out", "--format", "xlsx"
    )
    assert (ran.code, ran.err) == (0, "")
    assert list(sheets("out/report.xlsx")) == [
        "summary",
        "rules_for_accounts_of decisions",
        "rules_for_accounts_of_t invalid",
        "rules_for_accounts_~2 decisions",
        "rules_for_accounts_of~2 invalid",
    ]
