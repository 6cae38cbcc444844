"""Load: wrk asks for some seconds, and what came of it beside the processor time of the server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service.servers import CLIENT, HERE, Server


@dataclass(frozen=True, slots=True)
class Load:
    """A request that is asked again and again, with bodies in turn."""

    address: str
    content_type: str
    bodies: Path

    @classmethod
    def of(cls, place: tuple[str, str], bodies: Iterable[bytes], file: Path) -> Load:
        """A load with its bodies in a file."""
        file.write_bytes(b"\f".join(bodies))
        return cls(*place, file)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a load: requests, seconds that passed, seconds of the server's processors, times in microseconds."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float
    longest: float
    processor: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def each(self) -> float:
        """Microseconds of processor time a request."""
        return self.processor / self.requests * 1e6


def asked(server: Server, load: Load, connections: int, seconds: float) -> Came:
    """Ask for some seconds over so many connections; raises `RuntimeError` where an answer failed."""
    command = [
        "taskset",
        "--cpu-list",
        CLIENT,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "-s",
        HERE / "load.lua",
    ]
    address = server.address(load.address)
    before = server.seconds()
    done = subprocess.run(
        [*map(str, command), address, "--", str(load.bodies), load.content_type],
        capture_output=True,
        text=True,
        check=True,
    )
    spent = server.seconds() - before
    told = json.loads(done.stdout.rpartition("RESULT ")[2])
    came = Came(**told, processor=spent)
    if came.failed or not came.requests:
        raise RuntimeError(f"{address}: {came.failed} of {came.requests} answers failed")
    return came
