"""Work in processes of their own, in turns, with the time it takes and the memory it needs.

    python -m benchmarks.tables.child MODULE ARGUMENT...

calls the module's `main`, and tells in JSON: `seconds` and `cpu` (of the call), `start_mb` (the peak before it), and `peak_mb`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep

ROOT = Path(__file__).resolve().parent.parent.parent
Found = dict[str, float]
EVERY = 0.02
"""Seconds between two looks at the memory of a process and of those that it started."""


def in_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Found]:
    """For each command (a module and its arguments) the medians over the rounds, of its time also against the first's."""
    found: dict[str, list[Found]] = {name: [] for name in commands}
    for turn in range(rounds):
        for name in list(commands) if turn % 2 == 0 else list(commands)[::-1]:
            found[name].append(_measured(commands[name]))
    first = next(iter(found.values()))
    for each in found.values():
        for one, base in zip(each, first, strict=True):
            one |= {"ratio": one["seconds"] / base["seconds"], "cpu_ratio": one["cpu"] / base["cpu"]}
    return {name: {key: median(one[key] for one in each) for key in each[0]} for name, each in found.items()}


def _measured(command: Sequence[str]) -> Found:
    """What one process tells, and `together_mb`: the most that it and those that it started held at once."""
    arguments = [sys.executable, "-m", "benchmarks.tables.child", *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        together = 0.0
        while process.poll() is None:
            together = max(together, sum(_resident_mb(each) for each in _family(process.pid)))
            sleep(EVERY)
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    found: Found = json.loads(told.splitlines()[-1])
    return {**found, "together_mb": max(together, found["peak_mb"])}


def _family(process: int) -> Iterator[int]:
    """A process and all that it started."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _family(int(child))


def _resident_mb(process: int | str, key: str = "VmRSS:") -> float:
    lines = _text(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(key)), 0.0)


def _text(path: Path) -> str:
    """What a file of /proc says; nothing where the process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def main(module: str, *arguments: str) -> None:
    """Do the work in this process."""
    work = import_module(module).main
    before, start, spent = _resident_mb("self", "VmHWM:"), perf_counter(), process_time()
    work(*arguments)
    found = {"seconds": perf_counter() - start, "cpu": process_time() - spent, "start_mb": before}
    sys.stdout.write(json.dumps({**found, "peak_mb": _resident_mb("self", "VmHWM:")}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
