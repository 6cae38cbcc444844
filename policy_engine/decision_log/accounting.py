"""What is gone from the decision log, and whether entries account for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from policy_engine.decision_log.erasing import read_positions
from policy_engine.decision_log.records import Entry


class Payload(IntEnum):
    """What is left of a record, as one byte."""

    NEVER = 0
    THERE = 1
    GONE = 2
    PRUNED_ENTRY = 3


@dataclass(slots=True)
class Accounting:
    """What was found of each record, and what entries say of erasures and prunings."""

    found: bytearray = field(default_factory=bytearray)
    erased: list[tuple[int, int]] = field(default_factory=list)
    entries_before: int = 0
    payloads_before: int = 0

    def take(self, position: int, payload: Payload) -> None:
        """Note what was found of the record at a position; positions come in order."""
        self.found.extend(bytes(position - len(self.found)))
        self.found.append(payload)

    def read(self, entry: Entry) -> None:
        """Note what an entry says that went; raises `ValueError` where its positions are none."""
        self.erased += read_positions(entry.positions)
        self.entries_before = max(self.entries_before, entry.entries_before)
        self.payloads_before = max(self.payloads_before, entry.payloads_before)

    @property
    def gone(self) -> int:
        """How many payloads are gone, those of pruned entries aside."""
        return self.found.count(Payload.GONE)

    @property
    def pruned(self) -> int:
        """How many entries are pruned."""
        return self.found.count(Payload.PRUNED_ENTRY)

    def faults(self) -> Iterator[tuple[int, str]]:
        """The records that are gone without an entry that says so, and those that are there in spite of one."""
        said = self._said()
        for position in _places(self.found, Payload.PRUNED_ENTRY):
            if position >= self.entries_before:
                yield position, f"record {position} is gone, and no entry says that it was pruned"
        for position in _places(self.found, Payload.GONE):
            if not said[position]:
                yield position, f"the payload of record {position} is gone, and no entry says that it was erased"
        for position in _places(self.found, Payload.THERE):
            if said[position]:
                yield position, f"the payload of record {position} is there, though an entry says that it was erased"
        for position in range(min(self.entries_before, len(self.found))):
            if self.found[position] != Payload.PRUNED_ENTRY:
                yield position, f"record {position} is there, though an entry says that it was pruned"

    def _said(self) -> bytearray:
        """For each record whether an entry says that its payload went."""
        said = bytearray(len(self.found))
        for first, last in ((0, self.payloads_before - 1), *self.erased):
            end = max(first, min(last + 1, len(said)))
            said[first:end] = b"\x01" * (end - first)
        return said


def _places(found: bytearray, payload: Payload) -> Iterator[int]:
    at = found.find(payload)
    while at >= 0:
        yield at
        at = found.find(payload, at + 1)
