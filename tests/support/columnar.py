"""What a report decides of a table in memory, in the common form of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram, rows
from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.program import HOLDS, PARTS
from policy_engine.backends.columnar.sentences import SENTENCE
from policy_engine.backends.contract import Answer
from policy_engine.language.rulesets import Ruleset
from tests.support.conformance import plain


def table_of(facts: Sequence[Any], ruleset: Ruleset) -> pl.DataFrame:
    """Valid facts, as callers give them, as the columns that a program takes."""
    return rows.table_of([plain(each) for each in facts], ruleset)


def answers_of(program: ColumnarProgram, table: pl.DataFrame) -> list[Answer]:
    """What the program says of each row."""
    return rows.answers_of(program, program.decide(table))


def reported(program: ColumnarProgram, table: pl.DataFrame) -> Mapping[int, Answer]:
    """What a report says of each row of which no check is false, by the row's number; margins are worked out beside it.

    An answer has its reason too, unless only its cause could tell it.
    """
    facts = table.lazy()
    if program.checks:
        facts = program.checked(facts).collect(engine="streaming").filter(HOLDS).lazy()
    told = program.answered(facts, (*PARTS, SENTENCE), margins=True).collect(engine="streaming")
    reasons = told.select(f"{name}.{SENTENCE}" for name in program.decisions).iter_rows()
    answers = [_with_reasons(*each) for each in zip(rows.answers_of(program, told), reasons, strict=True)]
    return dict(zip(told[ROW].to_list(), answers, strict=True))


def _with_reasons(answer: Answer, reasons: Sequence[str | None]) -> Answer:
    """Decisions about one row, each with its sentence where there is one."""
    told = zip(answer.items(), reasons, strict=True)
    return {name: parts if reason is None else {**parts, "reason": reason} for (name, parts), reason in told}
