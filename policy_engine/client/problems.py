"""Why there is no answer, as exceptions that carry what the service said.

ServiceError
├── NoAnswer            the service was not reached, or what came is no answer of it
└── Refused             the service answered with a problem; carries `problem`
    ├── InvalidFacts        carries `violations`
    ├── UnknownDecision
    ├── UnknownReading
    ├── NotInForce
    ├── UnknownCaller
    ├── Forbidden           carries `decision`, the answer that refuses, where there is one
    └── TooMany
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from policy_engine.client.answers import Answer, answer_of
from policy_engine.errors import PolicyError


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document (RFC 9457): `members` are all of it, `request_id` names the request in the service's log."""

    type: str
    title: str
    status: int
    detail: str
    members: Mapping[str, Any] = field(repr=False, hash=False)
    request_id: str = field(default="", compare=False)

    @property
    def kind(self) -> str:
        """The name of its kind, such as `invalid-facts`; that of another server's has none."""
        return self.type.rpartition("/problems/")[2] if "/problems/" in self.type else ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which facts are invalid; like `policy_engine.Violation`, without the value."""

    pointer: str
    keyword: str
    expected: str
    message: str
    description: str = ""


class ServiceError(PolicyError):
    """There is no answer from the service."""


class NoAnswer(ServiceError):  # noqa: N818 - named like its sibling
    """The service was not reached, or what came is no answer of it; the message says what happened."""


class Refused(ServiceError):  # noqa: N818 - named like its sibling
    """The service answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)

    @property
    def problem(self) -> Problem:
        """What the service said."""
        problem: Problem = self.args[0]
        return problem

    def __str__(self) -> str:
        problem = self.problem
        named = f" (request {problem.request_id})" if problem.request_id else ""
        return f"{problem.status} {problem.title}: {problem.detail}{named}"


class InvalidFacts(Refused):
    """The facts are invalid, and nothing was decided."""

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every way in which they are, in document order."""
        return tuple(Violation(**each) for each in self.problem.members.get("violations", ()))

    def __str__(self) -> str:
        told = "; ".join(f"{each.pointer or '(the facts)'}: {each.message}" for each in self.violations)
        return f"{super().__str__()}: {told}"


class UnknownDecision(Refused):
    """No ruleset or decision has this name."""


class UnknownReading(Refused):
    """No reading has this name, or it has no such choice, or it is fixed."""


class NotInForce(Refused):
    """The ruleset has no version for the day."""


class UnknownCaller(Refused):
    """The key or token is not valid, or there is none."""


class Forbidden(Refused):
    """The caller may not ask this."""

    @property
    def decision(self) -> Answer | None:
        """The answer that refuses; None where there is none."""
        told = self.problem.members.get("decision")
        return None if told is None else answer_of(told, self.problem.request_id)


class TooMany(Refused):
    """The caller asks too often."""


OF_KINDS: Mapping[str, type[Refused]] = MappingProxyType(
    {
        "invalid-facts": InvalidFacts,
        "unknown-decision": UnknownDecision,
        "unknown-reading": UnknownReading,
        "not-in-force": NotInForce,
        "unknown-caller": UnknownCaller,
        "forbidden": Forbidden,
        "too-many": TooMany,
    }
)


def refused(told: Mapping[str, Any], request_id: str) -> Refused:
    """The exception for a problem document; raises `KeyError` where it is none."""
    problem = Problem(told["type"], told["title"], told["status"], told["detail"], told, request_id)
    return OF_KINDS.get(problem.kind, Refused)(problem)
