"""Times functions in turns (A B A B ...), so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter_ns, process_time_ns

Run = Callable[[], object]
"""Does the work once, over all facts of a mix."""


Clock = Callable[[], int]
CPU: Clock = process_time_ns
"""What this process spends, so that other processes do not count."""
WALL: Clock = perf_counter_ns
"""What passes, so that an engine that works in several threads is not charged for each of them."""


def in_turns(runs: Mapping[str, Run], rounds: int, clock: Clock = CPU, least_ms: float = 4.0) -> dict[str, list[float]]:
    """For each run the nanoseconds in each round; a turn repeats a short run until it can be timed."""
    times = {name: _times(run, clock, least_ms) for name, run in runs.items()}
    found: dict[str, list[float]] = {name: [] for name in runs}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            names = list(runs) if turn % 2 == 0 else list(runs)[::-1]
            for name in names:
                found[name].append(_timed(runs[name], clock, times[name]))
            gc.collect()
    finally:
        gc.enable()
    return found


def _times(run: Run, clock: Clock, least_ms: float) -> int:
    run()
    return max(1, round(least_ms * 1e6 / max(_timed(run, clock, 1), 1)))


def _timed(run: Run, clock: Clock, times: int) -> float:
    start = clock()
    for _ in range(times):
        run()
    return (clock() - start) / times


def ratio(found: Mapping[str, list[float]], name: str, to: str) -> float:
    """The median over the rounds of one run's time against another's in the same round."""
    return median(one / other for one, other in zip(found[name], found[to], strict=True))


def middle(found: Mapping[str, list[float]], name: str, count: int = 1) -> float:
    """The median time of one of `count` pieces of work, in nanoseconds."""
    return median(found[name]) / count
