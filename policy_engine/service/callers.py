"""Who asks, and whether they may: API keys and tokens say who, the ruleset `engine_access` says whether."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from policy_engine.diagnostics import shown_text
from policy_engine.errors import FactsError, NotInForce, UnknownDecision
from policy_engine.language.decisions import Decision, Status
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.keys import PREFIX, KeyRing
from policy_engine.service.loaded import Loaded
from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head

ACCESS = "engine_access"
PERMISSION = f"{ACCESS}.permission"
SCHEME = "bearer "
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
MOST_COUNTED = 10_000
"""Callers whose requests are counted; with more of them counting begins anew."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `role` is one of `engine_access`, None where nobody is asked who they are."""

    name: str
    role: str | None


ANYBODY = Caller("anybody", None)


class Tokens(Protocol):
    """What verifies tokens."""

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None where it is not valid."""
        ...


@dataclass(slots=True)
class Callers:
    """How callers are known: by keys, by tokens, by either; where there is neither, everybody is let in.

    Or, with `is_local`, everybody who asks for this machine by its own name. A page of somebody else's in a browser here asks by
    another name, whatever address it lets that name lead to.
    """

    keys: KeyRing | None = None
    tokens: Tokens | None = None
    is_local: bool = False

    @property
    def are_asked(self) -> bool:
        """Whether callers must say who they are."""
        return self.keys is not None or self.tokens is not None

    def known(self, head: Head) -> Caller:
        """Who sent a request; raises `Problem` where it is nobody who is known."""
        if not self.are_asked:
            if self.is_local:
                _require_own_name(head.header("host") or "")
            return ANYBODY
        given = head.header("authorization") or ""
        if given[: len(SCHEME)].lower() != SCHEME:
            raise _unknown("send the header `Authorization: Bearer` with a key or a token", "")
        caller = self._caller(given[len(SCHEME) :].strip())
        if caller is None:
            raise _unknown("the key or token is not valid, or not any more", ', error="invalid_token"')
        return caller

    def _caller(self, shown: str) -> Caller | None:
        if not shown.startswith(PREFIX):
            return self.tokens.caller(shown) if self.tokens is not None else None
        key = self.keys.find(shown) if self.keys is not None else None
        return Caller(key.name, key.role) if key is not None else None


def _require_own_name(host: str) -> None:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in OWN_NAMES:
        raise Problem("wrong-host", f"without keys and tokens this service is no `{shown_text(name, 60)}`")


def _unknown(detail: str, error: str) -> Problem:
    return Problem("unknown-caller", detail, headers=(("www-authenticate", f'Bearer realm="policy_engine"{error}'),))


def require(loaded: Loaded, caller: Caller, operation: str, clock: Clock = CLOCK) -> None:
    """Raises `Problem`, with the decision that refuses, where a caller may not do something; undetermined is a refusal."""
    if caller.role is None:
        return
    decision = permission(loaded, caller.role, operation, clock)
    if decision.status is not Status.DECIDED or decision.outcome != "allow":
        raise Problem("forbidden", decision.reason, members={"decision": decision.to_dict()})


def permission(loaded: Loaded, role: str, operation: str, clock: Clock = CLOCK) -> Decision:
    """What `engine_access` answers about a role and an operation; raises `Problem` where it cannot be asked."""
    day = clock.day(loaded.timezone(ACCESS))
    try:
        return loaded.engine.decide(PERMISSION, {"role": role, "operation": operation}, as_of=day)
    except FactsError as error:
        raise Problem("forbidden", error.violations[0].message) from None
    except (UnknownDecision, NotInForce) as error:
        raise Problem("forbidden", f"nobody can be let in: {error}") from None


@dataclass(slots=True)
class Rates:
    """How many requests each caller may still send: so many a second, and no more than those of one second at once."""

    each_second: int
    clock: Clock = CLOCK
    left: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    def spend(self, caller: Caller) -> None:
        """Count a request; raises `Problem` where the caller sends too many."""
        if not self.each_second:
            return
        if len(self.left) > MOST_COUNTED:
            self.left.clear()
        now, most = self.clock.ticks(), float(self.each_second)
        had, at = self.left.get(caller.name, (most, now))
        has = min(most, had + (now - at) * most)
        self.left[caller.name] = max(has - 1.0, 0.0) if has >= 1.0 else has, now
        if has < 1.0:
            detail = f"`{caller.name}` may ask {self.each_second} times a second"
            raise Problem("too-many", detail, headers=(("retry-after", "1"),))
