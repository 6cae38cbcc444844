"""One row at a time: what people do with tables when their engine knows only single decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import polars as pl

from benchmarks.digests import RULELISTS, short
from benchmarks.peers import zen_expression, zen_table
from benchmarks.questions import QUESTIONS, Question
from benchmarks.tables.agreement import Sample, json_facts, require_same
from benchmarks.tables.words import AS_OF
from benchmarks.timing import Run
from policy_engine import Engine

ROWS = 5_000
"""So many rows are measured; more are extrapolated from them."""
ZEN = {"zen-engine, decision table": zen_table, "zen-engine, one expression": zen_expression}
LEFT_OUT = ("charge_retry.charge_status",)


def questions() -> Mapping[str, Question]:
    """The questions that are measured, by ruleset."""
    return {question.ruleset: question for question in QUESTIONS if question.decision not in LEFT_OUT}


def runs(engine: Engine, sample: Sample) -> dict[str, Run]:
    """A run over the first valid rows for each way of working, checked first."""
    question, valid = questions()[sample.ruleset], sample.valid.head(ROWS)
    facts = json_facts(valid)
    answers = sample.answers.head(ROWS)
    frame = pd.DataFrame(facts, dtype=object)
    frame = frame.where(frame.notna(), None)
    require_same("pandas apply", answers, _applied(question, frame))
    found: dict[str, Run] = {"pandas apply": lambda: _apply(question, frame)}
    for peer, make in ZEN.items():
        found[f"{peer}, a loop"] = _loop(peer, make, question, facts)
    found["decide_many, trusted"] = lambda: list(
        engine.decide_many(question.decision, facts, as_of=AS_OF, trusted=True)
    )
    return found


def _apply(question: Question, frame: pd.DataFrame) -> Any:
    """The function by hand on each row of a pandas frame."""
    by_hand = question.by_hand
    return frame.apply(lambda row: by_hand(row, AS_OF)[1:3], axis=1)


def _applied(question: Question, frame: pd.DataFrame) -> pl.DataFrame:
    names = [f"{question.name}.outcome", f"{question.name}.rule"]
    return pl.DataFrame(list(_apply(question, frame)), schema=names, orient="row", infer_schema_length=None)


def _loop(peer: str, make: Callable[..., Any], question: Question, facts: list[dict[str, Any]]) -> Run:
    """An engine asked about each row; its facts are digested before."""
    rulelist = RULELISTS[question.name]
    ask, digests = make(question.name, rulelist), [rulelist.digest(row, AS_OF) for row in facts]
    for row, digest in zip(facts, digests, strict=True):
        if ask(digest) != short(question.by_hand(row, AS_OF)):
            raise AssertionError(f"{peer}: {question.decision}: {row}: {ask(digest)}")
    return lambda: [ask(digest) for digest in digests]
