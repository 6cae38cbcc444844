"""Local times as instants: by our own tables of transitions, as `zones` shows instants as local times. Both are microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from policy_engine.backends.sql.build import Sql, choose, variable
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.ranks import chosen_by_rank
from policy_engine.language.timezones import CYCLE, REPEATS, Transition, transitions

SECOND = 1_000_000
LOCAL = "local_time"


def moment_of(to: Dialect, local: Sql, timezone: str) -> Sql:
    """The instant of a local time, of two the earlier one."""
    changes = transitions(timezone)
    offsets = [change.offset * SECOND for change in changes]
    at = variable(LOCAL)
    return to.bound(local, LOCAL, at - chosen_by_rank(_folded(at), _changes(changes), offsets))


def is_skipped(to: Dialect, local: Sql, timezone: str) -> Sql:
    """Whether no clock shows a local time, because it is put forward past it."""
    changes = transitions(timezone)
    starts = _changes(changes)
    ends = [change.start * SECOND + change.offset * SECOND for change in changes]
    at = _folded(variable(LOCAL))
    return to.bound(local, LOCAL, at < chosen_by_rank(at, starts, ends))


def _changes(changes: Sequence[Transition]) -> list[int]:
    """The local times from which on clocks are changed, by the offset before each change."""
    return [(change.start + before.offset) * SECOND for before, change in pairwise(changes)]


def _folded(local: Sql) -> Sql:
    """A local time moved back, by whole cycles of the calendar, into the years for which transitions are listed."""
    again = REPEATS * SECOND
    return choose([(local >= again, (local - again).remainder(CYCLE * SECOND) + again)], local)
