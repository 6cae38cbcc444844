"""What the service counts, in the text format of Prometheus; no name of a caller and no fact is among it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from policy_engine.language.decisions import Decision

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds of the histogram."""
COLLECTED = "(list)"
"""The outcome of a decision that collects: its lists would be too many to count apart."""
HELP: Mapping[str, tuple[str, str]] = {
    "policy_decisions_total": ("counter", "Decisions by status and outcome."),
    "policy_requests_total": ("counter", "Requests by address and status; 499 where the caller did not wait."),
    "policy_request_seconds": ("histogram", "Time from the head of a request to the end of its answer."),
    "policy_problems_total": (
        "counter",
        "Problems by kind: invalid facts, refused callers and so on, lines of batches too.",
    ),
    "policy_not_logged_total": (
        "counter",
        "Answers that could not be logged: refused for that reason, or given all the same.",
    ),
    "policy_reloads_total": ("counter", "Attempts to load rules again, by what became of them."),
    "policy_epoch": ("gauge", "How many times rules were loaded."),
}
Series = Mapping[str, float]
"""Numbers by the names of their series."""


@dataclass(slots=True)
class Counts:
    """What one worker counts."""

    decisions: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    not_logged: Counter[str] = field(default_factory=Counter)
    latencies: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def decided(self, decision: Decision) -> None:
        """Count a decision."""
        outcome = decision.outcome
        self.decisions[decision.decision, decision.status, COLLECTED if isinstance(outcome, tuple) else outcome] += 1

    def problem(self, kind: str) -> None:
        """Count a problem."""
        self.problems[kind] += 1

    def request(self, address: str, status: int, seconds: float) -> None:
        """Count a request that has its answer."""
        self.requests[address, status] += 1
        self.latencies[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def series(self) -> dict[str, float]:
        """All numbers by the names of their series."""
        return dict(self._series())

    def _series(self) -> Iterator[tuple[str, float]]:
        for (decision, status, outcome), number in self.decisions.items():
            told = f'decision="{decision}",status="{status}",outcome="{_escaped(outcome or "")}"'
            yield f"policy_decisions_total{{{told}}}", number
        for (address, code), number in self.requests.items():
            yield f'policy_requests_total{{address="{address}",status="{code}"}}', number
        for kind, number in self.problems.items():
            yield f'policy_problems_total{{kind="{kind}"}}', number
        for became, number in self.not_logged.items():
            yield f'policy_not_logged_total{{answer="{became}"}}', number
        for bound, number in zip((*map(str, BUCKETS), "+Inf"), accumulate(self.latencies), strict=True):
            yield f'policy_request_seconds_bucket{{le="{bound}"}}', number
        yield "policy_request_seconds_sum", self.seconds
        yield "policy_request_seconds_count", sum(self.latencies)


def _escaped(text: str) -> str:
    """A text of an author as a label has it."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def added(several: Iterable[Series]) -> Series:
    """The numbers of several workers together."""
    total: Counter[str] = Counter()
    for series in several:
        total.update(series)
    return total


def exposition(series: Series) -> bytes:
    """Series in the text format of Prometheus, each name with its help and its type."""
    lines: list[str] = []
    for name, (kind, help_) in HELP.items():
        own = [f"{each} {value:.10g}" for each, value in series.items() if _name_of(each) == name]
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} {kind}", *own] if own else []
    return "\n".join([*lines, ""]).encode()


def _name_of(series: str) -> str:
    name = series.partition("{")[0]
    return next((name.removesuffix(end) for end in ("_bucket", "_sum", "_count") if name.endswith(end)), name)
