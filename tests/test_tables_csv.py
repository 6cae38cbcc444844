"""CSV as people have it: how it is cut and read, what is invalid, and what cannot be read at all."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.backends.columnar.dtypes import schema_of as columns_of
from policy_engine.errors import CannotRun
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.violations import violations_of
from policy_engine.tables import NOTHING, FileOptions, TableMapping, Validated, csv_source, read_mapping
from policy_engine.tables.cells import BLANKS, CellStyle, read_cell
from policy_engine.tables.number_forms import NumberForm
from tests.support.tables import account, canonical, facts_of, messages, rows_of, run

HEADER = "account_id,plan,seats,amount,since,seen_at,active,tags\n"


def written(folder: Path, text: str | bytes, name: str = "accounts.csv") -> Path:
    """A file with a text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def validated_csv(folder: Path, text: str | bytes, **options: Any) -> Validated:
    """A CSV file of accounts, validated."""
    mapping, name = options.pop("mapping", None), options.pop("name", "accounts.csv")
    more = {} if mapping is None else {"mapping": read_mapping(written(folder, mapping, "map.yaml"), account())}
    return run(csv_source(written(folder, text, name), account(), options=FileOptions(**options), **more))


def refusal(folder: Path, text: str | bytes, **options: Any) -> str:
    """Why a file cannot be read."""
    with pytest.raises(CannotRun) as caught:
        validated_csv(folder, text, **options)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_kind_of_cell(tmp_path: Path) -> None:
    row = 'A1,pro,7,12.5,2025-02-28,2025-02-28T09:30:00-05:00,yes,"[""a"", ""b""]"\n'
    assert validated_csv(tmp_path, HEADER + row).valid.to_dicts() == [
        {
            "(row)": 1,
            "account_id": "A1",
            "plan": "pro",
            "seats": 7,
            "amount": 1250,
            "since": date(2025, 2, 28),
            "seen_at": datetime(2025, 2, 28, 14, 30, tzinfo=UTC),
            "active": True,
            "tags": ["a", "b"],
        }
    ]


READ = [
    ("seats", "7", 7),
    ("seats", " 7 ", 7),
    ("seats", "007", 7),
    ("seats", "+7", 7),
    ("seats", "7.0", 7),
    ("seats", "", None),
    ("seats", "  ", None),
    ("amount", "12", 1200),
    ("amount", "12.5", 1250),
    ("amount", "12.500", 1250),
    ("amount", "0.07", 7),
    ("amount", "-0", 0),
    ("active", "true", True),
    ("active", "FALSE", False),
    ("active", "Yes", True),
    ("active", "no", False),
    ("active", "1", True),
    ("active", "0", False),
    ("since", " 2024-02-29", date(2024, 2, 29)),
    ("since", "0001-01-01", date(1, 1, 1)),
    ("seen_at", "2025-01-01t00:00:00.25z", datetime(2025, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
    ("account_id", " A ", " A "),
    ("account_id", '"a,b"', "a,b"),
    ("account_id", '"a\nb"', "a\nb"),
    ("account_id", '"a""b"', 'a"b'),
    ("account_id", '""', None),
    ("account_id", "null", "null"),
    ("tags", "[]", []),
    ("tags", '"[""x""]"', ["x"]),
]


@pytest.mark.parametrize(("fact", "cell", "value"), READ)
def test_a_cell_is_read_by_the_type_of_its_fact(tmp_path: Path, fact: str, cell: str, value: object) -> None:
    found = validated_csv(tmp_path, f"plan,{fact}\npro,{cell}\n")
    assert messages(found) == []
    assert found.valid[fact].to_list() == [value]


IN_FORM = "or give the file's form of numbers in a mapping file (--map, numbers: {%s})"
OF_ABSENT = "; if it means that there is no value, name it under `absent` in a mapping file (--map)"
WRONG = [
    ("active", "n/a", "type", "`n/a` is not true or false; write true or false" + OF_ABSENT),
    ("since", "NULL", "format", "`NULL` is not a date such as 2025-02-28" + OF_ABSENT),
    (
        "seen_at",
        " - ",
        "format",
        "` - ` is not an instant with its offset such as 2025-02-28T09:30:00-05:00" + OF_ABSENT,
    ),
    ("amount", '"12,50"', "type", "`12,50` is not a number; write 12.50, " + IN_FORM % 'decimal: ","'),
    ("amount", '"1,234"', "type", "`1,234` is not a number; write 1234 or 1.234, " + IN_FORM % 'thousands: ","'),
    (
        "amount",
        '"1,234,567.5"',
        "type",
        "`1,234,567.5` is not a number; write 1234567.5, " + IN_FORM % 'thousands: ","',
    ),
    (
        "amount",
        '"1.234,50"',
        "type",
        "`1.234,50` is not a number; write 1234.50, " + IN_FORM % 'decimal: ",", thousands: "."',
    ),
    ("amount", "1E+02", "type", "`1E+02` is not a number; write 100"),
    ("amount", "$5", "type", "`$5` is not a number; write digits only, with a point for decimals"),
    ("amount", ".5", "type", "`.5` is not a number; write digits only, with a point for decimals"),
    ("seats", "NaN", "type", "`NaN` is not a number; write digits only, with a point for decimals" + OF_ABSENT),
    ("seats", "9" * 101, "type", f"`{'9' * 80}...` has more than 100 digits; write fewer"),
    ("active", "on", "type", "`on` is not true or false; write true or false"),
    (
        "since",
        "28.02.2025",
        "format",
        "`28.02.2025` is not a date such as 2025-02-28; or give the file's form of dates in a mapping file (--map)",
    ),
    (
        "since",
        "2025-02-30",
        "format",
        "`2025-02-30` is not a date such as 2025-02-28; or give the file's form of dates in a mapping file (--map)",
    ),
    (
        "seen_at",
        "2025-02-28 09:30",
        "format",
        "`2025-02-28 09:30` is not an instant with its offset such as 2025-02-28T09:30:00-05:00",
    ),
    (
        "tags",
        "a;b",
        "type",
        "`a;b` cannot be read: not JSON at column 1: `a` is no value: texts stand in double quotes; "
        "write the list or record as JSON",
    ),
]


@pytest.mark.parametrize(("fact", "cell", "keyword", "message"), WRONG)
def test_what_cannot_be_read_is_told_with_row_and_column(
    tmp_path: Path, fact: str, cell: str, keyword: str, message: str
) -> None:
    found = validated_csv(tmp_path, f"plan,{fact}\npro,\npro,{cell}\nbasic,\n")
    assert messages(found) == [f"2 None /{fact} {keyword}: line 3: {message}"]
    assert found.valid["(row)"].to_list() == [1, 3]


def test_what_is_read_is_judged_by_the_schema(tmp_path: Path) -> None:
    text = "account_id,plan,seats,amount\nA1,gold,1001,0.005\nA2,,1.5,\n,,,\n"
    assert messages(validated_csv(tmp_path, text)) == [
        "1 A1 /amount multipleOf: 0.005 is not a multiple of 0.01",
        '1 A1 /plan enum: "gold" is none of basic, pro',
        "1 A1 /seats maximum: 1001 is not 1000 or less",
        "2 A2 / required: `plan` is missing",
        "2 A2 /seats type: 1.5 is not a whole number",
        "3 None / required: `plan` is missing",
    ]


def test_a_row_may_be_wrong_in_many_ways(tmp_path: Path) -> None:
    text = 'account_id,plan,amount,tags\nA1,gold,"1,5","[1]"\nA2,pro,x,"[""a"""\n'
    assert messages(validated_csv(tmp_path, text)) == [
        "1 A1 /amount type: line 2: `1,5` is not a number; write 1.5, " + IN_FORM % 'decimal: ","',
        '1 A1 /plan enum: "gold" is none of basic, pro',
        "1 A1 /tags/0 type: 1 is not a text",
        "2 A2 /amount type: line 3: `x` is not a number; write digits only, with a point for decimals",
        '2 A2 /tags type: line 3: `["a"` cannot be read: not JSON at column 1: '
        "a bracket is never closed; write the list or record as JSON",
    ]


def test_ragged_rows_are_invalid_and_the_rest_is_decided(tmp_path: Path) -> None:
    text = 'account_id,plan\nA1,pro\nA2\nA3,pro,extra\n"A\n4",pro\nA5,basic\n'
    found = validated_csv(tmp_path, text)
    assert messages(found) == [
        "2 A2 / cells: line 3 has 1 cell, and the header has 2",
        "3 A3 / cells: line 4 has 3 cells, and the header has 2",
    ]
    assert found.valid["account_id"].to_list() == ["A1", "A\n4", "A5"]


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    found = validated_csv(tmp_path, 'account_id,plan\nA1,pro\nA2,"pro\nA3,pro\n')
    assert messages(found) == [
        "2 A2 / cells: line 3 cannot be read as CSV: a quote is opened and never closed; "
        "the lines from 4 on are read by themselves"
    ]
    assert found.valid["account_id"].to_list() == ["A1", "A3"]


def test_a_quote_in_the_middle_of_a_cell(tmp_path: Path) -> None:
    found = validated_csv(tmp_path, 'account_id,plan\nA1,pro\n"A"2,pro\nA3,pro\n')
    assert messages(found) == ["2 None / cells: line 3 cannot be read as CSV: ',' expected after '\"'"]
    assert found.valid["account_id"].to_list() == ["A1", "A3"]


def test_blank_lines_count_as_lines_and_not_as_rows(tmp_path: Path) -> None:
    found = validated_csv(tmp_path, "\naccount_id,plan\n\nA1,pro\n\n\nA2,pro,x\n")
    assert messages(found) == ["2 A2 / cells: line 7 has 3 cells, and the header has 2"]


@pytest.mark.parametrize("text", ["account_id,plan\n", "account_id,plan", "account_id,plan\n\n\n"])
def test_no_rows(tmp_path: Path, text: str) -> None:
    found = validated_csv(tmp_path, text)
    assert (found.valid.height, found.invalid.height) == (0, 0)


ENCODED = [
    ("utf-8", None),
    ("utf-8-sig", None),
    ("utf-16", None),
    ("cp1252", "cp1252"),
    ("latin-1", "latin-1"),
    ("utf-16-le", "utf-16-le"),
]


@pytest.mark.parametrize(("encoding", "named"), ENCODED)
def test_encodings(tmp_path: Path, encoding: str, named: str | None) -> None:
    found = validated_csv(tmp_path, "account_id,plan\nZoë,pro\n".encode(encoding), encoding=named)
    assert found.valid["account_id"].to_list() == ["Zoë"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    text = f'"account_id"{delimiter}plan\nA1{delimiter}pro\n'
    assert validated_csv(tmp_path, text).valid["plan"].to_list() == ["pro"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    found = validated_csv(tmp_path, f'account_id,plan{end}"A{end}1",pro{end}A2{end}')
    assert found.valid["account_id"].to_list() == [f"A{end}1"]
    assert messages(found) == ["2 A2 / cells: line 4 has 1 cell, and the header has 2"]


def test_packed(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"account_id,plan\nA1,pro\n"), "accounts.csv.gz")
    source = csv_source(path, account())
    assert run(source).valid.height == 1
    assert source.progress.done == source.progress.total == path.stat().st_size


@pytest.mark.parametrize(("row", "key"), [(None, "Accounts"), (1, "Accounts"), (3, "A1"), (4, "A1")])
def test_the_header_may_stand_below_other_lines(tmp_path: Path, row: int | None, key: str) -> None:
    text = 'account_id,plan\n"Accounts",pro\n\naccount_id,plan\nA1,pro\n'
    found = validated_csv(tmp_path, text, header_row=row)
    assert found.valid["account_id"].to_list()[0] == key
    assert refusal(tmp_path, text, header_row=9) == (
        "`accounts.csv` has fewer than 9 lines; the header cannot be there (--header-row)"
    )


REFUSED = [
    (b"", "`accounts.csv` is empty; its first line must name the columns"),
    (b"plan,plan\npro,pro\n", "`accounts.csv`: the column `plan` stands twice in the header; keep one"),
    (b"plan,\npro,\n", "`accounts.csv`: column 2 of the header has no name; give it one"),
    (b"plan,(row)\npro,1\n", "`accounts.csv`: a column cannot be called `(row)`; give it another name"),
    (
        "account_id,plan\nA1,pro\nZoë,pro\n".encode("cp1252"),
        "`accounts.csv` is not utf-8 text: on line 3 stands the byte 0xEB, which read as cp1252 gives `Zoë`; "
        "save the file as UTF-8, or name its encoding: --encoding cp1252 is usual for Excel on Windows",
    ),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_what_cannot_be_read_at_all(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(tmp_path, content) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="there is no file"):
        csv_source(tmp_path / "no.csv", account())


def test_many_columns_that_are_no_facts_are_told_together(tmp_path: Path) -> None:
    header, row = ["plan", "Seats", *(f"f{n}" for n in range(1, 998))], ["pro", "", *"x" * 997]
    source = csv_source(written(tmp_path, f"{','.join(header)}\n{','.join(row)}\n"), account())
    assert [warning.replace(f"{tmp_path}/", "") for warning in source.warnings] == [
        "`accounts.csv`: the column `Seats` is no fact of the schema `account`; did you mean `seats`? "
        "Map it with --map, or its rows are invalid wherever it has a value",
        "`accounts.csv`: 997 columns are no facts of the schema `account`, such as `f1`, `f2`, `f3`; leave them out or map them "
        "with --map, or rows are invalid wherever they have a value",
    ]
    some = ", ".join(f"`f{n}`" for n in range(1, 11))
    assert messages(run(source)) == [f"1 None / additionalProperties: there is no fact {some} and 987 more"]


def test_columns_that_are_no_facts(tmp_path: Path) -> None:
    source = csv_source(written(tmp_path, "Plan,note\npro,\npro,x\n"), account())
    assert [warning.replace(f"{tmp_path}/", "") for warning in source.warnings] == [
        "`accounts.csv`: the column `Plan` is no fact of the schema `account`; did you mean `plan`? "
        "Map it with --map, or its rows are invalid wherever it has a value",
        "`accounts.csv`: the column `note` is no fact of the schema `account`; leave it out or map it "
        "with --map, or its rows are invalid wherever it has a value",
        "`accounts.csv`: there is no column for the required fact `plan`",
    ]
    assert messages(run(source)) == [
        "1 None / additionalProperties: there is no fact `Plan` (did you mean `plan`?)",
        "1 None / required: `plan` is missing",
        "2 None / additionalProperties: there is no fact `Plan` (did you mean `plan`?), `note`",
        "2 None / required: `plan` is missing",
    ]


MAP = """\
columns:
  Account Number: account_id
  Paid For: plan
  Remark: null
  Joined: since
values:
  plan: {pro: [P, Professional], basic: B}
  active: {true: [Y], false: [N]}
dates: "%d.%m.%Y"
"""


def test_a_mapping_file(tmp_path: Path) -> None:
    text = (
        "Account Number;Paid For;Remark;Joined;active\nA1;P;x;28.02.2025;Y\nA2;basic;;1.3.2025;N\nA3;B;;2025-03-01;\n"
    )
    found = validated_csv(tmp_path, text, mapping=MAP)
    assert found.valid.select("account_id", "plan", "since", "active").rows() == [
        ("A1", "pro", date(2025, 2, 28), True),
        ("A2", "basic", date(2025, 3, 1), False),
    ]
    assert messages(found) == [
        "3 A3 /since format: line 4, column `Joined`: `2025-03-01` is not a date written as %d.%m.%Y"
    ]


def test_records_in_cells(tmp_path: Path) -> None:
    part = {
        "type": "object",
        "additionalProperties": False,
        "required": ["on"],
        "properties": {"on": {"type": "string", "format": "date"}},
    }
    facts = facts_of({"id": {"type": "string", "x-key": True}, "last": part})
    text = 'id,last\nA,"{""on"": ""2025-02-28""}"\nB,"{""on"": ""2025-02-30""}"\n'
    text += 'C,"{""on"": null}"\nD,"{""on"": 1, ""on"": 2}"\nE,\n'
    found = run(csv_source(written(tmp_path, text), facts))
    assert found.valid.select("id", "last").rows() == [("A", {"on": date(2025, 2, 28)}), ("E", None)]
    assert messages(found) == [
        '2 B /last/on format: "2025-02-30" is not a date such as 2025-02-28',
        "3 C /last required: `on` is missing",
        '4 D /last type: line 5: `{"on": 1, "on": 2}` cannot be read: '
        "the name `on` stands twice in one object; write the list or record as JSON",
    ]


CELLS = (
    "", " ", "x", "A1", "pro", "basic", "P", "7", " 7", "7.0", "7.5", "-1", "+3", "007", "1e3", "12,5", "1,234", "1.234,5",
    "1.23,4", "1.234.567,89", "1,234.5", "0.123", "0,5", "12,345", "1200",
    "0.01", "0.010", "0.001", ".5", "5.", "999999999999999999", "9999999999999999999", "NaN", "true", "NO", "maybe",
    "2025-02-28", "2025-02-30",     "28.02.2025", "1.3.2025", "31.2.2025", "28.02.25", "2025-2-3", "2025-02-28T00:00:00Z",
    "2025-02-28t00:00:00.5-05:00",
    "2025-02-28T00:00:60Z", "28.2.2025 9:30 +0100", "28.02.2025 09:30 Z", "28022025", "2822025", "NA", " NA",
    "[]", '["a"]', '["a", null]', "[1]", "[", "a,b", "a\nb", 'a"b', "\u0662", "\u00a07",
)  # fmt: skip
NAMES = ("account_id", "plan", "seats", "amount", "since", "seen_at", "active", "tags", "other")
ROWS = st.lists(st.tuples(*(st.sampled_from(CELLS) for _ in NAMES)), max_size=6)


MAPPINGS = [
    NOTHING,
    TableMapping(
        styles={
            "plan": CellStyle(values={"P": "pro"}),
            "since": CellStyle(forms=("%d.%m.%Y", "%Y-%m-%d")),
            "seen_at": CellStyle(forms=("%d.%m.%Y %H:%M %z",)),
            "amount": CellStyle(values={"x": "5"}, numbers=NumberForm(",", "."), shift=-2),
            "seats": CellStyle(shift=-1),
        }
    ),
    TableMapping(
        styles={
            "plan": CellStyle(absent=("NA", "x")),
            "since": CellStyle(values={"x": "2025-02-28"}, forms=("%d%m%Y",), absent=("NA",)),
            "amount": CellStyle(numbers=NumberForm(".", ",")),
            "seats": CellStyle(shift=2),
        },
        absent=("NA",),
    ),
]


@given(ROWS, st.sampled_from(MAPPINGS))
@settings(max_examples=400, derandomize=True, database=None, deadline=None)
def test_columns_and_cells_one_by_one_agree(rows: list[tuple[str, ...]], mapping: TableMapping) -> None:
    """What the columns say of a row is what cells that are read one by one and the rule of facts say."""
    with (
        TemporaryDirectory() as folder,
        (path := Path(folder, "a.csv")).open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file).writerows([NAMES, *rows])
        file.flush()
        source = csv_source(path, account(), mapping)
        found = run(source)
    told = {row["(row)"]: [one["pointer"] for one in row["violations"]] for row in found.invalid.to_dicts()}
    valid = {row["(row)"]: row for row in rows_of(found.valid)}
    members = {member.name: member for member in account().type.members}
    for number, row in enumerate(rows, start=1):
        pointers, values = [], {}
        for name, cell in zip(NAMES, row, strict=True):
            text = name in ("account_id", "plan", "other")
            bare = cell if text else cell.strip(BLANKS)
            if bare and bare not in mapping.style(name).absent:
                value, unread = read_cell(members[name], mapping.style(name), cell) if name in members else (cell, [])
                pointers += [one.pointer for one in unread]
                values[name] = value
        schema = [one.pointer for one in violations_of(values, account()) if one.pointer not in pointers]
        assert sorted(told.get(number, [])) == sorted(pointers + schema)
        if number not in told:
            known = to_json_types(values)[0]
            assert valid.pop(number) == {"(row)": number, **canonical(known, account().type)}
    assert valid == {}


def test_several_sinks_read_a_source_once_and_two_sources_stay_two(tmp_path: Path) -> None:
    first, second = (
        csv_source(written(tmp_path, f"account_id,plan\n{key},pro\n", f"{key}.csv"), account()) for key in ("A", "B")
    )
    told = first.frame.map_batches(
        lambda morsel: first.validate(morsel).valid, streamable=True, schema=dict(columns_of(account().type))
    )
    other = second.frame.select("account_id")
    ones, twos, others = pl.collect_all([told.select("account_id"), told.select("plan"), other], engine="streaming")
    assert first.progress.done == first.progress.total
    assert (ones.rows(), twos.rows(), others.rows()) == ([("A",)], [("pro",)], [("B",)])
