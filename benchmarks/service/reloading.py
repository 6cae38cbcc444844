"""Rules saved again and again, broken and whole in turn, while clients ask: what was answered, and how long each had to wait.

The clients are a process of their own, `python -m benchmarks.service.reloading PORT CONNECTIONS`, until its standard input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from statistics import quantiles
from typing import Any

import uvloop

from benchmarks.questions import ROOT
from benchmarks.service.questions import ONE, cases, in_bytes, load_engine, one_of
from benchmarks.service.servers import PATIENCE, Server, ours

Asked = tuple[float, float, str]
"""When a question was sent, when its answer was there, and by which digest; `failed` where it is none."""
CONNECTIONS = 16
BROKEN = "ruleset: ["


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of one run: answers, those that failed, those by rules that had been left, seconds at most and of 99 in 100."""

    reloads: int
    answers: int
    failed: int
    turned_back: int
    p99: float
    longest: float


def measured(folder: Path, times: int, *, workers: int = 2, idle: float = 0.0) -> Waited:
    """Save broken and whole rules so many times each; with none of them let clients ask for some seconds."""
    rules = copytree(ROOT / "rules", folder / "rules", dirs_exist_ok=True)
    with ours(folder, rules, "0,1", workers=workers) as server, _clients(server) as clients:
        time.sleep(1.0 + idle)
        for number in range(times):
            _save(server, rules, number)
        told, _ = clients.communicate(b"", timeout=PATIENCE)
    return _found(times, [tuple(each) for each in json.loads(told)])


def _clients(server: Server) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.service.reloading", str(server.port), str(CONNECTIONS)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _save(server: Server, rules: Path, number: int) -> None:
    """Save rules that are broken, which changes nothing, and then others that are whole, which are taken."""
    file = rules / "user_roles.yaml"
    whole = (ROOT / "rules" / "user_roles.yaml").read_text("utf-8")
    before = _readiness(server)
    file.write_text(BROKEN, "utf-8")
    _reload_until(server, before["epoch"], "refused")
    file.write_text(whole.replace("This role includes", f"In {number} this role includes"), "utf-8")
    _reload_until(server, before["epoch"] + 1, "fine")


def _reload_until(server: Server, epoch: int, state: str) -> None:
    server.process.send_signal(signal.SIGHUP)
    last = time.monotonic() + PATIENCE
    while (told := _readiness(server))["epoch"] != epoch or told["reload"] != state:
        if time.monotonic() > last:
            raise RuntimeError(f"the rules are not as they should be: {told}")
        time.sleep(0.02)


def _readiness(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(server.address("/readyz"), timeout=PATIENCE) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def _found(times: int, asked: Sequence[Asked]) -> Waited:
    waited = [came - sent for sent, came, _ in asked]
    failed = sum(digest == "failed" for _, _, digest in asked)
    return Waited(times, len(asked), failed, len(turned_back(asked)), quantiles(waited, n=100)[98], max(waited))


def turned_back(asked: Iterable[Asked]) -> list[Asked]:
    """Answers by rules that had been left when they were asked for: an answer by the next ones had come before."""
    first: dict[str, float] = {}
    for _, came, digest in sorted(asked, key=lambda each: each[1]):
        first.setdefault(digest, came)
    left = dict(zip(first, [*list(first.values())[1:], float("inf")], strict=True))
    return [each for each in asked if each[0] > left[each[2]]]


class Client(asyncio.Protocol):
    """One connection, on which one question is asked after another."""

    def __init__(self, requests: Sequence[bytes], asked: list[Asked]) -> None:
        self.requests, self.asked, self.number = requests, asked, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first."""
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self.came, self.number = b"", (self.number + 1) % len(self.requests)
        self.sent = time.monotonic()
        self.transport.write(self.requests[self.number])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Note an answer, and ask the next."""
        self.came += data
        if self.came.endswith(b"}}"):  # as every answer ends
            is_right = self.came.startswith(b"HTTP/1.1 200 ")
            self.asked.append((self.sent, time.monotonic(), self.came[-67:-3].decode() if is_right else "failed"))
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that the server closes is an answer that failed."""
        self.asked.append((self.sent, time.monotonic(), "failed"))


async def _ask_all_the_time(port: int, connections: int) -> list[Asked]:
    """Ask until standard input ends."""
    asked: list[Asked] = []
    bodies = [one_of(case, activity) for case in cases(load_engine()) for activity in case.activities]
    requests = [in_bytes(ONE, body) for body in bodies]
    gc.freeze()
    gc.disable()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(requests, asked), "127.0.0.1", port)
    await loop.run_in_executor(None, sys.stdin.read)
    return list(asked)


if __name__ == "__main__":
    json.dump(uvloop.run(_ask_all_the_time(int(sys.argv[1]), int(sys.argv[2]))), sys.stdout)
