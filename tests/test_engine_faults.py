"""A fault of this program is told as one: never as a damaged file, and never as a folder that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from policy_engine import Engine
from policy_engine.backends.columnar.answer_columns import Output
from policy_engine.backends.columnar.plan import ACCOUNTS, ListStep
from policy_engine.backends.columnar.program import ColumnarProgram
from policy_engine.cli.main import exit_code, report_error
from policy_engine.errors import CannotRun, EngineFault
from policy_engine.reports.deciding import decide_table
from policy_engine.reports.jobs import Job, jobs_for
from policy_engine.tables import Options

SCHEMA = """{"type": "object", "additionalProperties": false, "required": ["n"],
 "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}}"""
RULES = """
ruleset: numbers
title: Numbers
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: numbers
sources: {text: {title: The text}}
decisions:
  d: {question: How many?, source: text, values: {twice: n + n}}
"""


@pytest.fixture
def job(tmp_path: Path) -> Callable[[str], Job]:
    """Makes the job of a report over a file with one account."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "rules" / "numbers.yaml").write_text(RULES, "utf-8")
    (tmp_path / "schemas" / "numbers.schema.json").write_text(SCHEMA, "utf-8")
    (tmp_path / "facts.jsonl").write_text('{"n": 1}\n', "utf-8")
    pl.DataFrame({"n": [1]}).write_parquet(tmp_path / "facts.parquet")
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")

    def made(name: str) -> Job:
        (one,) = jobs_for(engine, [("numbers", tmp_path / name)], date(2025, 1, 1), {}, Options())
        return one

    return made


def in_an_expression(program: ColumnarProgram) -> ColumnarProgram:
    """The program with an output that Polars cannot work out."""
    output = Output("status", pl.lit("x").cast(pl.Int64).alias("d.twice"))
    return replace(program, outputs={"d": (*program.outputs["d"], output)})


def in_a_step(program: ColumnarProgram) -> ColumnarProgram:
    """The program with a step over lists that fails."""

    def work() -> list[pl.Series]:
        raise ValueError("tuple.index(x): x not in tuple")

    program.columns.plan.add(ListStep((), ((ACCOUNTS, "(planted)"),), work))
    output = Output("status", pl.col("(planted)").alias("d.planted"))
    return replace(program, outputs={"d": (*program.outputs["d"], output)})


PLANTED: dict[str, tuple[Callable[[ColumnarProgram], ColumnarProgram], str]] = {
    "in an expression": (in_an_expression, "InvalidOperationError: conversion from `str` to `i64` failed"),
    "in a step": (in_a_step, "ValueError: tuple.index(x): x not in tuple"),
}


@pytest.mark.parametrize("name", ["facts.jsonl", "facts.parquet"])
@pytest.mark.parametrize("planted", PLANTED)
def test_e1_a_fault_at_deciding_is_told_as_a_fault_of_this_program(
    job: Callable[[str], Job], tmp_path: Path, planted: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, cause = PLANTED[planted]
    sound = job(name)
    with pytest.raises(EngineFault) as raised:
        decided(replace(sound, program=plant(sound.program)), tmp_path)
    file = tmp_path / name
    told = f"this program failed at deciding `numbers` over `{file}`, and the table is not at fault ({cause}"
    assert str(raised.value).startswith(told)
    assert exit_code(raised.value) == 70
    report_error(raised.value)
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert "; please report it, with the lines above and the ruleset" in " ".join(said.split())


def test_e1_without_a_fault_the_same_table_is_decided(job: Callable[[str], Job], tmp_path: Path) -> None:
    decided(job("facts.parquet"), tmp_path)
    assert pl.read_parquet(tmp_path / "decisions.parquet")["d.values.twice"].to_list() == [2]


def test_e1_a_damaged_file_is_told_as_damaged_although_this_program_has_a_fault(
    job: Callable[[str], Job], tmp_path: Path
) -> None:
    many = pl.DataFrame({"n": [row % 10 for row in range(10_000)]})
    many.write_parquet(tmp_path / "facts.parquet", compression="uncompressed", use_pyarrow=False)
    sound = job("facts.parquet")
    content = bytearray((tmp_path / "facts.parquet").read_bytes())
    content[4:2_000] = bytes(1_996)
    (tmp_path / "facts.parquet").write_bytes(content)
    for program in (sound.program, in_an_expression(sound.program)):
        with pytest.raises(CannotRun, match="cannot be read to its end; write it again") as raised:
            decided(replace(sound, program=program), tmp_path)
        assert exit_code(raised.value) == 2


def decided(job: Job, folder: Path) -> None:
    """Decide the table as a report does."""
    decide_table(job, folder / "decisions.parquet", folder / "invalid.parquet")
