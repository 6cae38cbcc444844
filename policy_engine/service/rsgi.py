"""The service under Granian: the adapter to RSGI, which reads bodies and sends answers, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Protocol

from granian._granian import RSGIProtocolClosed

from policy_engine.service.batches import Batch
from policy_engine.service.bodies import answered, body_answered
from policy_engine.service.deciding import Service
from policy_engine.service.requests import Head
from policy_engine.service.responses import JSON_LINES
from policy_engine.service.routes import Whole, received


class Scope(Protocol):
    """What RSGI tells of a request; headers by their names in small letters."""

    method: str
    path: str
    client: str
    headers: Any


class Application:
    """What Granian calls with every request."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: Scope, protocol: Any) -> None:
        """Answer a request; who went away is not answered."""
        with suppress(RSGIProtocolClosed):
            await self._answer(scope, protocol)

    async def _answer(self, scope: Scope, protocol: Any) -> None:
        service = self.service
        head = Head(scope.method, scope.path, scope.headers.get, scope.client)
        step, own = received(service, head), ("x-request-id", service.request_id(head))
        if isinstance(step, Batch):
            transport = protocol.response_stream(200, [*JSON_LINES, own])
            await answered(step, protocol, transport.send_bytes, service.settings)
            return
        if isinstance(step, Whole):
            step = await body_answered(step.answer, protocol, service.settings)
        protocol.response_bytes(step.status, [*step.headers, own], step.body)
