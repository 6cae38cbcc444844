"""Bodies as they come in parts, and batches as they go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence

from policy_engine.errors import LogUnavailable
from policy_engine.service.batches import Batch, Line
from policy_engine.service.exchanges import Apart, Exchange, Whole
from policy_engine.service.limits import too_large, too_slow
from policy_engine.service.problems import Problem
from policy_engine.service.responses import JSON_LINES, Response
from policy_engine.service.settings import Settings

MOST_HELD = 16_000
"""Bytes of answers of a batch that are held back, to be sent together."""
MOST_IDS = 100
"""Ids of records that one answer tells, which some clients' limit on headers still lets through."""
Parts = AsyncIterable[bytes]
"""A server may let it be iterated once only."""


async def whole(parts: Parts, settings: Settings) -> bytes:
    """A body of which no more than is allowed is ever held; raises `Problem` where it is too large or comes too slowly."""
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for part in parts:
                body += part
                if len(body) > settings.largest_body:
                    raise too_large(settings.largest_body)
    except TimeoutError:
        raise too_slow(settings.body_seconds) from None
    return bytes(body)


async def response_to(exchange: Exchange, step: Response | Whole | Apart, parts: Parts) -> Response:
    """What is sent, once it may be."""
    match step:
        case Whole():
            return await body_answered(exchange, step, parts)
        case Apart():
            return await asyncio.to_thread(step.answer)
    return step


async def body_answered(exchange: Exchange, step: Whole, parts: Parts) -> Response:
    """The answer to a body, or the problem that there is with it, once it may be sent."""
    try:
        body = await whole(parts, exchange.service.settings)
    except Problem as problem:
        return exchange.refused(problem)
    return await logged(exchange, step.answer(body))


async def logged(exchange: Exchange, response: Response) -> Response:
    """An answer once its records are durable, with their ids; where they cannot be, what is answered instead."""
    records, log = exchange.records, exchange.service.log
    if log is None or not records:
        return response
    try:
        await log.write(records)
    except LogUnavailable as error:
        problem = exchange.service.not_logged(len(records), error)
        return response if problem is None else exchange.refused(problem)
    return response.with_header("x-log-id", ", ".join(record.id for record in records[:MOST_IDS]))


async def lines_logged(exchange: Exchange, batch: Batch, lines: Sequence[Line]) -> bytes:
    """Lines of a batch as they are sent, once their records are durable."""
    records, log = [line.record for line in lines if line.record is not None], exchange.service.log
    if log is None or not records:
        return b"".join(line.to_json(is_logged=False) for line in lines)
    try:
        await log.write(records)
    except LogUnavailable as error:
        problem = exchange.service.not_logged(len(records), error)
        if problem is not None:
            lines = [batch.problem(line.number, problem) if line.record is not None else line for line in lines]
        return b"".join(line.to_json(is_logged=False) for line in lines)
    return b"".join(line.to_json(is_logged=True) for line in lines)


async def lines_answered(exchange: Exchange, batch: Batch, lines: Sequence[Line]) -> Response:
    """The answer to a batch whose lines are all answered."""
    return Response(200, await lines_logged(exchange, batch, lines), JSON_LINES)


async def answered(exchange: Exchange, batch: Batch, parts: Parts, send: Callable[[bytes], Awaitable[None]]) -> None:
    """Answer a batch while it comes; others are served between its parts. `send` waits until the caller reads."""
    held: list[Line] = []
    length = 0
    try:
        async for part in _in_time(parts, exchange.service.settings.body_seconds):
            for line in batch.feed(part):
                held.append(line)
                length += len(line.content)
                if length > MOST_HELD:
                    await send(await lines_logged(exchange, batch, held))
                    await asyncio.sleep(0)
                    length = 0
                    held.clear()
            if batch.is_over:
                break
        held += batch.end()
    except Problem as problem:
        held.append(batch.failed(problem))
    if held:
        await send(await lines_logged(exchange, batch, held))


async def _in_time(parts: Parts, seconds: int) -> AsyncIterator[bytes]:
    """The parts; raises `Problem` where the next one does not come in time."""
    coming = aiter(parts)
    while True:
        try:
            async with asyncio.timeout(seconds):
                part = await anext(coming)
        except TimeoutError:
            raise too_slow(seconds) from None
        except StopAsyncIteration:
            return
        yield part
