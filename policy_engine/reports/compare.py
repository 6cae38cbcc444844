"""Comparing two versions of a ruleset over one table.

Each version decides the whole table into a file, as a report does. The files are then read side by side, so that memory does
not grow with the table. A last pass reads the facts of the rows that are shown, to give the reasons of their answers.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.backends.columnar import prepare
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import pieced
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import ALWAYS, Ruleset
from policy_engine.reports.deciding import decide_table
from policy_engine.reports.differences import Difference, Differences, Pieces, side_by_side
from policy_engine.reports.fingerprints import fingerprints, unchanged
from policy_engine.reports.jobs import Announce, Job
from policy_engine.tables.json_types import plain_row
from policy_engine.tables.opening_tables import Options, open_table
from policy_engine.tables.source import reading

EXAMPLES = 3
"""The number of rows that are shown of each difference."""
MOST_REASONS = 100
"""The number of differences whose rows are shown with their reasons; the first ones."""


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """The number of rows that are invalid to `to` (both, old or new); of some their number, key and first violation."""

    to: str
    rows: int
    examples: tuple[tuple[int, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class OneSided:
    """A decision, or a value of one (`DECISION.NAME`), that only one version has: `only` is old or new."""

    name: str
    only: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the answers of two versions differ over `rows` rows, of which both decided `compared`.

    `decisions` are those that both versions have; `invalid` the rows that at least one of them could not decide. `notes` are what
    is known of the table only when it has been read.
    """

    old: Ruleset
    new: Ruleset
    as_of: date
    rows: int
    compared: int
    decisions: tuple[str, ...]
    invalid: tuple[InvalidRows, ...]
    one_sided: tuple[OneSided, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether an answer differs, or only one version gives it."""
        return bool(self.differences or self.one_sided or any(invalid.to != "both" for invalid in self.invalid))


def compare(
    old: Ruleset,
    new: Ruleset,
    place: Path,
    options: Options,
    as_of: date,
    announce: Announce = lambda job: None,
) -> Comparison:
    """Decide every row of a table by both versions as if each were in force on the day.

    Raises `CannotRun` where the table cannot be read, a version has no value on the day, or both have no decision in common;
    `RulesetError` where a version cannot be decided over tables.
    """
    shared = shared_decisions(old, new)
    for version in (old, new):
        _refuse_without_value(version, as_of)
    files = fingerprints(open_table(old.id, place, old.facts, options).files)
    with unchanged(files, "nothing was compared; compare again"), tempfile.TemporaryDirectory() as folder:
        before = Side.decided(old, place, options, as_of, Path(folder, "old"), announce)
        after = Side.decided(new, place, options, as_of, Path(folder, "new"), announce)
        found = _compared(before, after, shared, as_of)
        again = partial(_opened, new, place, options, as_of, announce)
        return replace(found, differences=_with_reasons(found.differences, again, as_of))


def _refuse_without_value(ruleset: Ruleset, as_of: date) -> None:
    """A parameter has values over its version's period, and need not have one on other days."""
    for parameter in ruleset.parameters:
        if not any(as_of in value.period for value in parameter.values):
            raise CannotRun(
                f"the parameter `{parameter.name}` of version {ruleset.version} has no value on {as_of}; "
                "ask as of a day on which both versions have all their values (--as-of)"
            )


def _opened(ruleset: Ruleset, place: Path, options: Options, as_of: date, announce: Announce) -> Job:
    source = open_table(ruleset.id, place, ruleset.facts, options)
    job = Job(ruleset, {}, place, source, prepare(ruleset, {}, as_of, margins=True), None)
    announce(job)
    return job


@dataclass(frozen=True, slots=True)
class Side:
    """One version with the files of what it decided: decisions about valid rows, and what is wrong with the others."""

    job: Job
    decisions: Path
    invalid: Path

    @classmethod
    def decided(
        cls, ruleset: Ruleset, place: Path, options: Options, as_of: date, folder: Path, announce: Announce
    ) -> Side:
        """Decide the table, and write both files into a new folder."""
        folder.mkdir()
        job = _opened(ruleset, place, options, as_of, announce)
        side = cls(job, folder / "decisions.parquet", folder / "invalid.parquet")
        decide_table(job, side.decisions, side.invalid)
        return side

    @property
    def rows(self) -> int:
        """The rows of the table."""
        return _count(self.decisions) + _count(self.invalid)


def _count(path: Path) -> int:
    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())


def _compared(old: Side, new: Side, shared: tuple[str, ...], as_of: date) -> Comparison:
    """The comparison of the files of both sides, without reasons."""
    if old.rows != new.rows:
        raise CannotRun(f"`{old.job.place}` had {old.rows} rows, and {new.rows} when it was read again")
    found, compared = Differences(shared, EXAMPLES), 0
    for pieces in side_by_side(old.decisions, new.decisions):
        both = pieces.shared()
        compared += both.new.height
        found.add(both.old, both.new, _keys(old.job, new.job, both))
    return Comparison(
        old=old.job.ruleset,
        new=new.job.ruleset,
        as_of=as_of,
        rows=new.rows,
        compared=compared,
        decisions=shared,
        invalid=tuple(_invalid(old, new)),
        one_sided=tuple(one_sided(old.job.program.ruleset, new.job.program.ruleset)),
        differences=tuple(found.all()),
        notes=tuple(dict.fromkeys((*old.job.source.notes(), *new.job.source.notes()))),
    )


def _invalid(old: Side, new: Side) -> Iterator[InvalidRows]:
    """The rows that are invalid to both versions, and to one of them."""
    counts, first = Counter[str](), defaultdict[str, list[int]](list)
    for pieces in side_by_side(old.invalid, new.invalid, ["row"]):
        kinds = {"both": pieces.shared().new["row"], "old": pieces.only_old(), "new": pieces.only_new()}
        for to, rows in kinds.items():
            counts[to] += len(rows)
            first[to].extend(rows.head(EXAMPLES - len(first[to])))
    for to, shown in first.items():
        if shown:
            yield InvalidRows(to, counts[to], _examples((old if to == "old" else new).invalid, shown))


def _keys(old: Job, new: Job, pieces: Pieces) -> pl.Series:
    """The keys of rows, as either version names them."""
    for job, frame in ((new, pieces.new), (old, pieces.old)):
        if job.key is not None:
            return frame[job.key_column]
    return new.keys(pieces.new)


def _examples(invalid: Path, rows: Collection[int]) -> tuple[tuple[int, str | None, str], ...]:
    """The number, the key and the first violation of some invalid rows."""
    table = pl.scan_parquet(invalid, glob=False).filter(pl.col("row").is_in(list(rows))).collect()
    return tuple((row, key, _wrong(violations[0])) for row, key, violations in table.iter_rows())


def _wrong(violation: Mapping[str, str]) -> str:
    return f"{violation['pointer'] or '(the record)'}: {violation['message']}"


def _with_reasons(differences: tuple[Difference, ...], again: Callable[[], Job], as_of: date) -> tuple[Difference, ...]:
    """Differences of answers with the reasons of the new answers."""
    wanted = [one for one in differences if one.part == "answer"][:MOST_REASONS]
    if not wanted:
        return differences
    job = again()
    facts = _facts_of(job, {example.row for one in wanted for example in one.examples})
    engine = Engine(Rulebook((replace(job.ruleset, period=ALWAYS),), ()))

    def reason(decision: str, row: int) -> str:
        return engine.decide(f"{job.ruleset.id}.{decision}", facts[row], as_of=as_of).reason

    return tuple(
        replace(one, examples=tuple(replace(e, reason=reason(one.decision, e.row)) for e in one.examples))
        if one in wanted
        else one
        for one in differences
    )


def _facts_of(job: Job, rows: Collection[int]) -> dict[int, dict[str, Any]]:
    """The facts of some rows, which are valid, by their numbers."""
    with reading(job.source):
        found = job.source.frame.filter(pl.col(ROW).is_in(list(rows)))
        schema = pl.Schema(schema_of(job.ruleset.facts.type))
        valid = pieced(found, lambda piece: job.source.validate(piece).valid, schema).collect(engine="streaming")
    if valid.height != len(rows):
        raise CannotRun(f"`{job.place}` has other rows than when it was read before")
    return {number: plain_row(valid, at, job.ruleset.facts.type) for at, number in enumerate(valid[ROW])}


def versions_of(rulebook: Rulebook, name: str, old: str | None, new: str | None) -> tuple[Ruleset, Ruleset]:
    """The two versions named, by default the last two; raises `CannotRun`."""
    versions = rulebook.versions(name)
    if len(versions) < 2:
        raise CannotRun(f"`{name}` has {len(versions) or 'no'} version{'s' * (len(versions) != 1)}; two are compared")
    found = _version(versions, old, -2), _version(versions, new, -1)
    if found[0] is found[1]:
        raise CannotRun(f"version {found[0].version} is the same as itself; name two versions with --old and --new")
    return found


def _version(versions: tuple[Ruleset, ...], wanted: str | None, default: int) -> Ruleset:
    if wanted is None:
        return versions[default]
    found = next((version for version in versions if version.version == wanted), None)
    if found is None:
        raise CannotRun(f"there is no version `{wanted}`; there is {', '.join(v.version for v in versions)}")
    return found


def shared_decisions(old: Ruleset, new: Ruleset) -> tuple[str, ...]:
    """The decisions that both versions have; raises `CannotRun` where there is none."""
    there = {logic.name for logic in old.decisions}
    shared = tuple(logic.name for logic in new.decisions if logic.name in there)
    if not shared:
        raise CannotRun(f"versions {old.version} and {new.version} of `{old.id}` have no decision in common")
    return shared


def one_sided(old: Ruleset, new: Ruleset) -> Iterator[OneSided]:
    """The decisions and values that only one version has; both as they are on a day."""
    before, after = _names(old), _names(new)
    for side, own, other in (("old", before, after), ("new", after, before)):
        for name in own:
            decision = name.partition(".")[0]
            if name not in other and (decision == name or decision in other):
                yield OneSided(name, side)


def _names(ruleset: Ruleset) -> list[str]:
    """Each decision, and behind it its values on the day."""
    return [
        name
        for logic in ruleset.decisions
        for name in (logic.name, *(f"{logic.name}.{value}" for value, _ in logic.answer_types))
    ]
