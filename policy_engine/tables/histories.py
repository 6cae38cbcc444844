"""The rows of a second file by their key: what each account's list holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, dtype_of, schema_of
from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun, Violation
from policy_engine.language.types import ListOf, Record, member_of
from policy_engine.tables.keys import key_column
from policy_engine.tables.row_validation import INVALID, Validated
from policy_engine.tables.source import Source, reading

KEY, LIST, COUNT = "key", "list", "count"
MOST_TOLD = 3
"""So many rows without a key are told."""


@dataclass(slots=True)
class HistoryRows:
    """The rows of a file by the text of their key.

    `lists` has a row for each key in order: the key, the list, and how many rows the file has for it. `wrong` has what is wrong
    with rows of a key. `met` tells of each key in `lists` whether a row of the table has had it.
    """

    source: Source
    by: str
    lists: pl.DataFrame
    wrong: Mapping[str, list[Violation]]
    met: pl.Series
    lock: Lock = field(default_factory=Lock, repr=False)

    def of(self, keys: pl.Series, *, empty: bool) -> pl.Series:
        """The list of each key; null for no key, and, unless `empty`, for a key that has no rows."""
        known = self.lists[KEY]
        places = known.search_sorted(keys.fill_null("")).clip(upper_bound=max(known.len() - 1, 0))
        if known.is_empty():
            found = pl.Series(LIST, [None], dtype=self.lists.schema[LIST]).new_from_index(0, len(keys))
        else:
            is_met = (known.gather(places) == keys).fill_null(value=False)
            places = (
                pl.DataFrame([places.alias("at"), is_met.alias("met")]).select(pl.when("met").then("at")).to_series()
            )
            found = self.lists[LIST].gather(places)
            with self.lock:
                self.met = self.met.scatter(places.drop_nulls().unique(), values=True)
        if not empty:
            return found
        nothing = pl.lit([], dtype=self.lists.schema[LIST])
        has_none = pl.col(LIST).is_null() & pl.col(KEY).is_not_null()
        frame = pl.DataFrame([keys.alias(KEY), found.alias(LIST)])
        return frame.select(pl.when(has_none).then(nothing).otherwise(pl.col(LIST))).to_series()

    def notes(self) -> tuple[str, ...]:
        """What to tell when the table has been read: rows that belong to no row of it."""
        left = self.lists.filter(~self.met)
        count = left[COUNT].sum()
        if not count:
            return ()
        rows, first = "1 row belongs" if count == 1 else f"{count:,} rows belong", shown_text(left[KEY][0])
        told = f"`{self.source.files[0]}`: {rows} to no valid row of the table: `{self.by}` is `{first}`, for example"
        return (told,)


def history_rows(source: Source, fact: str, kind: ListOf, by: str) -> HistoryRows:
    """The rows of an opened file of the schema of a history; raises `CannotRun` where a row has no key.

    All is read at once, and what is valid is held in memory.
    """
    valid, invalid = _read(source)
    key = member_of(source.facts.type, by)
    assert key is not None, by
    _refuse_unkeyed(source, invalid, by)
    element = (
        pl.struct([member.name for member in kind.element.members])
        if isinstance(kind.element, Record)
        else pl.col(fact)
    )
    rows = valid.select(key_column(key).alias(KEY), element.alias(LIST))
    lists = rows.group_by(KEY, maintain_order=True).agg(LIST, pl.len().alias(COUNT)).sort(KEY)
    lists = lists.cast({LIST: dtype_of(kind)})
    wrong: dict[str, list[Violation]] = {}
    for row in invalid.iter_rows(named=True):
        wrong.setdefault(row["key"], []).extend(_violations(source, fact, row))
    met = pl.Series([False], dtype=pl.Boolean).new_from_index(0, lists.height)
    return HistoryRows(source, by, lists, wrong, met)


def _read(source: Source) -> Validated:
    """All rows of a source in their order."""
    invalid: list[pl.DataFrame] = []

    def step(piece: pl.DataFrame) -> pl.DataFrame:
        found = source.validate(piece)
        invalid.append(found.invalid)
        return found.valid

    schema = dict(schema_of(source.facts.type))
    with reading(source):
        valid = source.frame.map_batches(step, streamable=True, schema=schema).collect(engine="streaming")
    return Validated(valid.sort(ROW), pl.concat([INVALID.to_frame(), *invalid]).sort(ROW))


def _refuse_unkeyed(source: Source, invalid: pl.DataFrame, by: str) -> None:
    """Raise `CannotRun` for rows of which nobody can tell to whom they belong."""
    unkeyed = invalid.filter(pl.col("key").is_null() | (pl.col("key") == ""))
    if unkeyed.is_empty():
        return
    told = [f"row {row[ROW]}: {row['violations'][0]['message']}" for row in unkeyed.head(MOST_TOLD).to_dicts()]
    more = f"; and {unkeyed.height - MOST_TOLD:,} more" if unkeyed.height > MOST_TOLD else ""
    why = f"rows without a `{by}` belong to nobody, so that no list is sure to be whole"
    raise CannotRun(f"`{source.files[0]}`: {why}; mend or remove them: {'; '.join(told)}{more}")


def _violations(source: Source, fact: str, row: Mapping[str, Any]) -> Iterator[Violation]:
    """What is wrong with a row of the file, as violations of the fact."""
    for told in row["violations"]:
        part = f", {told['pointer']}" if told["pointer"] else ""
        message = f"row {row[ROW]} of the file of `{fact}`{part}: {told['message']}"  # whose name may change
        value = json.loads(told["value"])
        yield Violation(f"/{fact}", value, told["keyword"], told["expected"], message, told["description"])
