"""A worker's side of the decision log: it sends records to the writer, and says when they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from policy_engine.decision_log.records import Record
from policy_engine.errors import LogUnavailable
from policy_engine.service.decision_log.frames import Frames, framed, packed

GONE = "the process that writes the decision log is not there; it is started again"


@dataclass(slots=True)
class Client:
    """Sends records to the writer at an address, within one event loop.

    Where the writer does not answer within `patience` seconds the connection is given up, and with it all that waits.
    """

    address: str
    patience: float
    _connection: _Connection | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def write(self, records: Sequence[Record]) -> None:
        """Return once records are durable; raises `LogUnavailable` where that is not known."""
        connection = self._connection
        if connection is None or connection.is_lost:
            connection = await self._connected()
        await connection.durable(records)

    def close(self) -> None:
        """End the connection; what waits fails."""
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is None or self._connection.is_lost:
                self._connection = await self._opened()
            return self._connection

    async def _opened(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.patience):
                _, connection = await loop.create_unix_connection(
                    lambda: _Connection(loop, self.patience), self.address
                )
        except (OSError, TimeoutError):
            raise LogUnavailable(GONE) from None
        return connection


class _Sent(NamedTuple):
    """A frame that the writer has not answered: its number, when it was sent, and who wait for it."""

    number: int
    at: float
    waiting: list[asyncio.Future[None]]


class _Connection(asyncio.Protocol):
    """A connection to the writer, over which one frame is on its way at a time; what comes meanwhile goes out in the next."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self.is_lost = False
        self._loop, self._patience = loop, patience
        self._numbers, self._frames = count(1), Frames()
        self._sent: _Sent | None = None
        self._records: list[Record] = []
        self._waiting: list[asyncio.Future[None]] = []

    def connection_made(self, transport: Any) -> None:
        """Begin to look whether answers come in time."""
        self._transport = transport
        self._loop.call_later(self._patience / 4, self._look)

    async def durable(self, records: Sequence[Record]) -> None:
        """Return once records are durable; raises `LogUnavailable`."""
        future: asyncio.Future[None] = self._loop.create_future()
        if not self._waiting and self._sent is None:
            self._loop.call_soon(self._send)
        self._records += records
        self._waiting.append(future)
        await future

    def _send(self) -> None:
        """Send all that has come."""
        if self.is_lost:
            return
        self._sent = _Sent(next(self._numbers), self._loop.time(), self._waiting)
        self._transport.write(framed(self._sent.number, packed(self._records)))
        self._records, self._waiting = [], []

    def data_received(self, data: bytes) -> None:
        """Take the writer's answer, and send what has come meanwhile."""
        self._frames.feed(data)
        for number, sentence in self._frames.take():
            if self._sent is not None and self._sent.number == number:
                sent, self._sent = self._sent, None
                if self._waiting:
                    self._send()
                _answer(sent.waiting, sentence.decode())

    def _look(self) -> None:
        """Give the connection up where a frame waits too long."""
        if self._sent is not None and self._loop.time() - self._sent.at > self._patience:
            self.close()
            self._fail(f"the decision log was not written within {self._patience:g} seconds")
        if not self.is_lost:
            self._loop.call_later(self._patience / 4, self._look)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody knows what became of the frame without an answer."""
        self._fail(GONE)

    def close(self) -> None:
        """End it."""
        self._transport.abort()

    def _fail(self, sentence: str) -> None:
        """Let all go on with an error, those as well whose records are not sent yet."""
        self.is_lost = True
        waiting = [*(self._sent.waiting if self._sent else ()), *self._waiting]
        self._sent, self._records, self._waiting = None, [], []
        _answer(waiting, sentence)


def _answer(waiting: Sequence[asyncio.Future[None]], sentence: str) -> None:
    """Let those go on that wait for a frame, with an error where a sentence says why it was not written."""
    for future in waiting:
        if future.done():  # the caller went away
            continue
        if sentence:
            future.set_exception(LogUnavailable(sentence))
        else:
            future.set_result(None)
