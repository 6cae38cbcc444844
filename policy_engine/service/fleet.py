"""The parent process of the service: it loads rules again, and sees to it that all workers change to them at one moment."""

from __future__ import annotations

import pickle
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from policy_engine.errors import CannotRun
from policy_engine.service.logs import log, log_trouble
from policy_engine.service.messages import NONE_YET, Basis, Count, Counted, Ready, Reloads, Rules, Switch
from policy_engine.service.metrics import Series, added

PATIENCE = 120.0
"""Seconds that a worker may take to prepare rules."""
AHEAD = 0.1
"""Seconds from the announcement of a change to its moment, in which it reaches all workers."""
TICK = 1.0
"""Seconds between two looks at files, and between two exchanges of what was counted."""


@dataclass(slots=True)
class Worker:
    """A worker by the connection that it opened, and what it counted when it was asked last."""

    connection: Connection[Any, Any]
    series: Series = field(default_factory=dict)


@dataclass(slots=True)
class Fleet:
    """The workers, and what answers rest on in the present epoch.

    `load` reads all that again, and raises `CannotRun`. It is called when `wanted` is set, and when something below the
    `watched` files and folders has changed, or, where there are any, a file of the basis.
    """

    basis: Basis
    load: Callable[[], Basis]
    watched: Sequence[Path] = ()
    epoch: int = 1
    reloads: Reloads = NONE_YET
    workers: list[Worker] = field(default_factory=list)
    gone: Series = field(default_factory=dict)
    wanted: threading.Event = field(default_factory=threading.Event)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: object = None

    def start(self) -> Any:
        """Begin to listen to workers and to look after them, in the background; the address for workers."""
        listener = Listener(("127.0.0.1", 0), authkey=self.secret)
        self._seen = self._state()
        for work in (lambda: self._accept(listener), self._look_after):
            threading.Thread(target=work, daemon=True).start()
        return listener.address

    def _accept(self, listener: Listener) -> None:
        while True:
            try:
                worker = Worker(listener.accept())
            except (AuthenticationError, OSError, EOFError):
                continue  # whoever it was, it is no worker
            with self._lock:
                self._begin(worker)

    def _begin(self, worker: Worker) -> None:
        """Give a new worker the rules of the present epoch."""
        self.workers.append(worker)
        self._asked(Rules(self.epoch, self.basis, self.reloads), [worker])
        self._tell(Switch(self.epoch, time.monotonic()), [worker])

    def _look_after(self) -> None:
        while True:
            is_wanted = self.wanted.wait(TICK)
            self.wanted.clear()
            if self._have_changed() or is_wanted:
                self.reload()
            with self._lock:
                self._exchange_counts()

    def _have_changed(self) -> bool:
        before, self._seen = self._seen, self._state()
        return self._seen != before  # also once more after the basis has come to rest on other files

    def _state(self) -> object:
        return state_of((*self.watched, *self.basis.files)) if self.watched else None

    def reload(self) -> None:
        """Load the rules again; where that fails, or a worker cannot take them, all stay with those that they have."""
        try:
            basis = self.load()
            with self._lock:
                self._change(basis)
        except CannotRun as error:
            faults = tuple(str(error).split("\n"))
            log_trouble("the rules were not changed", error)
            with self._lock:
                self.reloads = self.reloads.one_more("refused", faults)
                self._tell(self.reloads, self.workers)

    def _change(self, basis: Basis) -> None:
        """Let all workers prepare rules beside those that they have, then change at one moment; raises `CannotRun`."""
        epoch, reloads = self.epoch + 1, self.reloads.one_more("changed")
        answers = self._asked(Rules(epoch, basis, reloads), self.workers)
        failed = [answer for answer in answers if not isinstance(answer, Ready)]
        if failed:
            raise CannotRun(f"a worker could not prepare the rules: {failed[0]}")
        self.basis, self.epoch, self.reloads = basis, epoch, reloads
        self._tell(Switch(epoch, time.monotonic() + AHEAD), self.workers)
        log("the rules were changed", epoch=epoch, rulesets=len({ruleset.id for ruleset in basis.rulebook.rulesets}))

    def _exchange_counts(self) -> None:
        """Ask every worker what it counted, and tell it what all others did; one alone has nobody to hear of."""
        for worker in list(self.workers) if len(self.workers) > 1 or self.gone else ():
            others = [self.gone, *(other.series for other in self.workers if other is not worker)]
            for answer in self._asked(Count(added(others)), [worker]):
                if isinstance(answer, Counted):
                    worker.series = answer.series

    def _asked(self, message: object, workers: Iterable[Worker]) -> list[object]:
        """Tell workers something, and give their answers; those that are gone give none."""
        return [answer for worker in self._tell(message, workers) for answer in self._answer(worker)]

    def _tell(self, message: object, workers: Iterable[Worker]) -> list[Worker]:
        """Tell workers something; those that are still there."""
        told = pickle.dumps(message)
        return [worker for worker in list(workers) if self._told(worker, told)]

    def _told(self, worker: Worker, message: bytes) -> bool:
        try:
            worker.connection.send_bytes(message)
        except OSError:
            self._lose(worker)
            return False
        return True

    def _answer(self, worker: Worker) -> Iterator[object]:
        try:
            if not worker.connection.poll(PATIENCE):
                raise EOFError
            yield worker.connection.recv()
        except (OSError, EOFError):
            self._lose(worker)

    def _lose(self, worker: Worker) -> None:
        """A worker has ended, or ends because its connection is closed; what it counted stays."""
        self.workers.remove(worker)
        worker.connection.close()
        self.gone = added([self.gone, worker.series])


def state_of(watched: Iterable[Path]) -> object:
    """What differs once something below files and folders was written, made or taken away."""
    files = [file for path in watched for file in (path, *sorted(path.rglob("*")))]
    return [(file, _written(file)) for file in files]


def _written(file: Path) -> object:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
