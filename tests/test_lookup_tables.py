"""Look-up tables: the index finds what a search row by row finds, and large tables cost no more than small ones."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine.backends.python import prepare
from policy_engine.diagnostics import has_errors
from policy_engine.documents.yaml_reader import read_text
from policy_engine.engine import Engine
from policy_engine.frontend.checker import check
from policy_engine.frontend.csv_rows import CsvFile
from policy_engine.frontend.loader import Rulebook, load
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.lookup_indexes import Pieces, gaps_of, index_of
from policy_engine.language.lookup_tables import VALID, Key, LookupTable, Range, TableRow
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Number, Text
from policy_engine.source import Span
from tests.conftest import lay_out, said
from tests.support.pages import FOLDER

NUMBERS = Number(0, 0, 100)
DAY = date(2025, 1, 1)


def table_of(keys: tuple[Key, ...], rows: list[tuple[Any, ...]], *, dated: bool = False) -> LookupTable:
    """A table without columns."""
    made = tuple(TableRow(values, (), number + 1, 1) for number, values in enumerate(rows))
    return LookupTable("t", keys, (), made, dated=dated)


def found(table: LookupTable, values: tuple[Any, ...]) -> int | None:
    """The number of the row that the index finds."""
    exact = tuple(value for key, value in zip(table.keys, values, strict=True) if not key.ranged)
    branch: Any = index_of(table).groups.get(exact)
    for value in (value for key, value in zip(table.keys, values, strict=True) if key.ranged):
        if branch is not None:
            at = sum(start <= value for start in branch.starts)
            branch = branch.parts[at]
    return branch  # type: ignore[no-any-return]  # the number of a row


def some_range(choose: random.Random) -> Range:
    start, below = sorted(choose.sample(range(8), 2))
    return Range(start if choose.random() < 0.8 else None, below if choose.random() < 0.8 else None)


@pytest.mark.parametrize("seed", range(200))
def test_the_index_finds_the_row_that_a_search_finds(seed: int) -> None:
    choose = random.Random(seed)
    keys = (Key("a", Text()), Key("b", NUMBERS, ranged=True), Key("c", NUMBERS, ranged=True))
    rows = [(choose.choice("xy"), some_range(choose), some_range(choose)) for _ in range(choose.randint(1, 6))]
    table = table_of(keys, rows)
    clashes = index_of(table).clashes
    asked = [(a, b, c) for a in "xyz" for b in range(-1, 9) for c in range(-1, 9)]
    several = [values for values in asked if len(holding(table, values)) > 1]
    assert bool(several) == bool(clashes)
    if not clashes:
        assert [found(table, values) for values in asked] == [next(iter(holding(table, v)), None) for v in asked]
        assert [row_number(table, values) for values in asked] == [found(table, values) for values in asked]


def holding(table: LookupTable, values: tuple[Any, ...]) -> list[int]:
    """The rows that have some values of the keys, by looking at each."""
    return [
        number
        for number, row in enumerate(table.rows)
        if all(k.holds(v) if isinstance(k, Range) else k == v for k, v in zip(row.keys, values, strict=True))
    ]


def row_number(table: LookupTable, values: tuple[Any, ...]) -> int | None:
    row = table.row(values)
    return None if row is None else table.rows.index(row)


def test_gaps_are_told_by_their_first_value() -> None:
    pieces = Pieces([0, 10, 12], [None, 0, None, 1])
    assert list(gaps_of(pieces, -5, 100)) == [-5, 10]
    assert list(gaps_of(pieces, 0, 11)) == [10]
    assert list(gaps_of(pieces, 11, 100)) == [11]
    assert list(gaps_of(pieces, 12, 100)) == []


def test_a_table_of_a_day_is_made_once_for_all_days_on_which_the_same_rows_are_in_force() -> None:
    rows = [("x", Range(None, DAY)), ("x", Range(DAY, None))]
    table = table_of((Key("a", Text()), VALID), rows, dated=True)
    assert table.on(DAY) is table.on(date(2030, 1, 1))
    assert table.on(DAY) is not table.on(date(2024, 12, 31))
    assert [row.line for row in table.on(DAY).rows] == [2]
    assert table.on(DAY).row(("x",)) == TableRow(("x",), (), 2, 1)


def test_ranges_that_cut_one_another_too_often_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 1_500
    rows = "".join(
        f"      - {{a: {{from: {n}, below: {n + count}}}, b: {{from: {n}, below: {n + 1}}}, x: 1}}\n"
        for n in range(count)
    )
    text = (FOLDER / "base.yaml").read_text("utf-8")
    table = f"tables:\n  t:\n    keys: {{a: range, b: range}}\n    columns: {{x: integer}}\n    rows:\n{rows}"
    files = {
        "rules/loyalty.yaml": f"{text}{table}",
        "schemas/customer.schema.json": (FOLDER / "customer.schema.json").read_text("utf-8"),
    }
    lay_out(files, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert said() == (
        "rules/loyalty.yaml:55:3: error[table-too-fine]: the ranges of `t` cut one another into too many pieces "
        "(give rows the same ends, or make two tables of it)\n"
    )


SCHEMA = """
{"type": "object", "additionalProperties": false, "properties": {
  "code": {"type": "integer", "minimum": -1000000, "maximum": 1000000},
  "amount": {"type": "number", "multipleOf": 0.01, "minimum": -1000000, "maximum": 1000000}
}}
"""


def ruleset_of(text: str) -> Ruleset:
    facts, faults = schema_of(SCHEMA, "facts.schema.json", "facts")
    assert facts is not None, faults
    node, faults = read_text(text, "rules.yaml")
    assert node is not None, faults
    syntax, faults = parse_ruleset(node)
    assert syntax is not None, faults
    ruleset, found = check(syntax, facts, "sha256:" + "0" * 64, faults)
    assert ruleset is not None, found
    assert not has_errors(found)
    return ruleset


RULES = """
ruleset: lookups
title: Look-ups
version: "1"
effective: {from: 2000-01-01}
timezone: America/New_York
facts: facts
tables:
  exact: {keys: {code: integer}, columns: {x: integer}, rows: [{code: 1, x: 10}]}
  ranges: {keys: {amount: range}, columns: {x: decimal}, rows: [{amount: {below: 5}, x: 0.5}, {amount: {from: 5}, x: 1}]}
decisions:
  it: {question: Q, values: {a: "exact[code].x", b: "ranges[amount].x"}}
"""


def test_a_look_up_is_one_step_of_generated_code() -> None:
    code = prepare(ruleset_of(RULES), {}, DAY).source("it")
    assert code.count(".get(fact_code)") == 1
    assert code.count("bisect_right(") == 1


def test_what_is_asked_for_may_be_finer_than_all_ends() -> None:
    decide = prepare(ruleset_of(RULES), {}, DAY).decide("it")
    answers = [decide({"code": 1, "amount": amount}, DAY).values["b"] for amount in (4.99, 5, 5.01)]
    assert answers == [Decimal("0.5"), Decimal("1.0"), Decimal("1.0")]


HEAD = RULES[: RULES.index("tables:")]
TESTED = """
decisions:
  it: {question: Q, source: list, values: {a: "t[code, amount].x", b: "t[code, amount].y"}}
"""
IN_RULES = """
sources: {list: {title: L}}
tables:
  t:
    source: list
    keys: {code: integer, amount: range}
    columns: {x: text, y: decimal}
    rows:
      - {code: 1, amount: {below: 5}, x: "a, b", y: 1.50}
      - {code: 1, amount: {from: 5}, x: 'say "no"', y: 2, valid_until: 2025-06-01}
      - {code: 2, amount: {}, x: c, y: -1}
"""
IN_FILE = """
sources: {list: {title: L}}
tables:
  t: {source: list, keys: {code: integer, amount: range}, columns: {x: text, y: decimal}, from: tables/t.csv}
"""
FILE = "\r\n".join(
    [
        "\ufeffcode,x,amount_below,amount_from,y,valid_until",
        '1,"a, b",5,,1.50,',
        '1,"say ""no""",,5,2,2025-06-01',
        "",
        "2,c,,,-1,",
    ]
)
ASKED = (
    {"code": 1, "amount": 4.99},
    {"code": 1, "amount": 5},
    {"code": 2, "amount": 0},
    {"code": 3, "amount": 0},
    {"code": 1},
)


def loaded(folder: Path, tables: str, file: str | None) -> Ruleset:
    """The only ruleset of a folder."""
    lay_out({"schemas/facts.schema.json": SCHEMA, "rules/lookups.yaml": f"{HEAD}{tables}{TESTED}"}, folder)
    if file is not None:
        lay_out({"rules/tables/t.csv": file}, folder)
    rulebook = load([folder / "rules"], folder / "schemas", lints=False)
    assert rulebook.diagnostics == ()
    return rulebook.rulesets[0]


@pytest.mark.parametrize("day", [DAY, date(2025, 6, 1)])
def test_rows_mean_the_same_in_a_file(tmp_path: Path, day: date) -> None:
    rulesets = [loaded(tmp_path / "a", IN_RULES, None), loaded(tmp_path / "b", IN_FILE, FILE)]
    answers = []
    for ruleset in rulesets:
        decide = prepare(ruleset, {}, day).decide("it")
        answers.append([(a.status, a.values, a.reason, a.missing) for a in (decide(facts, day) for facts in ASKED)])
    assert answers[0] == answers[1]
    assert answers[0][0][1] == {"a": "a, b", "b": Decimal("1.50")}


def test_the_digest_covers_what_a_file_says_and_not_how_it_is_quoted(tmp_path: Path) -> None:
    same = [FILE, FILE.replace("\r\n", "\n"), FILE.replace("2,c", '"2","c"')]
    others = [FILE.replace("1.50", "1.5"), FILE.replace("c,", "d,"), FILE.replace("2,c", "3,c")]
    digests = [loaded(tmp_path / str(number), IN_FILE, text).digest for number, text in enumerate([*same, *others])]
    assert len(set(digests[:3])) == 1
    assert len(set(digests)) == 4


@pytest.mark.parametrize("at", range(3))
def test_places_of_cells_are_told_through_quotes_and_line_breaks(at: int) -> None:
    text = 'x,y,z\n"a\nb ""c"", d","e, f",g\n'
    file = CsvFile("t.csv", text, (1, 2), (("x", "y", "z"), ('a\nb "c", d', "e, f", "g")))
    assert file.place(1, at) == (Span("t.csv", 2, 1, 2), Span("t.csv", 3, 13, 6), Span("t.csv", 3, 20, 1))[at]


def test_a_trace_tells_the_row_and_its_source(tmp_path: Path) -> None:
    engine = Engine(Rulebook((loaded(tmp_path, IN_FILE, FILE),), ()))
    trace = engine.explain("lookups.it", {"code": 1, "amount": 5}, as_of=DAY).trace
    step = trace.values[0].steps[0]
    assert (step.text, step.value, str(step.origin)) == ("t[code, amount].x", 'say "no"', "table")
    assert step.note == "code 1, amount from 5, until 2025-06-01, list"
    assert [part.text for part in step.steps] == ["code", "amount", "as_of"]
