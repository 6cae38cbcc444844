"""What a store of the decision log offers: rows, written a batch at a time, and read. It knows no keys and works out no hashes.

SQLite (`sqlite_store.py`) and PostgreSQL (`postgres_store.py`) are stores. Positions count from 0, and ids are the 16 bytes of
a UUID. Everything raises `LogUnavailable`, with a sentence, where the store cannot be asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from policy_engine.errors import CannotRun

VERSION = 1
"""The version of the tables."""
ONE_WRITER = "there is one writer at a time; stop the other, such as `policy serve`, and try again"
UNNAMED = "is damaged: it does not say its name and its key"


class AnotherWriter(CannotRun):
    """Somebody else writes the log, as the beginning of a sentence says."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence}; {ONE_WRITER}")


class EntryRow(NamedTuple):
    """An entry at its position, and its hash, which stays when the entry is pruned."""

    position: int
    id: bytes
    leaf: bytes
    entry: bytes


class PayloadRow(NamedTuple):
    """A sealed payload, and the number of the key that opens it."""

    position: int
    key: int
    sealed: bytes


class AccountRow(NamedTuple):
    """The number of an account's key, found by the account's keyed digest."""

    digest: bytes
    key: int


class SubtreeRow(NamedTuple):
    """The root of the `number`th complete subtree of 256**level leaves; levels begin with 1."""

    level: int
    number: int
    root: bytes


class CheckpointRow(NamedTuple):
    """A checkpoint: a signed note."""

    size: int
    text: str


class StoredRecord(NamedTuple):
    """A record as it is stored: no id and no entry where it was pruned, no key and no sealed payload where there is none."""

    position: int
    id: bytes | None
    leaf: bytes
    entry: bytes | None
    key: int | None
    sealed: bytes | None


class Identity(NamedTuple):
    """What a store says of its log: its name, and the public key by which its checkpoints are checked."""

    origin: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What goes: payloads by their position, accounts by the number of their key; `keys` are to be forgotten afterwards."""

    positions: Sequence[int] = ()
    accounts: Sequence[int] = ()
    keys: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Pruned:
    """What goes by a retention rule: entries and payloads before these positions."""

    entries_before: int = 0
    payloads_before: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one transaction writes; `next_key` is the number of the key that is taken next."""

    entries: Sequence[EntryRow]
    payloads: Sequence[PayloadRow]
    accounts: Sequence[AccountRow]
    subtrees: Sequence[SubtreeRow]
    checkpoint: CheckpointRow
    next_key: int
    erased: Erased | None = None
    pruned: Pruned | None = None


class ReadStore(Protocol):
    """What is read of a log."""

    def snapshot(self) -> None:
        """From now on read the log as it is at this moment, whatever is written meanwhile."""
        ...

    def identity(self) -> Identity:
        """What the store says of its log."""
        ...

    def last_checkpoint(self) -> CheckpointRow | None:
        """The newest checkpoint; None in a log without entries."""
        ...

    def checkpoint(self, size: int) -> CheckpointRow | None:
        """The checkpoint of a size; None where no commit ended there."""
        ...

    def checkpoints(self, start: int, end: int) -> Iterator[CheckpointRow]:
        """The checkpoints of sizes above `start` and up to `end`, in order."""
        ...

    def records(self, start: int, end: int) -> Iterator[StoredRecord]:
        """The records from a position to before another, in order."""
        ...

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The hashes of the entries from a position to before another that are there, in order."""
        ...

    def stray_payloads(self) -> list[int]:
        """The positions at which there is a payload and no entry, in order."""
        ...

    def position_of(self, id: bytes) -> int | None:  # noqa: A002 - the word for it
        """Where the record with an id stands; None where there is none."""
        ...

    def positions_of_keys(self, keys: Collection[int]) -> list[int]:
        """Where payloads stand that keys of these numbers open, in order."""
        ...

    def keys_only_before(self, position: int) -> list[int]:
        """The keys of payloads before a position that open none from there on."""
        ...

    def keys_of(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """The numbers of the keys of those accounts that are known."""
        ...

    def accounts_with(self, keys: Collection[int]) -> set[int]:
        """Which of these keys are those of accounts."""
        ...

    def subtrees(self, level: int, start: int, end: int) -> list[SubtreeRow]:
        """The subtrees of a level from a number to before another that are there, in order."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Store(ReadStore, Protocol):
    """What is written of a log, by one writer at a time."""

    def known_ids(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of these ids that records have."""
        ...

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction, durable when this returns."""
        ...

    def next_key(self) -> int:
        """The number of the key that is taken next, as the last batch said; no number is taken twice."""
        ...

    def forgotten_keys(self) -> list[int]:
        """The keys that an erasure wrote down, and that may not be forgotten yet."""
        ...

    def keys_are_forgotten(self, keys: Collection[int]) -> None:
        """Note that keys are gone."""
        ...

    def compact(self) -> None:
        """Rewrite files, so that nothing is left in them of what was deleted."""
        ...
