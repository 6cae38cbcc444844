"""Proofs as files: that an entry is in the log, and that a newer state of the log continues an older one.

The first is C2SP's tlog-proof, with the entry as its extra data. For the second there is no common form; ours has the two
checkpoints with the hashes between them. Whatever is not of its form raises `ValueError` with a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.decision_log.notes import Checkpoint, read_checkpoint, read_hash, to_base64
from policy_engine.decision_log.stored_hashes import StoredHashes
from policy_engine.decision_log.stores import ReadStore
from policy_engine.decision_log.tree import consistency_proof, includes, inclusion_proof, is_consistent, leaf_hash
from policy_engine.errors import CannotRun

INCLUSION, CONSISTENCY = "c2sp.org/tlog-proof@v1", "policy_engine consistency proof, form 1"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry stands at a position of the tree of a checkpoint."""

    position: int
    entry: bytes
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        """The file."""
        head = f"{INCLUSION}\nextra {to_base64(self.entry)}\nindex {self.position}\n"
        return f"{head}{_lines(self.hashes)}\n{self.checkpoint.text}"

    @property
    def is_right(self) -> bool:
        """Whether the hashes lead from the entry to the root of the checkpoint, whose signatures are not looked at."""
        checkpoint = self.checkpoint
        return includes(leaf_hash(self.entry), self.position, checkpoint.size, self.hashes, checkpoint.root)


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of a checkpoint is the beginning of that of a newer one."""

    hashes: tuple[bytes, ...]
    old: Checkpoint
    new: Checkpoint

    @property
    def text(self) -> str:
        """The file."""
        return f"{CONSISTENCY}\n{_lines(self.hashes)}\n{self.old.text}\n{self.new.text}"

    @property
    def is_right(self) -> bool:
        """Whether the hashes lead from the older root to the newer one, of one log; signatures are not looked at."""
        old, new = self.old, self.new
        return old.origin == new.origin and is_consistent(old.size, old.root, new.size, new.root, self.hashes)


def prove_inclusion(store: ReadStore, position: int, checkpoint: Checkpoint) -> InclusionProof:
    """The proof that a record is under a checkpoint of its log; raises `CannotRun` where its entry is pruned."""
    record = next(iter(store.records(position, position + 1)), None)
    if record is None or record.entry is None:
        raise CannotRun(f"the entry of record {position} is not there any more; only its hash is")
    hashes = inclusion_proof(StoredHashes(store), position, checkpoint.size)
    return InclusionProof(position, record.entry, hashes, checkpoint)


def prove_consistency(store: ReadStore, old: Checkpoint, new: Checkpoint) -> ConsistencyProof:
    """The proof that a checkpoint of a log continues an older one; raises `CannotRun` where there is none."""
    if old.size > new.size:
        raise CannotRun(f"the older checkpoint has {old.size} records, and the newer {new.size}; give the older first")
    proof = ConsistencyProof(consistency_proof(StoredHashes(store), old.size, new.size), old, new)
    if not proof.is_right:
        raise CannotRun(
            f"the checkpoints of {old.size} and {new.size} records are not of one log; run `policy log verify`"
        )
    return proof


def checkpoint_of(store: ReadStore, size: int | None = None) -> Checkpoint:
    """The newest checkpoint, or that of a size; raises `CannotRun` where there is none."""
    row = store.last_checkpoint() if size is None else store.checkpoint(size)
    if row is None:
        raise CannotRun(
            "the log has no checkpoint yet" if size is None else f"no commit of the log ended at {size} records"
        )
    try:
        return read_checkpoint(row.text)
    except ValueError as error:
        raise CannotRun(f"the checkpoint of {row.size} records cannot be read: {error}") from None


def read_consistency_proof(text: str) -> ConsistencyProof:
    """The proof in a file; raises `ValueError`."""
    parts = text.split("\n\n")
    head, *hashes = parts[0].split("\n")
    if head != CONSISTENCY or len(parts) != 5:
        raise ValueError(f"a consistency proof begins with `{CONSISTENCY}`, and has hashes and two checkpoints")
    old = read_checkpoint(f"{parts[1]}\n\n{parts[2]}\n")
    new = read_checkpoint(f"{parts[3]}\n\n{parts[4]}")
    return ConsistencyProof(tuple(map(read_hash, hashes)), old, new)


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{to_base64(one)}\n" for one in hashes)
