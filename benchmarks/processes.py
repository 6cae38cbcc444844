"""What needs a process of its own: cold starts, and the time and memory of loading many rulesets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import generated
from benchmarks.questions import AS_OF, ROOT

LOAD = """\
import datetime, json, resource, sys, time
from policy_engine import Engine
def status(key):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key))
def rss():
    return status("VmRSS") if sys.platform == "linux" else peak()
def peak():  # on Linux getrusage counts the parent that forked this process as well
    return status("VmHWM") if sys.platform == "linux" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, start = rss(), time.process_time()
engine = Engine.load(sys.argv[1] + "/rules", sys.argv[1] + "/schemas")
seconds, loaded = time.process_time() - start, rss()
facts = {"amount": 5, "opened_on": "2024-01-01", "region": "north"}
for ruleset in engine.rulebook.rulesets:
    engine.decide(ruleset.id + ".answer", facts, as_of=datetime.date(2025, 1, 1))
found = {"seconds": seconds, "peak_mb": peak() / 1e6, "loaded_mb": (loaded - before) / 1e6, "asked_mb": (rss() - before) / 1e6}
print(json.dumps(found))
"""
"""Loads the rulesets of a folder and asks each of them once."""


def loading(rulesets: int, rules: int, times: int) -> dict[str, float]:
    """Seconds and megabytes for so many rulesets, each time in a new process; the median of each."""
    with tempfile.TemporaryDirectory() as folder:
        for index in range(rulesets):
            generated.mixed(Path(folder), f"ruleset{index}", rules, index)
        found = [json.loads(_output(["-c", LOAD, folder])) for _ in range(times)]
    return {key: median(one[key] for one in found) for key in found[0]}


def cold_starts(times: int) -> dict[str, float]:
    """Median milliseconds of a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "facts.json"
        facts.write_text((ROOT / "fixtures" / "email_limits.jsonl").read_text().splitlines()[0])
        decide = [
            "-m",
            "policy_engine",
            "decide",
            "email_limits.set_limit",
            "--facts",
            str(facts),
            "--as-of",
            AS_OF.isoformat(),
        ]
        commands = {
            "python alone": ["-c", "pass"],
            "import policy_engine": ["-c", "import policy_engine"],
            "policy decide": decide,
        }
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(times):
            for name, command in commands.items():
                found[name].append(_milliseconds(command))
    return {name: median(each) for name, each in found.items()}


def _milliseconds(command: Sequence[str]) -> float:
    start = perf_counter()
    _output(command)
    return (perf_counter() - start) * 1e3


def _output(command: Sequence[str]) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout
