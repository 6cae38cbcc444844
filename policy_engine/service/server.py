"""`policy serve`: a process that listens, and workers of it that answer at the same socket."""

from __future__ import annotations

import logging.config
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service.fleet import Fleet
from policy_engine.service.loaded import Loaded
from policy_engine.service.loading import loaded_apart
from policy_engine.service.logs import CONFIGURATION, log, log_trouble
from policy_engine.service.messages import Basis
from policy_engine.service.settings import Settings
from policy_engine.service.starting import callers_of, encryption, require_roles
from policy_engine.service.tokens import published_keys
from policy_engine.service.worker import Start

OTHER_FILES = 256
"""Files that a process has open beside its connections."""
WAITING = 4_096
"""Connections that wait at the socket until a worker takes them."""
TICK = 0.1
"""Seconds between two looks at the workers, and at what signals asked for."""
TO_END = 5.0
"""Seconds that a worker has to end after those that its requests have."""


@dataclass(slots=True)
class Told:
    """What signals asked for. A handler sets a flag and does nothing else, for it may come amid anything."""

    stops: bool = False
    reloads: bool = False

    def hear(self) -> None:
        """Hear of signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "stops", True))
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "reloads", True))


@dataclass(slots=True)
class Workers:
    """The processes that answer; one that ends is followed by another."""

    start: Start
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self) -> None:
        """Start one more."""
        command = [sys.executable, "-m", "policy_engine.service.worker"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(self.start.socket,))
        self.processes.append(process)
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as told:  # it has ended, which is seen when it is looked after
            told.write(pickle.dumps(self.start))

    def look_after(self) -> None:
        """Start another in the place of each that has ended."""
        for process in [each for each in self.processes if each.poll() is not None]:
            self.processes.remove(process)
            log_trouble("a worker ended", f"its exit code is {process.returncode}")
            self.begin()

    def stop(self, seconds: float) -> None:
        """Let them answer what was begun, for so many seconds."""
        last = time.monotonic() + seconds
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(last - time.monotonic(), 0.0))
            process.kill()
            process.wait()


def serve(settings: Settings) -> None:
    """Answer until a signal ends it; raises `RulesetError` and `CannotRun` before anything is answered."""
    rulebook = Engine.load(settings.rules, settings.schemas).rulebook
    published = published_keys(settings.jwks) if settings.jwks else None
    require_roles(Loaded(Engine(rulebook)), callers_of(settings, published))
    _require_telemetry(settings)
    encryption(settings)
    logging.config.dictConfig(CONFIGURATION)
    _allow_connections(settings.connections)
    basis = loaded_apart(settings) if settings.authzen else Basis(rulebook)
    with _log_written(settings) as log_address:
        with _listening(settings.host, settings.port) as shared:
            fleet = Fleet(basis, partial(_loaded_again, settings, published), _watched(settings))
            start = Start(shared.fileno(), fleet.start(), fleet.secret, settings, published, log_address)
            workers = Workers(start)
            _answer(workers, fleet, settings)
        workers.stop(settings.stop_seconds + TO_END)
    log("stopped")


def _answer(workers: Workers, fleet: Fleet, settings: Settings) -> None:
    """Look after workers until a signal says that it is time to stop."""
    told = Told()
    told.hear()
    for _ in range(settings.workers):
        workers.begin()
    address = f"{'https' if settings.certificate else 'http'}://{settings.host}:{settings.port}"
    rulesets = len({each.id for each in fleet.basis.rulebook.rulesets})
    log("listening", address=address, workers=settings.workers, rulesets=rulesets)
    while not told.stops:
        if told.reloads:
            told.reloads = False
            fleet.wanted.set()
        workers.look_after()
        time.sleep(TICK)


@contextmanager
def _log_written(settings: Settings) -> Iterator[str]:
    """The address of the process that writes the decision log while this lasts; "" where there is none."""
    if not settings.log_location:
        yield ""
        return
    from policy_engine.service.decision_log.keeper import Keeper, keys_of  # noqa: PLC0415 - nobody else pays for it

    keeper = Keeper(settings.log_location, keys_of(settings))
    try:
        keeper.start()
        yield keeper.address
    finally:
        keeper.stop()


def _loaded_again(settings: Settings, published: str | None) -> Basis:
    """The rules and the mapping as they are now in their files; raises `CannotRun` where they cannot be taken."""
    basis = loaded_apart(settings)
    require_roles(Loaded(Engine(basis.rulebook)), callers_of(settings, published))
    return basis


def _watched(settings: Settings) -> tuple[Path, ...]:
    mapping = [Path(settings.authzen)] if settings.authzen else []
    return (Path(settings.rules), Path(settings.schemas), *mapping) if settings.watch else ()


def _listening(host: str, port: int) -> socket.socket:
    """A socket at an address; raises `CannotRun` where nobody can listen there."""
    shared = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.bind((host, port))
        shared.listen(WAITING)
    except OSError as error:
        shared.close()
        raise CannotRun(f"nobody can listen at {host}, port {port}: {error.strerror}") from None
    return shared


def _allow_connections(number: int) -> None:
    """Let this process and its workers have so many connections open, as far as the system lets them."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource  # noqa: PLC0415

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number + OTHER_FILES
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < allowed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _require_telemetry(settings: Settings) -> None:
    """Raises `CannotRun` where traces are wanted and what makes them is not installed."""
    try:
        if settings.telemetry:
            import_module("policy_engine.service.telemetry")
    except ModuleNotFoundError as error:
        needed = f"the setting `telemetry` needs the package `{error.name}`"
        raise CannotRun(f'{needed}: pip install "policy_engine[telemetry]"') from None
