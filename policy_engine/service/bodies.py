"""Bodies as they come in parts, and batches as they go out: what both adapters share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

from policy_engine.service.batches import Batch
from policy_engine.service.exchanges import Exchange, Whole
from policy_engine.service.limits import too_large, too_long, too_slow
from policy_engine.service.problems import Problem
from policy_engine.service.responses import Response
from policy_engine.service.settings import Settings

MOST_HELD = 16_000
"""Bytes of answers of a batch that are held back, to be sent together."""
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


async def body_answered(exchange: Exchange, step: Whole, parts: Parts) -> Response:
    """The answer to a body, or the problem that there is with it."""
    try:
        body = await whole(parts, exchange.service.settings)
    except Problem as problem:
        return exchange.refused(problem)
    return step.answer(body)


async def answered(batch: Batch, parts: Parts, send: Callable[[bytes], Awaitable[None]], settings: Settings) -> None:
    """Answer a batch while it comes; others are served between its parts.

    Granian takes what is sent whether or not the caller reads it, so there is a limit on all of it.
    """
    held, sent = bytearray(), 0
    try:
        async for part in _in_time(parts, settings.body_seconds):
            for line in batch.feed(part):
                held += line
                if len(held) > MOST_HELD:
                    await send(bytes(held))
                    await asyncio.sleep(0)
                    sent += len(held)
                    held.clear()
                if sent > settings.largest_batch:
                    raise too_long(settings.largest_batch)
            if batch.is_over:
                break
        held += b"".join(batch.end())
    except Problem as problem:
        held += batch.failed(problem)
    await send(bytes(held))


async def _in_time(parts: Parts, seconds: int) -> AsyncIterator[bytes]:
    """The parts; raises `Problem` where the next one does not come in time."""
    coming = aiter(parts)
    while True:
        try:
            async with asyncio.timeout(seconds):
                part = await anext(coming)  # with a default Granian's process ends
        except TimeoutError:
            raise too_slow(seconds) from None
        except StopAsyncIteration:
            return
        yield part
