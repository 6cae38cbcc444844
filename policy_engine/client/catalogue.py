"""What the service tells of its rulesets and of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version of a ruleset: in force from `start` until before `end`, each None where it is open."""

    version: str
    start: date | None
    end: date | None
    digest: str


@dataclass(frozen=True, slots=True)
class RulesetSummary:
    """A ruleset in short: its versions, the oldest first, and the questions of its decisions by their names."""

    id: str
    title: str
    versions: tuple[VersionSummary, ...]
    decisions: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Readiness:
    """That questions are answered: by the rules of which epoch, of how many rulesets.

    `reload_refused` says that the last try to change them failed; `faults` says why, where the service tells it.
    """

    epoch: int
    rulesets: int
    reload_refused: bool
    faults: tuple[str, ...] = ()


def summaries_of(told: Mapping[str, Any], request_id: str) -> tuple[RulesetSummary, ...]:
    """The rulesets of the answer to `/v1/rulesets`."""
    return tuple(map(_summary, told["rulesets"]))


def _summary(told: Mapping[str, Any]) -> RulesetSummary:
    decisions = {each["name"]: each["question"] for each in told["decisions"]}
    return RulesetSummary(told["id"], told["title"], tuple(map(_version, told["versions"])), decisions)


def _version(told: Mapping[str, Any]) -> VersionSummary:
    return VersionSummary(told["version"], _day(told["from"]), _day(told["until"]), told["digest"])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def whole_of(told: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """The answer to `/v1/rulesets/RULESET`, in JSON types."""
    return dict(told)


def readiness_of(told: Mapping[str, Any], request_id: str) -> Readiness:
    """The answer to `/readyz`."""
    return Readiness(told["epoch"], told["rulesets"], told["reload"] == "refused", tuple(told.get("faults", ())))
