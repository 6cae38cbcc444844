"""Appending to the decision log: a batch of records becomes rows, sealed payloads, a grown tree and a signed checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from policy_engine.decision_log.notes import Checkpoint, Signer, is_signed, read_checkpoint, signed
from policy_engine.decision_log.records import Record, id_bytes
from policy_engine.decision_log.sealing import NONCE_BYTES, KeyFile, RandomBytes, account_digest, sealed
from policy_engine.decision_log.stored_hashes import StoredHashes
from policy_engine.decision_log.stores import (
    AccountRow,
    Batch,
    CheckpointRow,
    EntryRow,
    Erased,
    PayloadRow,
    Pruned,
    Store,
    SubtreeRow,
)
from policy_engine.decision_log.tree import Edge, edge_of, grown, leaf_hash
from policy_engine.errors import CannotRun, LogUnavailable


@dataclass(frozen=True, slots=True)
class _End:
    """Where the log ends: the edge of its tree, the number of the next key, and the newest checkpoint."""

    edge: Edge
    next_key: int
    checkpoint: Checkpoint


@dataclass(slots=True)
class _KeyNumbers:
    """Which key a record gets: that of its account, a new one for a new account, and one of its own where it has none."""

    first_from: Callable[[int], int]
    digests: dict[str, bytes]
    known: dict[bytes, int]
    next: int
    new_accounts: list[AccountRow] = field(default_factory=list)

    def of(self, record: Record) -> int:
        """The number of a record's key; asked once for each record."""
        digest = self.digests.get(record.account)
        if digest is None:
            return self._taken()
        if digest not in self.known:
            self.known[digest] = self._taken()
            self.new_accounts.append(AccountRow(digest, self.known[digest]))
        return self.known[digest]

    def _taken(self) -> int:
        number = self.first_from(self.next)
        self.next = number + 1
        return number


class LogWriter:
    """The one writer of a log; raises `CannotRun` where the log's end does not fit its checkpoint, or the key is another's."""

    def __init__(self, store: Store, keys: KeyFile, signer: Signer, random_bytes: RandomBytes) -> None:
        self.store, self.keys, self.signer, self.random_bytes = store, keys, signer, random_bytes
        if store.identity().verifier != signer.verifier.text:
            raise CannotRun("the signing key is not that of the log; name the folder of its own keys with --keys")
        self._end: _End | None = _end_of(store, signer)
        if store.forgotten_keys():
            with suppress(LogUnavailable):  # while somebody reads, files are not rewritten; keys are gone all the same
                self.finish_erasing()

    @property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint."""
        return self._known_end().checkpoint

    def append(self, records: Sequence[Record]) -> Checkpoint:
        """Append records, durable when this returns, and give the checkpoint over them; those whose id is there are skipped.

        Raises `LogUnavailable`; then it may be asked again with the same records.
        """
        return self.commit(self._new(records))

    def commit(
        self, records: Sequence[Record], erased: Erased | None = None, pruned: Pruned | None = None
    ) -> Checkpoint:
        """Append records whose ids are new, and delete, in one transaction; raises `LogUnavailable`."""
        end = self._known_end()
        if not records:
            return end.checkpoint
        batch, end_after = self._batch(end, records, erased, pruned)
        self._end = None  # whether it was written is not known until `write` returns
        self.store.write(batch)
        self._end = end_after
        return end_after.checkpoint

    def finish_erasing(self) -> None:
        """Delete the keys of what was erased, and rewrite files so that nothing of it is left; raises `LogUnavailable`."""
        keys = self.store.forgotten_keys()
        self.keys.forget(keys)
        self.store.compact()
        self.store.keys_are_forgotten(keys)

    def close(self) -> None:
        """Let go of the log."""
        self.store.close()
        self.keys.close()

    def _known_end(self) -> _End:
        """Where the log ends; read again after a failure."""
        if self._end is None:
            try:
                self._end = _end_of(self.store, self.signer)
            except CannotRun as error:
                raise LogUnavailable(str(error)) from None
        return self._end

    def _new(self, records: Sequence[Record]) -> list[Record]:
        by_id = {id_bytes(record.id): record for record in records}
        known = self.store.known_ids(by_id.keys())
        return [record for id_, record in by_id.items() if id_ not in known]

    def _batch(
        self, end: _End, records: Sequence[Record], erased: Erased | None, pruned: Pruned | None
    ) -> tuple[Batch, _End]:
        numbers = self._numbers(records, end.next_key)
        placed = list(enumerate(records, end.edge.size))
        leaves = [leaf_hash(record.entry) for record in records]
        edge, complete = grown(end.edge, leaves)
        checkpoint = signed(Checkpoint(self.signer.name, edge.size, edge.root), self.signer)
        payloads = [self._payload(at, numbers.of(one), one) for at, one in placed if one.salt]
        batch = Batch(
            [EntryRow(at, id_bytes(one.id), leaf, one.entry) for (at, one), leaf in zip(placed, leaves, strict=True)],
            payloads,
            numbers.new_accounts,
            [SubtreeRow(one.level, one.number, one.root) for one in complete],
            CheckpointRow(edge.size, checkpoint.text),
            numbers.next,
            erased,
            pruned,
        )
        return batch, _End(edge, numbers.next, checkpoint)

    def _numbers(self, records: Sequence[Record], next_key: int) -> _KeyNumbers:
        digests = {one.account: account_digest(self.keys.index_key, one.account) for one in records if one.account}
        self.keys.ensure(next_key + len(records), self.random_bytes)
        return _KeyNumbers(self._first_key, digests, self.store.keys_of(digests.values()), next_key)

    def _first_key(self, number: int) -> int:
        """The first number from this on whose key is there; some are forgotten where the log was restored from an older one."""
        while self.keys.key(number) is None:
            number += 1
            self.keys.ensure(number + 1, self.random_bytes)
        return number

    def _payload(self, position: int, number: int, record: Record) -> PayloadRow:
        key = self.keys.key(number)
        if key is None:
            raise LogUnavailable(
                f"the key {number} is not in `{self.keys.path}`; was the file of keys restored from an older one?"
            )
        content = sealed(key, id_bytes(record.id), record.salt, record.payload, self.random_bytes(NONCE_BYTES))
        return PayloadRow(position, number, content)


def _end_of(store: Store, signer: Signer) -> _End:
    """Where a log ends; raises `CannotRun` where its end does not fit its newest checkpoint."""
    row = store.last_checkpoint()
    size = row.size if row else 0
    hashes = StoredHashes(store)
    edge = edge_of(hashes, size)
    checkpoint = _read(row) if row else signed(Checkpoint(signer.name, 0, edge.root), signer)
    is_ours = is_signed(checkpoint, signer.verifier)
    if not is_ours or (checkpoint.size, checkpoint.root) != (size, edge.root) or store.leaves(size, size + 1):
        raise CannotRun("the end of the log does not fit its newest checkpoint; `policy log verify` tells more")
    return _End(edge, store.next_key(), checkpoint)


def _read(row: CheckpointRow) -> Checkpoint:
    try:
        return read_checkpoint(row.text)
    except ValueError as error:
        raise CannotRun(f"the newest checkpoint of the log cannot be read: {error}") from None
