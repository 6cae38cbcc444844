"""Excel workbooks: which sheet and header, how each kind of cell is read, what is told by its cell, and what is no workbook."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest

from policy_engine.errors import CannotRun
from policy_engine.tables import NOTHING, FileOptions, Validated, read_mapping, sheet_source, source_of
from tests.support.tables import ACCOUNT, account, facts_of, messages, run
from tests.support.workbooks import Formula, Merged, Rows, workbook

MIDNIGHT, HALF_PAST_NINE = (datetime.combine(date(2025, 3, 1), at) for at in (time(), time(9, 30)))
HEADER = ["account_id", "plan", "seats", "amount", "since", "seen_at", "active", "tags"]
MEND = "mend the cell, or if it means that there is no value, name it under `absent` in a mapping file (--map)"


def validated_sheet(folder: Path, sheets: Any, mapping: str | None = None, **options: Any) -> Validated:
    """A workbook of accounts, validated."""
    path = workbook(folder / "accounts.xlsx", sheets)
    named = NOTHING
    if mapping is not None:
        (folder / "map.yaml").write_text(mapping, "utf-8")
        named = read_mapping(folder / "map.yaml", account())
    return run(source_of(path, account(), named, FileOptions(**options)))


def refusal(folder: Path, sheets: Any, **options: Any) -> str:
    """Why a workbook cannot be read."""
    with pytest.raises(CannotRun) as caught:
        validated_sheet(folder, sheets, **options)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_kind_of_cell(tmp_path: Path) -> None:
    row = ["A1", "pro", 7, 12.5, date(2025, 2, 28), "2025-02-28T09:30:00-05:00", True, '["a", "b"]']
    found = validated_sheet(tmp_path, [HEADER, row])
    assert messages(found) == []
    seen = datetime(2025, 2, 28, 14, 30, tzinfo=UTC)
    assert found.valid.rows() == [(2, "A1", "pro", 7, 1250, date(2025, 2, 28), seen, True, ["a", "b"])]


READ: list[tuple[str, object, object]] = [
    ("text", 1234.0, "1234"),
    ("text", 0.1, "0.1"),
    ("text", 2.0**40, "1099511627776"),
    ("text", "007", "007"),
    ("text", date(2025, 3, 1), "2025-03-01"),
    ("text", HALF_PAST_NINE, "2025-03-01T09:30:00"),
    ("text", True, "TRUE"),
    ("text", " x ", " x "),
    ("text", Formula("=A1&1", "A1"), "A1"),
    ("text", "", None),
    ("seats", 1e2, 100),
    ("seats", Formula("=1+1", 2), 2),
    ("seats", "7", 7),
    ("seats", " ", None),
    ("amount", 0.07, 7),
    ("amount", 1e-2, 1),
    ("active", "yes", True),
    ("active", 0, False),
    ("since", "2025-03-01", date(2025, 3, 1)),
    ("since", MIDNIGHT, date(2025, 3, 1)),
    ("since", date(1900, 3, 1), date(1900, 3, 1)),
    ("since", date(9999, 12, 31), date(9999, 12, 31)),
    ("opens", time(9, 30), time(9, 30)),
    ("opens", "09:30", time(9, 30)),
]
FACTS = {
    **{name: ACCOUNT[name] for name in ("seats", "amount", "since", "active")},
    "text": {"type": "string"},
    "last": {"type": "string"},
    "opens": {"type": "string", "format": "time"},
}


@pytest.mark.parametrize(("fact", "cell", "value"), READ)
def test_a_cell_is_read_as_its_fact(tmp_path: Path, fact: str, cell: object, value: object) -> None:
    found = run(source_of(workbook(tmp_path / "a.xlsx", [[fact, "last"], [cell, "x"]]), facts_of(FACTS)))
    assert (messages(found), found.valid[fact].to_list()) == ([], [value])


NOT_READ: list[tuple[str, object, str]] = [
    ("account_id", Formula("=NA()", "#N/A"), f"account_id type: cell B3: `#N/A` is an error of Excel; {MEND}"),
    ("account_id", "#N/A", f"account_id type: cell B3: `#N/A` is an error of Excel; {MEND}"),
    ("amount", Formula("=1/0", "#DIV/0!"), f"amount type: cell B3: `#DIV/0!` is an error of Excel; {MEND}"),
    ("tags", Formula("=A9", "#REF!"), f"tags type: cell B3: `#REF!` is an error of Excel; {MEND}"),
    ("amount", Formula("=0.1+0.2", 0.1 + 0.2), "amount multipleOf: 0.30000000000000004 is not a multiple of 0.01"),
    ("amount", "many", "amount type: cell B3: `many` is not a number; write digits only, with a point for decimals"),
    ("amount", date(2025, 3, 1),
     "amount type: cell B3: `2025-03-01` is not a number; write digits only, with a point for decimals"),
    ("seats", 7.5, "seats type: 7.5 is not a whole number"),
    ("active", 2, "active type: cell B3: `2` is not true or false; write true or false"),
    ("since", 45717, "since format: cell B3: `45717` is a number in Excel, and no date; format the cell as a date"),
    ("since", HALF_PAST_NINE,
     "since format: cell B3: `2025-03-01T09:30:00` has a time of day, and a date has none"),
    ("plan", "sold", 'plan enum: "sold" is none of basic, pro'),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "cell", "told"), NOT_READ)
def test_a_cell_that_is_not_its_fact_is_told_with_its_place(tmp_path: Path, fact: str, cell: object, told: str) -> None:
    facts = facts_of({fact: ACCOUNT[fact], "last": {"type": "string"}})
    path = workbook(tmp_path / "a.xlsx", [["last", fact], ["x", None], ["y", cell]])
    [message] = messages(run(source_of(path, facts)))
    assert message.split(" /", 1)[1] == told


def test_a_column_of_another_name_is_told_with_it(tmp_path: Path) -> None:
    sheet = [["account_id", "plan", "Joined"], ["A1", "pro", "x"]]
    found = validated_sheet(tmp_path, sheet, mapping="columns: {Joined: since}")
    assert messages(found) == [
        "2 A1 /since format: cell C2, column `Joined`: `x` is not a date such as 2025-02-28; "
        "or give the file's form of dates in a mapping file (--map)"
    ]


def test_dates_of_excel_and_dates_as_texts_in_one_column(tmp_path: Path) -> None:
    cells = [date(2025, 3, 1), "02.03.2025", MIDNIGHT, "n/a", Formula("=NA()", "#N/A")]
    sheet = [["plan", "since"], *(["pro", cell] for cell in cells)]
    found = validated_sheet(tmp_path, sheet, mapping='dates: "%d.%m.%Y"\nabsent: [n/a, "#N/A"]')
    assert messages(found) == []
    days = [date(2025, 3, 1), date(2025, 3, 2), date(2025, 3, 1)]
    assert found.valid["since"].to_list() == [*days, None, None]


def test_numbers_of_excel_and_numbers_as_texts_in_one_column(tmp_path: Path) -> None:
    sheet = [["plan", "amount"], ["pro", 1.25], ["pro", "1,25"], ["pro", 12.0], ["pro", "1.000,00"], ["pro", "1.25"]]
    found = validated_sheet(tmp_path, sheet, mapping='numbers: {decimal: ",", thousands: "."}')
    assert found.valid["amount"].to_list() == [125, 125, 1200, 100_000]
    assert messages(found) == ["6 None /amount type: cell B6: `1.25` is not a number written as 1.234,56"]


LOCAL = {"type": "string", "format": "date-time", "x-local": True}
MOMENTS = [
    ("", HALF_PAST_NINE, datetime(2025, 3, 1, 8, 30, tzinfo=UTC)),
    ("", MIDNIGHT, datetime(2025, 2, 28, 23, tzinfo=UTC)),
    ("", "2025-03-01T09:30:00Z", datetime(2025, 3, 1, 9, 30, tzinfo=UTC)),
    ('dates: {at: "%d.%m.%Y %H:%M"}', HALF_PAST_NINE, datetime(2025, 3, 1, 8, 30, tzinfo=UTC)),
    ('dates: {at: "%d.%m.%Y %H:%M"}', "01.03.2025 09:30", datetime(2025, 3, 1, 8, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("mapping", "cell", "moment"), MOMENTS)
def test_a_date_and_time_is_read_in_the_zone_of_the_ruleset(
    tmp_path: Path, mapping: str, cell: object, moment: datetime
) -> None:
    facts = facts_of({"at": LOCAL}).in_zone("Europe/Berlin")
    (tmp_path / "map.yaml").write_text(mapping, "utf-8")
    path = workbook(tmp_path / "a.xlsx", [["at"], [cell]])
    found = run(source_of(path, facts, read_mapping(tmp_path / "map.yaml", facts) if mapping else NOTHING))
    assert (messages(found), found.valid["at"].to_list()) == ([], [moment])


def test_rows_have_the_numbers_of_the_sheet(tmp_path: Path) -> None:
    sheet: Rows = [[], [None, "account_id", "plan"], [], [None, "A1", "pro"], [], [None, "A2", "sold"], [], []]
    found = validated_sheet(tmp_path, sheet)
    assert (found.valid["(row)"].to_list(), messages(found)) == (
        [4],
        ['6 A2 /plan enum: "sold" is none of basic, pro'],
    )


SMALL = [["account_id", "plan"], ["A1", "pro"]]
OTHER = [["account_id", "plan"], ["B1", "basic"]]


@pytest.mark.parametrize(
    ("said", "mapping", "key"),
    [(None, None, "A1"), ("Other", None, "B1"), (None, "sheet: Other", "B1"), ("Data", "sheet: Other", "A1")],
)
def test_the_sheet_that_is_named_or_the_first(tmp_path: Path, said: str, mapping: str, key: str) -> None:
    found = validated_sheet(tmp_path, {"Data": SMALL, "Other": OTHER}, mapping, sheet=said)
    assert found.valid["account_id"].to_list() == [key]


def test_a_hidden_sheet_is_read_only_where_it_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Lists": OTHER, "Data": SMALL}, hidden=["Lists"])
    assert run(source_of(path, account())).valid["account_id"].to_list() == ["A1"]
    named = source_of(path, account(), options=FileOptions(sheet="Lists"))
    assert run(named).valid["account_id"].to_list() == ["B1"]


def test_of_several_sheets_it_is_said_which_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Data": SMALL, "Other": OTHER})
    told = f"`{path}`, sheet `Data` is read, the first of 2; --sheet names another"
    assert sheet_source(path, account()).warnings == (told,)
    assert sheet_source(path, account(), options=FileOptions(sheet="Data")).warnings == ()


WHERE = "`accounts.xlsx`, sheet `Data`"
TITLE = [[Merged("Accounts of 2025", 2)], [], ["account_id", "plan"], ["A1", "pro"]]
REFUSED: list[tuple[object, dict[str, object], str]] = [
    ([], {}, f"{WHERE} is empty; its first row must name the columns"),
    (SMALL, {"sheet": "data"}, "`accounts.xlsx` has no sheet `data`; did you mean `Data`?"),
    (SMALL, {"sheet": "Sales"}, "`accounts.xlsx` has no sheet `Sales`; it has Data"),
    (SMALL, {"header_row": 9}, f"{WHERE} ends with row 2; the header cannot be in row 9 (--header-row)"),
    (TITLE, {}, f"{WHERE}: row 1 names 1 of 2 columns: is it a title? say which row names the columns: --header-row 3, it seems"),
    ([["Accounts"], ["Q1", "Q2", "Q3"], [1, 2, 3]], {},
     f"{WHERE}: row 1 names 1 of 3 columns: is it a title? say which row names the columns: --header-row 2, it seems"),
    ([["plan", "plan"], ["pro", "pro"]], {}, f"{WHERE}: the column `plan` stands twice in row 1 (A1 and B1); keep one"),
    ([["plan", None, "seats"], ["pro", None, 1], ["pro", "x", 1]], {},
     f"{WHERE}: column B has no name in row 1, and a value in B3; name it, or say which row names the columns: --header-row N"),
]  # fmt: skip


@pytest.mark.parametrize(("sheets", "options", "told"), REFUSED)
def test_a_sheet_whose_columns_have_no_names(
    tmp_path: Path, sheets: object, options: dict[str, object], told: str
) -> None:
    assert refusal(tmp_path, sheets, **options) == told


def test_the_row_of_the_header_may_be_said(tmp_path: Path) -> None:
    assert validated_sheet(tmp_path, TITLE, header_row=3).valid["(row)"].to_list() == [4]
    assert validated_sheet(tmp_path, TITLE, mapping="header_row: 3").valid["(row)"].to_list() == [4]


def test_an_empty_column_without_a_name_is_none(tmp_path: Path) -> None:
    assert validated_sheet(tmp_path, [["account_id", None, "plan"], ["A1", None, "pro"]]).valid.height == 1


def test_years_may_count_from_1904(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["since"], [date(2025, 3, 1)]], date_1904=True)
    assert run(source_of(path, facts_of(FACTS))).valid["since"].to_list() == [date(2025, 3, 1)]


def test_many_rows_come_in_their_order(tmp_path: Path) -> None:
    rows = [["account_id", "plan"], *([f"A{number}", "pro"] for number in range(2, 45_000))]
    source = source_of(workbook(tmp_path / "a.xlsx", rows, constant_memory=True), account())
    found = run(source).valid
    assert found["account_id"].to_list() == [f"A{number}" for number in found["(row)"].to_list()]
    assert (found.height, source.progress.done, source.progress.total) == (44_998, 44_998, 44_998)


def changed(path: Path, part: str, change: Callable[[bytes], bytes], packing: int = ZIP_DEFLATED) -> Path:
    """A workbook in which a part was changed."""
    with ZipFile(path) as before:
        parts = {name: before.read(name) for name in before.namelist()}
    parts[part] = change(parts[part])
    with ZipFile(path, "w", packing) as after:
        for name, content in parts.items():
            after.writestr(name, content)
    return path


def test_another_program_may_write_it_otherwise(tmp_path: Path) -> None:
    """Single quotes, and a prefix before each name of XML."""
    path = workbook(tmp_path / "a.xlsx", [["plan", "amount"], ["pro", Formula("=NA()", "#N/A")]])

    def change(content: bytes) -> bytes:
        text = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", content).replace(b"xmlns=", b"xmlns:x=")
        return text.replace(b't="e"', b"t='e'")

    changed(path, "xl/worksheets/sheet1.xml", change)
    told = f"2 None /amount type: cell B2: `#N/A` is an error of Excel; {MEND}"
    assert messages(run(source_of(path, account()))) == [told]


FORMULAS = [
    ("<f>1+1</f></c>", True),
    ("<f>1+1</f><v></v></c>", True),
    ("<f>1+1</f><v/></c>", True),
    ('<f t="shared" si="0"/></c>', True),
    ("<f>1+1</f><v>2</v></c>", False),
]


@pytest.mark.parametrize(("formula", "unsaved"), FORMULAS)
def test_a_formula_that_nobody_has_worked_out(tmp_path: Path, formula: str, unsaved: bool) -> None:
    """As programs leave it that write workbooks and do not calculate."""
    path = workbook(tmp_path / "a.xlsx", [["plan", "seats"], ["pro", Formula("=1+1", 2)]])
    was = b"<f>1+1</f><v>2</v></c>"
    changed(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(was, formula.encode()))
    told = "2 None /seats type: cell B2: the formula has no value; open the workbook in Excel, which works it out, and save it"
    assert messages(run(source_of(path, account()))) == ([told] if unsaved else [])


def test_a_formula_that_gives_an_empty_text_gives_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["plan", "account_id"], ["pro", Formula('=""', "")]])
    changed(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(b'r="B2"', b'r="B2" t="str"'))
    found = run(source_of(path, account()))
    assert (messages(found), found.valid["account_id"].to_list()) == ([], [None])


NO_WORKBOOK: list[tuple[bytes, str]] = [
    (b"", "is not a whole Excel workbook; save it again (File is not a zip file)"),
    (b"account_id,plan\n", "is not a whole Excel workbook; save it again (File is not a zip file)"),
    (b"\xd0\xcf\x11\xe0rest", "is of Excel before 2007, or has a password; save it as .xlsx without one"),
]


@pytest.mark.parametrize(("content", "told"), NO_WORKBOOK)
def test_a_file_that_is_no_workbook(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(CannotRun) as caught:
        source_of(path, account())
    assert str(caught.value) == f"`{path}` {told}"


def test_a_damaged_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", SMALL)
    content = path.read_bytes()
    path.write_bytes(content[:1000])
    with pytest.raises(CannotRun, match="is not a whole Excel workbook; save it again"):
        source_of(path, account())
    path.write_bytes(content)
    changed(path, "xl/sharedStrings.xml", bytes, ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"account_id", b"account_no"))
    with pytest.raises(CannotRun, match=r"is damaged within, in `xl/sharedStrings.xml`; save it again"):
        source_of(path, account())
    with pytest.raises(CannotRun, match="there is no file"):
        source_of(tmp_path / "no.xlsx", account())


def test_only_a_workbook_has_sheets(tmp_path: Path) -> None:
    with pytest.raises(CannotRun) as caught:
        source_of(tmp_path / "a.csv", account(), options=FileOptions(sheet="Data"))
    assert str(caught.value) == f"`{tmp_path}/a.csv` is no Excel workbook, and has no sheet `Data`; name none"
