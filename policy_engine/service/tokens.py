"""Tokens (JWT) of an identity provider, verified by its published keys (JWKS); joserfc does the cryptography."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from policy_engine.documents.facts_files import read_file_text
from policy_engine.errors import CannotRun
from policy_engine.service.callers import Caller
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.logs import log_trouble

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key pair alone: a published key can sign nothing."""
MOST_CACHED = 10_000
LONGEST = 16_000
"""Characters of a token."""
LARGEST_KEYS = 1_000_000
"""Bytes of published keys."""
LEEWAY = 30
"""Seconds by which the clocks of two machines may differ."""
AGE = 300.0
"""Seconds after which published keys are fetched again."""
SOONEST = 10.0
"""Seconds before they are fetched again because a token names a key that is not among them."""
PATIENCE = 5.0
"""Seconds that fetching them may take."""


def published_keys(place: str) -> str:
    """The keys in a file or at an https address, as JSON that can be read; raises `CannotRun`."""
    text = _fetched(place) if "://" in place else read_file_text(Path(place))
    try:
        _key_set(text)
    except (ValueError, KeyError, TypeError, JoseError):
        raise CannotRun(f"{place}: these are no published keys (JWKS)") from None
    return text


def _key_set(text: str) -> KeySet:
    return KeySet.import_key_set(json.loads(text))


def _fetched(place: str) -> str:
    parts = urlsplit(place)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise CannotRun(f"the setting `jwks` must be a file or an address that begins with https://, not `{place}`")
    try:
        with urllib.request.urlopen(place, timeout=PATIENCE) as answer:
            content: bytes = answer.read(LARGEST_KEYS + 1)
    except OSError as error:
        raise CannotRun(f"{place} cannot be read: {error}") from None
    if len(content) > LARGEST_KEYS:
        raise CannotRun(f"{place} has more than {LARGEST_KEYS} bytes, which is more than published keys have")
    return content.decode("utf-8", "replace")


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


@dataclass(slots=True)
class Published:
    """Published keys that are fetched again in the background: after some minutes, or soon where a key is missed.

    Where that fails the keys that were there stay.
    """

    place: str
    text: InitVar[str]
    clock: Clock = CLOCK
    begin: Callable[[Callable[[], None]], None] = _in_background
    is_fetching: bool = False
    keys: KeySet = field(init=False, repr=False)
    fetched: float = field(init=False)

    def __post_init__(self, text: str) -> None:
        self.keys, self.fetched = _key_set(text), self.clock.ticks()

    def renew(self, age: float) -> None:
        """Fetch them again where they are older than so many seconds."""
        if self.is_fetching or self.clock.ticks() - self.fetched < age:
            return
        self.is_fetching, self.fetched = True, self.clock.ticks()
        self.begin(self._fetch)

    def _fetch(self) -> None:
        try:
            self.keys = _key_set(published_keys(self.place))
        except CannotRun as error:
            log_trouble("published keys cannot be read; those that were there stay", error)
        finally:
            self.is_fetching = False


@dataclass(slots=True)
class JwtTokens:
    """Who holds which token: of an issuer, for an audience, with a role in a claim. Verified ones are known until they expire."""

    published: Published
    issuer: str
    audience: str
    role_claim: str
    clock: Clock = CLOCK
    _known: dict[str, tuple[Caller, float]] = field(default_factory=dict, repr=False)
    _of: KeySet | None = field(default=None, repr=False)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None where it is not valid."""
        self.published.renew(AGE)
        if self._of is not self.published.keys:  # a key may be among them no more
            self._known, self._of = {}, self.published.keys
        caller, until = self._known.get(token, (None, 0.0))
        return caller if caller is not None and self.clock.seconds() < until else self._verified(token)

    def _verified(self, token: str) -> Caller | None:
        try:
            claims = self._claims(token)
        except InvalidKeyIdError:
            self.published.renew(SOONEST)
            return None
        except (JoseError, ValueError):
            return None
        name, role = claims.get("sub"), claims.get(self.role_claim)
        if not isinstance(name, str) or not isinstance(role, str):
            return None
        return self._kept(token, Caller(name, role), float(claims["exp"]))

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise ValueError("a token is shorter")
        claims = jwt.decode(token, self.published.keys, algorithms=ALGORITHMS).claims
        JWTClaimsRegistry(
            now=int(self.clock.seconds()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
        ).validate(claims)
        return claims

    def _kept(self, token: str, caller: Caller, until: float) -> Caller:
        if len(self._known) >= MOST_CACHED:
            self._known.clear()
        self._known[token] = caller, until
        return caller
