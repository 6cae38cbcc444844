"""Rules that are loaded, and what is told about them: made once, for it changes only with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from policy_engine.engine import Engine
from policy_engine.errors import NotInForce
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.catalogue import overview, whole
from policy_engine.service.clock import Clock
from policy_engine.service.openapi import openapi
from policy_engine.service.problems import json_bytes

if TYPE_CHECKING:
    from policy_engine.service.authzen.tenants import Tenants


@dataclass(frozen=True)
class Loaded:
    """An engine with rules that do not change. `epoch` counts the times that rules were loaded.

    `tenants` are those of AuthZEN, None where there is no mapping. `described` is the service in OpenAPI where somebody else has
    described it, which takes longer than all else.
    """

    engine: Engine
    epoch: int = 1
    tenants: Tenants | None = None
    described: bytes = b""

    @cached_property
    def versions(self) -> Mapping[str, Sequence[Ruleset]]:
        """The versions of each ruleset by its name, the oldest first."""
        found: dict[str, list[Ruleset]] = {}
        for ruleset in self.engine.rulesets:
            found.setdefault(ruleset.id, []).append(ruleset)
        return found

    @cached_property
    def overview(self) -> bytes:
        """All rulesets in short, as JSON."""
        return json_bytes({"rulesets": list(map(overview, self.versions.values()))})

    @cached_property
    def openapi(self) -> bytes:
        """The service described in OpenAPI, as JSON."""
        return self.described or json_bytes(openapi(list(self.versions.values()), self.tenants))

    def whole(self, ruleset: str) -> bytes:
        """All of a ruleset, as JSON; raises `KeyError` where there is none of this name."""
        return json_bytes(whole(self.versions[ruleset]))

    def timezone(self, ruleset: str) -> str:
        """The time zone of the newest version of a ruleset; of one that there is not, UTC."""
        versions = self.versions.get(ruleset)
        return versions[-1].timezone if versions else "UTC"

    def prepare(self, clock: Clock) -> None:
        """Compile what is asked for today, and describe it, so that no question waits for it."""
        for name in self.versions:
            with suppress(NotInForce):  # it may be in force on other days
                self.engine.prepare(name, clock.day(self.timezone(name)))
        if self.tenants is not None:
            self.tenants.prepare(self.engine, lambda name: clock.day(self.timezone(name)))
        assert self.openapi
