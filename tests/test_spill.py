"""Invalid rows wait until all are there, in memory or on the disk, and come out in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.engine import Engine
from policy_engine.errors import Violation
from policy_engine.reports import deciding
from policy_engine.reports.deciding import Spill, decide_table
from policy_engine.reports.jobs import jobs_for
from policy_engine.tables import Options
from policy_engine.tables.row_validation import INVALID, InvalidRow, invalid_frame
from tests.conftest import ROOT
from tests.support.rulebook import shipped

WRONG = Violation("/plan", "gold", "enum", "one of basic, pro", "`gold` is no plan", "What is paid for.")
PIECES = ([7, 9], [1, 2, 5], [3], [20, 21], [10])
"""As threads may bring them; 3 lies within the stretch of another piece."""


def _rows(numbers: Sequence[int]) -> pl.DataFrame:
    return invalid_frame([InvalidRow(number, f"A{number}", [WRONG] * (number % 3 + 1)) for number in numbers])


@pytest.mark.parametrize("most", [100_000, 3, 0], ids=["in memory", "some on the disk", "on the disk"])
def test_rows_come_out_in_the_order_of_the_table(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "MOST_HELD", most)
    kept = Spill(tmp_path / "parts")
    for numbers in PIECES:
        kept.add(_rows(numbers))
    found = pl.concat(list(kept.frames()))
    assert found.equals(_rows(sorted(number for numbers in PIECES for number in numbers)))
    held = sum(len(numbers) for numbers in PIECES) if most else 0
    assert (tmp_path / "parts").exists() == (most < held or not most)


def test_what_comes_from_one_stretch_is_put_together_and_no_more(tmp_path: Path) -> None:
    kept = Spill(tmp_path / "parts")
    for numbers in PIECES:
        kept.add(_rows(numbers))
    assert [frame[ROW].to_list() for frame in kept.frames()] == [[], [1, 2, 3, 5], [7, 9], [10], [20, 21]]


def test_where_nothing_is_invalid_there_is_an_empty_table(tmp_path: Path) -> None:
    kept = Spill(tmp_path / "parts")
    kept.add(INVALID.to_frame())
    assert [frame.schema for frame in kept.frames()] == [INVALID]
    assert not (tmp_path / "parts").exists()


def test_the_same_violations_are_told_for_each_row_that_has_them() -> None:
    other = Violation("", None, "required", "plan", "`plan` is missing", "")
    rows = [InvalidRow(1, None, [WRONG]), InvalidRow(2, "b", [other, WRONG]), InvalidRow(4, "c", [WRONG])]
    told = invalid_frame(rows)["violations"].to_list()
    keywords = [[one["keyword"] for one in violations] for violations in told]
    assert keywords == [["enum"], ["required", "enum"], ["enum"]]


def test_a_report_whose_invalid_rows_waited_on_the_disk_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = shipped()
    first, second = (_decided(engine, tmp_path / name, monkeypatch, most) for name, most in (("a", 100_000), ("b", 0)))
    assert first.height == 9
    assert first.equals(second)
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["decisions.parquet", "invalid.parquet"]


def _decided(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> pl.DataFrame:
    monkeypatch.setattr(deciding, "MOST_HELD", most)
    folder.mkdir()
    pairs = [("partner_earnings", ROOT / "fixtures" / "account_moves.jsonl")]
    (job,) = jobs_for(engine, pairs, date(2025, 6, 30), {}, Options())
    decide_table(job, folder / "decisions.parquet", folder / "invalid.parquet")
    return pl.read_parquet(folder / "invalid.parquet")
