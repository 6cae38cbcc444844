"""Comparing two finished reports: their counts, and the rows whose answers differ, found by their keys or their numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.documents.facts_files import read_json
from policy_engine.errors import CannotRun
from policy_engine.reports.differences import ROWS_AT_ONCE, Difference, Differences, side_by_side
from policy_engine.reports.manifest import Manifest, read_manifest
from policy_engine.reports.report_folder import differs
from policy_engine.reports.run import DECISIONS, INVALID, SUMMARY

EXAMPLES = 3
"""The number of rows that are shown of each difference."""


@dataclass(frozen=True, slots=True)
class Side:
    """One ruleset of a report: its day, its counts as in the summary, and its tables."""

    as_of: str
    totals: Mapping[str, Any]
    decisions: Path
    invalid: Path
    over: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The decisions, in order."""
        return [decision["decision"] for decision in self.totals["decisions"]]

    @property
    def key(self) -> str | None:
        """The column of the key among the decisions; None where the schema marks none."""
        columns = pl.read_parquet_schema(self.decisions)
        own = [name for name in columns if name != "row" and not any(name.startswith(f"{d}.") for d in self.names)]
        over = {f"over.{fact}" if f"over.{fact}" in own else fact for fact in self.over}
        return next((name for name in own if name not in over), None)

    def keys(self, key: str) -> pl.LazyFrame:
        """The rows whose key is there and stands once, each with its key."""
        valid = pl.scan_parquet(self.decisions, glob=False).select("row", key=pl.col(key))
        invalid = pl.scan_parquet(self.invalid, glob=False).select("row", "key")
        return pl.concat([valid, invalid]).drop_nulls("key").unique("key", keep="none")


@dataclass(frozen=True, slots=True)
class Count:
    """How many records have an outcome of a decision, or a status, in both reports."""

    decision: str
    name: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class RulesetDiff:
    """What two reports say otherwise with one ruleset, of which both decided `compared` rows.

    `by` is the key by which rows were found, None where by their numbers. `unmatched` rows have no key, or one that stands
    several times. `only` are rows that the other report does not have, `invalid` rows that it decided; both of the old and of
    the new report. `one_sided` are decisions that only one report has.
    """

    ruleset: str
    old: Side
    new: Side
    by: str | None
    compared: int
    unmatched: int
    only: tuple[int, int]
    invalid: tuple[int, int]
    counts: tuple[Count, ...]
    one_sided: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was found that is not the same."""
        return bool(any(self.only + self.invalid) or self.one_sided or self.differences)


@dataclass(frozen=True, slots=True)
class ReportDiff:
    """What two reports say otherwise; `only_old` and `only_new` are rulesets that only one has."""

    rulesets: tuple[RulesetDiff, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was found that is not the same."""
        return bool(self.only_old or self.only_new or any(one.differs for one in self.rulesets))


def compare_reports(old: Path, new: Path) -> ReportDiff:
    """Compare two reports, ruleset by ruleset.

    Raises `CannotRun` where one is no report or was changed, or where they have no ruleset, or a ruleset no decision, in common.
    """
    before, after = _sides(old), _sides(new)
    shared = [name for name in before if name in after]
    if not shared:
        told = " and ".join(f"`{folder}` has {', '.join(sides)}" for folder, sides in ((old, before), (new, after)))
        raise CannotRun(f"the reports have no ruleset in common: {told}")
    with tempfile.TemporaryDirectory() as folder:
        diffs = tuple(_diff(name, before[name], after[name], Path(folder)) for name in shared)
    only_old, only_new = (tuple(n for n in one if n not in other) for one, other in ((before, after), (after, before)))
    return ReportDiff(diffs, only_old, only_new)


def _sides(report: Path) -> dict[str, Side]:
    """The rulesets of a report, by name."""
    manifest = read_manifest(report)
    summary = read_json((_unchanged(report, manifest, SUMMARY)).read_text("utf-8"))
    found = {}
    for totals in summary["rulesets"]:
        name = totals["ruleset"]
        folder = f"{name}/" if len(summary["rulesets"]) > 1 else ""
        decisions, invalid = (_unchanged(report, manifest, f"{folder}{file}") for file in (DECISIONS, INVALID))
        found[name] = Side(summary["as_of"], totals, decisions, invalid, manifest.arguments.over)
    return found


def _unchanged(report: Path, manifest: Manifest, name: str) -> Path:
    """A file of a report; raises `CannotRun` where it is not as it was written."""
    written, path = {file.name: file for file in manifest.outputs}.get(name), report / name
    if written is None or not path.is_file() or differs(path, written):
        raise CannotRun(f"`{path}` is not as the report was written; `policy report verify {report}` tells more")
    return path


def _diff(ruleset: str, old: Side, new: Side, folder: Path) -> RulesetDiff:
    shared = [name for name in new.names if name in old.names]
    if not shared:
        raise CannotRun(f"the reports on `{ruleset}` have no decision in common")
    by = new.key if new.key == old.key else None
    rows, renumbered = (old.totals["rows"], new.totals["rows"]), old
    if by is not None and not _aligned(old, new, by):
        rows, renumbered = _renumbered(old, new, by, folder)
    found, key = Differences(shared, EXAMPLES, with_rules=True), new.key or old.key
    for pieces in side_by_side(renumbered.decisions, new.decisions):
        both = pieces.shared()
        side = both.new if new.key else both.old
        found.add(
            both.old, both.new, side[key] if key else pl.Series([None], dtype=pl.String).new_from_index(0, len(side))
        )
    compared, both_invalid = _in_both(renumbered.decisions, new.decisions), _in_both(renumbered.invalid, new.invalid)
    invalid = _in_both(renumbered.invalid, new.decisions), _in_both(renumbered.decisions, new.invalid)
    matched = compared + both_invalid + sum(invalid)
    return RulesetDiff(
        ruleset=ruleset,
        old=old,
        new=new,
        by=by,
        compared=compared,
        unmatched=old.totals["rows"] - rows[0] + new.totals["rows"] - rows[1],
        only=(rows[0] - matched, rows[1] - matched),
        invalid=invalid,
        counts=tuple(_counts(old, new, shared)),
        one_sided=tuple(name for name in dict.fromkeys([*old.names, *new.names]) if name not in shared),
        differences=tuple(found.all()),
    )


def _in_both(one: Path, other: Path) -> int:
    """The number of rows that stand in both tables."""
    return sum(pieces.shared().new.height for pieces in side_by_side(one, other, ["row"]))


def _aligned(old: Side, new: Side, key: str) -> bool:
    """Whether rows with the same number have the same key throughout, so that nothing has to be looked for."""
    tables = [[(side.decisions, key), (side.invalid, "key")] for side in (old, new)]
    for (one, own), (other, its) in product(*tables):
        for pieces in side_by_side(one, other, ["row", own], ["row", its]):
            both = pieces.shared()
            if both.old[own].ne_missing(both.new[its]).any():
                return False
    return True


def _renumbered(old: Side, new: Side, key: str, folder: Path) -> tuple[tuple[int, int], Side]:
    """The old tables with the numbers that their keys have in the new ones, and how many rows of each have a key of their own."""
    before, after = old.keys(key).collect(engine="streaming"), new.keys(key).collect(engine="streaming")
    numbers = before.join(after, on="key", suffix="_new").select("row", number="row_new").lazy()
    made = replace(old, decisions=folder / DECISIONS, invalid=folder / INVALID)
    for source, target in ((old.decisions, made.decisions), (old.invalid, made.invalid)):
        table = pl.scan_parquet(source, glob=False).join(numbers, on="row")
        renamed = table.with_columns(row=pl.col("number")).drop("number").sort("row")
        renamed.sink_parquet(target, row_group_size=ROWS_AT_ONCE, engine="streaming")
    return (before.height, after.height), made


def _counts(old: Side, new: Side, shared: Sequence[str]) -> Iterator[Count]:
    """The outcomes and statuses of which the reports count other numbers."""
    before, after = ({one["decision"]: one for one in side.totals["decisions"]} for side in (old, new))
    for decision in shared:
        for part in ("outcomes", "statuses"):
            one, other = before[decision][part], after[decision][part]
            for name in dict.fromkeys([*other, *one]):
                count = Count(decision, name, one.get(name, 0), other.get(name, 0))
                if count.old != count.new and (part == "outcomes" or name != "decided"):
                    yield count
