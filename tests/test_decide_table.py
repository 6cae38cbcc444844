"""`Engine.decide_table`: frames of every library, and files, are decided row by row as single facts are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from policy_engine import CannotRun, Engine, NotInForce, UnknownDecision, UnknownReading
from policy_engine.tables.frames import like
from tests.conftest import lay_out

DAY = date(2025, 7, 1)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["order"],
    "properties": {
        "order": {"type": "string", "x-key": True},
        "paid": {"type": "integer", "minimum": 0, "maximum": 999},
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 999},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "kinds": {"type": "array", "items": {"type": "string"}},
    },
}
RULES = """
ruleset: refund
title: Refunds
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
readings:
  last_day: {question: "Is the last day in it?", choice: "yes", choices: {"yes": It is., "no": It is not.}, source: text}
parameters:
  last: {type: date, value: 2025-01-02, source: text}
checks:
  - {expect: "default(paid, 0) <= 500", because: So much is never paid.}
decisions:
  grant:
    question: Is it granted?
    source: text
    outcomes: ["y", "n"]
    values: {price: if_known(price), at: if_known(at)}
    rules:
      - id: some
        when: paid > 0 and "a" in default(kinds, ["a"])
        then: "y"
        because: "{paid} was paid."
    otherwise: {then: "n", because: Nothing was paid.}
  late:
    question: Is it late?
    source: text
    readings: [last_day]
    outcomes: ["y", "n"]
    rules:
      - {id: after, when: 'day > last or (last_day == "no" and day == last)', then: "y", because: It is.}
    otherwise: {then: "n", because: It is not.}
"""
ROWS: list[dict[str, Any]] = [
    {
        "order": "a",
        "paid": 5,
        "price": 1.25,
        "day": date(2025, 1, 2),
        "at": datetime(2025, 1, 2, 12, tzinfo=UTC),
        "kinds": ["a"],
    },
    {"order": "b", "paid": 501, "price": 1.0, "day": date(2025, 1, 3), "at": None, "kinds": ["a"]},
    {"order": "c", "paid": None, "price": None, "day": None, "at": None, "kinds": None},
    {"order": "d", "paid": -1, "price": 2.5, "day": date(2025, 1, 1), "at": None, "kinds": []},
    {"order": "e", "paid": 1, "price": 3.0, "day": date(2025, 1, 3), "at": None, "kinds": ["b"]},
]
FRAME = pl.DataFrame(ROWS)
VALID, INVALID = ["a", "c", "e"], ["b", "d"]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Two decisions about orders."""
    return Engine.from_text({"refund": RULES}, {"order": json.dumps(SCHEMA)})


@pytest.fixture(scope="module")
def wanted(engine: Engine) -> pl.DataFrame:
    """The decisions about the Polars frame."""
    return engine.decide_table(FRAME, "refund", as_of=DAY).decisions


def polars_of(frame: Any) -> pl.DataFrame:
    """A frame of any library as one of Polars, with texts for what is text in any form."""
    made = frame.collect() if isinstance(frame, pl.LazyFrame) else pl.DataFrame(frame)
    texts = [name for name, dtype in made.schema.items() if isinstance(dtype, pl.Enum | pl.Categorical)]
    return made.with_columns(pl.col(texts).cast(pl.String), pl.col("row").cast(pl.UInt32))


def test_a_table_is_decided_as_single_facts_are(engine: Engine, wanted: pl.DataFrame) -> None:
    assert wanted["row"].to_list() == [1, 3, 5]
    assert wanted["order"].to_list() == VALID
    for row in wanted.iter_rows(named=True):
        facts = ROWS[row["row"] - 1]
        for name, answer in engine.decide_all("refund", facts, as_of=DAY).items():
            assert row[f"{name}.status"] == answer.status
            assert row[f"{name}.outcome"] == answer.outcome
            assert tuple(row[f"{name}.missing"] or ()) == answer.missing
            assert {value: row[f"{name}.values.{value}"] for value in answer.values} == answer.values


def test_invalid_rows_are_told(engine: Engine) -> None:
    invalid = engine.decide_table(FRAME, "refund", as_of=DAY).invalid
    told = [(row["row"], row["key"], [each["message"] for each in row["violations"]]) for row in invalid.to_dicts()]
    assert told == [(2, "b", ["So much is never paid."]), (4, "d", ["-1 is not 0 or more"])]
    assert invalid.columns == ["row", "key", "violations"]


FORMS: dict[str, tuple[Callable[[], Any], type]] = {
    "eager": (lambda: FRAME, pl.DataFrame),
    "lazy": (FRAME.lazy, pl.LazyFrame),
    "pandas": (FRAME.to_pandas, pd.DataFrame),
    "arrow": (FRAME.to_arrow, pa.Table),
    "reader": (lambda: FRAME.to_arrow().to_reader(), pa.RecordBatchReader),
    "batch": (lambda: FRAME.to_arrow().combine_chunks().to_batches()[0], pa.Table),
    "duckdb": (lambda: duckdb.connect().from_arrow(FRAME.to_arrow()), duckdb.DuckDBPyRelation),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_frame_is_decided_to_frames_of_its_kind(engine: Engine, wanted: pl.DataFrame, form: str) -> None:
    make, kind = FORMS[form]
    found = engine.decide_table(make(), "refund", as_of=DAY)
    assert isinstance(found.decisions, kind)
    assert isinstance(found.invalid, kind)
    decisions, invalid = polars_of(found.decisions), polars_of(found.invalid)
    assert decisions.columns == wanted.columns
    assert decisions["order"].to_list() == VALID
    assert decisions["grant.outcome"].to_list() == wanted["grant.outcome"].to_list()
    assert decisions["grant.missing"].to_list() == wanted["grant.missing"].to_list()
    assert [float(value) if value is not None else None for value in decisions["grant.values.price"]] == [
        1.25,
        None,
        3.0,
    ]
    assert invalid["key"].to_list() == INVALID


def test_what_gives_columns_in_another_way_gets_frames_of_polars(engine: Engine) -> None:
    class Stream:
        def __arrow_c_stream__(self, requested: object = None) -> object:
            return FRAME.__arrow_c_stream__(requested)

    decisions: Any = engine.decide_table(Stream(), "refund", as_of=DAY).decisions
    assert isinstance(decisions, pl.DataFrame)


def test_rows_of_pandas_keep_their_labels(engine: Engine) -> None:
    frame = FRAME.to_pandas().set_index(pd.Index(["v", "w", "x", "y", "z"], name="label"))
    found = engine.decide_table(frame, "refund", as_of=DAY)
    assert list(found.decisions.index) == ["v", "x", "z"]
    assert list(found.invalid.index) == ["w", "y"]
    assert found.decisions.index.name == "label"
    joined = frame.join(found.decisions[["grant.outcome"]])
    assert list(joined["grant.outcome"].astype(object).where(joined["grant.outcome"].notna(), None)) == [
        "y",
        None,
        None,
        None,
        "n",
    ]


@pytest.mark.parametrize("categories", [2, 127, 128, 255, 256, 70_000])
def test_enumerations_become_categories_of_pandas_however_many(categories: int) -> None:
    names = [f"rule {number}" for number in range(categories)]
    frame = pl.DataFrame({"rule": pl.Series([*names, None, names[-1]], dtype=pl.Enum(names))})
    made = _as_pandas(frame)
    assert list(made.astype(object).where(made.notna(), None)) == frame["rule"].to_list()
    assert list(made.cat.categories) == names
    assert made.value_counts()[names[-1]] == 2


def _as_pandas(frame: pl.DataFrame) -> Any:
    """The only column, by the labels 0, 1, ..."""
    return like(pd.DataFrame(index=range(frame.height)), frame, pl.Series(range(1, frame.height + 1)))["rule"]


def test_answers_in_pandas_are_grouped_and_sorted_in_the_order_of_the_rules(engine: Engine) -> None:
    decisions = engine.decide_table(FRAME.to_pandas(), "refund", as_of=DAY).decisions
    assert decisions.groupby("grant.outcome", observed=True).size().to_dict() == {"y": 1, "n": 1}
    assert list(decisions.sort_values("grant.outcome")["order"]) == ["a", "e", "c"]


def test_a_column_of_objects_that_are_not_of_one_kind_is_refused(engine: Engine) -> None:
    frame = FRAME.to_pandas()
    frame["order"] = pd.Series(["a", 2, {"b": 3}, None, "c"], dtype=object)
    with pytest.raises(CannotRun, match="holds what cannot be read here"):
        engine.decide_table(frame, "refund", as_of=DAY)


def test_pandas_has_nan_for_what_is_absent_and_midnights_for_dates(engine: Engine) -> None:
    frame = pd.DataFrame({"order": ["a", "b"], "paid": [5.0, np.nan], "day": pd.to_datetime(["2025-01-03", None])})
    decisions = engine.decide_table(frame, "refund", as_of=DAY).decisions
    assert list(decisions["late.status"]) == ["decided", "undetermined"]
    assert list(decisions["grant.status"]) == ["decided", "undetermined"]
    frame.index = pd.Index([7, 7])
    assert list(engine.decide_table(frame, "refund", as_of=DAY).decisions.index) == [7, 7]
    frame["day"] += pd.Timedelta(hours=1)
    [violations] = engine.decide_table(frame, "refund", as_of=DAY).invalid["violations"]
    assert violations[0]["message"] == '"2025-01-03T01:00:00" is not a date such as 2025-02-28'


@pytest.mark.parametrize("dtype", [object, float])
@pytest.mark.parametrize("rows", [0, 2])
def test_a_column_of_pandas_without_a_value_has_no_type(engine: Engine, dtype: type, rows: int) -> None:
    names = [name for name in SCHEMA["properties"] if name != "order"]  # type: ignore[attr-defined]
    frame = pd.DataFrame({name: pd.Series([None] * rows, dtype=dtype) for name in names})
    frame.insert(0, "order", pd.Series(["a", "b"][:rows], dtype=object))
    found = engine.decide_table(frame, "refund", as_of=DAY)
    assert list(found.decisions["grant.status"]) == ["undetermined"] * rows
    assert len(found.invalid) == 0


def test_a_lazy_frame_is_read_when_a_result_is(engine: Engine) -> None:
    read: list[int] = []

    def noted(frame: pl.DataFrame) -> pl.DataFrame:
        read.append(frame.height)
        return frame

    found = engine.decide_table(FRAME.lazy().map_batches(noted), "refund", as_of=DAY)
    assert read == []
    assert found.decisions.filter(pl.col("grant.outcome") == "y").collect()["order"].to_list() == ["a"]
    assert found.invalid.collect(engine="streaming")["key"].to_list() == INVALID
    assert sum(read) == 2 * FRAME.height


@pytest.mark.parametrize("name", ["orders.parquet", "orders.jsonl", "orders.csv"])
def test_a_file_is_decided_as_a_report_reads_it(
    engine: Engine, wanted: pl.DataFrame, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    if name.endswith("parquet"):
        FRAME.write_parquet(file)
    elif name.endswith("jsonl"):
        kept = [{key: value for key, value in row.items() if value is not None} for row in ROWS]
        file.write_text(
            "".join(json.dumps(row, default=lambda value: value.isoformat()) + "\n" for row in kept), "utf-8"
        )
    else:
        FRAME.drop("kinds", "at").write_csv(file)
    for place in (file, str(file)):
        found = engine.decide_table(place, "refund", as_of=DAY)
        assert found.decisions["order"].to_list() == VALID
        assert found.decisions["late.outcome"].to_list() == wanted["late.outcome"].to_list()
        assert found.invalid["key"].to_list() == INVALID


def test_a_mapping_file_names_the_columns(engine: Engine, tmp_path: Path) -> None:
    lay_out({"orders.map.yaml": "columns: {Number: order, Money: paid}\n"}, tmp_path)
    frame = pl.DataFrame({"Number": ["a"], "Money": [5]})
    found = engine.decide_table(frame, "refund", as_of=DAY, mapping=tmp_path / "orders.map.yaml")
    assert found.decisions["grant.outcome"].to_list() == ["y"]
    assert found.notes == ()
    notes = engine.decide_table(frame.with_columns(order=pl.col("Number")), "refund", as_of=DAY).notes
    assert [note.split(";")[0] for note in notes] == [
        "the table: the column `Number` is no fact of the schema `order`",
        "the table: the column `Money` is no fact of the schema `order`",
    ]


def test_decisions_and_readings_are_chosen(engine: Engine, wanted: pl.DataFrame) -> None:
    late = engine.decide_table(FRAME, "refund", as_of=DAY, decisions=["late"]).decisions
    assert late.equals(wanted.select("row", "order", *(name for name in wanted.columns if name.startswith("late."))))
    assert late["late.outcome"].to_list() == ["n", None, "y"]
    switched = engine.decide_table(FRAME, "refund", as_of=DAY, decisions="late", readings={"last_day": "no"}).decisions
    assert switched["late.outcome"].to_list() == ["y", None, "y"]


@pytest.mark.parametrize("lazy", [False, True])
def test_each_row_has_its_sentence_where_it_is_wanted(engine: Engine, lazy: bool) -> None:
    found: Any = engine.decide_table(
        FRAME.lazy() if lazy else FRAME, "refund", as_of=DAY, decisions=["grant"], reasons=True
    ).decisions
    table = found.collect() if lazy else found
    told = [engine.decide("refund.grant", ROWS[row - 1], as_of=DAY).reason for row in table["row"]]
    assert table["grant.sentence"].to_list() == told
    assert told[0] == "5 was paid."


def wrong() -> Iterator[tuple[Callable[[Engine], Any], type[Exception], str]]:
    """Questions that cannot be asked, and what is raised."""
    yield lambda e: e.decide_table(FRAME, "refnd", as_of=DAY), UnknownDecision, "did you mean `refund`"
    yield (
        lambda e: e.decide_table(FRAME, "refund", as_of=DAY, decisions=["lat"]),
        UnknownDecision,
        "did you mean `late`",
    )
    yield lambda e: e.decide_table(FRAME, "refund", as_of=date(2019, 1, 1)), NotInForce, "not in force on 2019-01-01"
    yield lambda e: e.decide_table(FRAME, "refund", as_of=DAY, readings={"last": "no"}), UnknownReading, "last"
    yield lambda e: e.decide_table("none.csv", "refund", as_of=DAY), CannotRun, "there is no file `none.csv`"
    yield (
        lambda e: e.decide_table(FRAME.to_dicts(), "refund", as_of=DAY),
        TypeError,
        "not a list; for facts one after another call decide_many",
    )
    yield lambda e: e.decide_table(FRAME["paid"], "refund", as_of=DAY), TypeError, "not a Series"
    yield (
        lambda e: e.decide_table(FRAME.with_columns(paid=pl.lit("x")), "refund", as_of=DAY),
        CannotRun,
        "the column `paid` is String, and the schema `order` wants whole numbers",
    )
    yield (
        lambda e: e.decide_table(pd.DataFrame({"order": [{1}, "a"]}), "refund", as_of=DAY),
        CannotRun,
        "the table holds what cannot be read here",
    )
    yield (
        lambda e: e.decide_table(pd.DataFrame([["a", "b"]], columns=["order", "order"]), "refund", as_of=DAY),
        CannotRun,
        "require unique string names for columns",
    )


@pytest.mark.parametrize(("ask", "error", "told"), list(wrong()))
def test_what_cannot_be_asked_is_told(
    engine: Engine, ask: Callable[[Engine], Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as raised:
        ask(engine)
    assert told in str(raised.value)


def test_an_empty_frame_has_no_decisions(engine: Engine, wanted: pl.DataFrame) -> None:
    found = engine.decide_table(FRAME.clear(), "refund", as_of=DAY)
    assert found.decisions.schema == wanted.schema
    assert found.invalid.height == 0


def test_frames_are_never_changed(engine: Engine) -> None:
    frame = FRAME.to_pandas()
    before = frame.copy(deep=True)
    engine.decide_table(frame, "refund", as_of=DAY)
    pd.testing.assert_frame_equal(frame, before)


def test_a_report_is_written_as_the_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out({"rules/refund.yaml": RULES, "schemas/order.schema.json": json.dumps(SCHEMA)}, tmp_path)
    monkeypatch.chdir(tmp_path)
    FRAME.with_columns(colour=pl.lit(None, pl.String)).write_parquet("orders.parquet")
    engine = Engine.load("rules", "schemas")
    done = engine.report({"refund": "orders.parquet"}, "out", as_of=DAY, formats=("csv",), samples=0)
    assert {"report.html", "summary.json", "manifest.json", "decisions.csv"} <= set(done.files)
    assert done.totals.to_dict() == json.loads(Path("out/summary.json").read_text("utf-8"))
    assert [note.split(";")[0] for note in done.notes] == [
        "`orders.parquet`: the column `colour` is no fact of the schema `order`"
    ]
    for other in (Engine.from_text({"refund": RULES}, {"order": json.dumps(SCHEMA)}), Engine.load(["rules", "rules"])):
        with pytest.raises(CannotRun, match="one folder or file"):
            other.report({"refund": "orders.parquet"}, "out", as_of=DAY)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"formats": ["csv", "pdf"]}, "`formats[1]` is not one of csv, jsonl, xlsx"),
        ({"formats": "csv"}, "`formats` is not a list"),
        ({"over": "day"}, "`over` is not a list"),
        ({"audience": "all"}, "`audience` is not one of auditor, customer"),
        ({"seed": -1}, "`seed` is not a whole number up to 4294967296"),
        ({"settings": {"titel": "X"}}, "there is no setting `titel`; did you mean `title`?"),
        ({"settings": {"title": " "}}, "`title` is a text, and there is none"),
        ({"settings": {"title": 1}}, "`settings.title` is not a text"),
    ],
)
def test_options_of_a_report_are_checked_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    lay_out({"rules/refund.yaml": RULES, "schemas/order.schema.json": json.dumps(SCHEMA)}, tmp_path)
    FRAME.write_parquet(tmp_path / "orders.parquet")
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    with pytest.raises(CannotRun) as raised:
        engine.report({"refund": tmp_path / "orders.parquet"}, tmp_path / "out", as_of=DAY, **options)
    assert str(raised.value) == told
    assert not (tmp_path / "out").exists()
