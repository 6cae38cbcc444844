"""Reading the decision log: records with what is left of their payloads, all of them or those that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from policy_engine.decision_log.records import Entry, canonical, id_bytes, payload_digest, read_entry
from policy_engine.decision_log.sealing import KeyFile, account_digest, opened
from policy_engine.decision_log.stores import ReadStore, StoredRecord
from policy_engine.errors import CannotRun


class PayloadState(StrEnum):
    """What is left of a payload."""

    THERE = "there"
    NONE = "none"
    GONE = "erased or pruned"
    SEALED = "sealed, and its key is not at hand"
    FAULTY = "not what its entry says"


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record: its entry, and its payload as JSON where it is there and opens with its key."""

    position: int
    entry: Entry
    entry_bytes: bytes
    state: PayloadState
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are asked for; what is empty does not count.

    `decision` is `ruleset.decision`, or a ruleset. `since` is the first time, and `until` the first that is too late, as texts
    of which an entry's time may be longer, such as 2026-03-01.
    """

    account: str = ""
    decision: str = ""
    status: str = ""
    outcome: str = ""
    rule: str = ""
    caller: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""


def select(store: ReadStore, keys: KeyFile | None, selection: Selection) -> Iterator[ReadRecord]:
    """The records that are asked for, in order; raises `CannotRun` for an account without keys, and for a damaged record."""
    needles = _needles(selection)
    for record in _candidates(store, keys, selection.account):
        if record.entry is not None and all(needle in record.entry for needle in needles):
            found = read_record(record, keys)
            if _fits(found.entry, selection):
                yield found


def position_of(store: ReadStore, id_: str) -> int:
    """Where a record stands; raises `CannotRun` where there is none with this id, or its entry is pruned."""
    try:
        position = store.position_of(id_bytes(id_))
    except ValueError:
        raise CannotRun(f"`{id_}` is no id of a record; that is a UUID") from None
    if position is None:
        raise CannotRun(f"there is no record `{id_}` in the log; if there was one, it is pruned")
    return position


def first_since(store: ReadStore, milliseconds: int) -> int:
    """Where the first record stands that was made at a time, since 1970 in UTC, or later; the end of the log if none was."""
    size = size_of(store)
    times = ((one.position, int.from_bytes(one.id[:6], "big")) for one in store.records(0, size) if one.id)
    return next((position for position, time in times if time >= milliseconds), size)


def size_of(store: ReadStore) -> int:
    """How many records there are under the newest checkpoint."""
    row = store.last_checkpoint()
    return row.size if row else 0


def _candidates(store: ReadStore, keys: KeyFile | None, account: str) -> Iterable[StoredRecord]:
    """All records, or those of an account."""
    if not account:
        return store.records(0, size_of(store))
    if keys is None:
        raise CannotRun("an account is found by its keys alone; name their folder with --keys")
    numbers = store.keys_of([account_digest(keys.index_key, account)])
    positions = store.positions_of_keys(numbers.values())
    return (record for position in positions for record in store.records(position, position + 1))


def read_record(record: StoredRecord, keys: KeyFile | None) -> ReadRecord:
    """A record whose entry is there; raises `CannotRun` where the entry is damaged."""
    assert record.entry is not None
    try:
        entry = read_entry(record.entry)
    except (ValueError, RecursionError) as error:
        raise CannotRun(f"record {record.position} is damaged: {error}; run `policy log verify`") from None
    return ReadRecord(record.position, entry, record.entry, *_payload(record, entry.payload, keys))


def _payload(record: StoredRecord, digest: str, keys: KeyFile | None) -> tuple[PayloadState, bytes | None]:
    if record.sealed is None or record.key is None:
        return (PayloadState.GONE if digest else PayloadState.NONE), None
    key = keys.key(record.key) if keys else None
    if key is None:
        return PayloadState.SEALED, None
    found = opened_payload(record, key, digest)
    return (PayloadState.THERE, found[1]) if found else (PayloadState.FAULTY, None)


def salted_payload(record: StoredRecord, keys: KeyFile | None) -> bytes:
    """The salt of a record's payload, and the payload: what the entry's digest is of. Raises `CannotRun`, with why not."""
    read = read_record(record, keys)
    key = keys.key(record.key) if keys and record.key is not None else None
    found = opened_payload(record, key, read.entry.payload) if key else None
    if found is None:
        raise CannotRun(f"the payload of `{read.entry.id}` is {read.state}")
    return b"".join(found)


def opened_payload(record: StoredRecord, key: bytes, digest: str) -> tuple[bytes, bytes] | None:
    """The salt and the payload of a record; None where it does not open, or its entry names another."""
    try:
        salt, payload = opened(key, record.id or b"", record.sealed or b"")
    except ValueError:
        return None
    return (salt, payload) if payload_digest(salt, payload) == digest else None


def _needles(selection: Selection) -> list[bytes]:
    """Bytes that an entry must hold to be one of those asked for: a quick test before it is read."""
    texts = (selection.status, selection.outcome, selection.rule, selection.caller, selection.kind)
    begun = canonical(selection.decision)[:-1]  # a ruleset's name may go on
    return [*([begun] if selection.decision else []), *(canonical(text) for text in texts if text)]


def _fits(entry: Entry, asked: Selection) -> bool:
    return (
        asked.caller in ("", entry.caller)
        and asked.kind in ("", entry.kind)
        and (not asked.since or entry.time >= asked.since)
        and (not asked.until or entry.time < asked.until)
        and _is_of_decision(entry, asked.decision)
        and _is_answered(entry, asked)
    )


def _is_of_decision(entry: Entry, decision: str) -> bool:
    names = (entry.question, *(answer.decision for answer in entry.answers))
    return not decision or any(_is_of(name, decision) for name in names)


def _is_of(name: str, decision: str) -> bool:
    """Whether a decision is the one asked for, or of the ruleset asked for."""
    return name == decision or name.startswith(f"{decision}.")


def _is_answered(entry: Entry, asked: Selection) -> bool:
    """Whether one answer has the status, the outcome and the rule."""
    if not (asked.status or asked.outcome or asked.rule):
        return True
    return any(
        (not asked.decision or _is_of(answer.decision, asked.decision))
        and asked.status in ("", answer.status)
        and (not asked.outcome or asked.outcome in outcomes_of(answer.outcome))
        and (not asked.rule or asked.rule in answer.rules)
        for answer in entry.answers
    )


def outcomes_of(outcome: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The outcomes of an answer, of which a collecting decision has any number."""
    return (outcome,) if isinstance(outcome, str) else outcome or ()
