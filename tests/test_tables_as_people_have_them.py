"""Files as people have them: each is read right, with at most one mapping file, or refused with its place and what to do."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.tables import NOTHING, read_mapping, source_of
from tests.support.tables import facts_of, messages, run
from tests.support.workbooks import Formula, Merged, Rows, workbook
from tests.test_tables_packed import zstd_compress

FACTS = facts_of(
    {
        "account": {"type": "string", "x-key": True},
        "plan": {"type": "string", "enum": ["basic", "pro"]},
        "amount": {"type": "number", "multipleOf": 0.01, "minimum": -100_000, "maximum": 100_000},
        "since": {"type": "string", "format": "date"},
        "active": {"type": "boolean"},
        "note": {"type": "string"},
    },
    ("account",),
)
Content = bytes | Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A file, its mapping file, and what comes of it: rows, what is wrong with others, or why it is refused.

    Rows are the facts that some of them have, in the order of the schema, without those that are absent everywhere.
    """

    name: str
    file: str
    content: Content
    rows: Sequence[tuple[Any, ...]] = ()
    wrong: Sequence[str] = ()
    refused: str = ""
    mapping: str = ""


FIRST, SECOND = date(2025, 3, 1), date(2025, 12, 31)
GERMAN = "Konto;Tarif;Betrag;Seit;Aktiv\r\nMüller;Pro;1.234,50;01.03.2025;ja\r\nGroß;Basis;-7,00;31.12.2025;nein\r\n"
FRENCH = "Compte;Montant;Depuis;Actif\r\nÉlodie;1\u202f234,50;01/03/2025;oui\r\nNoël;-7,00;31/12/2025;non\r\n"
FRENCH_MAP = """
columns: {Compte: account, Montant: amount, Depuis: since, Actif: active}
values: {active: {true: oui, false: non}}
dates: "%d/%m/%Y"
numbers: {decimal: ",", thousands: " "}
"""
GERMAN_MAP = """
encoding: cp1252
columns: {Konto: account, Tarif: plan, Betrag: amount, Seit: since, Aktiv: active}
values: {plan: {pro: Pro, basic: Basis}, active: {true: ja, false: nein}}
dates: "%d.%m.%Y"
numbers: {decimal: ",", thousands: "."}
"""
SAVE = "save the file as UTF-8, or name its encoding: --encoding cp1252 is usual for Excel on Windows"
FORM = "or give the file's form of dates in a mapping file (--map)"
NUMBERS = "or give the file's form of numbers in a mapping file (--map, numbers: {{{}}})"
DIGITS = "write digits only, with a point for decimals"
TITLE: Rows = [[Merged("Konten 2025", 3)], [], ["account", "plan", "amount"], ["A1", "pro", 12.5]]
WIDE = [f"f{number}" for number in range(1, 998)]


def excel(rows: Rows) -> Content:
    """A workbook of one sheet."""
    return lambda path: workbook(path, rows)


CASES = [
    Case(
        "German, as Excel saves CSV, and nothing said", "konten.csv", GERMAN.encode("cp1252"),
        refused="`konten.csv` is not utf-8 text: on line 2 stands the byte 0xFC, which read as cp1252 gives `Müller`; " + SAVE,
    ),
    Case(
        "German, as Excel saves CSV", "konten.csv", GERMAN.encode("cp1252"),
        [("Müller", "pro", 123_450, FIRST, True), ("Groß", "basic", -700, SECOND, False)], mapping=GERMAN_MAP,
    ),
    Case(
        "French, as Excel saves CSV in UTF-8", "comptes.csv", FRENCH.encode("utf-8-sig"),
        [("Élodie", 123_450, FIRST, True), ("Noël", -700, SECOND, False)], mapping=FRENCH_MAP,
    ),
    Case(
        "Unicode text of Excel: UTF-16 with a mark, and tabs", "a.txt", "account\tamount\r\nMüller\t1.5\r\n".encode("utf-16"),
        [("Müller", 150)],
    ),
    Case(
        "UTF-16 without a mark", "a.csv", "account,amount\nA1,1\n".encode("utf-16-le"),
        refused="`a.csv` seems to be utf-16-le without a byte order mark; say so: --encoding utf-16-le",
    ),
    Case(
        "UTF-16 without a mark, and said so", "a.csv", "account,amount\nMüller,1\n".encode("utf-16-be"), [("Müller", 100)],
        mapping="encoding: utf-16-be",
    ),
    Case("UTF-8 with a mark and a line `sep=`", "a.csv", b"\xef\xbb\xbfsep=;\r\naccount;note\r\nA1;a,b\r\n", [("A1", "a,b")]),
    Case(
        "records of other lengths", "a.csv", b"account,plan,amount\nA1,pro\nA2,pro,1,x\nA3,pro,1\n", [("A3", "pro", 100)],
        ["1 A1 / cells: line 2 has 2 cells, and the header has 3", "2 A2 / cells: line 3 has 4 cells, and the header has 3"],
    ),
    Case(
        "line breaks, delimiters and quotes in cells", "a.csv",
        b'account,note,plan\r\nA1,"one\r\ntwo, ""three""",pro\r\n"A2","","basic"\r\n',
        [("A1", "pro", 'one\r\ntwo, "three"'), ("A2", "basic", None)],
    ),
    Case(
        "a quote that nobody closed", "a.csv", b'account,note\nA1,"6"" pipe\nA2,x\nA3,y\n', [("A2", "x"), ("A3", "y")],
        [
            "1 A1 / cells: line 2 cannot be read as CSV: a quote is opened and never closed; "
            "the lines from 3 on are read by themselves"
        ],
    ),
    Case(
        "a thousand columns of which three are wanted", "a.csv",
        "\n".join([",".join(["account", *WIDE, "plan", "amount"]), ",".join(["A1", *"x" * 997, "pro", "1"])]).encode(),
        [("A1", "pro", 100)], mapping="columns: {" + ", ".join(f"{name}: null" for name in WIDE) + "}",
    ),
    Case(
        "a column twice", "a.csv", b"account,plan,amount,plan\nA1,pro,1,basic\n",
        refused="`a.csv`: the column `plan` stands twice in the header; keep one",
    ),
    Case("NUL bytes in cells", "a.csv", b"account,plan\nA1,pro\nA\x002,pro\n", [("A1", "pro"), ("A\x002", "pro")]),
    Case(
        "blanks behind names and cells", "a.csv", "account ,amount , since,active\nA1 , 1.50 ,2025-03-01 ,yes\u00a0\n".encode(),
        [("A1 ", 150, FIRST, True)],
    ),
    Case(
        "a delimiter at the end of each line", "a.csv", b"account;plan;\nA1;pro;\n",
        refused="`a.csv`: column 3 of the header has no name; give it one",
    ),
    Case(
        "numbers as people write them", "a.csv",
        "account;amount\nA1;1,234.50\nA2;€ 5\nA3;1.2E+03\nA4;1 000\nA5;12 %\nA6;(3)\nA7;1,5\n".encode(),
        wrong=[
            '1 A1 /amount type: line 2: `1,234.50` is not a number; write 1234.50, ' + NUMBERS.format('thousands: ","'),
            f"2 A2 /amount type: line 3: `€ 5` is not a number; {DIGITS}",
            "3 A3 /amount type: line 4: `1.2E+03` is not a number; write 1200",
            f"4 A4 /amount type: line 5: `1 000` is not a number; {DIGITS}",
            f"5 A5 /amount type: line 6: `12 %` is not a number; {DIGITS}",
            f"6 A6 /amount type: line 7: `(3)` is not a number; {DIGITS}",
            "7 A7 /amount type: line 8: `1,5` is not a number; write 1.5, " + NUMBERS.format('decimal: ","'),
        ],
    ),
    Case(
        "dates in three forms", "a.csv", b"account,since\nA1,2025-03-01\nA2,01.03.2025\nA3,03/01/2025\n", [("A1", FIRST)],
        [
            f"2 A2 /since format: line 3: `01.03.2025` is not a date such as 2025-02-28; {FORM}",
            f"3 A3 /since format: line 4: `03/01/2025` is not a date such as 2025-02-28; {FORM}",
        ],
    ),
    Case(
        "dates in three forms that are told apart", "a.csv", b"account,since\nA1,2025-03-01\nA2,1.3.2025\nA3,20250301\n",
        [("A1", FIRST), ("A2", FIRST), ("A3", FIRST)], mapping='dates: ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"]',
    ),
    Case(
        "dates in two forms that are not told apart", "a.csv", b"account,since\nA1,01/03/2025\n",
        refused="map.yaml:1:21: `2/1/1011` could be read by the form %d/%m/%Y and otherwise by %m/%d/%Y; "
        "name one of them, or write one of the two otherwise in the file",
        mapping='dates: ["%d/%m/%Y", "%m/%d/%Y"]',
    ),
    Case(
        "dates of a database: with midnight, and without a year", "a.csv",
        b"account,since\nA1,2025-03-01 00:00:00\nA2,0000-00-00\nA3,\n", [("A1", FIRST), ("A2", None), ("A3", None)],
        mapping='dates: "%Y-%m-%d %H:%M:%S"\nabsent: ["0000-00-00"]',
    ),
    Case(
        "lines above the header and blank ones", "a.csv", b"Export of 1 March\nby: me, you\n\naccount,plan\n\nA1,pro\n\n",
        [("A1", "pro")],
        mapping="header_row: 4",
    ),
    Case("line ends of an old Mac", "a.csv", b"account,plan\rA1,pro\rA2,basic\r", [("A1", "pro"), ("A2", "basic")]),
    Case("line ends of several systems", "a.csv", b"account|plan\r\nA1|pro\nA2|basic\r", [("A1", "pro"), ("A2", "basic")]),
    Case(
        "Y, N, and words for no value", "a.csv", b"account,active,amount,since\nA1,Y,n/a,NULL\nA2,N,-,2025-03-01\n",
        [("A1", None, True), ("A2", FIRST, False)],
        mapping="values: {active: {true: Y, false: N}}\nabsent: [n/a, NULL, '-']",
    ),
    Case("numbers with leading zeros that are texts", "a.csv", b'account,amount\n007,"007"\n', [("007", 700)]),
    Case("packed with gzip", "a.tsv.gz", gzip.compress(b"account\tplan\nA1\tpro\n"), [("A1", "pro")]),
    Case(
        "packed with zstd, and JSON Lines", "a.jsonl.zst", zstd_compress(b'{"account": "A1"}\r\n{"account": "A2"}\r\n'),
        [("A1",), ("A2",)],
    ),
    Case(
        "JSON Lines of PowerShell, which are UTF-16", "a.jsonl", '{"account": "A1"}\r\n'.encode("utf-16"),
        refused="`a.jsonl` is not UTF-8 text: it is utf-16-le, by its first bytes; save it as UTF-8",
    ),
    Case("JSON Lines with a mark", "a.jsonl", b'\xef\xbb\xbf{"account": "A1"}\n', [("A1",)]),
    Case(
        "packed, and not sent to its end", "a.csv.gz", gzip.compress(b"account,plan\n" + b"A1,pro\n" * 9000)[:-20],
        refused="`a.csv.gz` is not a whole gzip file; write it again",
    ),
    Case(
        "Excel with a merged title", "a.xlsx", excel(TITLE),
        refused="`a.xlsx`, sheet `Data`: row 1 names 1 of 3 columns: is it a title? "
        "say which row names the columns: --header-row 3, it seems",
    ),
    Case("Excel with a merged title, and the row said", "a.xlsx", excel(TITLE), [("A1", "pro", 1250)], mapping="header_row: 3"),
    Case(
        "Excel with numbers, texts and dates mixed in columns", "a.xlsx",
        excel([["account", "amount", "since"], [17, "12.50", FIRST], ["A2", 12.5, "2025-03-01"], ["A3", "12,50", 45717]]),
        [("17", 1250, FIRST), ("A2", 1250, FIRST)],
        [
            "4 A3 /amount type: cell B4: `12,50` is not a number; write 12.50, " + NUMBERS.format('decimal: ","'),
            "4 A3 /since format: cell C4: `45717` is a number in Excel, and no date; format the cell as a date",
        ],
    ),
    Case(
        "Excel with errors and a sum below", "a.xlsx",
        excel([["account", "amount"], ["A1", Formula("=NA()", "#N/A")], ["A2", Formula("=1+1", 2)], [], [None, 2]]),
        [("A1", None), ("A2", 200)], ["5 None / required: `account` is missing"], mapping='absent: ["#N/A"]',
    ),
    Case("CSV by another name", "a.xlsx", b"account,plan\nA1,pro\n",
         refused="`a.xlsx` is not a whole Excel workbook; save it again (File is not a zip file)"),
    Case("nothing at all", "a.csv", b"", refused="`a.csv` is empty; its first line must name the columns"),
    Case(
        "Parquet of a data frame", "a.parquet",
        lambda path: pl.DataFrame(
            {"account": ["A1", "A2"], "plan": ["pro", None], "amount": [0.1, 2.0], "active": [True, None], "note": [None, None]},
            schema_overrides={"account": pl.Categorical, "plan": pl.Enum(["basic", "pro"])},
        ).write_parquet(path),
        [("A1", "pro", 10, True), ("A2", None, 200, None)],
    ),
]  # fmt: skip


def outcome(path: Path, mapping: Path | None) -> tuple[list[tuple[Any, ...]], list[str], str]:
    """Rows, what is wrong with others, and why the whole file is refused."""
    try:
        found = run(source_of(path, FACTS, NOTHING if mapping is None else read_mapping(mapping, FACTS)))
    except CannotRun as error:
        return [], [], str(error).replace(f"{path.parent}/", "")
    valid = found.valid.drop("(row)")
    known = [name for name in valid.columns if valid[name].null_count() < valid.height]
    return valid.select(known).rows(), messages(found), ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_as_people_have_it(tmp_path: Path, case: Case) -> None:
    path, mapping = tmp_path / case.file, tmp_path / "map.yaml"
    if isinstance(case.content, bytes):
        path.write_bytes(case.content)
    else:
        case.content(path)
    mapping.write_text(case.mapping, "utf-8")
    assert outcome(path, mapping if case.mapping else None) == ([*case.rows], [*case.wrong], case.refused)
