"""What is looked at before anything is answered, and needed by the process that is started and its workers alike."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.service.callers import PERMISSION, Callers, permission
from policy_engine.service.keys import KeyRing
from policy_engine.service.loaded import Loaded
from policy_engine.service.problems import Problem
from policy_engine.service.settings import Settings
from policy_engine.service.tokens import JwtTokens, Published


def encryption(settings: Settings) -> ssl.SSLContext | None:
    """How connections are encrypted, None where they are not; raises `CannotRun` where a certificate cannot be used."""
    if not settings.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load(context.load_cert_chain, settings.certificate, settings.certificate_key)
    if settings.client_authority:
        _load(context.load_verify_locations, settings.client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load(load: Callable[..., None], *files: str) -> None:
    try:
        load(*files)
    except (OSError, ValueError) as error:  # an error of TLS is one of the operating system
        named = " with ".join(f"`{file}`" for file in files)
        raise CannotRun(f"the certificate {named} cannot be used: {error}") from None


def callers_of(settings: Settings, published: str | None) -> Callers:
    """How callers are known; raises `CannotRun` where the file of keys cannot be read."""
    keys = KeyRing(Path(settings.keys)) if settings.keys else None
    if published is None:
        return Callers(keys, is_local=keys is None)
    source = Published(settings.jwks, published)
    return Callers(keys, JwtTokens(source, settings.issuer, settings.audience, settings.role_claim))


def require_roles(loaded: Loaded, callers: Callers) -> None:
    """Raises `CannotRun` where callers are asked who they are, and the rules do not know what they may do."""
    if not callers.are_asked:
        return
    if PERMISSION not in loaded.engine.decisions:
        raise CannotRun(
            f"callers are asked who they are, and no rule says what they may: there is no decision `{PERMISSION}`"
        )
    for key in callers.keys.keys.values() if callers.keys else ():
        try:
            permission(loaded, key.role, "decide")
        except Problem as problem:
            raise CannotRun(f"the role of the key `{key.name}`: {problem}") from None
