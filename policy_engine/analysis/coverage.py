"""Coverage of rules by tests: rules, cells, checks, readings, branches, and boundaries of comparisons.

A comparison with no case on its boundary is one where `<` and `<=` could be swapped without any test failing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from policy_engine.analysis.observing import Observations
from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.analysis.sites import Boundary, Fork, sites_of
from policy_engine.analysis.ways import came_by, ways_of
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.source import Span


@dataclass(frozen=True, slots=True, order=True)
class Untried:
    """Something that no case has tried: its place, and a message."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of things of a kind, and those that no case has tried."""

    kind: str
    all: int
    gaps: tuple[Untried, ...]

    def __str__(self) -> str:
        return f"{self.all - len(self.gaps)} of {self.all} {self.kind}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the cases exercise, kind by kind.

    `without_next` counts boundaries of ratios and instants, of which only equality was looked for, as they have no next value;
    `decided_earlier` those of which an earlier rule decides the cases on one side, so that none was looked for there.
    """

    tallies: tuple[Tally, ...]
    without_next: int
    decided_earlier: int

    @property
    def complete(self) -> bool:
        """Whether nothing that was looked for is left out."""
        return not any(tally.gaps for tally in self.tallies)

    @property
    def gaps(self) -> tuple[Untried, ...]:
        """All that is left out, by place."""
        return tuple(sorted(gap for tally in self.tallies for gap in tally.gaps))


Place = tuple[Span, str]
"""A comparison, by where it stands and how it reads."""
Found = list[tuple[Span, str, bool]]
"""Things of a kind: the place of each, the message if it is left out, and whether some case has tried it."""


def coverage_of(rulesets: Iterable[Ruleset], results: Iterable[CaseResult]) -> Coverage:
    """What the cases exercise of the rulesets they name, each version for itself; the text of libraries for all together."""
    results = list(results)
    named = {result.case.ruleset for result in results}
    versions = [Version(one, [r for r in results if r.case.is_of(one)]) for one in rulesets if one.id in named]
    _share(versions)
    kinds = ("rules and cells exercised", "checks broken", "readings switched", "boundaries tried", "branches taken")
    ways = (Version.rules, Version.checks, Version.readings, Version.boundaries, Version.branches)
    tallies = [
        _tally(kind, dict.fromkeys(entry for one in versions for entry in way(one)))
        for kind, way in zip(kinds, ways, strict=True)
    ]
    sites = [version.seen.sites for version in versions]
    without = sum(boundary.places is None for one in sites for boundary in set(one.boundaries.values()))
    return Coverage(tuple(tallies), without, sum(one.decided_earlier for one in sites))


def _share(versions: Sequence[Version]) -> None:
    """Count what cases try at one place for all versions that have it, which are those that take the text of a library."""
    distances: dict[Place, set[int]] = defaultdict(set)
    branches: dict[Span, set[bool]] = defaultdict(set)
    came_by: set[Place] = set()
    boundaries = [(one.seen, each) for one in versions for each in set(one.seen.sites.boundaries.values())]
    forks = [(one.seen, fork) for one in versions for fork in set(one.seen.sites.forks.values())]
    for seen, boundary in boundaries:
        distances[boundary.span, boundary.text] |= seen.distances.get(boundary.id, set())
        came_by |= {(boundary.span, boundary.text)} if boundary.id in seen.came_by else set()
    for seen, fork in forks:
        branches[fork.span] |= seen.branches.get(fork.id, set())
    for seen, boundary in boundaries:
        seen.distances[boundary.id] = distances[boundary.span, boundary.text]
        seen.came_by |= {boundary.id} if (boundary.span, boundary.text) in came_by else set()
    for seen, fork in forks:
        seen.branches[fork.id] = branches[fork.span]


def _tally(kind: str, found: Collection[tuple[Span, str, bool]]) -> Tally:
    return Tally(kind, len(found), tuple(Untried(span, message) for span, message, tried in found if not tried))


class Version:
    """A version of a ruleset with the cases that ask it."""

    def __init__(self, ruleset: Ruleset, results: Sequence[CaseResult]) -> None:
        self.ruleset = ruleset
        self.decided = [a for r in results for a in r.answers if a.status is Status.DECIDED]
        self.seen = Observations(ruleset, sites_of(ruleset))
        for result in results:
            self.seen.add(result)

    def rules(self) -> Found:
        """The rules and cells with each outcome they give; tried where they decided some answer."""
        exercised = {way for answer in self.decided for way in came_by(answer)}
        told = f"no case comes by {self.ruleset.id} {self.ruleset.version}"
        return [
            (_place(self.ruleset.decision(way.decision), way.rule), f"{told} {way}", way in exercised)
            for way in ways_of(self.ruleset)
        ]

    def checks(self) -> Found:
        """The checks; tried where the facts of some case break them."""
        message = f"no case breaks this check of {self.ruleset.id} {self.ruleset.version}"
        return [(check.span, message, at in self.seen.checks) for at, check in enumerate(self.ruleset.checks)]

    def readings(self) -> Found:
        """The choices that readings can be switched to; tried where a decided answer rests on them."""
        switched = {pair for answer in self.decided for pair in answer.readings.items()}
        return [
            (
                reading.span,
                f"no case switches {self.ruleset.id} {self.ruleset.version}: {reading.name}={choice.name}",
                (reading.name, choice.name) in switched,
            )
            for reading in self.ruleset.readings
            for choice in reading.choices
            if not reading.fixed and choice.name != reading.choice
        ]

    def boundaries(self) -> Found:
        """The comparisons; tried where there are cases on both sides of their boundary."""
        return [self._boundary(boundary) for boundary in set(self.seen.sites.boundaries.values())]

    def _boundary(self, boundary: Boundary) -> tuple[Span, str, bool]:
        missing = boundary.distances - self.seen.distances.get(boundary.id, set())
        stands = f"no case stands on `{boundary.text}`: {_words(missing)}"
        message = stands if boundary.id in self.seen.came_by else f"no case depends on `{boundary.text}`"
        return boundary.span, message, not missing

    def branches(self) -> Found:
        """The branches of conditional expressions; tried where some case takes them."""
        return [self._branch(fork, taken) for fork in set(self.seen.sites.forks.values()) for taken in (True, False)]

    def _branch(self, fork: Fork, taken: bool) -> tuple[Span, str, bool]:
        words = f"`{fork.branches[0 if taken else 1]}`, where `{fork.condition}` is {str(taken).lower()}"
        return fork.span, f"no case takes the branch {words}", taken in self.seen.branches.get(fork.id, set())


def _words(missing: Iterable[int]) -> str:
    names = {0: "both sides equal", 1: "the left side one more", -1: "the left side one less"}
    return " and ".join(names[distance] for distance in sorted(missing))


def _place(decision: DecisionLogic, rule: str) -> Span:
    parts = getattr(decision.body, "rules", None) or getattr(decision.body, "cells", None) or ()
    return next((part.span for part in parts if hasattr(part, "id") and part.id == rule), decision.span)
