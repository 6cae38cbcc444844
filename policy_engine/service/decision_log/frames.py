"""What workers and the writer of the decision log tell one another, as bytes on a stream.

A worker sends frames: a number that grows by one, the length of what follows, and records. The writer answers a number and a
sentence: all frames up to that number are durable where the sentence is empty, and were not written for its reason otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

from policy_engine.decision_log.records import Record

HEAD = Struct(">QI")
LENGTHS = Struct(">5I")


class Frame(NamedTuple):
    """A numbered part of the stream."""

    number: int
    content: bytes


@dataclass(slots=True)
class Frames:
    """Frames out of a stream that comes in parts of any length; what is not whole waits."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, part: bytes) -> None:
        """Take the next part."""
        self._rest += part

    def take(self) -> Iterator[Frame]:
        """The frames that are whole."""
        at = 0
        while len(self._rest) - at >= HEAD.size:
            number, length = HEAD.unpack_from(self._rest, at)
            end = at + HEAD.size + length
            if len(self._rest) < end:
                break
            yield Frame(number, bytes(self._rest[at + HEAD.size : end]))
            at = end
        del self._rest[:at]


def framed(number: int, content: bytes) -> bytes:
    """A frame as bytes."""
    return HEAD.pack(number, len(content)) + content


def packed(records: Iterable[Record]) -> bytes:
    """Records as the content of a frame."""
    return b"".join(_packed(record) for record in records)


def _packed(record: Record) -> bytes:
    parts = record.id.encode(), record.entry, record.payload, record.salt, record.account.encode()
    return b"".join((LENGTHS.pack(*map(len, parts)), *parts))


def unpacked(content: bytes) -> list[Record]:
    """The records of a frame."""
    records, at = [], 0
    while at < len(content):
        lengths = LENGTHS.unpack_from(content, at)
        parts, at = _parts(content, at + LENGTHS.size, lengths)
        id_, entry, payload, salt, account = parts
        records.append(Record(id_.decode(), entry, payload, salt, account.decode()))
    return records


def _parts(content: bytes, at: int, lengths: Iterable[int]) -> tuple[list[bytes], int]:
    """Parts of these lengths, and where they end."""
    parts = []
    for length in lengths:
        parts.append(content[at : at + length])
        at += length
    return parts, at
