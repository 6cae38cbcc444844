"""The SQL back end in the form of the contract, on real engines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import duckdb

from policy_engine.backends.contract import Answers, BackEnd
from policy_engine.backends.sql.dialects.duckdb import DuckDB
from policy_engine.backends.sql.program import prepare
from policy_engine.language.rulesets import Ruleset
from tests.support.sql_tables import ROW, answers_of, arrow_table


@cache
def database() -> Any:
    """A database in memory, opened once in each process."""
    return duckdb.connect(config={"threads": 1})


TABLE = ("the facts",)


def on_duckdb(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    query = prepare(ruleset, readings, as_of, DuckDB())
    text = query.text(TABLE, keep=[ROW])

    def answers(facts: Any) -> Any:
        with database().cursor() as cursor:
            cursor.register("the facts", arrow_table(ruleset, facts))
            return answers_of(query.ruleset, cursor.sql(text).to_arrow_table())

    return answers


ENGINES: Mapping[str, BackEnd] = {"duckdb": on_duckdb}
