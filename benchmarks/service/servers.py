"""The servers that are compared, each a process on one processor of its own, and the processor time that they spend."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.questions import ROOT
from benchmarks.service.policies import write_policies
from benchmarks.service.questions import in_bytes, load_engine

HERE = ROOT / "benchmarks" / "service"
BINARY = HERE / "node_modules" / "@cerbos" / "cerbos-linux-x64" / "cerbos-linux-x64"
PATIENCE = 60.0
"""Seconds that a server may take to start."""
SERVERS, CLIENT = "0", "1"
"""The processors on which servers run, and what asks them."""
TICKS = os.sysconf("SC_CLK_TCK")
CERBOS_SETTINGS = """\
server: {{httpListenAddr: "127.0.0.1:{port}", grpcListenAddr: "127.0.0.1:{other}"}}
storage: {{driver: disk, disk: {{directory: "{folder}", watchForChanges: false}}}}
telemetry: {{disabled: true}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    process: subprocess.Popen[bytes]
    port: int

    def seconds(self) -> float:
        """The processor time that all its processes have spent, those that ended too."""
        return sum(map(_seconds, family(self.process.pid)))

    def address(self, path: str) -> str:
        """An address of it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def raw(self, place: tuple[str, str], body: bytes) -> bytes:
        """All bytes of an answer, head and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(in_bytes(place, body))
            came = b""
            while not _is_whole(came):
                came += connection.recv(65_536)
            return came


def _is_whole(came: bytes) -> bool:
    """Whether an answer is there to the end of its body."""
    head, end, body = came.partition(b"\r\n\r\n")
    lengths = [line[16:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
    return bool(end) and len(body) == int(lengths[0])


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def _seconds(pid: int) -> float:
    """Seconds of a process in its own program and in the system; the names may hold blanks, the fields after them none."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / TICKS


@contextmanager
def running(
    command: Sequence[object], port: int, log: Path, processors: str = SERVERS, **variables: str
) -> Iterator[Server]:
    """A server by its command, from when it listens; what it says goes to the log."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    words = ["taskset", "--cpu-list", processors, *map(str, command)]
    with (
        log.open("wb") as file,
        subprocess.Popen(words, cwd=ROOT, env=environment, stdout=file, stderr=file) as process,
    ):
        try:
            _wait_for(process, port, log)
            yield Server(process, port)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def ours(folder: Path, rules: Path = ROOT / "rules", processors: str = SERVERS, **settings: object) -> Iterator[Server]:
    """`policy serve`, with all its defaults but the settings."""
    port = free_port()
    command = [sys.executable, "-m", "policy_engine", "serve", "--port", port, "--rules", rules]
    variables = {f"POLICY_SERVE_{name.upper()}": str(value) for name, value in settings.items()}
    with running(command, port, folder / "ours.log", processors, **variables) as server:
        urllib.request.urlopen(
            server.address("/readyz"), timeout=PATIENCE
        ).close()  # it listens before its workers are there
        yield server


@contextmanager
def by_hand(folder: Path) -> Iterator[Server]:
    """The server by hand of `by_hand.py`."""
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.service.by_hand", port], port, folder / "by_hand.log") as server:
        yield server


@contextmanager
def cerbos(folder: Path) -> Iterator[Server]:
    """Cerbos with the permission matrix as its policy, and a log of errors alone."""
    port, settings = free_port(), folder / "cerbos.yaml"
    policies = folder / "policies"
    policies.mkdir(exist_ok=True)
    write_policies(load_engine(), policies)
    settings.write_text(CERBOS_SETTINGS.format(port=port, other=free_port(), folder=policies), "utf-8")
    command = [BINARY, "server", "--config", settings, "--log-level=error"]
    with running(command, port, folder / "cerbos.log") as server:
        yield server


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a connection is taken."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"a server does not answer: {log.read_text('utf-8')}")
