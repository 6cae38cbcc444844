"""Runs the benchmarks of the service and writes RESULTS.md and results.json: `python -m benchmarks.service [--quick]`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import machine
from benchmarks.questions import ROOT
from benchmarks.service import reloading, servers
from benchmarks.service.agreement import check_by_hand, check_cerbos
from benchmarks.service.load import Came, Load, asked
from benchmarks.service.questions import CERBOS, ONE, OURS, Case, cases, load_engine, one_of
from benchmarks.service.report import report, targets

HERE = ROOT / "benchmarks" / "service"
MANY = 16
PAIRS = {
    "six, 16 connections": ("ours, six decisions", "Cerbos, six decisions", MANY),
    "six, 1 connection": ("ours, six decisions", "Cerbos, six decisions", 1),
    "one by hand": ("ours, one decision", "by hand, one decision", MANY),
}
"""What is compared: a load of ours, another's, and over how many connections."""
Rounds = dict[str, list[Came]]


def main(quick: bool) -> None:
    """Check, measure, and write what was found."""
    rounds, seconds, reloads = (3, 1, 5) if quick else (7, 3, 100)
    found: dict[str, Any] = {"machine": machine(), "rounds": rounds, "load": os.getloadavg()[0], "cerbos": _version()}
    with TemporaryDirectory() as folder:
        found |= _compared(Path(folder), cases(load_engine()), rounds, seconds)
        sys.stderr.write("measuring reloads\n")
        without = reloading.measured(Path(folder), 0, idle=5.0)
        found["reloads"] = {
            "without reloads": asdict(without),
            "with reloads": asdict(reloading.measured(Path(folder), reloads)),
        }
    (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(report(found))
    for what, most, figure, met in targets(found):
        sys.stdout.write(f"{'pass' if met else 'miss'}: {what}: {figure} ({most})\n")


def _version() -> str:
    package = HERE / "node_modules" / "@cerbos" / "cerbos-linux-x64" / "package.json"
    version: str = json.loads(package.read_text("utf-8"))["version"]
    return version


def _compared(folder: Path, asked_for: list[Case], rounds: int, seconds: int) -> dict[str, Any]:
    """The servers in turns, after their answers were compared; those that are not asked wait."""
    with ExitStack() as stack:
        ours, by_hand, cerbos = (
            stack.enter_context(start(folder)) for start in (servers.ours, servers.by_hand, servers.cerbos)
        )
        compared = check_cerbos(ours, cerbos, asked_for) + check_by_hand(ours, by_hand, asked_for)
        loads = _loads(folder, asked_for)
        of = {
            "ours, six decisions": ours,
            "ours, one decision": ours,
            "by hand, one decision": by_hand,
            "Cerbos, six decisions": cerbos,
        }
        came: Rounds = {}
        for number in range(rounds):
            sys.stderr.write(f"measuring, round {number + 1} of {rounds}\n")
            for one, other, connections in PAIRS.values():
                for name in (one, other) if number % 2 == 0 else (other, one):
                    told = asked(of[name], loads[name], connections, seconds)
                    came.setdefault(f"{name}, {connections} connections", []).append(told)
    return {"compared": compared, "loads": _medians(came), "ratios": _ratios(came)}


def _loads(folder: Path, asked_for: list[Case]) -> Mapping[str, Load]:
    six = Load.of(OURS, [case.for_ours for case in asked_for], folder / "six")
    one = Load.of(ONE, [one_of(case, each) for case in asked_for for each in case.activities], folder / "one")
    check = Load.of(CERBOS, [case.for_cerbos for case in asked_for], folder / "check")
    return {
        "ours, six decisions": six,
        "ours, one decision": one,
        "by hand, one decision": one,
        "Cerbos, six decisions": check,
    }


def _medians(came: Rounds) -> dict[str, dict[str, float]]:
    figures = ("rate", "each", "p50", "p99", "longest")
    return {name: {each: median(getattr(one, each) for one in told) for each in figures} for name, told in came.items()}


def _ratios(came: Rounds) -> dict[str, dict[str, float]]:
    """The median over the rounds of what was ours against the other's in the same round."""
    found = {}
    for what, (one, other, connections) in PAIRS.items():
        ours, others = (came[f"{name}, {connections} connections"] for name in (one, other))
        found[what] = {
            each: median(getattr(a, each) / getattr(b, each) for a, b in zip(ours, others, strict=True))
            for each in ("rate", "each", "p50")
        }
    return found


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
