"""The service as tests ask it: a server of its own process at a port of this machine, over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.conftest import ROOT

JSON = {"content-type": "application/json"}
PATIENCE = 60.0
"""Seconds that a server may take to start or to stop on a busy machine."""


@dataclass(frozen=True)
class Answered:
    """An answer over HTTP; headers by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The body as JSON Lines."""
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    tls: ssl.SSLContext | None = None

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = JSON) -> Answered:
        """An answer; a body that is not bytes is sent as JSON."""
        connection = self.connection()
        try:
            sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            with suppress(BrokenPipeError, ConnectionResetError):  # it may be answered before all of it was sent
                connection.request(method, path, sent, dict(headers))
            got = connection.getresponse()
            return Answered(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()

    def connection(self) -> HTTPConnection:
        """A new connection, encrypted where the server asks for it."""
        if self.tls is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.tls)

    def raw(self, sent: bytes, *, seconds: float = 10.0, end: bool = False) -> bytes:
        """All that comes back for bytes on a connection of their own, until it is closed; raises `TimeoutError`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(sent)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def stop(self) -> int:
        """Ask the server to end, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def events(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@contextmanager
def serving(
    folder: Path,
    *options: str,
    only: Collection[str] = (),
    tls: ssl.SSLContext | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
    modules: Path | None = None,
) -> Iterator[Server]:
    """A server of the shipped rules, or `only` of some, or of those that options name, ready to answer.

    It starts the quicker the fewer they are. Settings reach it by environment variables. Its log lies in the folder. Python
    looks for modules in the folder `modules` first, where there is one.
    """
    if only:
        options = (*options, "--rules", str(some_rules(folder, only)))
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "policy_engine", "serve", "--port", str(port), *options]
    path = os.pathsep.join(map(str, (modules, ROOT) if modules else (ROOT,)))
    variables = {**os.environ, "PYTHONPATH": path, **_variables(settings)}
    with log.open("wb") as file, subprocess.Popen(command, cwd=ROOT, stderr=file, env=variables) as process:
        server = Server(port, process, log, tls)
        try:
            _wait_for(server)
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def some_rules(folder: Path, names: Collection[str]) -> Path:
    """A folder with some of the shipped rulesets, all their versions."""
    rules = folder / "rules"
    rules.mkdir()
    for name in names:
        for file in [ROOT / "rules" / f"{name}.yaml", *(ROOT / "rules").glob(f"{name}.*.yaml")]:
            shutil.copy(file, rules)
    return rules


def _variables(settings: Mapping[str, object]) -> dict[str, str]:
    told = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return {f"POLICY_SERVE_{name.upper()}": value for name, value in told.items()}


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def _wait_for(server: Server) -> None:
    """Wait until it answers; fail with its log where it ends before."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        assert server.process.poll() is None, server.log.read_text("utf-8")
        try:
            server.ask("GET", "/healthz")
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no answer: {server.log.read_text('utf-8')}")
