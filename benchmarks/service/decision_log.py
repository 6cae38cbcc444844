"""What a decision log costs: `python -m benchmarks.service.decision_log [SECONDS]` asks with and without one, in turns.

On a file system in memory its processor time counts; on the disk its `fdatasync`, of which each connection waits for one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.service.load import Came, Load, asked
from benchmarks.service.questions import ONE, cases, load_engine, one_of
from benchmarks.service.servers import Server, ours
from policy_engine.decision_log.opening import create_log

ROUNDS = 5
MANY = 64
IN_MEMORY = Path("/dev/shm")
"""Debian's file system in memory."""


def main(seconds: int) -> None:
    """Measure, and say what was found against what is wanted."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(TemporaryDirectory(dir=parent))) for parent in (IN_MEMORY, Path.cwd())]
        without = stack.enter_context(ours(folders[0]))
        in_memory, on_disk = (stack.enter_context(_logged(folder)) for folder in folders)
        load = _load(folders[0])
        found = [
            [asked(server, load, MANY, seconds) for server in (without, in_memory, on_disk)] for _ in range(ROUNDS)
        ]
        synced = median(_syncs(folders[1] / "synced"))
    for line in _told(found, synced):
        sys.stdout.write(line + "\n")


@contextmanager
def _logged(folder: Path) -> Iterator[Server]:
    """A server that logs to a folder."""
    location = folder / "decisions.sqlite"
    create_log(str(location), folder / "decisions.keys", "example.com/decisions", os.urandom)
    with ours(folder, log_location=location) as server:
        yield server


def _load(folder: Path) -> Load:
    questions = [one_of(case, each) for case in cases(load_engine()) for each in case.activities]
    return Load.of(ONE, questions, folder / "questions")


def _syncs(file: Path) -> Iterator[float]:
    """How long each of some writes takes to be on the disk, in seconds."""
    with file.open("wb", buffering=0) as opened:
        for _ in range(100):
            opened.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(opened.fileno())
            yield time.perf_counter() - begun


def _told(found: list[list[Came]], synced: float) -> Iterator[str]:
    """Each figure with what is wanted; ratios are medians of those of each round."""
    each = median(memory.each / without.each for without, memory, _ in found)
    rate = median(memory.rate / without.rate for without, memory, _ in found)
    most = [min(without.rate, MANY / synced) for without, _, _ in found]
    disk = median(logged.rate / bound for (_, _, logged), bound in zip(found, most, strict=True))
    first = median(without.each for without, _, _ in found)
    yield f"without a log: {first:.0f} us a request; fdatasync: {synced * 1e3:.2f} ms; load {os.getloadavg()[0]:.1f}"
    yield f"in memory: {each:.2f} times the processor time (at most 1.5), {rate:.2f} times the requests (at least 0.6)"
    yield f"on the disk: {disk:.2f} times what it allows (at least 0.7)"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
