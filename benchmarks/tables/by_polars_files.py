"""Parquet to Parquet by hand: one streamed pass that checks each account against its schema, decides the valid ones and lists the
others with what is wrong with them.

    python -m benchmarks.tables.by_polars_files RULESET ACCOUNTS.parquet FOLDER [FORM] [rows a morsel]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from polars import col

from benchmarks.by_hand import CELLS, COLUMNS
from benchmarks.tables.by_polars import DAYS, LONGEST, RULESETS, Form, earnings_on
from benchmarks.tables.words import ACTING_IN, ACTORS, CATEGORIES, NEW_YORK, PARTNER_TYPES, ROLES, ROW_GROUP, STATUSES

Checks = Mapping[str, pl.Expr]
"""What must not be false, by a name for what is wrong where it is; null is no violation."""


def is_key(name: str) -> pl.Expr:
    """A text of 1 to 64 characters."""
    return col(name).str.len_chars().is_between(1, 64)


def is_given(name: str) -> pl.Expr:
    """A fact that must be there."""
    return col(name).is_not_null()


def is_same_day(day: str, name: str) -> pl.Expr:
    """Two forms of one day that mean the same; `day` is the coalesced one, so it is enough to look at the instant."""
    return col(f"{name}_at").dt.convert_time_zone(NEW_YORK).dt.date() == col(day)


LIMIT = (0, 1_000_000_000)
ENTRY = pl.element().struct
ENTRY_OK = ENTRY.field("since").is_not_null() & ENTRY.field("status").is_in(STATUSES).fill_null(False)
CHECKS: Mapping[str, Checks] = {
    "partner_earnings": {
        "account_id: length": is_key("account_id"),
        "destination_category: required": is_given("destination_category"),
        "destination_category: enum": col("destination_category").is_in(CATEGORIES),
        "check: a day of deployment must be given": col("deployed_on").is_not_null(),
        "check: two days of the move": is_same_day("moved_on", "move_effective"),
        "check: two days of the conversion": is_same_day("converted_on", "customer_conversion"),
        "check: two days of the deployment": is_same_day("deployed_on", "partner_deployment"),
        "check: moved before the deployment": col("deployed_on") <= col("moved_on"),
    },
    "user_roles": {
        "question_id: length": is_key("question_id"),
        "role: enum": col("role").is_in(COLUMNS),
        "activity: required": is_given("activity"),
        "activity: enum": col("activity").is_in(list(CELLS)),
        "acting_in: required": is_given("acting_in"),
        "acting_in: enum": col("acting_in").is_in(ACTING_IN),
        "partner_type: enum": col("partner_type").is_in(PARTNER_TYPES),
    },
    "email_limits": {
        "account_id: length": is_key("account_id"),
        "client_pays_via_billing_platform: required": is_given("client_pays_via_billing_platform"),
        "user_role: enum": col("user_role").is_in(ROLES),
        "email_limit: bounds": col("email_limit").is_between(*LIMIT),
        "email_allowance: bounds": col("email_allowance").is_between(*LIMIT),
    },
    "email_suppression": {
        "account_id: length": is_key("account_id"),
        "sender_status_history: required": is_given("sender_status_history"),
        "sender_status_history: entries": col("sender_status_history").list.eval(ENTRY_OK).list.all(),
        "sender_status_history: longer than foreseen": col("sender_status_history").list.len() <= LONGEST,
        "actor: required": is_given("actor"),
        "actor: enum": col("actor").is_in(ACTORS),
    },
}


def checked(accounts: pl.LazyFrame, ruleset: str) -> pl.LazyFrame:
    """The accounts with a column `is_valid`, and with whatever else was worked out for that."""
    prepared = accounts.with_columns(**DAYS) if ruleset == "partner_earnings" else accounts
    return prepared.with_columns(
        is_valid=~pl.any_horizontal(~check for check in CHECKS[ruleset].values()).fill_null(False)
    )


def decided(accounts: pl.LazyFrame, ruleset: str, form: Form) -> pl.LazyFrame:
    """The decisions about the accounts that are valid."""
    decide = earnings_on if ruleset == "partner_earnings" else RULESETS[ruleset]
    return decide(accounts.filter("is_valid"), form)


def refused(accounts: pl.LazyFrame, ruleset: str) -> pl.LazyFrame:
    """The accounts that are not valid, with the names of the checks that they fail."""
    failed = [pl.when(~check).then(pl.lit(name)) for name, check in CHECKS[ruleset].items()]
    violations = pl.concat_list(failed).list.drop_nulls()
    keys = pl.selectors.by_name("row", "account_id", "question_id", require_all=False)
    return accounts.filter(~col("is_valid")).select(keys, violations=violations)


def run(ruleset: str, source: Path, folder: Path, form: Form = "complete") -> None:
    """One pass over a Parquet file, which gives `decisions.parquet` and `invalid.parquet`."""
    accounts = checked(pl.scan_parquet(source, row_index_name="row", row_index_offset=1), ruleset)
    sinks = [
        decided(accounts, ruleset, form).sink_parquet(
            folder / "decisions.parquet", row_group_size=ROW_GROUP, lazy=True
        ),
        refused(accounts, ruleset).sink_parquet(folder / "invalid.parquet", row_group_size=ROW_GROUP, lazy=True),
    ]
    pl.collect_all(sinks, engine="streaming")


def main(ruleset: str, source: str, folder: str, form: Form = "complete", morsel: str = "") -> None:
    """Run once, as a process of its own."""
    if morsel:
        pl.Config.set_streaming_chunk_size(int(morsel))
    run(ruleset, Path(source), Path(folder), form)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]  # a form is one of three words
