"""Comparing two sides over one table: two versions of a ruleset, or one asked on two days or under two readings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Number
from policy_engine.reports.arguments import AUDITOR, CUSTOMER
from policy_engine.reports.comparison.attributions import Attributions
from policy_engine.reports.comparison.changes import Changes
from policy_engine.reports.comparison.counts import Change, Counts
from policy_engine.reports.comparison.decision_attributions import decision_attributions
from policy_engine.reports.comparison.hiding import Hidden, hidden_from_customers
from policy_engine.reports.comparison.moves import Distribution
from policy_engine.reports.comparison.pairing import Pairing
from policy_engine.reports.comparison.passes import pass_over
from policy_engine.reports.comparison.prepared import Prepared
from policy_engine.reports.comparison.side import Side, refuse_without_value
from policy_engine.reports.comparison.tally import EXAMPLES, Sides, Tally
from policy_engine.reports.deciding import writing
from policy_engine.reports.fingerprints import unchanged
from policy_engine.reports.jobs import Announce, Job, job_of_file
from policy_engine.tables.opening_tables import Options

CHANGES = "changes.parquet"


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """The number of rows that are invalid to `to` (both, old or new); of some their number, key and first violation."""

    to: str
    rows: int
    examples: tuple[tuple[int, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class OneSided:
    """A decision, or a value of one (`DECISION.NAME`), that only one side has: `only` is old or new."""

    name: str
    only: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the answers of two sides differ over `rows` rows, of which both decided `compared`.

    `decisions` are those that both sides have; `invalid` the rows that at least one of them could not decide. `notes` are what
    is known of the table only when it has been read.
    """

    old: Side
    new: Side
    rows: int
    compared: int
    decisions: tuple[str, ...]
    invalid: tuple[InvalidRows, ...]
    one_sided: tuple[OneSided, ...]
    changes: tuple[Change, ...]
    distributions: tuple[Distribution, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def differs(self) -> bool:
        """Whether an answer differs, or only one side gives it."""
        return bool(self.changes or self.one_sided or any(invalid.to != "both" for invalid in self.invalid))


def compare(
    old: Side,
    new: Side,
    place: Path,
    options: Options,
    announce: Announce = lambda job: None,
    out: Path | None = None,
    audience: str = AUDITOR,
) -> Comparison:
    """Decide every row of a table by both sides, whatever the periods of their versions say.

    With `out`, a folder, every change is written there to `changes.parquet`, with the reasons of both answers. A customer is not
    told what would disclose a sensitive fact.
    Raises `CannotRun` where the table cannot be read, a side has no value on its day, or both have no decision in common;
    `RulesetError` where a side cannot be decided over tables.
    """
    shared = shared_decisions(old, new)
    for side in (old, new):
        refuse_without_value(side)
    with tempfile.TemporaryDirectory(prefix="policy-") as folder, writing(out or Path(folder)):
        jobs = [job_of_file(side.ruleset, side.readings, place, side.as_of, options) for side in (old, new)]
        before = {**jobs[0].before, **jobs[1].before}
        with unchanged(before, "nothing was compared; compare again"):
            sides = _sides(old, new, shared, jobs, said=out is not None)
            if audience == CUSTOMER:
                sides = replace(
                    sides, hidden=hidden_from_customers((sides.old_job, sides.new_job), sides.changes.attributions)
                )
            announce(sides.new_job)
            tally = pass_over(sides, Path(folder), out and out / CHANGES)
        return _comparison(sides, shared, tally)


def _sides(old: Side, new: Side, shared: tuple[str, ...], jobs: list[Job], *, said: bool) -> Sides:
    before, after = Prepared.of(old, shared), Prepared.of(new, shared)
    attributions = Attributions(Pairing(before.trees, after.trees, old.as_of == new.as_of))
    decisions = tuple(
        decision_attributions(attributions, before.program.ruleset.decision(name), after.program.ruleset.decision(name))
        for name in shared
    )
    changes = Changes(before, after, attributions, decisions, said, EXAMPLES, _scale(before, after))
    own = [replace(job, program=side.program) for job, side in zip(jobs, (before, after), strict=True)]
    return Sides(before, after, own[0], own[1], changes, Counts(EXAMPLES), Hidden())


def _scale(old: Prepared, new: Prepared) -> int:
    """The places in which all differences of numbers can be told."""
    logics = [side.program.ruleset.decision(name) for side in (old, new) for name in side.decisions]
    kinds = [kind for logic in logics for _, kind in logic.answer_types]
    return max((kind.places for kind in kinds if isinstance(kind, Number)), default=0)


def _comparison(sides: Sides, shared: tuple[str, ...], tally: Tally) -> Comparison:
    old, new = sides.old, sides.new
    invalid = (
        InvalidRows(to, tally.invalid[to], tuple(tally.first[to])) for to in ("both", "old", "new") if tally.invalid[to]
    )
    return Comparison(
        old=old.side,
        new=new.side,
        rows=tally.rows,
        compared=tally.compared,
        decisions=shared,
        invalid=tuple(invalid),
        one_sided=tuple(one_sided(old.program.ruleset, new.program.ruleset)),
        changes=tuple(sides.counts.changes(shared)),
        distributions=tuple(sides.counts.moves.distributions(new.program.ruleset, shared)),
        notes=tuple(dict.fromkeys((*sides.old_job.source.notes(), *sides.new_job.source.notes()))),
        files=sides.new_job.source.files,
    )


def shared_decisions(old: Side, new: Side) -> tuple[str, ...]:
    """The decisions that both sides have; raises `CannotRun` where there is none."""
    there = {logic.name for logic in old.ruleset.decisions}
    shared = tuple(logic.name for logic in new.ruleset.decisions if logic.name in there)
    if not shared:
        versions = f"versions {old.ruleset.version} and {new.ruleset.version} of `{new.ruleset.id}`"
        raise CannotRun(f"{versions} have no decision in common")
    return shared


def one_sided(old: Ruleset, new: Ruleset) -> Iterator[OneSided]:
    """The decisions and values that only one side has; both as they are on a day."""
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
