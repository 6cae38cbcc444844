"""Verifying the decision log: every entry against the tree, every checkpoint against the key, every payload against its entry.

What is gone has to be accounted for by an entry that says so. A fault names its record, or, where signatures pin down no single
one, the smallest run of records that they do. What was not checked is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from policy_engine.decision_log.accounting import Accounting, Payload
from policy_engine.decision_log.notes import Checkpoint, Verifier, is_signed, read_checkpoint
from policy_engine.decision_log.reading import opened_payload, size_of
from policy_engine.decision_log.records import read_entry
from policy_engine.decision_log.sealing import KeyFile
from policy_engine.decision_log.stores import CheckpointRow, ReadStore, StoredRecord
from policy_engine.decision_log.tree import LEVEL_BITS, Edge, Subtree, grown, leaf_hash

MOST_FAULTS = 1000
"""So many faults are kept; all are counted."""
NOT_OF_ITS_FORM = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading an entry raises that somebody made up."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong, from the record at a position on."""

    position: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was checked and how much was not, the newest checkpoint, and the faults in order of their records.

    `records` counts those that were compared with the tree, `pruned` those of them of which only the hash is left. `payloads`
    fit their entries; `unopened` were not opened, for want of keys; `gone` were erased or pruned, as entries say. `checkpoints`
    counts those of the log and those that were kept.
    """

    records: int
    pruned: int
    checkpoints: int
    payloads: int
    unopened: int
    gone: int
    newest: Checkpoint | None
    faults: tuple[Fault, ...]
    fault_count: int


def verify(
    store: ReadStore, verifier: Verifier, keys: KeyFile | None = None, kept: Sequence[Checkpoint] = ()
) -> Verification:
    """Verify a whole log as it is at this moment; `kept` are checkpoints that were kept elsewhere.

    Without keys payloads are not opened. Raises `LogUnavailable` where the store cannot be read.
    """
    store.snapshot()
    faults = _Faults()
    records = _Records(store, keys, faults)
    trunk = _Trunk(store, verifier, records, faults)
    newest = trunk.compare_all(kept)
    records.finish()
    ordered = tuple(sorted(faults.kept))
    return Verification(
        records.count,
        records.accounting.pruned,
        trunk.checkpoints,
        records.payloads,
        records.unopened,
        records.accounting.gone,
        newest,
        ordered,
        faults.count,
    )


class _Faults:
    """What was found to be wrong."""

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.count = 0

    def tell(self, position: int, sentence: str) -> None:
        self.count += 1
        if len(self.kept) < MOST_FAULTS:
            self.kept.append(Fault(position, sentence))


class _Records:
    """Records by themselves: entries by their hashes, payloads by their entries, and what is gone."""

    def __init__(self, store: ReadStore, keys: KeyFile | None, faults: _Faults) -> None:
        self.store, self.keys, self.faults = store, keys, faults
        self.accounting = Accounting()
        self.position = self.count = self.payloads = self.unopened = 0
        self.stream = iter(store.records(0, size_of(store)))
        self.next = next(self.stream, None)

    def leaves(self, end: int) -> list[bytes]:
        """Check the records up to a position, and give the stored hashes of those that are there."""
        leaves = []
        while self.next is not None and self.next.position < end:
            leaves.append(self._taken(self.next))
            self.next = next(self.stream, None)
        return leaves

    def _taken(self, record: StoredRecord) -> bytes:
        if record.position != self.position:
            self.faults.tell(self.position, f"{_run(self.position, record.position)} missing")
        self.position = record.position + 1
        self.count += 1
        self.accounting.take(record.position, self._checked(record))
        return record.leaf

    def finish(self) -> None:
        """Tell what is there or not against what entries say, and what belongs to no record."""
        for position, sentence in self.accounting.faults():
            self.faults.tell(position, sentence)
        for position in self.store.stray_payloads():
            self.faults.tell(position, f"there is a payload at {position}, where no record is")

    def _checked(self, record: StoredRecord) -> Payload:
        """Check a record; what there is of it."""
        if record.entry is None:
            return self._without_payload(record, Payload.PRUNED_ENTRY)
        if leaf_hash(record.entry) != record.leaf:
            self.faults.tell(record.position, f"the entry of record {record.position} was changed: its hash is another")
            return Payload.NEVER
        try:
            return self._entry(record, record.entry)
        except NOT_OF_ITS_FORM:
            self.faults.tell(record.position, f"the entry of record {record.position} is not of the form of entries")
            return Payload.NEVER

    def _entry(self, record: StoredRecord, entry: bytes) -> Payload:
        members = json.loads(entry)
        if record.id is None or record.id.hex() != members["id"].replace("-", ""):
            self.faults.tell(record.position, f"record {record.position} is found by another id than its entry has")
        if "payload" not in members:
            self.accounting.read(read_entry(entry))
            return self._without_payload(record, Payload.NEVER)
        if record.sealed is None or record.key is None:
            return Payload.GONE
        self._payload(record, record.key, members["payload"])
        return Payload.THERE

    def _payload(self, record: StoredRecord, number: int, digest: str) -> None:
        if self.keys is None:
            self.unopened += 1
            return
        key = self.keys.key(number)
        if key is None:
            self.faults.tell(record.position, f"the payload of record {record.position} is there, and its key is not")
        elif opened_payload(record, key, digest) is None:
            self.faults.tell(record.position, f"the payload of record {record.position} is not what its entry says")
        else:
            self.payloads += 1

    def _without_payload(self, record: StoredRecord, payload: Payload) -> Payload:
        if record.sealed is not None:
            self.faults.tell(record.position, f"record {record.position} has a payload that no entry names")
        return payload


class _Trunk:
    """The tree over the records, and the checkpoints that say what its root must be."""

    def __init__(self, store: ReadStore, verifier: Verifier, records: _Records, faults: _Faults) -> None:
        self.store, self.verifier, self.records, self.faults = store, verifier, records, faults
        self.edge = Edge()
        self.checkpoints = self.last_right = 0
        self.is_right = True

    def compare_all(self, kept: Sequence[Checkpoint]) -> Checkpoint | None:
        """Compare the tree with all checkpoints, in order of their sizes; the newest of the log's own."""
        size = size_of(self.store)
        own = ((found, "the checkpoint") for found in self._read(self.store.checkpoints(0, size)))
        others = ((one, "the checkpoint that was kept") for one in sorted(kept, key=lambda one: one.size))
        newest = None
        for checkpoint, name in merge(own, others, key=lambda pair: pair[0].size):
            self._compare(checkpoint, f"{name} of {checkpoint.size}")
            newest = checkpoint if name == "the checkpoint" else newest
        self._rest(size)
        return newest

    def _read(self, rows: Iterator[CheckpointRow]) -> Iterator[Checkpoint]:
        for row in rows:
            try:
                found = read_checkpoint(row.text)
            except ValueError as error:
                self.faults.tell(row.size, f"the checkpoint of {row.size} cannot be read: {error}")
                continue
            if found.size == row.size:
                yield found
            else:
                self.faults.tell(row.size, f"the checkpoint of {row.size} says that it is one of {found.size}")

    def _compare(self, checkpoint: Checkpoint, name: str) -> None:
        self.checkpoints += 1
        if checkpoint.origin != self.verifier.name or not is_signed(checkpoint, self.verifier):
            self.faults.tell(checkpoint.size, f"{name} is not signed by {self.verifier.text}")
        complete = self._grow(checkpoint.size)
        if self.records.position < checkpoint.size:
            self._cut(checkpoint.size, name)
        elif self.is_right and self.edge.root == checkpoint.root:
            self.last_right = checkpoint.size
            self._compare_stored(complete)
        elif self.is_right:
            self._wrong(checkpoint.size, f"{name} has another root")

    def _wrong(self, end: int, why: str) -> None:
        self.is_right = False
        self.faults.tell(self.last_right, f"{_run(self.last_right, end)} not those that were signed: {why}")

    def _cut(self, end: int, name: str) -> None:
        """Records up to a checkpoint are not there: the last, or others before them, and the last have their positions."""
        there = self.records.position
        if self.is_right and there > self.last_right:
            self._wrong(end, f"{name} is over more than the {there} that are there")
        else:
            self.faults.tell(there, f"{_run(there, end)} missing: {name}")
        self.is_right = False
        self.records.position = end

    def _grow(self, end: int) -> list[Subtree]:
        """Grow the tree by the records up to a position; the subtrees that became complete."""
        self.edge, complete = grown(self.edge, self.records.leaves(end))
        if self.edge.size != self.records.position:
            self.is_right = False  # some are missing, as was told
        return complete

    def _compare_stored(self, complete: Sequence[Subtree]) -> None:
        """Compare subtrees with what is stored of them, which proofs are made of."""
        for one in complete:
            rows = self.store.subtrees(one.level, one.number, one.number + 1)
            if [row.root for row in rows] != [one.root]:
                start, end = one.number << one.level * LEVEL_BITS, (one.number + 1) << one.level * LEVEL_BITS
                self.faults.tell(start, f"the stored hash over records {start} to {end - 1} is not theirs")

    def _rest(self, size: int) -> None:
        """Records beyond the newest checkpoint."""
        rest = self.store.leaves(size, size + 1)
        if rest:
            self.faults.tell(size, f"the records from {size} on are under no checkpoint")


def _run(start: int, end: int) -> str:
    """The records from a position to before another, with their verb."""
    return f"record {start} is" if end - start == 1 else f"records {start} to {end - 1} are"
