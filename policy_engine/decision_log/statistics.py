"""Counting what is in a decision log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from policy_engine.decision_log.reading import read_record, size_of
from policy_engine.decision_log.records import Answered, Entry
from policy_engine.decision_log.stores import ReadStore


def statistics(store: ReadStore) -> dict[str, Any]:
    """Counts by name; an outcome is counted under its decision, as `decision: outcome`, and other answers by their status.

    Raises `CannotRun` where a record is damaged.
    """
    size = size_of(store)
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("kinds", "callers", "payloads", "answers")}
    first = last = ""
    for record in store.records(0, size):
        if record.entry is None:
            counts["kinds"]["pruned"] += 1
            continue
        entry = read_record(record, None).entry
        first, last = first or entry.time, entry.time
        _count(entry, counts, has_payload=record.sealed is not None)
    checkpoints = sum(1 for _ in store.checkpoints(0, size))
    named = {name: dict(counter.most_common()) for name, counter in counts.items()}
    return {"records": size, "checkpoints": checkpoints, "first": first, "last": last, **named}


def _count(entry: Entry, counts: dict[str, Counter[str]], *, has_payload: bool) -> None:
    counts["kinds"][entry.kind] += 1
    counts["callers"][entry.caller] += 1
    if entry.payload:
        counts["payloads"]["there" if has_payload else "erased or pruned"] += 1
    counts["answers"].update(map(_told, entry.answers))


def _told(answer: Answered) -> str:
    outcome = answer.outcome if isinstance(answer.outcome, str) else ", ".join(answer.outcome or ())
    return f"{answer.decision}: {outcome or answer.status}"
