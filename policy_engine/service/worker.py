"""A worker: a process that answers at a socket which it shares with others.

Its parent starts it by `python -m policy_engine.service.worker`, and writes its `Start` to its standard input.
"""

from __future__ import annotations

import asyncio
import hmac
import logging.config
import pickle
import secrets
import signal
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import uvloop

from policy_engine.service.callers import Rates
from policy_engine.service.clock import CLOCK
from policy_engine.service.connections import Connection
from policy_engine.service.deciding import DecisionLog, Service
from policy_engine.service.following import Follower
from policy_engine.service.logs import CONFIGURATION
from policy_engine.service.settings import Settings
from policy_engine.service.starting import callers_of, encryption

TICK = 0.25
"""Seconds between two looks at what takes too long."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker is told: the shared socket, where its parent listens, the secret between them, and how to answer.

    `log` is the address of what writes the decision log, "" where there is none.
    """

    socket: int
    parent: Any
    secret: bytes
    settings: Settings
    published: str | None
    log: str


@dataclass(slots=True)
class Answering:
    """The connections of a worker. With as many as are allowed it takes no more; others wait until one ends."""

    service: Service
    shared: socket.socket
    tls: ssl.SSLContext | None
    connections: set[Connection] = field(default_factory=set)
    server: asyncio.Server | None = None

    async def until(self, stopping: asyncio.Event) -> None:
        """Answer until it is time to stop, and then what was begun."""
        while not stopping.is_set():
            await self._let_in()
            self._look()
            await _within(TICK, stopping)
        self._let_nobody_in()
        self.shared.close()
        await self._all_ended(self.service.settings.stop_seconds)

    async def _let_in(self) -> None:
        if self.server is None and len(self.connections) < self.service.settings.connections:
            loop = asyncio.get_running_loop()
            self.server = await loop.create_server(self._connection, sock=self.shared.dup(), ssl=self.tls)

    def _connection(self) -> Connection:
        if len(self.connections) + 1 >= self.service.settings.connections:
            self._let_nobody_in()
        return Connection(self.service, self.connections)

    def _let_nobody_in(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    def _look(self) -> None:
        now = self.service.clock.ticks()
        for connection in list(self.connections):
            connection.look(now)

    async def _all_ended(self, seconds: float) -> None:
        last = self.service.clock.ticks() + seconds
        while self.connections and self.service.clock.ticks() < last:
            for connection in list(self.connections):
                connection.stop()  # again and again: one that was let in last is told here only later
            self._look()
            await asyncio.sleep(0.05)


def _decision_log(settings: Settings, address: str) -> DecisionLog | None:
    """The decision log as a worker has it; None where there is none."""
    if not address:
        return None
    from policy_engine.service.decision_log.recording import workers_log  # noqa: PLC0415 - nobody else pays for it

    return workers_log(settings, address)


def service_of(start: Start) -> Service:
    """The service of one worker, ready to answer by the rules that its parent has now."""
    follower = Follower.of(start.parent, start.secret, CLOCK)
    loaded, reloads = follower.first()
    callers, rates = callers_of(start.settings, start.published), Rates(start.settings.rate)
    log, name = _decision_log(start.settings, start.log), secrets.token_hex(4)
    service = Service(loaded, start.settings, CLOCK, callers, rates, log, name=name, reloads=reloads)
    service.token_key = hmac.digest(start.secret, b"tokens of pages", "sha256")
    _trace(service)
    follower.follow(service)
    return service


def _trace(service: Service) -> None:
    """Send a span of each request where that is wanted."""
    if service.settings.telemetry:
        from policy_engine.service.telemetry import TracedCounts, traces_to  # noqa: PLC0415 - nobody else pays for it

        service.traces, service.counts = traces_to(service.settings.telemetry), TracedCounts()


async def answer(service: Service, shared: socket.socket) -> None:
    """Answer until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await Answering(service, shared, encryption(service.settings)).until(stopping)


def main() -> None:
    """Run a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of it as well, and says when to stop
    logging.config.dictConfig(CONFIGURATION)
    start: Start = pickle.load(sys.stdin.buffer)  # what our own program wrote
    uvloop.run(answer(service_of(start), socket.socket(fileno=start.socket)))


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but not longer."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


if __name__ == "__main__":
    main()
