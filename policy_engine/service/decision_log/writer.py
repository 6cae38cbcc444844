"""The process that writes the decision log for all workers: what came while one batch was written is the next.

The first line of its standard input has its orders, as JSON. It answers why it could not open the log, or nothing, and ends when
standard input does and no worker is left.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from logging.config import dictConfig
from pathlib import Path
from secrets import token_bytes

from policy_engine.decision_log.opening import open_writer
from policy_engine.decision_log.records import Record
from policy_engine.decision_log.stores import AnotherWriter
from policy_engine.decision_log.writing import LogWriter
from policy_engine.errors import CannotRun, LogUnavailable
from policy_engine.service.decision_log.frames import Frames, framed, unpacked
from policy_engine.service.logs import CONFIGURATION, log, log_trouble

MOST_READ = 1_000_000
"""Bytes that are read from a worker for one batch; more stays with the worker until this batch is written."""
TRIES, PAUSE = 40, 0.1
"""How often the log is tried to be opened while somebody else writes it, and the seconds in between."""
Append = Callable[[Sequence[Record]], object]


@dataclass(slots=True)
class Peer:
    """A worker by its connection."""

    connection: socket.socket
    frames: Frames = field(default_factory=Frames)
    is_gone: bool = False

    def read(self) -> None:
        """Take what has come."""
        try:
            part = self.connection.recv(MOST_READ)
        except OSError:
            part = b""
        self.is_gone = not part
        self.frames.feed(part)

    def answer(self, number: int, sentence: str) -> None:
        """Say what became of all frames up to a number."""
        try:
            self.connection.sendall(framed(number, sentence.encode()))
        except OSError:  # it hears of it by the connection's end
            self.is_gone = True


@dataclass(slots=True)
class Writer:
    """Takes records from workers who connect to `listener`, and appends them, one batch after the other."""

    listener: socket.socket
    append: Append
    order: int
    peers: list[Peer] = field(default_factory=list)
    is_wanted: bool = True
    fault: str = ""
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> None:
        """Until the orders end and no worker is left."""
        self._selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self.order, selectors.EVENT_READ, self._end)
        while self.is_wanted or self.peers:
            for key, _ in self._selector.select():
                key.data()
            self._write()

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.setblocking(False)  # a worker that takes no answers is let go
        peer = Peer(connection)
        self.peers.append(peer)
        self._selector.register(connection, selectors.EVENT_READ, peer.read)

    def _end(self) -> None:
        self._selector.unregister(self.order)
        self.is_wanted = False

    def _write(self) -> None:
        """Append what has come whole, and answer."""
        batch = [(peer, frames) for peer in self.peers if (frames := list(peer.frames.take()))]
        records = [record for _, frames in batch for frame in frames for record in unpacked(frame.content)]
        if batch:
            sentence = self._appended(records)
            for peer, frames in batch:
                peer.answer(frames[-1].number, sentence)
        for peer in [peer for peer in self.peers if peer.is_gone]:
            self._lose(peer)

    def _appended(self, records: Sequence[Record]) -> str:
        """Append records; why that failed, "" where they are durable."""
        try:
            self.append(records)
        except LogUnavailable as error:
            return self._told(str(error))
        return self._told("")

    def _told(self, fault: str) -> str:
        """Say once what somebody has to mend, and once that it is mended."""
        if fault and fault != self.fault:
            log_trouble("the decision log cannot be written", fault)
        elif self.fault and not fault:
            log("the decision log is written again")
        self.fault = fault
        return fault

    def _lose(self, peer: Peer) -> None:
        self._selector.unregister(peer.connection)
        peer.connection.close()
        self.peers.remove(peer)


@dataclass(slots=True)
class Log:
    """The log at a location, opened when something is to be written and it is not open yet."""

    location: str
    keys: str
    _writer: LogWriter | None = None

    def open(self) -> LogWriter:
        """The log; raises `CannotRun` and `LogUnavailable` where it cannot be opened."""
        if self._writer is None:
            self._writer = open_writer(self.location, Path(self.keys), token_bytes)
        return self._writer

    def append(self, records: Sequence[Record]) -> None:
        """Append records durably; raises `LogUnavailable`."""
        try:
            self.open().append(records)
        except CannotRun as error:
            raise LogUnavailable(str(error)) from None


def main() -> int:
    """Write the log that the orders name; the exit code."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # workers still have answers to give: this ends after them
    dictConfig(CONFIGURATION)
    orders = json.loads(sys.stdin.readline())
    decision_log = Log(orders["log"], orders["keys"])
    fault = _fault(decision_log)
    sys.stdout.write(json.dumps(fault) + "\n")
    sys.stdout.flush()
    if fault and orders["is_first"]:
        return 1
    with socket.socket(fileno=orders["socket"]) as listener:
        Writer(listener, decision_log.append, sys.stdin.fileno()).run()
    return 0


def _fault(decision_log: Log) -> str:
    """Why the log cannot be opened, "" where it is open. The writer of a service that was killed may still be about to end."""
    fault = ""
    for _ in range(TRIES):
        try:
            decision_log.open()
        except AnotherWriter as error:
            fault = str(error)
            time.sleep(PAUSE)
        except (CannotRun, LogUnavailable) as error:
            return str(error)
        else:
            return ""
    return fault


if __name__ == "__main__":
    sys.exit(main())
