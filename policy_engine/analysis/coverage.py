"""Coverage of rules by tests: how many of the items of each kind are tried, and by how many cases.

The text of a library counts once, for all rulesets that take it together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from policy_engine.analysis.items import Cases, Counted, Items, Kind
from policy_engine.analysis.observing import Observer, Seen
from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.analysis.sites import Sites, sites_of
from policy_engine.language.rulesets import Ruleset


class Tally(NamedTuple):
    """How many items of a kind there are, and how many of them are tried."""

    kind: Kind
    tried: int
    all: int

    def __str__(self) -> str:
        return f"{self.tried} of {self.all} {self.kind}"


def _tallies(items: Iterable[Counted]) -> tuple[Tally, ...]:
    found: dict[Kind, list[bool]] = {kind: [] for kind in Kind}
    for each in items:
        found[each.item.kind].append(each.cases > 0)
    return tuple(Tally(kind, sum(tried), len(tried)) for kind, tried in found.items() if tried)


@dataclass(frozen=True)
class Coverage:
    """What cases try: every item once, by its place.

    `without_next` counts boundaries of ratios and instants, at which below and above may be any distance, as they have no next
    value; `decided_earlier` those of which an earlier rule decides the cases on one side, so that none was looked for there.
    """

    items: tuple[Counted, ...]
    without_next: int
    decided_earlier: int

    @cached_property
    def gaps(self) -> tuple[Counted, ...]:
        """The items that no case tries."""
        return tuple(each for each in self.items if not each.cases)

    @property
    def tried(self) -> int:
        """The number of items that are tried."""
        return len(self.items) - len(self.gaps)

    @property
    def times(self) -> int:
        """How often items are tried in all: for each by how many cases."""
        return sum(each.cases for each in self.items)

    @property
    def percent(self) -> float:
        """Of 100 items so many are tried, in tenths and rounded down, so that only what is complete is 100."""
        return percent_of(self.tried, len(self.items))

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """The items of each kind of which there are any."""
        return _tallies(self.items)

    @property
    def by_owner(self) -> dict[str, tuple[Tally, ...]]:
        """The same for each ruleset and library, in the order of their files."""
        owners = dict.fromkeys(each.item.owner for each in self.items)
        return {owner: _tallies(each for each in self.items if each.item.owner == owner) for owner in owners}


def percent_of(tried: int, all_: int) -> float:
    """The share in percent, in tenths and rounded down; of nothing it is all."""
    return math.floor(1_000 * tried / all_) / 10 if all_ else 100.0


Versions = Sequence[tuple[Ruleset, Sites]]


def coverage_of(rulesets: Iterable[Ruleset], results: Iterable[CaseResult], also: Container[str] = ()) -> Coverage:
    """What the cases try of the rulesets they name, and of others that are named, each version for itself."""
    results = list(results)
    named = {result.case.ruleset for result in results}
    versions = [(one, sites_of(one)) for one in rulesets if one.id in named or one.id in also]
    cases = Counter(each for one, sites in versions for seen in seen_of(one, sites, results) for each in seen)
    return counted(versions, cases)


def seen_of(ruleset: Ruleset, sites: Sites, results: Iterable[CaseResult]) -> list[set[Seen]]:
    """What each of the cases that ask this version exercises."""
    observer = Observer(ruleset, sites)
    return [observer.of(result) for result in results if result.case.is_of(ruleset)]


def counted(versions: Versions, cases: Cases) -> Coverage:
    """The items of versions, each once."""
    found: dict[tuple[object, ...], Counted] = {}
    libraries = _libraries(ruleset for ruleset, _ in versions)
    for ruleset, sites in versions:
        for each in Items(ruleset, sites, cases, libraries).all():
            found.setdefault(each.item.key, each)
    items = sorted(found.values(), key=lambda each: each.item.span)
    boundaries = {boundary for _, sites in versions for boundary in sites.boundaries.values()}
    without = sum(boundary.places is None for boundary in boundaries)
    return Coverage(tuple(items), without, sum(sites.decided_earlier for _, sites in versions))


def _libraries(rulesets: Iterable[Ruleset]) -> dict[str, str]:
    """The names of the libraries from which rulesets take parts, by their files."""
    found: dict[str, str] = {}
    for ruleset in rulesets:
        for parts in (ruleset.parameters, ruleset.definitions, ruleset.readings, ruleset.tables):
            found |= {part.span.path: f"library {part.library}" for part in parts if part.library is not None}
        found |= {table.path: f"library {table.library}" for table in ruleset.tables if table.library is not None}
    return found
