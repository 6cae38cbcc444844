"""Counting what is in a decision log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import takewhile
from typing import Any

from policy_engine.decision_log.reading import Selection, outcomes_of, read_record, size_of
from policy_engine.decision_log.records import Answered, Entry
from policy_engine.decision_log.sealing import KeyFile, account_digest
from policy_engine.decision_log.stores import ReadStore
from policy_engine.diagnostics import did_you_mean, shown_text


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


def pruned_entries(store: ReadStore) -> int:
    """How many entries are pruned: those of the first records, whose hashes alone are left."""
    return sum(1 for _ in takewhile(lambda record: record.entry is None, store.records(0, size_of(store))))


def unknown_names(store: ReadStore, keys: KeyFile | None, asked: Selection) -> list[str]:
    """Sentences about the names in a selection that no entry has, with the nearest that one has.

    Raises `CannotRun` where a record is damaged.
    """
    options = ("decision", "status", "outcome", "rule", "caller", "kind")
    said = {option: name for option in options if (name := getattr(asked, option))}
    names: dict[str, dict[str, None]] = {option: {} for option in said}
    for record in store.records(0, size_of(store)) if said else ():
        if record.entry is not None:
            _collect(names, read_record(record, None).entry)
    sentences = [_unknown(option, said[option], known) for option, known in names.items() if said[option] not in known]
    if asked.account and keys and not store.keys_of([account_digest(keys.index_key, asked.account)]):
        sentences.append("the index has no such account; it has no record, or all of them were erased or pruned")
    return sentences


def _unknown(option: str, name: str, known: Collection[str]) -> str:
    hint = did_you_mean(name, known)
    return f"no record has the {option} `{shown_text(name)}`{f'; {hint}' if hint else ''}"


def _collect(names: dict[str, dict[str, None]], entry: Entry) -> None:
    """Add what an entry names, by option."""
    for option, known in names.items():
        known.update(dict.fromkeys(name for name in _named(entry, option) if name))


def _named(entry: Entry, option: str) -> Iterator[str]:
    """What an entry names that may be asked for with an option."""
    if option == "decision":
        for name in (entry.question, *(answer.decision for answer in entry.answers)):
            yield from (name, name.partition(".")[0])
    elif option in ("caller", "kind"):
        yield getattr(entry, option)
    else:
        for answer in entry.answers:
            yield from {"status": (answer.status,), "rule": answer.rules, "outcome": outcomes_of(answer.outcome)}[
                option
            ]


def _count(entry: Entry, counts: dict[str, Counter[str]], *, has_payload: bool) -> None:
    counts["kinds"][entry.kind] += 1
    counts["callers"][entry.caller] += 1
    if entry.payload:
        counts["payloads"]["there" if has_payload else "erased or pruned"] += 1
    counts["answers"].update(map(_told, entry.answers))


def _told(answer: Answered) -> str:
    outcome = answer.outcome if isinstance(answer.outcome, str) else ", ".join(answer.outcome or ())
    return f"{answer.decision}: {outcome or answer.status}"
