"""Connections of HTTP/1.1: requests are answered in the order in which they come.

While one is answered in parts, those after it wait, and nothing more is read; nor is it while the client does not read its
answers. So no client makes this process hold more than a body and a few parts of what it sends.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any

from policy_engine.service import wire
from policy_engine.service.batches import Batch
from policy_engine.service.bodies import answered, lines_answered, logged
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import GONE, Apart, Exchange, Step, Whole
from policy_engine.service.limits import too_large, too_slow
from policy_engine.service.logs import log_fault
from policy_engine.service.reading import Arriving, Reader
from policy_engine.service.responses import JSON_LINES, Response
from policy_engine.service.routes import received

AT_ONCE = 16_000
"""Bytes of a batch that is answered at once where all of it is there."""
MOST_WAITING = 65_536
"""Bytes of a batch that may wait to be answered, and of answers that wait to be read."""
LINGER = 1.0
"""Seconds in which a client that still sends may read why nobody listens any more."""


class Connection(asyncio.Protocol):
    """One connection, which is among the open ones while it lasts.

    `requests` are those that are not answered yet. The first of them is begun, and has an exchange and a step, unless the
    client must first read. At the `deadline`, in seconds of the service's clock, nothing is waited for any more.
    """

    transport: Any
    reader: Reader
    deadline: float

    def __init__(self, service: Service, connections: set[Connection]) -> None:
        self.service, self.settings, self.connections = service, service.settings, connections
        self.requests: deque[Arriving] = deque()
        self.exchange: Exchange | None = None
        self.step: Step | None = None
        self.task: asyncio.Task[None] | None = None
        self.is_stopping = self.is_over = self.is_paused = False
        self.more, self.drained = asyncio.Event(), asyncio.Event()
        self.drained.set()

    # What the event loop calls

    def connection_made(self, transport: Any) -> None:
        """It is open."""
        peer = transport.get_extra_info("peername")
        self.transport, self.reader = transport, Reader(str(peer[0]) if peer else "", self)
        transport.set_write_buffer_limits(high=MOST_WAITING)
        self.connections.add(self)
        self._wait(self.settings.header_seconds)

    def data_received(self, data: bytes) -> None:
        """Something came; after the end nobody looks at it."""
        if not self.is_over:
            self.reader.feed(data)
            self._answer_in_parts()

    def eof_received(self) -> bool:
        """The client sends no more; what was begun is answered."""
        if self.task is not None:
            self.reader.end()
        return self.task is not None

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        self.drained.clear()
        self._pause()
        self._wait(self.settings.body_seconds)

    def resume_writing(self) -> None:
        """The client has read."""
        self.drained.set()
        self._wait(math.inf if self.task is not None else self.settings.body_seconds)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed."""
        self.connections.discard(self)
        self.is_over = True
        if self.task is not None:
            self.task.cancel()
        if self.exchange is not None:
            self.exchange.ended(GONE)

    # What the worker calls

    def stop(self) -> None:
        """Answer what was begun, and close."""
        self.is_stopping = True
        if not self.requests and not self.is_over:
            self.transport.close()

    def look(self, now: float) -> None:
        """Give up what takes too long."""
        if now < self.deadline:
            return
        if self.exchange is None or self.is_over or not self.drained.is_set():
            self.transport.abort()
        else:
            self._send(self.exchange.refused(too_slow(self.settings.body_seconds)))

    # What the reader calls

    def begun(self, request: Arriving) -> None:
        """The head of a request is there."""
        self.requests.append(request)
        if len(self.requests) == 1 and self.drained.is_set():
            self._begin()
        else:
            self._pause()

    def more_came(self, request: Arriving) -> None:
        """More of its body is there, or all."""
        if self.step is not None and request is self.requests[0]:
            self._go_on()

    # What is done

    def _begin(self) -> None:
        """Begin with the request that is next."""
        request = self.requests[0]
        self._wait(self.settings.body_seconds)
        if request.problem is not None:
            self.exchange = Exchange.of(self.service, request.head)
            self._send(self.exchange.refused(request.problem))
            return
        self.exchange, self.step = received(self.service, request.head)
        if isinstance(self.step, Response) and (request.is_withheld or self.step.is_last):
            self._send(self.step)
        elif request.is_withheld:
            self.transport.write(wire.CONTINUE)

    def _go_on(self) -> None:
        """Do what can be done with what is there of the first request."""
        request, step = self.requests[0], self.step
        assert self.exchange is not None
        if self.task is not None:
            self.more.set()
            if len(request.body) > MOST_WAITING:
                self._pause()
        elif request.problem is not None:
            self._send(self.exchange.refused(request.problem))
        elif isinstance(step, Batch):
            if request.is_whole and len(request.body) <= AT_ONCE:
                self._answer_at_once(self.exchange, step, bytes(request.body))
        elif len(request.body) > self.settings.largest_body:
            self._send(self.exchange.refused(too_large(self.settings.largest_body)))
        elif request.is_whole and step is not None:
            self._answer(self.exchange, step, bytes(request.body))

    def _answer(self, exchange: Exchange, step: Response | Whole | Apart, body: bytes) -> None:
        """Answer a request that is whole, now or once what it waits for is there."""
        if isinstance(step, Apart):
            self._run(self._later(asyncio.to_thread(step.answer)))
            return
        response = step.answer(body) if isinstance(step, Whole) else step
        if exchange.records:
            self._run(self._later(logged(exchange, response)))
        else:
            self._send(response)

    def _answer_at_once(self, exchange: Exchange, batch: Batch, body: bytes) -> None:
        """Answer a batch of which all is there, and little."""
        lines = [*batch.feed(body), *batch.end()]
        if self.service.log is None:
            self._send(Response(200, b"".join(line.to_json(is_logged=False) for line in lines), JSON_LINES))
        else:
            self._run(self._later(lines_answered(exchange, batch, lines)))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what waits; it has limits of its own."""
        self._wait(math.inf)
        self.task = asyncio.get_running_loop().create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # whatever fails here, others are served
            log_fault("own fault", error)
            self.transport.abort()

    async def _later(self, coming: Awaitable[Response]) -> None:
        self._send(await coming)

    def _answer_in_parts(self) -> None:
        """Begin to answer a batch of which all that was read was not the whole, or too much to answer at once."""
        if isinstance(self.step, Batch) and self.task is None:
            self._run(self._in_parts(self.requests[0], self.step))

    async def _in_parts(self, request: Arriving, batch: Batch) -> None:
        assert self.exchange is not None
        self.transport.write(wire.head_of_parts(JSON_LINES, self.exchange.id, in_chunks=request.takes_parts))
        write = wire.part if request.takes_parts else bytes

        async def send(content: bytes) -> None:
            self.transport.write(write(content))
            await self.drained.wait()

        await answered(self.exchange, batch, self._parts(request), send)
        if request.takes_parts:
            self.transport.write(wire.LAST_PART)
        self._ended(request, 200, closes=not (request.is_kept and request.takes_parts))

    async def _parts(self, request: Arriving) -> AsyncIterator[bytes]:
        """The body as it comes; raises `Problem` where it breaks off."""
        while True:
            self.more.clear()
            if request.body:
                part = bytes(request.body)
                request.body.clear()
                self._resume()
                yield part
            elif request.problem is not None:
                raise request.problem
            elif request.is_whole:
                return
            else:
                await self.more.wait()

    def _send(self, response: Response) -> None:
        """Send the answer to the first request."""
        request, exchange = self.requests[0], self.exchange
        assert exchange is not None
        is_last = response.is_last
        closes = is_last or self.is_stopping or not request.is_kept or not request.is_whole
        way = b"" if is_last else wire.CLOSED if closes else request.kept
        head = wire.head(response.status, response.headers, exchange.id, len(response.body), way)
        self.transport.write(head if request.head.method == "HEAD" else head + response.body)
        self._ended(request, response.status, closes=closes)

    def _ended(self, request: Arriving, status: int, *, closes: bool) -> None:
        """The first request has its answer."""
        assert self.exchange is not None
        self.exchange.ended(status)
        self.exchange = self.step = self.task = None
        self.requests.popleft()
        if closes or self.is_stopping or not request.is_whole:
            self._end(is_whole=request.is_whole)
        elif self.requests:
            asyncio.get_running_loop().call_soon(self._next)  # others are served in between
        else:
            self._next()

    def _end(self, *, is_whole: bool) -> None:
        """Close, at once or where the client still sends so that it can read why."""
        self.is_over = True
        if is_whole:
            self.transport.close()
            return
        self._pause()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._wait(LINGER)

    def _next(self) -> None:
        """Go on with the next request, or read on."""
        if self.is_over or not self.drained.is_set() or self.exchange is not None:
            return
        if not self.requests:
            self._wait(self.settings.header_seconds)
            self._resume()
            return
        self._begin()
        if self.step is not None:
            self._go_on()
            self._answer_in_parts()

    def _pause(self) -> None:
        """Read nothing more for now."""
        self.is_paused = True
        self.transport.pause_reading()

    def _resume(self) -> None:
        if self.is_paused:
            self.is_paused = False
            self.transport.resume_reading()

    def _wait(self, seconds: float) -> None:
        self.deadline = self.service.clock.ticks() + seconds
