"""The key of an account is the same text in every table, format and place of a report; and it may be called `row`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.language.types import Boolean, Instant, ListOf, Number, Text, Type
from policy_engine.tables.keys import key_text
from tests.conftest import lay_out
from tests.test_cli import Run, run

__all__ = ["run"]
RULES = """\
ruleset: t
title: T
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: f
checks:
  - {expect: n != 2, because: Two is no number.}
decisions:
  d:
    question: Is it?
    outcomes: [yes, no]
    rules: [{id: big, when: n > 5, then: yes, because: "{n} is more than 5."}]
    otherwise: {then: no, because: It is not.}
"""
N = {"type": "integer", "minimum": 0, "maximum": 9}
DECIMAL = {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000}
KINDS: dict[str, tuple[dict[str, Any], list[Any], list[str]]] = {
    "decimal": (DECIMAL, [Decimal("1.10"), Decimal("2.5"), 3], ["1.10", "2.50", "3.00"]),
    "integer": ({"type": "integer", "minimum": 0, "maximum": 1000}, [110, 7, 3], ["110", "7", "3"]),
    "text": ({"type": "string"}, ["110", "null", "-3"], ["110", "null", "-3"]),
    "date": ({"type": "string", "format": "date"}, ["2025-01-01", "0001-01-01", "9999-12-31"], []),
    "instant": (
        {"type": "string", "format": "date-time"},
        ["2025-03-09T02:30:00-05:00", "2025-01-01T00:00:00.25Z", "9999-12-31T23:59:59-01:00"],
        ["2025-03-09T07:30:00Z", "2025-01-01T00:00:00.250000Z", "9999-12-31T01:00:59-23:59"],
    ),
    "boolean": ({"type": "boolean"}, [True, False, True], ["true", "false", "true"]),
}


def put(kind: dict[str, Any], name: str = "id", **more: Any) -> None:
    """Rules, and a schema with a key of some kind."""
    properties = {name: {**kind, "x-key": True}, "n": N, **more}
    schema = {"type": "object", "additionalProperties": False, "properties": properties, "required": ["n"]}
    lay_out({"rules/t.yaml": RULES, "schemas/f.schema.json": json.dumps(schema)}, Path())
    Path("rules/orders.yaml").unlink(missing_ok=True)
    Path("schemas/order.schema.json").unlink(missing_ok=True)


def exact(value: object) -> str:
    """A value as JSON, decimals as they are written."""
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def tables(values: list[Any]) -> dict[str, str]:
    """The same accounts as CSV, JSON Lines and, where Polars has such a column, Parquet: decided, invalid, and broken."""
    rows = list(zip(values, ("6", "77", "2"), strict=True))
    texts = [value if isinstance(value, str) else exact(value) for value in values]
    Path("a.csv").write_text("id,n\n" + "".join(f'"{text}",{n}\n' for text, (_, n) in zip(texts, rows, strict=True)))
    Path("a.jsonl").write_text("".join(f'{{"id": {exact(value)}, "n": {n}}}\n' for value, n in rows))
    pl.DataFrame({"id": values, "n": [6, 77, 2]}, strict=False).write_parquet("a.parquet")
    return {"csv": "a.csv", "jsonl": "a.jsonl", "parquet": "a.parquet"}


@pytest.mark.parametrize("kind", KINDS)
def test_c7_a_key_is_one_text_everywhere(run: Run, kind: str) -> None:
    schema, values, texts = KINDS[kind]
    put(schema)
    decided, wrong, broken = texts or values
    for place in tables(values).values():
        ran = run(
            "report", f"t={place}", "--as-of", "2025-07-01", "--out", "out", "--format", "csv", "--format", "jsonl"
        )
        assert ran.code == 0, ran.err
        assert pl.read_parquet("out/decisions.parquet")["id"].to_list() == [decided]
        assert pl.read_parquet("out/invalid.parquet")["key"].to_list() == [wrong, broken]
        assert pl.read_csv("out/decisions.csv", infer_schema=False)["id"].to_list() == [decided]
        assert json.loads(Path("out/decisions.jsonl").read_text())["id"] == decided
        (one,) = json.loads(Path("out/summary.json").read_text())["rulesets"]
        keys = {example["key"] for told in one["violations"] for example in told["examples"]}
        assert keys == {wrong, broken}
        assert [example["key"] for example in one["near_misses"][0]["examples"]] == [decided]
        assert f">{decided}<" in Path("out/report.html").read_text().replace("\u2212", "-")


def test_c7_an_invalid_key_is_told_as_it_is_written(run: Run) -> None:
    put({**DECIMAL, "maximum": 5})
    Path("a.csv").write_text("id,n\n 2.50 ,1\n1.005,1\nabc,1\n7,1\n")
    Path("a.jsonl").write_text(
        '{"id": 2.50, "n": 77}\n{"id": 1.005, "n": 1}\n{"id": "abc", "n": 1}\n{"id": 7, "n": 1}\n'
    )
    for place in ("a.csv", "a.jsonl"):
        run("report", f"t={place}", "--as-of", "2025-07-01", "--out", "out")
        invalid = pl.read_parquet("out/invalid.parquet")["key"].to_list()
        assert invalid == ["1.005", "abc", "7.00"] if place == "a.csv" else ["2.50", "1.005", "abc", "7.00"]


TEXTS: list[tuple[object, Type, str | None]] = [
    (None, Text(), None),
    (1.1, Number(2, 0, 1000), "1.10"),
    (-0.0, Number(2, 0, 1000), "0.00"),
    (Decimal("1E+2"), Number(0, 0, 1000), "100"),
    (Decimal("1E+300"), Number(2, 0, 1000), "1E+300"),
    (float("nan"), Number(2, 0, 1000), "nan"),
    (True, Number(0, 0, 1000), "true"),
    (True, Boolean(), "true"),
    ("\ud800", Text(), "\\ud800"),
    ("yesterday", Instant(), "yesterday"),
    ([1, "a"], ListOf(Text()), '[1, "a"]'),
]


@pytest.mark.parametrize(("value", "kind", "text"), TEXTS)
def test_c7_the_text_of_a_key(value: object, kind: Type, text: str | None) -> None:
    assert key_text(value, kind) == (text if text != "nan" else "NaN")


DAY = {"type": "string", "format": "date"}


@pytest.mark.parametrize("name", ["row", "key", "id"])
@pytest.mark.parametrize("over", ["row", "id"])
def test_c7_a_key_and_a_date_may_have_any_name(run: Run, name: str, over: str) -> None:
    put(DAY if name == over else {"type": "string"}, name, **({over: DAY} if name != over else {}))
    if name == over:
        Path("a.jsonl").write_text(f'{{"{name}": "2025-01-02", "n": 9}}\n{{"{name}": "2025-02-02", "n": 77}}\n')
    else:
        Path("a.jsonl").write_text(
            f'{{"{name}": "A", "n": 9, "{over}": "2025-01-02"}}\n{{"{name}": "B", "n": 77, "{over}": "2025-02-02"}}\n'
        )
    formats = [word for form in ("csv", "jsonl", "xlsx") for word in ("--format", form)]
    ran = run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--over", over, *formats)
    assert (ran.code, ran.err) == (0, "")
    decisions = pl.read_parquet("out/decisions.parquet")
    assert decisions["row"].to_list() == [1]
    assert decisions["key.row" if name == "row" else name].to_list() == ["2025-01-02" if name == over else "A"]
    assert decisions[f"over.{over}" if over in ("row", name) else over].to_list() == [date(2025, 1, 2)]
    (one,) = json.loads(Path("out/summary.json").read_text())["rulesets"]
    assert one["decisions"][0]["over_time"]["buckets"] == [{"start": "2025-01-02", "counts": {"yes": 1}}]
    assert run("report", "verify", "out").code == 0


def test_c7_an_instant_is_a_moment_in_decisions(run: Run) -> None:
    put({"type": "string"}, seen={"type": "string", "format": "date-time"})
    Path("a.jsonl").write_text('{"id": "A", "n": 9, "seen": "2025-03-09T02:30:00-05:00"}\n')
    assert run("report", "t=a.jsonl", "--as-of", "2025-07-01", "--out", "out", "--over", "seen").code == 0
    assert pl.read_parquet("out/decisions.parquet")["seen"].to_list() == [datetime(2025, 3, 9, 7, 30, tzinfo=UTC)]
