"""The facts that a decision log remembers, as tables: JSON Lines, a line for each record that was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO

from policy_engine.decision_log.reading import ReadRecord
from policy_engine.documents.facts_files import facts_text, read_json

INVALID = "the facts were invalid, and of those no value is kept"
MASKED = "facts were masked"
NONE = "the payload holds no facts"


def write_facts(records: Iterable[ReadRecord], files: Mapping[str, IO[bytes]]) -> dict[str, Counter[str]]:
    """Write the facts of each ruleset to its file; gives how many are written, under "", and why others are left out."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in files}
    for record in records:
        name = record.entry.ruleset.id
        if name in files:
            text = facts_of(record)
            counts[name][text if isinstance(text, str) else ""] += 1
            if isinstance(text, bytes):
                files[name].write(text + b"\n")
    return counts


def facts_of(record: ReadRecord) -> bytes | str:
    """The facts of a record as JSON, numbers as they were written; or why there are none."""
    if record.entry.kind == "refusal":
        return INVALID
    if record.payload is None:
        return f"the payload is {record.state}"
    payload = read_json(record.payload.decode())
    if not isinstance(payload, dict) or not isinstance(payload.get("facts"), dict):
        return NONE
    return MASKED if payload.get("masked") else facts_text(payload["facts"]) or NONE
