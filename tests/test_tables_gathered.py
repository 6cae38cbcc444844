"""Lists gathered from columns, and from the rows of a second file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from policy_engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables import read_mapping, source_of
from tests.conftest import ROOT
from tests.support.commands import policy
from tests.support.tables import facts_of, messages, run

LIMIT = {
    "kind": {"type": "string"},
    "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100_000},
    "since": {"type": "string", "format": "date"},
}
DEEP = {"items": {"type": "array", "items": {"type": "string"}}, "type": "array"}


def record(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def schema(*required: str) -> FactsSchema:
    """A schema with a list of every kind that can be gathered, and one that cannot."""
    status = {"status": {"type": "string", "enum": ["open", "closed"]}, "since": {"type": "string", "format": "date"}}
    return facts_of(
        {
            "account_id": {"type": "string", "x-key": True},
            "number": {"type": "integer", "minimum": 0, "maximum": 1_000},
            "tags": {
                "type": "array",
                "maxItems": 3,
                "uniqueItems": True,
                "items": {"enum": ["a", "b"], "type": "string"},
            },
            "days": {"type": "array", "maxItems": 5, "items": {"type": "string", "format": "date"}},
            "limits": {"type": "array", "maxItems": 3, "items": record(LIMIT, ["kind", "amount"])},
            "statuses": {"type": "array", "maxItems": 2, "items": record(status, ["status"])},
            "deep": DEEP,
        },
        required,
    )


MAP = """\
columns: {Id: account_id}
dates: "%d.%m.%Y"
numbers: {decimal: ","}
lists:
  tags: [Tag 1, Tag 2]
  limits:
    - {columns: {Daily: amount, Since: since}, constants: {kind: daily}}
    - {columns: {Weekly: amount, Kind: kind}}
"""
HEADER = ("Id", "Tag 1", "Tag 2", "Daily", "Since", "Weekly", "Kind")
ROWS = {
    ("A", "a", "b", "1,5", "1.2.2025", "2", "weekly"): (
        ["a", "b"],
        [
            {"kind": "daily", "amount": 150, "since": date(2025, 2, 1)},
            {"kind": "weekly", "amount": 200, "since": None},
        ],
    ),
    ("B", None, "b", None, None, "0", "w"): (["b"], [{"kind": "w", "amount": 0, "since": None}]),
    ("C", None, None, None, None, None, None): (None, None),
}
WRONG = {
    ("D", "x", None, "1", None, None, None): '/tags/0 enum: "x" is none of a, b',
    ("E", None, None, None, None, "1,234", "w"): "/limits/1/amount multipleOf: 1.234 is not a multiple of 0.01",
    ("F", None, None, None, "1.2.2025", None, None): "/limits/0 required: `amount` is missing",
    ("G", "a", "a", None, None, None, None): '/tags uniqueItems: ["a", "a"] is not a list without repetition',
    ("H", None, None, "x", None, None, None): "/limits/0/amount type: `x` is not a number written as 1234,56",
}


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_lists_are_gathered_from_columns_of_every_table(tmp_path: Path, ending: str) -> None:
    table, facts = tmp_path / f"a.{ending}", schema()
    frame = pl.DataFrame([*ROWS, *WRONG], dict.fromkeys(HEADER, pl.String()), orient="row")
    write = {"csv": pl.DataFrame.write_csv, "parquet": pl.DataFrame.write_parquet, "jsonl": pl.DataFrame.write_ndjson}
    write[ending](frame, table)  # type: ignore[operator]  # three methods that take a path
    (tmp_path / "map.yaml").write_text(MAP)
    source = source_of(table, facts, read_mapping(tmp_path / "map.yaml", facts))
    found = run(source)
    assert source.warnings == ()
    assert found.valid.select("tags", "limits").rows() == list(ROWS.values())
    told = [message.split(" ", 2)[2] for message in messages(found)]
    wanted = list(WRONG.values())
    assert [message.replace("line 9, column `Daily`: ", "") for message in told] == wanted


HISTORY = """\
dates: "%d.%m.%Y"
values: {statuses.status: {open: O, closed: C}}
histories:
  statuses: {file: data/status.csv, by: account_id, columns: {Konto: account_id, Status: status, Seit: since},
    without_rows: WITHOUT}
"""
STATUSES = (
    "Konto;Status;Seit\nA;O;1.1.2025\nB;C;\nA;C;3.1.2025\nC;X;\nC;O;\nZ;O;\nY;O;\nD;O;31.2.2025\nE;O;\nE;O;\nE;C;\n"
)


def put(folder: Path, mapping: str, rows: str, table: str = "account_id\nA\nB\nC\nD\nE\nG\n") -> None:
    """A table, its mapping, and the file of its history."""
    (folder / "data").mkdir()
    (folder / "map.yaml").write_text(mapping)
    (folder / "data/status.csv").write_text(rows)
    (folder / "a.csv").write_text(table)


@pytest.mark.parametrize(("without", "none"), [("empty", []), ("absent", None)])
def test_lists_are_gathered_from_rows_of_another_file(tmp_path: Path, without: str, none: object) -> None:
    put(tmp_path, HISTORY.replace("WITHOUT", without), STATUSES)
    facts = schema()
    source = source_of(tmp_path / "a.csv", facts, read_mapping(tmp_path / "map.yaml", facts))
    found = run(source)
    assert found.valid.select("account_id", "statuses").rows() == [
        ("A", [{"status": "open", "since": date(2025, 1, 1)}, {"status": "closed", "since": date(2025, 1, 3)}]),
        ("B", [{"status": "closed", "since": None}]),
        ("G", none),
    ]
    assert [message.replace(f"{tmp_path}/", "") for message in messages(found)] == [
        '3 C /statuses enum: row 4 of the file of `statuses`, /status: "X" is none of open, closed',
        "4 D /statuses format: row 8 of the file of `statuses`, /since: line 9, column `Seit`: "
        "`31.2.2025` is not a date written as %d.%m.%Y",
        '5 E /statuses maxItems: [{"status": "open"}, {"status": "open"}, {"status": "closed"}] is not a list of at most 2 items',
    ]
    assert [note.replace(f"{tmp_path}/", "") for note in source.notes()] == [
        "`data/status.csv`: 2 rows belong to no valid row of the table: `account_id` is `Y`, for example"
    ]
    assert [str(file.relative_to(tmp_path)) for file in source.files] == ["a.csv", "data/status.csv"]


def test_a_required_history_that_is_not_known(tmp_path: Path) -> None:
    put(tmp_path, HISTORY.replace("WITHOUT", "absent"), "Konto;Status;Seit\nB;O;\n", 'account_id\nA\nB\n""\n')
    facts = schema("statuses")
    found = run(source_of(tmp_path / "a.csv", facts, read_mapping(tmp_path / "map.yaml", facts)))
    assert found.valid["account_id"].to_list() == ["B"]
    assert messages(found) == [
        "1 A / required: `statuses` is missing",
        "3 None / required: `statuses` is missing",
    ]


def test_rows_are_found_by_numbers_and_hold_single_values(tmp_path: Path) -> None:
    """A key is compared as what it is: 07 and 7 are one number. A row without a key has no list, even an empty one."""
    mapping = "histories: {days: {file: data/status.csv, by: number, columns: {Day: days}, without_rows: empty}}"
    put(tmp_path, mapping, "number,Day\n07,2025-01-02\n7,2025-01-01\n8,2025-01-03\n", "number\n7\n9\n008\nx\n")
    pl.DataFrame({"number": [7, 9, None, 8]}).write_parquet(tmp_path / "a.parquet")
    facts = schema()
    read = read_mapping(tmp_path / "map.yaml", facts)
    days: list[list[date]] = [[date(2025, 1, 2), date(2025, 1, 1)], [], [date(2025, 1, 3)]]
    assert run(source_of(tmp_path / "a.csv", facts, read)).valid["days"].to_list() == days
    assert run(source_of(tmp_path / "a.parquet", facts, read)).valid["days"].to_list() == [*days[:2], None, days[2]]


def test_many_pieces_meet_the_lists_of_their_rows(tmp_path: Path) -> None:
    """Over more rows than one piece has each account has the list of its own key, in the order of the rows."""
    count = 300_000
    mapping = "histories: {days: {file: d.parquet, by: account_id, without_rows: absent}}"
    (tmp_path / "map.yaml").write_text(mapping)
    keys = pl.DataFrame({"account_id": pl.int_range(count, eager=True).cast(pl.String)})
    keys.write_parquet(tmp_path / "a.parquet")
    days = [date(2025, 1, 2), date(2025, 1, 1)]
    pl.concat([keys[::3].with_columns(days=pl.lit(day)) for day in days]).write_parquet(tmp_path / "d.parquet")
    facts = schema()
    source = source_of(tmp_path / "a.parquet", facts, read_mapping(tmp_path / "map.yaml", facts))
    valid = run(source).valid
    has_days = valid["days"].is_not_null()
    assert (has_days == (valid["(row)"] % 3 == 1)).all()
    assert valid.filter(has_days)["days"].unique().to_list() == [days]
    assert source.notes() == ()


def test_rows_that_belong_to_nobody_are_refused(tmp_path: Path) -> None:
    put(tmp_path, HISTORY.replace("WITHOUT", "empty"), "Konto;Status;Seit\nA;O;\n;O;\n;C;\n")
    facts = schema()
    with pytest.raises(CannotRun) as caught:
        source_of(tmp_path / "a.csv", facts, read_mapping(tmp_path / "map.yaml", facts))
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "`data/status.csv`: rows without a `account_id` belong to nobody, so that no list is sure to be whole; "
        "mend or remove them: row 2: `account_id` is missing; row 3: `account_id` is missing"
    )


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (None, "there is no file `data/status.csv`"),
        ("Status\nO\n", "map.yaml:4:63: `data/status.csv` has no column `Konto`; it has Status"),
    ],
)
def test_a_second_file_that_cannot_be_read(tmp_path: Path, rows: str | None, told: str) -> None:
    put(tmp_path, HISTORY.replace("WITHOUT", "empty"), rows or "")
    if rows is None:
        (tmp_path / "data/status.csv").unlink()
    facts = schema()
    with pytest.raises(CannotRun) as caught:
        source_of(tmp_path / "a.csv", facts, read_mapping(tmp_path / "map.yaml", facts))
    assert str(caught.value).replace(f"{tmp_path}/", "").split("\n")[0] == told


AS_THEY_STAND = (
    ", which is not gathered; such lists are read as they stand; "
    "only lists that `lists` or `histories` gather can be mapped"
)
H = "histories: {statuses: "
FAULTS = [
    ("lists: {tags: Tag}", "1:15: the elements of `tags` are a list: [COLUMN, ...]"),
    ("lists: {limits: {}}", "1:17: the elements of `limits` are a list: [{columns: {COLUMN: MEMBER}}, ...]"),
    ("lists: {tags: [[a]]}", "1:16: an element of this list is the name of its column"),
    ("lists: {limits: [{}]}", "1:18: an element names the columns of its members: {columns: {COLUMN: MEMBER}}"),
    ("lists: {limits: [{column: {}}]}", "1:19: an element of a list has no `column`; did you mean `columns`?"),
    (
        "lists: {limits: [{columns: {A: amuont}}]}",
        "1:32: the list's records have no member `amuont`; did you mean `amount`?",
    ),
    ("lists: {limits: [{columns: {A: [amount]}}]}", "1:32: a column is one member: `A: amount`"),
    (
        "lists: {limits: [{columns: {A: kind}, constants: {amount: x}}]}",
        "1:59: `x` is no value of `amount`, which is a number",
    ),
    ("lists: {number: [A]}", "1:9: `number` is no list of single values, nor of records that hold nothing else"),
    ("lists: {deep: [A]}", "1:9: `deep` is no list of single values, nor of records that hold nothing else"),
    ("columns: {A: number}\nlists: {tags: [A]}", "2:16: the column `A` is named more than once; a column is one thing"),
    ("columns: {A: limits.kind}", "1:14: `limits.kind` is part of a list; gather it by lists or histories"),
    ("scale: {limits.amount: 0.01}", "1:9: `limits.amount` is part of the list `limits`" + AS_THEY_STAND),
    (
        "values: {'tags[]': {a: A}}\ntimezone: UTC\nlists: {days: [A]}",
        "1:10: `tags[]` is part of the list `tags`" + AS_THEY_STAND,
    ),
    ("absent: [NA, {limits.kind: X}]", "1:15: `limits.kind` is part of the list `limits`" + AS_THEY_STAND),
    ("dates: {'days[]': '%d.%m.%Y'}", "1:9: `days[]` is part of the list `days`" + AS_THEY_STAND),
    (
        "numbers: {decimal: ',', limits.amount: {decimal: '.'}}",
        "1:25: `limits.amount` is part of the list `limits`" + AS_THEY_STAND,
    ),
    (
        "dates: {statuses.sinse: '%d.%m.%Y'}",
        "1:9: the schema `account` has no fact `statuses.sinse`; did you mean `statuses.since`?",
    ),
    (
        H + "{by: number, without_rows: empty}}",
        "1:23: the history of `statuses` says in which file its rows stand: file: status.csv",
    ),
    (
        H + "{file: [a], by: number, without_rows: empty}}",
        "1:30: the history of `statuses` says in which file its rows stand: file: status.csv",
    ),
    (
        H + "{file: a.csv, by: number}}",
        "1:23: the history of `statuses` says what it is where the file has no row: "
        "without_rows: empty (nothing happened), or absent (it is not known)",
    ),
    (H + "{file: a.csv, by: number, without_rows: none}}", "1:63: `without_rows` is empty or absent"),
    (H + "{file: a.csv, by: tags, without_rows: empty}}", "1:41: `tags` is no single value, and rows are found by one"),
    (
        H + "{file: a.csv, by: number, without_rows: empty, columns: {S: stauts}}}",
        "1:83: the list's records have no member `stauts`; did you mean `status`?",
    ),
    (
        H + "{file: a.csv, by: number, without_rows: empty}}\nlists: {statuses: [{columns: {A: status}}]}",
        "1:13: `statuses` is given twice; say once what it is",
    ),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text + "\n")
    with pytest.raises(CannotRun) as caught:
        read_mapping(path, schema())
    assert str(caught.value) == f"{path}:{message}"


def test_instants_of_a_history_are_read_in_the_zone_of_the_file(tmp_path: Path) -> None:
    moves = {"type": "array", "maxItems": 3, "items": record({"at": {"type": "string", "format": "date-time"}}, ["at"])}
    facts = facts_of({"account_id": {"type": "string", "x-key": True}, "moves": moves})
    text = "timezone: {moves.at: Asia/Tokyo}\nhistories: {moves: {file: data/status.csv, by: account_id, without_rows: empty}}"
    put(tmp_path, text, "account_id,at\nA,2025-01-01T09:00:00\n", "account_id\nA\n")
    found = run(source_of(tmp_path / "a.csv", facts, read_mapping(tmp_path / "map.yaml", facts)))
    assert found.valid["moves"].to_list() == [[{"at": datetime(2025, 1, 1, tzinfo=UTC)}]]


def test_rows_of_a_history_without_an_account_are_told_wherever_a_table_is_decided(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id,actor\nA,agency_administrator\n")
    (tmp_path / "status.csv").write_text("account_id,status,since\nA,Healthy,2024-01-01\nZ,Healthy,2024-01-01\n")
    (tmp_path / "map.yaml").write_text(
        "histories: {sender_status_history: {file: status.csv, by: account_id, without_rows: absent}}\n"
    )
    told = "1 row belongs to no valid row of the table: `account_id` is `Z`"
    table, mapping = tmp_path / "a.csv", tmp_path / "map.yaml"
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["email_suppression"])
    found = engine.decide_table(table, "email_suppression", as_of=date(2025, 6, 30), mapping=mapping)
    assert any(told in note for note in found.notes), found.notes
    compared = policy(
        "compare", "email_suppression", "--facts", str(table), "--map", str(mapping), "--as-of", "2025-06-30"
    )
    assert told in compared.err
