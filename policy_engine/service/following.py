"""A worker and its parent process: the worker prepares rules beside those that it answers by, and changes when it is told."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from typing import Any

from policy_engine.engine import Engine
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.logs import log_fault
from policy_engine.service.messages import Count, Counted, Failed, Ready, Reloads, Rules, Switch

QUICK = 0.0005
"""Seconds after which a thread that prepares rules lets the one that answers go on."""


@dataclass(slots=True)
class Follower:
    """A worker's connection to its parent, and the rules that it has prepared."""

    connection: Connection[Any, Any]
    clock: Clock
    prepared: tuple[Loaded, Reloads] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, address: Any, secret: bytes, clock: Clock) -> Follower:
        """A worker that has told its parent that it is there."""
        return cls(Client(address, authkey=secret), clock)

    def first(self) -> tuple[Loaded, Reloads]:
        """The rules to begin with."""
        self._prepare(self.connection.recv())
        self.connection.recv()  # the moment of the change, which is now
        assert self.prepared is not None
        gc.freeze()  # nobody need look again and again through what stays
        return self.prepared

    def follow(self, service: Service) -> None:
        """Do what the parent says from now on, in the background."""
        threading.Thread(target=self._follow, args=(service,), daemon=True).start()

    def _follow(self, service: Service) -> None:
        """Until the connection ends. Nobody tells this worker of new rules any more then, so it ends as well."""
        with suppress(OSError, EOFError):
            while True:
                self._do(self.connection.recv(), service)
        os.kill(os.getpid(), signal.SIGTERM)

    def _do(self, message: object, service: Service) -> None:
        match message:
            case Rules():
                self._prepare(message)
            case Switch(at=at) if self.prepared is not None:
                service.switch(*self.prepared, at)
            case Reloads():
                service.reloads = message
            case Count(others=others):
                service.others = others
                self.connection.send(Counted(service.counts.series()))

    def _prepare(self, rules: Rules) -> None:
        try:
            with_care(lambda: self._loaded(rules))
        except Exception as error:  # whatever fails, the old rules go on
            log_fault("rules could not be prepared", error)
            self.connection.send(Failed(type(error).__name__))
        else:
            self.connection.send(Ready(rules.epoch))

    def _loaded(self, rules: Rules) -> None:
        tenants = pickle.loads(rules.basis.tenants) if rules.basis.tenants else None
        loaded = Loaded(Engine(rules.basis.rulebook), rules.epoch, tenants, rules.basis.openapi)
        loaded.prepare(self.clock)
        self.prepared = loaded, rules.reloads


def with_care(work: Callable[[], None]) -> None:
    """Do long work in the background so that answers hardly wait for it: they wait for no look at what was left to free."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(QUICK)
    gc.disable()
    try:
        work()
    finally:
        gc.enable()
        sys.setswitchinterval(usual)
