"""Erasing what accounts told, and pruning what is old: payloads and keys go, hashes stay, and an entry says that it was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from policy_engine.decision_log.notes import Checkpoint
from policy_engine.decision_log.records import ID_BYTES, Entry, Record, entry_bytes, id_bytes, time_text, uuid7
from policy_engine.decision_log.sealing import account_digest
from policy_engine.decision_log.stores import Erased, Pruned, ReadStore
from policy_engine.decision_log.writing import LogWriter
from policy_engine.errors import CannotRun

LONGEST_POSITIONS = 60_000
"""Characters of the positions that one entry names; further ones are named by further entries."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: how many payloads, of which accounts nothing was found, and the checkpoint over the entry that says so."""

    payloads: int
    unknown: tuple[str, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be erased, and what there was nothing of."""

    erased: Erased
    unknown: tuple[str, ...]


def erase(writer: LogWriter, accounts: Sequence[str], ids: Sequence[str], *, caller: str, milliseconds: int) -> Erasure:
    """Erase all payloads of accounts, and those of single records, with their keys; raises `LogUnavailable`.

    What nothing is found of is told; where that is all, nothing is written. `milliseconds` is the time, since 1970 in UTC.
    """
    found = _found(writer, accounts, ids)
    if not (found.erased.positions or found.erased.accounts):
        return Erasure(0, found.unknown, writer.checkpoint)
    records = [
        _record(writer, "erasure", milliseconds, caller=caller, positions=text, count=count)
        for text, count in _texts(found.erased.positions)
    ]
    checkpoint = writer.commit(records, erased=found.erased)
    writer.finish_erasing()
    return Erasure(len(found.erased.positions), found.unknown, checkpoint)


def _found(writer: LogWriter, accounts: Sequence[str], ids: Sequence[str]) -> _Found:
    digests = {account: account_digest(writer.keys.index_key, account) for account in accounts}
    numbers = writer.store.keys_of(digests.values())
    whole = sorted(numbers.values())
    single, missing = _single(writer, ids)
    own = set(single.values()) - writer.store.accounts_with(single.values())
    positions = {*writer.store.positions_of_keys(whole), *single}
    unknown = (*(account for account, digest in digests.items() if digest not in numbers), *missing)
    return _Found(Erased(sorted(positions), whole, sorted({*whole, *own})), unknown)


def _single(writer: LogWriter, ids: Sequence[str]) -> tuple[dict[int, int], list[str]]:
    """The key of each of these records by the record's position, and the ids of those that have no payload."""
    keys: dict[int, int] = {}
    missing = []
    for one in ids:
        position = writer.store.position_of(id_bytes(one))
        record = next(writer.store.records(position, position + 1)) if position is not None else None
        if record is None or record.key is None:
            missing.append(one)
        else:
            keys[record.position] = record.key
    return keys, missing


def prune(
    writer: LogWriter, *, entries_before: int, payloads_before: int, caller: str, milliseconds: int
) -> Checkpoint:
    """Let go of the entries before a position, and of the payloads before one that is no lower; raises `LogUnavailable`."""
    size = writer.checkpoint.size
    if not 0 <= entries_before <= payloads_before <= size:
        raise CannotRun(
            f"entries and payloads of a log of {size:,} records cannot be pruned before {payloads_before:,}"
        )
    keys = writer.store.keys_only_before(payloads_before)
    accounts = sorted(writer.store.accounts_with(keys))
    record = _record(
        writer,
        "pruning",
        milliseconds,
        caller=caller,
        entries_before=entries_before,
        payloads_before=payloads_before,
    )
    checkpoint = writer.commit([record], Erased((), accounts, keys), Pruned(entries_before, payloads_before))
    writer.finish_erasing()
    return checkpoint


def has_anything_before(store: ReadStore, entries_before: int, payloads_before: int) -> bool:
    """Whether an entry or a payload is left before these positions."""
    return any(
        record.sealed is not None or (record.entry is not None and record.position < entries_before)
        for record in store.records(0, payloads_before)
    )


def _record(writer: LogWriter, kind: str, milliseconds: int, **members: object) -> Record:
    id_ = uuid7(milliseconds, writer.random_bytes(ID_BYTES))
    return Record(id_, entry_bytes(Entry(kind, id_, time_text(milliseconds), **members)), b"", b"", "")  # type: ignore[arg-type]


# Positions as text


def _texts(positions: Sequence[int]) -> list[tuple[str, int]]:
    """Positions in order as texts of runs, none too long for an entry, and how many each names."""
    texts: list[list[str]] = [[]]
    counts, length = [0], 0
    for first, last in runs(positions):
        text = str(first) if first == last else f"{first}-{last}"
        length += len(text) + 1
        if length > LONGEST_POSITIONS:
            texts.append([])
            counts.append(0)
            length = len(text)
        texts[-1].append(text)
        counts[-1] += last - first + 1
    return [(",".join(parts), count) for parts, count in zip(texts, counts, strict=True)]


def runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of positions one after another."""
    for _, run in groupby(enumerate(positions), lambda pair: pair[1] - pair[0]):
        members = [position for _, position in run]
        yield members[0], members[-1]


def read_positions(text: str) -> list[tuple[int, int]]:
    """The runs in a text such as `3-7,12`, as first and last; raises `ValueError`."""
    parts = [part.partition("-") for part in text.split(",")] if text else []
    return [(int(first), int(last) if dash else int(first)) for first, dash, last in parts]
