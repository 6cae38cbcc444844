"""What a streamed pass by hand spends its time and memory on: parts of it, each run alone (see `child`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from benchmarks.tables.by_polars import DAYS, Form, partner_earnings
from benchmarks.tables.by_polars_files import checked, decided, refused
from benchmarks.tables.words import ROW_GROUP

EARNINGS = "partner_earnings"
Part = Callable[[pl.LazyFrame], list[pl.LazyFrame]]
"""The tables to be written; one that is a single row is only counted."""


def count(accounts: pl.LazyFrame) -> list[pl.LazyFrame]:
    return [accounts.select(pl.all().count())]


def _one(form: Form) -> Part:
    return lambda accounts: [decided(checked(accounts, EARNINGS), EARNINGS, form)]


def _two(accounts: pl.LazyFrame) -> list[pl.LazyFrame]:
    judged = checked(accounts, EARNINGS)
    return [decided(judged, EARNINGS, "complete"), refused(judged, EARNINGS)]


PARTS: Mapping[str, Part] = {
    "read": count,
    "read, and write the row and the key": lambda accounts: [accounts.select("row", "account_id")],
    "read, and work out the three days": lambda accounts: count(accounts.select(**DAYS)),
    "read and check": lambda accounts: count(checked(accounts, EARNINGS).select("is_valid")),
    "read, decide (complete) and write, unchecked": lambda accounts: [partner_earnings(accounts, "complete")],
    "read, check, decide (outcomes) and write": _one("outcomes"),
    "read, check, decide (reasons) and write": _one("reasons"),
    "read, check, decide (complete) and write": _one("complete"),
    "the same, and write what is invalid": _two,
}


def main(part: str, source: str, folder: str) -> None:
    """Run one part over a Parquet file of account moves."""
    tables = PARTS[part](pl.scan_parquet(source, row_index_name="row", row_index_offset=1))
    paths = [Path(folder) / f"{place}.parquet" for place, _ in enumerate(tables)]
    sinks = [
        table.sink_parquet(path, row_group_size=ROW_GROUP, lazy=True) for table, path in zip(tables, paths, strict=True)
    ]
    pl.collect_all(sinks, engine="streaming")
