"""The service under Granian: the adapter to RSGI, which reads bodies and sends answers, and nothing else."""

from __future__ import annotations

from typing import Any, Protocol

from granian._granian import RSGIProtocolClosed

from policy_engine.service.batches import Batch
from policy_engine.service.bodies import answered, response_to
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import GONE, Exchange, Step
from policy_engine.service.requests import Head
from policy_engine.service.responses import JSON_LINES
from policy_engine.service.routes import received


class Scope(Protocol):
    """What RSGI tells of a request; headers by their names in small letters."""

    method: str
    path: str
    query_string: str
    client: str
    headers: Any


class Application:
    """What Granian calls with every request."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: Scope, protocol: Any) -> None:
        """Answer a request; who went away is not answered."""
        head = Head(scope.method, scope.path, scope.headers.get, scope.client, scope.query_string)
        exchange, step = received(self.service, head)
        try:
            exchange.ended(await _answer(exchange, step, protocol))
        except RSGIProtocolClosed:
            exchange.ended(GONE)


async def _answer(exchange: Exchange, step: Step, protocol: Any) -> int:
    """Send an answer, and give its status."""
    own = ("x-request-id", exchange.id)
    if isinstance(step, Batch):
        transport = protocol.response_stream(200, [*JSON_LINES, own])
        await answered(exchange, step, protocol, transport.send_bytes)
        return 200
    told = await response_to(exchange, step, protocol)
    protocol.response_bytes(told.status, [*told.headers, own], told.body)
    return told.status
