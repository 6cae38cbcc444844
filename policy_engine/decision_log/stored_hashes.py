"""The hashes of a log's tree, as its store has them."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.decision_log.stores import ReadStore
from policy_engine.errors import CannotRun


class StoredHashes:
    """The hashes of leaves and complete subtrees; raises `CannotRun` where the store lacks one that it must have."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes of the complete subtrees of 256**level leaves, from number `start` to before `end`."""
        found = self._store.leaves(start, end) if level == 0 else self._roots(level, start, end)
        if len(found) != end - start:
            raise CannotRun(
                f"the log is damaged: a hash of level {level} from {start} on is not there; run `policy log verify`"
            )
        return found

    def _roots(self, level: int, start: int, end: int) -> list[bytes]:
        return [row.root for row in self._store.subtrees(level, start, end)]
