"""What the parent process of the service and its workers tell one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.frontend.loader import Rulebook


@dataclass(frozen=True, slots=True)
class Reloads:
    """What became of the attempts to load rules again: how many of each, and the faults of the last, none where it was fine."""

    counts: Mapping[str, int]
    faults: tuple[str, ...] = ()

    def one_more(self, what: str, faults: tuple[str, ...] = ()) -> Reloads:
        """The same after one more attempt."""
        return Reloads({**self.counts, what: self.counts[what] + 1}, faults)


NONE_YET = Reloads({"changed": 0, "refused": 0})


@dataclass(frozen=True, slots=True)
class Basis:
    """What answers rest on: the rules, and pickled the tenants of AuthZEN, empty where there is no mapping.

    The parent process never unpacks these: their tables need threads, and a process with threads must not fork. `files` are
    those that they were read from. `openapi` describes the service, where the process that loads has done so already.
    """

    rulebook: Rulebook
    tenants: bytes = field(default=b"", repr=False)
    files: tuple[Path, ...] = ()
    openapi: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """To a worker: prepare these rules, and answer `Ready` or `Failed`."""

    epoch: int
    basis: Basis
    reloads: Reloads


@dataclass(frozen=True, slots=True)
class Switch:
    """To a worker: answer by the rules that were prepared from a moment on, in seconds of the clock that never goes back."""

    epoch: int
    at: float


@dataclass(frozen=True, slots=True)
class Count:
    """To a worker: answer `Counted`. `others` is what all others counted."""

    others: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: the rules are prepared."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: the rules could not be prepared, for an error of this type."""

    error: str


@dataclass(frozen=True, slots=True)
class Counted:
    """From a worker: what it counted."""

    series: Mapping[str, float]
