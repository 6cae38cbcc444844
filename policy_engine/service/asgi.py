"""The service as an ASGI application: for tests, and within the applications of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from policy_engine.service.batches import Batch
from policy_engine.service.bodies import answered, response_to
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import Exchange, Step
from policy_engine.service.requests import Head
from policy_engine.service.responses import JSON_LINES, Headers
from policy_engine.service.routes import received

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """What an ASGI server calls with every connection."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request; nothing is done at the start and the end of the server."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            peer = str((scope.get("client") or [""])[0])
            query = scope.get("query_string", b"").decode("latin-1")
            head = Head(scope["method"], _path(scope), _headers(scope["headers"]).get, peer, query)
            exchange, step = received(self.service, head)
            exchange.ended(await _answer(exchange, step, receive, send))


async def _answer(exchange: Exchange, step: Step, receive: Receive, send: Send) -> int:
    """Send an answer, and give its status."""
    own = ("x-request-id", exchange.id)
    if isinstance(step, Batch):
        await send(_start(200, (*JSON_LINES, own)))
        await answered(exchange, step, _parts(receive), lambda part: send(_body(part, more=True)))
        await send(_body(b""))
        return 200
    told = await response_to(exchange, step, _parts(receive))
    await send(_start(told.status, (*told.headers, own, ("content-length", str(len(told.body))))))
    await send(_body(b"" if exchange.head.method == "HEAD" else told.body))
    return told.status


def _path(scope: dict[str, Any]) -> str:
    """The address below the one at which an application of others has this one."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _headers(given: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; of several of one name the first."""
    found: dict[str, str] = {}
    for name, value in given:
        found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return found


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    """The body; what came of it where the caller went away."""
    goes_on = True
    while goes_on:
        message = await receive()
        yield message.get("body", b"")
        goes_on = message.get("more_body", False)


def _start(status: int, headers: Headers) -> dict[str, Any]:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


def _body(part: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": part, "more_body": more}


async def _live(receive: Receive, send: Send) -> None:
    """Say that all is ready, and later that all is done."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
