"""Questions as values, and the requests that ask them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from policy_engine.client.facts_json import json_bytes

Explain: TypeAlias = Literal["none", "reason", "trace"]
Reader: TypeAlias = Literal["customer", "agent", "auditor"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question: `decision` is `ruleset.decision`, or a ruleset alone, whose decisions are then all asked.

    `facts` are what `Engine.decide` takes. Without `as_of` the service asks about today in the ruleset's time zone.
    """

    decision: str
    facts: Any
    as_of: date | None = None
    readings: Mapping[str, str] | None = None
    explain: Explain = "reason"
    reader: Reader | None = None

    @property
    def names(self) -> tuple[str, str]:
        """The ruleset, and the decision or an empty text."""
        ruleset, _, decision = self.decision.partition(".")
        return ruleset, decision

    def body(self) -> bytes:
        """The body that asks it; raises `TypeError` for facts that JSON cannot hold."""
        return self._asking({})

    def line(self) -> bytes:
        """The line of a batch that asks it; raises like `body`."""
        ruleset, decision = self.names
        return self._asking({"ruleset": ruleset, "decision": decision or None})

    def _asking(self, named: Mapping[str, object]) -> bytes:
        told = {**named, "as_of": self.as_of, "readings": self.readings, "explain": self.explain, "for": self.reader}
        given = {name: value for name, value in told.items() if value is not None}
        return b'{"facts":%b,%b' % (json_bytes(self.facts), json_bytes(given)[1:])


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its method, its address below that of the service, its body and the body's type."""

    method: str
    path: str
    body: bytes | None = None
    media: str = "application/json"


def call_of(question: Question) -> Call:
    """The request for one question; raises `TypeError` for facts that JSON cannot hold."""
    path = "/".join(quote(name, safe="") for name in question.names if name)
    return Call("POST", f"/v1/decisions/{path}", question.body())


def whole_path(ruleset: str) -> str:
    """Where all of a ruleset is told."""
    return f"/v1/rulesets/{quote(ruleset, safe='')}"


def require_one(decision: str) -> None:
    """Raises `ValueError` where a name is not that of one decision."""
    ruleset, _, name = decision.partition(".")
    if not ruleset or not name:
        raise ValueError(f"`{decision}` names no decision: write `ruleset.decision`")


def require_ruleset(name: str) -> None:
    """Raises `ValueError` where a name is not that of a ruleset."""
    if not name or "." in name:
        raise ValueError(f"`{name}` names no ruleset: write it without a decision, or call `decide`")
