"""Commands over hostile folders, each in a process of its own that may use only so much; and what each one cost.

`python -m tests.support.measured` reads jobs from standard input, one JSON object a line, and answers each with a line. It
forks for every job, so that time and memory are those of the job and not of Python's start.
"""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from policy_engine.cli import main as command

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 2.0
"""Of the process's own time, as it would be on the machine that has `WORK_SECONDS`: none takes one there, and how slow
a machine is that others share is known to some tens of percents only."""
WORK_SECONDS = 0.05
"""What a certain piece of work takes on the machine for which the bounds were set."""
MOST_MEGABYTES = 200.0
LONGEST_WAIT = 6.0
"""Of the clock on the wall, for what waits and never works."""
ATTEMPTS = 3
"""A machine that others share may become slower between being measured and doing a job; that it does so each time is unlikely."""
ROOM = 1_500_000_000
"""Bytes of address space: a guard for the machine; what a job really holds is measured."""


@dataclass(frozen=True)
class Job:
    """A command of the engine in a folder."""

    name: str
    folder: str
    arguments: tuple[str, ...] = ("check", "--format", "json")


@dataclass(frozen=True)
class Cost:
    """What came of a job: its exit code (or the signal that ended it), what it printed, its time and its most memory."""

    name: str
    code: int
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def ended_by(self) -> str:
        """The signal that ended it, or nothing."""
        return signal.Signals(-self.code).name if self.code < 0 else ""

    @property
    def is_cheap(self) -> bool:
        """Whether it kept within time and memory."""
        return self.seconds <= MOST_SECONDS and self.megabytes <= MOST_MEGABYTES

    def codes(self) -> list[str]:
        """The codes of the errors told as JSON."""
        told: list[Mapping[str, Any]] = json.loads(self.out)["diagnostics"]
        return [str(diagnostic["code"]) for diagnostic in told if diagnostic["severity"] == "error"]


def measure(jobs: Sequence[Job]) -> dict[str, Cost]:
    """What each job came to, by its name; half of them at a time in two processes."""
    halves = [jobs[::2], jobs[1::2]]
    command = [sys.executable, "-m", "tests.support.measured"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in halves
    ]
    for process, half in zip(running, halves, strict=True):
        assert process.stdin is not None
        process.stdin.write("".join(json.dumps(asdict(job)) + "\n" for job in half))
        process.stdin.close()
    return {cost.name: cost for process in running for cost in _answers(process)}


def _answers(process: subprocess.Popen[str]) -> Iterable[Cost]:
    assert process.stdout is not None
    with process.stdout as lines:
        yield from [Cost(**json.loads(line)) for line in lines]
    assert process.wait() == 0


def main() -> None:
    """Answer every job of standard input."""
    jobs = [Job(**json.loads(line)) for line in sys.stdin]
    _warm_up()
    slow = slowness()
    for job in jobs:
        cost, attempts = run(job, slow), 1
        while not cost.is_cheap and attempts < ATTEMPTS:
            slow = slowness()
            cost, attempts = run(job, slow), attempts + 1
        print(json.dumps(asdict(cost)), flush=True)  # noqa: T201 - this is the answer


def _warm_up() -> None:
    """Let Python load what commands load as they run, once and here."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.yaml").write_text("[n, ?", "utf-8")
        for form in ("json", "text"):
            with redirect_stdout(io.StringIO()):
                _exit_code(("check", "--format", form, folder))
    gc.freeze()


def slowness() -> float:
    """How many times as long as that machine this one takes for the same work."""
    return median(_worked() for _ in range(7)) / WORK_SECONDS


def _worked() -> float:
    start = process_time()
    found = {str(number): number * 2 + 1 for number in range(200_000)}
    assert sum(found.values()) == 200_000**2
    return process_time() - start


def run(job: Job, slow: float) -> Cost:
    """One job in a child, on a machine so many times as slow."""
    outputs = [Path(tempfile.gettempdir(), f"measured-{os.getpid()}-{name}") for name in ("out", "err")]
    child = os.fork()
    if not child:
        _confine(job, outputs, slow)
        os._exit(_exit_code(job.arguments))
    _, status, used = os.wait4(child, 0)
    out, err = (path.read_bytes().decode("utf-8", "backslashreplace") for path in outputs)
    for path in outputs:
        path.unlink()
    code = os.waitstatus_to_exitcode(status)
    return Cost(job.name, code, out, err, (used.ru_utime + used.ru_stime) / slow, used.ru_maxrss / 1024)


def _confine(job: Job, outputs: Iterable[Path], slow: float) -> None:
    """Set the limits, the folder and the outputs of a child; nothing in it may outlive it."""
    most = ceil(2 * MOST_SECONDS * slow)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, LONGEST_WAIT * max(1.0, slow))
    os.chdir(job.folder)
    for number, path in enumerate(outputs, start=1):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)


def _exit_code(arguments: Sequence[str]) -> int:
    """The exit code of the command; 70 and a traceback where an exception gets out."""
    sys.argv = ["policy", *arguments]
    code = 0
    try:
        command.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc(limit=-4)
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
