"""What a pass over a table counts beside the changes: accounts compared, and those invalid to one side or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.reports.comparison.attributions import NEW, OLD
from policy_engine.reports.comparison.changes import VALIDITY, Changes
from policy_engine.reports.comparison.counts import Counts
from policy_engine.reports.comparison.hiding import Hidden
from policy_engine.reports.comparison.prepared import Prepared
from policy_engine.reports.explanations import MASK
from policy_engine.reports.jobs import Job

EXAMPLES = 3
"""The number of accounts that are shown of each kind of change."""
BOTH = "both"


@dataclass(slots=True)
class Tally:
    """What a pass counts: the accounts compared, and those invalid to both sides or one, with the first few of them.

    `hidden` is what is not told of them.
    """

    hidden: Hidden
    compared: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[tuple[int, str | None, str]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)

    def compare(self, rows: int) -> None:
        """So many more accounts were compared."""
        with self.lock:
            self.compared += rows

    def add(self, to: str, invalid: pl.DataFrame) -> None:
        """These rows (`INVALID`) are invalid to both sides, or to one."""
        if not invalid.height:
            return
        some = [self._shown(*row) for row in invalid.head(EXAMPLES).iter_rows()]
        with self.lock:
            self.invalid[to] += invalid.height
            self.first[to] = sorted([*self.first.get(to, []), *some])[:EXAMPLES]

    def _shown(self, row: int, key: str | None, violations: list[dict[str, str]]) -> tuple[int, str | None, str]:
        told = MASK if self.hidden.reasons else message_of(violations[0])
        return row, None if self.hidden.key else key, told

    @property
    def rows(self) -> int:
        """The rows of the table."""
        return self.compared + sum(self.invalid.values())


def message_of(violation: Mapping[str, str]) -> str:
    """A violation with its place."""
    return f"{violation['pointer'] or '(the record)'}: {violation['message']}"


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a pass: compiled, and each with its job."""

    old: Prepared
    new: Prepared
    old_job: Job
    new_job: Job
    changes: Changes
    counts: Counts
    hidden: Hidden

    @property
    def share_facts(self) -> bool:
        """Whether both ask for facts of one schema."""
        old, new = self.old.side.ruleset.facts, self.new.side.ruleset.facts
        return (old.type, old.document, old.zone) == (new.type, new.document, new.zone)

    @property
    def key_job(self) -> Job:
        """The job of the side that names accounts; the newer one where both do."""
        return self.new_job if self.new_job.key is not None or self.old_job.key is None else self.old_job


def validity(schema: pl.Schema, to: str, invalid: pl.DataFrame) -> pl.DataFrame:
    """The changes of rows that are invalid to one side."""
    if not invalid.height:
        return schema.to_frame()
    words = ("invalid", "valid") if to == OLD else ("valid", "invalid")
    messages = pl.Series([message_of(violations[0]) for violations in invalid["violations"]], dtype=pl.String)
    made = invalid.select(
        pl.col(ROW).alias("row"),
        "key",
        decision=pl.lit(""),
        part=pl.lit(VALIDITY),
        old=pl.lit(words[0]),
        new=pl.lit(words[1]),
        old_value=messages if to == OLD else pl.lit(None),
        new_value=messages if to == NEW else pl.lit(None),
    )
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in made.columns]
    return made.with_columns(missing).select(schema.names()).cast(schema)
