"""The hashes of a log's tree, as its store has them."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.decision_log.notes import HASH_BYTES
from policy_engine.decision_log.stores import ReadStore
from policy_engine.decision_log.tree import LEVEL_BITS, leaf_hash
from policy_engine.errors import CannotRun


class StoredHashes:
    """The hashes of leaves and complete subtrees; raises `CannotRun` where the store lacks one that it must have."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes of the complete subtrees of 256**level leaves, from number `start` to before `end`."""
        found = self._leaves(start, end) if level == 0 else self._roots(level, start, end)
        if len(found) != end - start:
            raise CannotRun(
                f"the log is damaged: hashes of level {level} from {start} on are not there; `policy log verify` tells more"
            )
        return found

    def _roots(self, level: int, start: int, end: int) -> list[bytes]:
        return [row.root for row in self._store.subtrees(level, start, end)]

    def _leaves(self, start: int, end: int) -> list[bytes]:
        """From tiles as far as there are any, and then from entries, whose tile is not complete."""
        if start == end:
            return []
        first = start >> LEVEL_BITS
        tiles = b"".join(tile.hashes for tile in self._store.tiles(first, ((end - 1) >> LEVEL_BITS) + 1))
        skipped = (start - (first << LEVEL_BITS)) * HASH_BYTES
        wanted = tiles[skipped : skipped + (end - start) * HASH_BYTES]
        found = [wanted[at : at + HASH_BYTES] for at in range(0, len(wanted), HASH_BYTES)]
        if len(found) < end - start:
            found += [leaf_hash(row.entry) for row in self._store.entries(start + len(found), end)]
        return found
