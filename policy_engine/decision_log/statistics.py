"""Counting what is in a decision log."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from policy_engine.decision_log.reading import size_of
from policy_engine.decision_log.stores import ReadStore


def statistics(store: ReadStore) -> dict[str, Any]:
    """Counts by name; an outcome is counted under its decision, as `decision: outcome`, and other answers by their status."""
    size = size_of(store)
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("kinds", "callers", "payloads", "answers")}
    first = last = ""
    for record in store.records(0, size):
        if record.entry is None:
            counts["kinds"]["pruned"] += 1
            continue
        entry = json.loads(record.entry)
        first, last = first or entry["time"], entry["time"]
        _count(entry, counts, has_payload=record.sealed is not None)
    checkpoints = sum(1 for _ in store.checkpoints(0, size))
    named = {name: dict(counter.most_common()) for name, counter in counts.items()}
    return {"records": size, "checkpoints": checkpoints, "first": first, "last": last, **named}


def _count(entry: dict[str, Any], counts: dict[str, Counter[str]], *, has_payload: bool) -> None:
    counts["kinds"][entry["kind"]] += 1
    counts["callers"][entry["caller"]] += 1
    if "payload" in entry:
        counts["payloads"]["there" if has_payload else "erased or pruned"] += 1
    counts["answers"].update(_told(answer) for answer in entry.get("answers", ()))


def _told(answer: dict[str, Any]) -> str:
    outcome = answer["outcome"]
    told = outcome if isinstance(outcome, str) else ", ".join(outcome or ())
    return f"{answer['decision']}: {told or answer['status']}"
