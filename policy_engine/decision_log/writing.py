"""Appending to the decision log: a batch of records becomes rows, sealed payloads, a grown tree and a signed checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.decision_log.notes import Checkpoint, Signer, is_signed, read_checkpoint, signed
from policy_engine.decision_log.records import Record
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
    TileRow,
)
from policy_engine.decision_log.tree import LEVEL_BITS, WIDTH, Edge, edge_of, grown, leaf_hash
from policy_engine.errors import CannotRun, LogUnavailable


@dataclass(frozen=True, slots=True)
class _End:
    """Where the log ends: the edge of its tree, the leaves that fill no tile yet, the next key, and the checkpoint."""

    edge: Edge
    leaves: tuple[bytes, ...]
    next_key: int
    checkpoint: Checkpoint


class LogWriter:
    """The one writer of a log; raises `CannotRun` where the log's end does not fit its checkpoint, or the key is another's."""

    def __init__(self, store: Store, keys: KeyFile, signer: Signer, random_bytes: RandomBytes) -> None:
        self.store, self.keys, self.signer, self.random_bytes = store, keys, signer, random_bytes
        if store.identity().verifier != signer.verifier.text:
            raise CannotRun("the signing key is not that of the log; name the folder of its own keys with --keys")
        self._end: _End | None = _end_of(store, signer)
        self.forget_keys()

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

    def forget_keys(self) -> None:
        """Delete the keys of what was erased, also where that was broken off before; raises `LogUnavailable`."""
        keys = self.store.forgotten_keys()
        if keys:
            self.keys.forget(keys)
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
        by_id = {_id_bytes(record.id): record for record in records}
        known = self.store.known_ids(by_id.keys())
        return [record for id_, record in by_id.items() if id_ not in known]

    def _batch(
        self, end: _End, records: Sequence[Record], erased: Erased | None, pruned: Pruned | None
    ) -> tuple[Batch, _End]:
        start = end.edge.size
        numbers, accounts, next_key = self._key_numbers(records, end.next_key)
        leaves = [leaf_hash(record.entry) for record in records]
        edge, complete = grown(end.edge, leaves)
        tiles, rest = _tiles((*end.leaves, *leaves), start >> LEVEL_BITS)
        checkpoint = signed(Checkpoint(self.signer.name, edge.size, edge.root), self.signer)
        batch = Batch(
            [EntryRow(at, _id_bytes(record.id), record.entry) for at, record in enumerate(records, start)],
            [
                self._payload(at, number, record)
                for at, (number, record) in enumerate(zip(numbers, records, strict=True), start)
                if number
            ],
            accounts,
            tiles,
            [SubtreeRow(one.level, one.number, one.root) for one in complete],
            CheckpointRow(edge.size, checkpoint.text),
            next_key,
            erased,
            pruned,
        )
        return batch, _End(edge, rest, next_key, checkpoint)

    def _key_numbers(self, records: Sequence[Record], next_key: int) -> tuple[list[int], list[AccountRow], int]:
        """For each record the number of its key (0 where it has no payload), the accounts that are new, and the next number."""
        digests = [account_digest(self.keys.index_key, record.account) if record.account else b"" for record in records]
        known = self.store.keys_of({digest for digest in digests if digest})
        self.keys.ensure(next_key + len(records), self.random_bytes)
        numbers, accounts = [], []
        for digest, record in zip(digests, records, strict=True):
            number = known.get(digest, 0)
            if not number and record.salt:
                number, next_key = next_key, next_key + 1
                if digest:
                    known[digest] = number
                    accounts.append(AccountRow(digest, number))
            numbers.append(number if record.salt else 0)
        return numbers, accounts, next_key

    def _payload(self, position: int, number: int, record: Record) -> PayloadRow:
        key = self.keys.key(number)
        if key is None:
            raise LogUnavailable(
                f"the key {number} is not in `{self.keys.path}`; was the file restored from an older one?"
            )
        content = sealed(key, _id_bytes(record.id), record.salt, record.payload, self.random_bytes(NONCE_BYTES))
        return PayloadRow(position, number, content)


def _tiles(leaves: Sequence[bytes], first: int) -> tuple[list[TileRow], tuple[bytes, ...]]:
    """The tiles that leaves fill, from the number `first` on, and the leaves that are left."""
    whole = len(leaves) >> LEVEL_BITS
    tiles = [TileRow(first + at, b"".join(leaves[at * WIDTH : (at + 1) * WIDTH])) for at in range(whole)]
    return tiles, tuple(leaves[whole * WIDTH :])


def _end_of(store: Store, signer: Signer) -> _End:
    """Where a log ends; raises `CannotRun` where its end does not fit its newest checkpoint."""
    row = store.last_checkpoint()
    size = row.size if row else 0
    hashes = StoredHashes(store)
    edge = edge_of(hashes, size)
    checkpoint = _read(row) if row else signed(Checkpoint(signer.name, 0, edge.root), signer)
    is_ours = is_signed(checkpoint, signer.verifier)
    if not is_ours or (checkpoint.size, checkpoint.root) != (size, edge.root) or any(store.entries(size, size + 1)):
        raise CannotRun("the end of the log does not fit its newest checkpoint; `policy log verify` tells more")
    leaves = tuple(hashes.hashes(0, size - size % WIDTH, size))
    return _End(edge, leaves, store.next_key(), checkpoint)


def _read(row: CheckpointRow) -> Checkpoint:
    try:
        return read_checkpoint(row.text)
    except ValueError as error:
        raise CannotRun(f"the newest checkpoint of the log cannot be read: {error}") from None


def _id_bytes(id: str) -> bytes:  # noqa: A002 - the word for it
    return bytes.fromhex(id.replace("-", ""))
