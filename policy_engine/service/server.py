"""Granian with the service in it: processes that answer at one address."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from functools import partial

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels, configure_logging

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import Rulebook
from policy_engine.service.clock import CLOCK
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.logs import CONFIGURATION, log
from policy_engine.service.rsgi import Application
from policy_engine.service.settings import Settings

LARGEST_HEAD = 64_000
"""Bytes of the headers of a request."""


def serve(settings: Settings) -> None:
    """Answer until a signal ends it; raises `RulesetError` and `CannotRun` before anything is answered."""
    rulebook = Engine.load(settings.rules, settings.schemas).rulebook
    _require_free(settings.host, settings.port)
    configure_logging(LogLevels.warning, CONFIGURATION)
    server = Granian(
        "policy_engine.service",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.workers,
        backpressure=settings.connections,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_seconds * 1000, max_buffer_size=LARGEST_HEAD),
        respawn_failed_workers=True,
        workers_kill_timeout=settings.stop_seconds,
        log_level=LogLevels.warning,
        log_dictconfig=CONFIGURATION,
    )
    address, rulesets = f"http://{settings.host}:{settings.port}", len({each.id for each in rulebook.rulesets})
    server.on_startup(lambda: log("listening", address=address, workers=settings.workers, rulesets=rulesets))
    server.on_shutdown(lambda: log("stopped"))
    server.serve(target_loader=partial(_application, rulebook, settings), wrap_loader=False)


def _require_free(host: str, port: int) -> None:
    """Raises `CannotRun` where nobody can listen at an address."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except ValueError:
        raise CannotRun(f"the setting `host` must be an IP address such as 127.0.0.1, not `{host}`") from None
    except OSError as error:
        raise CannotRun(f"nobody can listen at {host}, port {port}: {error.strerror}") from None


def _application(rulebook: Rulebook, settings: Settings) -> Application:
    """The service of one worker, ready to answer."""
    loaded = Loaded(Engine(rulebook))
    loaded.prepare(CLOCK)
    return Application(Service(loaded, settings, name=secrets.token_hex(4)))
