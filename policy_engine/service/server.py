"""Granian with the service in it: processes that answer at one address."""

from __future__ import annotations

import hmac
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels, configure_logging
from granian.server.common import AbstractServer

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service.callers import PERMISSION, Callers, Rates, permission
from policy_engine.service.clock import CLOCK
from policy_engine.service.deciding import DecisionLog, Service
from policy_engine.service.fleet import Fleet
from policy_engine.service.following import Follower
from policy_engine.service.keys import KeyRing
from policy_engine.service.loaded import Loaded
from policy_engine.service.loading import loaded_apart
from policy_engine.service.logs import CONFIGURATION, log
from policy_engine.service.messages import Basis
from policy_engine.service.problems import Problem
from policy_engine.service.rsgi import Application
from policy_engine.service.settings import Settings
from policy_engine.service.tokens import JwtTokens, Published, published_keys

LARGEST_HEAD = 64_000
"""Bytes of the headers of a request, which the server below passes by one part of what is read at most."""
OTHER_FILES = 256
"""Files that a process has open beside its connections."""


def serve(settings: Settings) -> None:
    """Answer until a signal ends it; raises `RulesetError` and `CannotRun` before anything is answered."""
    rulebook = Engine.load(settings.rules, settings.schemas).rulebook
    published = published_keys(settings.jwks) if settings.jwks else None
    require_roles(Loaded(Engine(rulebook)), callers_of(settings, published))
    _require_telemetry(settings)
    _require_free(settings.host, settings.port)
    configure_logging(LogLevels.warning, CONFIGURATION)
    _allow_connections(settings.connections)
    server = _granian(settings)
    scheme = "https" if settings.certificate else "http"
    address, rulesets = f"{scheme}://{settings.host}:{settings.port}", len({each.id for each in rulebook.rulesets})
    basis = loaded_apart(settings) if settings.authzen else Basis(rulebook)
    fleet = Fleet(basis, partial(_loaded_again, settings, published), _watched(settings))
    setattr(server, "signal_handler_reload", lambda *_: fleet.wanted.set())  # noqa: B010 - Granian itself would start new workers
    server.on_startup(lambda: log("listening", address=address, workers=settings.workers, rulesets=rulesets))
    server.on_shutdown(lambda: log("stopped"))
    with _log_written(settings) as log_address:
        worker = partial(_application, fleet.start(), fleet.secret, settings, published, log_address)
        server.serve(target_loader=worker, wrap_loader=False)


@contextmanager
def _log_written(settings: Settings) -> Iterator[str]:
    """The address of the process that writes the decision log while this lasts; "" where there is none."""
    if not settings.log_location:
        yield ""
        return
    from policy_engine.service.decision_log.keeper import Keeper, keys_of  # noqa: PLC0415 - nobody else pays for it

    keeper = Keeper(settings.log_location, keys_of(settings))
    try:
        keeper.start()
        yield keeper.address
    finally:
        keeper.stop()


def _loaded_again(settings: Settings, published: str | None) -> Basis:
    """The rules and the mapping as they are now in their files; raises `CannotRun` where they cannot be taken."""
    basis = loaded_apart(settings)
    require_roles(Loaded(Engine(basis.rulebook)), callers_of(settings, published))
    return basis


def _watched(settings: Settings) -> tuple[Path, ...]:
    mapping = [Path(settings.authzen)] if settings.authzen else []
    return (Path(settings.rules), Path(settings.schemas), *mapping) if settings.watch else ()


def _granian(settings: Settings) -> AbstractServer[Any]:
    """The server; raises `CannotRun` where a certificate cannot be used, which its workers would find too late."""
    try:
        if settings.client_authority:
            ssl.create_default_context(cafile=settings.client_authority)
        return Granian(**_options(settings))
    except (OSError, ValueError) as error:  # an error of TLS is one of the operating system
        raise CannotRun(f"the certificates cannot be used: {error}") from None


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "target": "policy_engine.service",
        "address": settings.host,
        "port": settings.port,
        "interface": Interfaces.RSGI,
        "http": HTTPModes.http1,
        "websockets": False,
        "workers": settings.workers,
        "backpressure": settings.connections,
        "http1_settings": HTTP1Settings(
            header_read_timeout=settings.header_seconds * 1000, max_buffer_size=LARGEST_HEAD
        ),
        "respawn_failed_workers": True,
        "workers_kill_timeout": settings.stop_seconds,
        "log_level": LogLevels.warning,
        "log_dictconfig": CONFIGURATION,
        **(_tls(settings) if settings.certificate else {}),
    }


def _tls(settings: Settings) -> dict[str, Any]:
    """How connections are encrypted, and whose certificate clients must show, if they must."""
    authority = settings.client_authority
    return {
        "ssl_cert": Path(settings.certificate),
        "ssl_key": Path(settings.certificate_key),
        "ssl_protocol_min": SSLProtocols.tls12,
        "ssl_ca": Path(authority) if authority else None,
        "ssl_client_verify": bool(authority),
    }


def _require_free(host: str, port: int) -> None:
    """Raises `CannotRun` where nobody can listen at an address."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        raise CannotRun(f"nobody can listen at {host}, port {port}: {error.strerror}") from None


def _allow_connections(number: int) -> None:
    """Let this process and its workers have so many connections open, as far as the system lets them."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource  # noqa: PLC0415

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number + OTHER_FILES
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < allowed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


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


def _decision_log(settings: Settings, address: str) -> DecisionLog | None:
    """The decision log as a worker has it; None where there is none."""
    if not address:
        return None
    from policy_engine.service.decision_log.recording import workers_log  # noqa: PLC0415 - nobody else pays for it

    return workers_log(settings, address)


def _application(
    address: Any, secret: bytes, settings: Settings, published: str | None, log_address: str
) -> Application:
    """The service of one worker, ready to answer by the rules that its parent has now."""
    follower = Follower.of(address, secret, CLOCK)
    loaded, reloads = follower.first()
    callers, rates = callers_of(settings, published), Rates(settings.rate)
    decision_log = _decision_log(settings, log_address)
    service = Service(loaded, settings, CLOCK, callers, rates, decision_log, name=secrets.token_hex(4), reloads=reloads)
    service.token_key = hmac.digest(secret, b"tokens of pages", "sha256")
    _trace(service)
    follower.follow(service)
    return Application(service)


def _require_telemetry(settings: Settings) -> None:
    """Raises `CannotRun` where traces are wanted and what makes them is not installed."""
    try:
        if settings.telemetry:
            import_module("policy_engine.service.telemetry")
    except ModuleNotFoundError as error:
        needed = f"the setting `telemetry` needs the package `{error.name}`"
        raise CannotRun(f'{needed}: pip install "policy_engine[telemetry]"') from None


def _trace(service: Service) -> None:
    """Send a span of each request where that is wanted."""
    if service.settings.telemetry:
        from policy_engine.service.telemetry import TracedCounts, traces_to  # noqa: PLC0415 - nobody else pays for it

        service.traces, service.counts = traces_to(service.settings.telemetry), TracedCounts()
