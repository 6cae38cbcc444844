"""Whether a peer answers as the engine does, row by row, before anything is timed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from benchmarks.by_hand import CELLS
from benchmarks.tables.by_polars import CONDITIONAL
from benchmarks.tables.files import frame
from benchmarks.tables.words import AS_OF
from policy_engine import Decision, Engine
from policy_engine.errors import FactsError

SAMPLE = 25_000
KIND_OF = {
    "partner_earnings": "account_moves",
    "user_roles": "role_questions",
    "email_limits": "client_limits",
    "email_suppression": "senders",
}
"""The kind of account that each ruleset is asked about."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Accounts, which of them are valid, and the engine's answers about those that are."""

    ruleset: str
    accounts: pl.DataFrame
    is_valid: pl.Series
    answers: pl.DataFrame

    @property
    def valid(self) -> pl.DataFrame:
        """The accounts that are valid."""
        return self.accounts.filter(self.is_valid)


def sample(engine: Engine, ruleset: str, kind: str = "", rows: int = SAMPLE) -> Sample:
    """The first accounts of a kind with the engine's answers, from `decide_many`."""
    accounts = frame(kind or KIND_OF[ruleset], rows)
    facts = json_facts(accounts)
    columns: dict[str, list[Any]] = {}
    is_valid: list[bool] = []
    for logic in engine.ruleset(ruleset, AS_OF).decisions:
        found = list(engine.decide_many(f"{ruleset}.{logic.name}", facts, as_of=AS_OF))
        is_valid = [not isinstance(one, FactsError) for one in found]
        for one in found:
            if isinstance(one, Decision):
                for name, value in _cells(logic.name, one).items():
                    columns.setdefault(name, []).append(value)
    frame_of_answers = pl.DataFrame(columns, infer_schema_length=None)
    return Sample(ruleset, accounts, pl.Series(is_valid), frame_of_answers)


def json_facts(accounts: pl.DataFrame) -> list[dict[str, Any]]:
    """The accounts in JSON types."""
    instants = pl.selectors.datetime().dt.to_string("%FT%TZ")
    return [json.loads(line) for line in accounts.with_columns(instants).write_ndjson().splitlines()]


def _cells(name: str, decision: Decision) -> dict[str, Any]:
    """A decision as the cells of a row."""
    is_decided = decision.status == "decided"
    rule: Any = list(decision.rules) if isinstance(decision.outcome, tuple | list) else (*decision.rules, None)[0]
    outcome: Any = list(decision.outcome) if isinstance(decision.outcome, tuple | list) else decision.outcome
    cells = {"status": str(decision.status), "outcome": outcome, "rule": rule, "reason": _reason(rule, outcome)}
    values = {f"values.{value}": found if is_decided else None for value, found in decision.values.items()}
    missing = list(decision.missing) if decision.status == "undetermined" else None
    return {f"{name}.{what}": cell for what, cell in {**cells, **values, "missing": missing}.items()}


def _reason(rule: Any, outcome: Any) -> str | None:
    """The reason code: the rule, and of a cell of the matrix whether its condition failed."""
    row, _, column = str(rule).partition(".")
    is_else = outcome == "deny" and CELLS.get(row, {}).get(column) in CONDITIONAL
    return f"{rule}:else" if is_else else rule


def require_same(peer: str, expected: pl.DataFrame, given: pl.DataFrame) -> None:
    """Raise at the first row and column in which a peer's answers differ; columns that only one has are left out."""
    if expected.height != given.height:
        raise AssertionError(f"{peer}: {given.height} rows are answered, not {expected.height}")
    common = [name for name in given.columns if name in expected.columns]
    if not common:
        raise AssertionError(f"{peer}: {given.columns} has no column of {expected.columns}")
    for name in common:
        ours, theirs = _as_text(expected[name]), _as_text(given[name])
        differs = ours.ne_missing(theirs).arg_true()
        if len(differs):
            place = differs[0]
            raise AssertionError(
                f"{peer}: {name}: {theirs[place]!r}, not {ours[place]!r}, in row {place} and {len(differs) - 1} more"
            )


def _as_text(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        texts = series.cast(pl.List(pl.String))
        return texts.list.join(", ").set(texts.is_null(), None)
    return series.cast(pl.String)
