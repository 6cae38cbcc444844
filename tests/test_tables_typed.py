"""Tables whose columns have types: Parquet in files, folders and globs, Arrow, frames; and what is said before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.tables import Source, frame_source, parquet_source, read_mapping, source_of
from tests.support.tables import account, facts_of, messages, run

FRAME = pl.DataFrame({"account_id": ["A1", "A2", "A3"], "plan": ["pro", "gold", None], "seats": [1, 2, 3]})


def parquet(folder: Path, frame: pl.DataFrame, name: str = "accounts.parquet") -> Path:
    """A Parquet file."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    frame.write_parquet(path)
    return path


def refusal(folder: Path, place: Path, facts: Any = None) -> str:
    """Why a table cannot be read."""
    with pytest.raises(CannotRun) as caught:
        run(source_of(place, facts or account()))
    return str(caught.value).replace(f"{folder}/", "").replace(str(folder), "FOLDER")


WRONG = ['2 A2 /plan enum: "gold" is none of basic, pro', "3 A3 / required: `plan` is missing"]


def check(source: Source, total: int = 3) -> None:
    """The three rows of `FRAME`, each as it must be."""
    found = run(source)
    assert messages(found) == WRONG
    assert found.valid["account_id"].to_list() == ["A1"]
    assert (source.progress.done, source.progress.total, source.progress.unit) == (total, total, "rows")


def test_a_file(tmp_path: Path) -> None:
    path = parquet(tmp_path, FRAME)
    source = source_of(path, account())
    assert (source.files, source.warnings) == ((path,), ())
    check(source)


@pytest.mark.parametrize("place", ["parts", "parts/*.parquet", "par*/*"])
def test_a_folder_and_a_glob_in_the_order_of_names(tmp_path: Path, place: str) -> None:
    for index in (2, 0, 1):
        parquet(tmp_path, FRAME[index : index + 1], f"parts/part-{index}.parquet")
    source = parquet_source(tmp_path / place, account())
    assert [file.name for file in source.files] == ["part-0.parquet", "part-1.parquet", "part-2.parquet"]
    check(source)


def test_a_frame() -> None:
    check(frame_source(FRAME, account()))


def test_what_gives_an_arrow_stream() -> None:
    class Table:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return FRAME.__arrow_c_stream__(requested_schema)

    check(frame_source(Table(), account()))


def test_no_rows(tmp_path: Path) -> None:
    source = source_of(parquet(tmp_path, FRAME.clear()), account())
    found = run(source)
    assert (found.valid.height, found.invalid.height, source.progress.total) == (0, 0, 0)


def test_many_rows_keep_their_numbers(tmp_path: Path) -> None:
    many = pl.DataFrame({"account_id": [str(index) for index in range(100_000)], "plan": ["pro", "gold"] * 50_000})
    found = run(source_of(parquet(tmp_path, many), account()))
    assert found.valid["(row)"].to_list() == list(range(1, 100_001, 2))
    assert found.invalid["(row)"].to_list() == list(range(2, 100_001, 2))
    assert found.valid["account_id"].cast(pl.UInt32).equals(found.valid["(row)"] - 1)


def test_a_file_that_is_cut(tmp_path: Path) -> None:
    path = parquet(tmp_path, FRAME)
    path.write_bytes(path.read_bytes()[:-20])
    told = refusal(tmp_path, path)
    assert told.startswith("`accounts.parquet` is not a whole Parquet file; write it again (")
    assert "\n" not in told


@pytest.mark.parametrize("content", [b"", b"account_id,plan\n", b"PAR1"])
def test_a_file_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "accounts.parquet"
    path.write_bytes(content)
    assert refusal(tmp_path, path).startswith("`accounts.parquet` is not a whole Parquet file; write it again (")


def test_a_file_that_is_damaged_within(tmp_path: Path) -> None:
    path = parquet(tmp_path, pl.DataFrame({"account_id": [f"A{index}" for index in range(10_000)], "plan": "pro"}))
    content = bytearray(path.read_bytes())
    content[100:4_000] = bytes(3_900)
    path.write_bytes(content)
    assert refusal(tmp_path, path).startswith("`accounts.parquet` cannot be read to its end; write it again (")


def test_places_where_there_is_nothing(tmp_path: Path) -> None:
    assert refusal(tmp_path, tmp_path / "no.parquet") == "there is no file `no.parquet`"
    assert refusal(tmp_path, tmp_path) == "the folder `FOLDER` has no file that ends in .parquet"
    (tmp_path / "accounts.dbf").write_bytes(b"")
    assert refusal(tmp_path, tmp_path / "accounts.dbf") == (
        "`accounts.dbf` has no ending that tells what it is; give it one of .parquet, .pq, .csv, .tsv, .txt, .jsonl, .ndjson, "
        ".xlsx, .xlsm, or say it: --input-format"
    )
    (tmp_path / "accounts.parquet.gz").write_bytes(b"")
    assert refusal(tmp_path, tmp_path / "accounts.parquet.gz") == (
        "`accounts.parquet.gz` is packed, and only CSV and JSON Lines are read so; unpack it"
    )
    assert refusal(tmp_path, tmp_path / "a.jsonl.zst") == "there is no file `a.jsonl.zst`"


def test_files_with_other_columns(tmp_path: Path) -> None:
    parquet(tmp_path, FRAME, "parts/a.parquet")
    for other, why in [
        (FRAME.with_columns(pl.col("seats").cast(pl.Int32)), "of `seats`, it is Int32 here, and it is Int64 there"),
        (FRAME.drop("seats"), "of `seats`, there is none here, and it is Int64 there"),
        (FRAME.select("plan", "account_id", "seats"), "their order differs"),
    ]:
        parquet(tmp_path, other, "parts/b.parquet")
        assert refusal(tmp_path, tmp_path / "parts") == (
            f"`parts/b.parquet` has other columns than `parts/a.parquet`: {why}; give all files the same columns, in one order"
        )


UNFITTING = [
    ("plan", pl.Boolean(), "texts (String)"),
    ("active", pl.String(), "true or false (Boolean)"),
    ("seats", pl.String(), "whole numbers (any type of numbers)"),
    ("amount", pl.Boolean(), "numbers (any type of numbers)"),
    ("since", pl.Datetime("us", "UTC"), "dates (Date, or String such as 2025-02-28)"),
    ("seen_at", pl.Datetime("us"), "instants (Datetime with a time zone, or String such as 2025-02-28T09:30:00-05:00)"),
    ("seen_at", pl.Date(), "instants (Datetime with a time zone, or String such as 2025-02-28T09:30:00-05:00)"),
    ("tags", pl.String(), "lists (List)"),
]


@pytest.mark.parametrize(("column", "dtype", "wanted"), UNFITTING)
def test_a_column_that_can_never_fit(tmp_path: Path, column: str, dtype: pl.DataType, wanted: str) -> None:
    path = parquet(tmp_path, pl.DataFrame({column: pl.Series([None], dtype=dtype)}))
    assert refusal(tmp_path, path) == (
        f"`accounts.parquet`: the column `{column}` is {dtype}, and the schema `account` wants {wanted}; "
        "convert it, or leave it out with --map"
    )


def test_a_part_of_a_column_that_can_never_fit(tmp_path: Path) -> None:
    frame = pl.DataFrame({"it": [[{"a": "x"}]], "tags": [[1]]})
    part = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "boolean"}}, "required": []}
    facts = facts_of(
        {"it": {"type": "array", "items": part}, "tags": {"type": "array", "items": {"type": "string"}}}, name="deep"
    )
    assert refusal(tmp_path, parquet(tmp_path, frame), facts).split("\n") == [
        "`accounts.parquet`: the column `it[].a` is String, and the schema `deep` wants true or false (Boolean); "
        "convert it, or leave it out with --map",
        "`accounts.parquet`: the column `tags[]` is Int64, and the schema `deep` wants texts (String); "
        "convert it, or leave it out with --map",
    ]


def test_a_column_called_as_ours(tmp_path: Path) -> None:
    path = parquet(tmp_path, FRAME.with_columns(pl.lit(1).alias("(row)")))
    assert refusal(tmp_path, path) == "`accounts.parquet`: a column cannot be called `(row)`; give it another name"


def test_unknown_columns_are_warned_of_and_invalid_where_they_are_not_null(tmp_path: Path) -> None:
    frame = pl.DataFrame({"plan": ["pro", "pro"], "note": [None, "x"]})
    source = source_of(parquet(tmp_path, frame), account())
    assert [warning.replace(f"{tmp_path}/", "") for warning in source.warnings] == [
        "`accounts.parquet`: the column `note` is no fact of the schema `account`; leave it out or map it "
        "with --map, or its rows are invalid wherever it has a value"
    ]
    found = run(source)
    assert messages(found) == ["2 None / additionalProperties: there is no fact `note`"]
    assert found.valid["(row)"].to_list() == [1]


def test_a_mapping_file_renames_columns_and_values(tmp_path: Path) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text("columns: {Number: account_id, Paid: plan, note: null}\nvalues: {plan: {pro: P}}\n")
    frame = pl.DataFrame({"Number": ["A1", "A2"], "Paid": ["P", "gold"], "note": [1, 2]})
    source = source_of(parquet(tmp_path, frame), account(), read_mapping(mapping, account()))
    assert source.warnings == ()
    found = run(source)
    assert messages(found) == ['2 A2 /plan enum: "gold" is none of basic, pro']
    assert found.valid["plan"].to_list() == ["pro"]
