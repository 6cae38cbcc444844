"""The client for `asyncio`, like `blocking.py` in all but that its answers are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from datetime import date
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from policy_engine.client.answers import Answer, answer_of, answers_of
from policy_engine.client.batches import AT_ONCE, Answered, answered, batch_of, require_some
from policy_engine.client.catalogue import Readiness, RulesetSummary, readiness_of, summaries_of, whole_of
from policy_engine.client.connections import PATIENCE, Key, Target, failure_of, reply_of
from policy_engine.client.questions import (
    Call,
    Explain,
    Question,
    Reader,
    call_of,
    require_one,
    require_ruleset,
    whole_path,
)
from policy_engine.client.replies import accepted, read
from policy_engine.client.retries import USUAL, Failure, Reply, Retries


class AsyncClient:
    """Asks the service at an address, such as `http://localhost:8000`, within one event loop.

    `key` is a key or a token, or a function that gives one. `timeout` are seconds to wait for a connection and for each part of
    an answer. With `http`, a client of httpx, other things are as that says: certificates, proxies, its own timeout; who gives
    it closes it. All methods raise `ServiceError`; `decide`, `decide_all` and `batch` also `TypeError` for facts that JSON
    cannot hold. `request_id` names a request in the log of the service.
    """

    def __init__(
        self,
        address: str,
        *,
        key: Key = None,
        timeout: float = PATIENCE,
        retries: Retries = USUAL,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._target, self._retries = Target(address, key), retries
        self._http, self._is_own = http or httpx.AsyncClient(timeout=timeout), http is None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target.address!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, unless they are those of a client of httpx that was given."""
        if self._is_own:
            await self._http.aclose()

    async def decide(
        self,
        decision: str,
        facts: Any,
        *,
        as_of: date | None = None,
        readings: Mapping[str, str] | None = None,
        explain: Explain = "reason",
        reader: Reader | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """The answer to `ruleset.decision` about facts; about today in the ruleset's time zone where no day is given."""
        require_one(decision)
        question = Question(decision, facts, as_of, readings, explain, reader)
        return read(await self._reply(call_of(question), request_id), answer_of)

    async def decide_all(
        self,
        ruleset: str,
        facts: Any,
        *,
        as_of: date | None = None,
        readings: Mapping[str, str] | None = None,
        explain: Explain = "reason",
        reader: Reader | None = None,
        request_id: str | None = None,
    ) -> dict[str, Answer]:
        """Every decision of a ruleset about the same facts, by name; like `decide` in all else."""
        require_ruleset(ruleset)
        question = Question(ruleset, facts, as_of, readings, explain, reader)
        return read(await self._reply(call_of(question), request_id), answers_of)

    async def batch(
        self,
        questions: Iterable[Question] | AsyncIterable[Question],
        *,
        at_once: int = AT_ONCE,
        request_id: str | None = None,
    ) -> AsyncIterator[Answered]:
        """Each question with its answer, or the error in its place, in order.

        Questions are taken and sent `at_once` at a time, as their answers are asked for; so there may be any number of them.
        """
        require_some(at_once)
        async for asked in _parts(questions, at_once):
            for each in answered(asked, await self._reply(batch_of(asked), request_id)):
                yield each

    async def rulesets(self) -> tuple[RulesetSummary, ...]:
        """All rulesets in short."""
        return read(await self._reply(Call("GET", "/v1/rulesets")), summaries_of)

    async def ruleset(self, name: str) -> dict[str, Any]:
        """All of a ruleset in JSON types: versions, rules in words, schema of facts, readings, sources."""
        return read(await self._reply(Call("GET", whole_path(name))), whole_of)

    async def ready(self) -> Readiness:
        """That the service answers, and by which rules."""
        return read(await self._reply(Call("GET", "/readyz")), readiness_of)

    async def _reply(self, call: Call, request_id: str | None = None) -> Reply:
        """What came of a request, sent again where that may help; raises `ServiceError`."""
        for number in count(1):
            came = await self._once(call, request_id)
            wait = self._retries.wait(number, came)
            if wait is None:
                break
            await asyncio.sleep(wait)
        return accepted(came)

    async def _once(self, call: Call, request_id: str | None) -> Reply | Failure:
        try:
            return reply_of(await self._http.request(**self._target.request(call, request_id)))
        except (httpx.TransportError, httpx.DecodingError) as error:
            return failure_of(self._target, error)


async def _parts(questions: Iterable[Question] | AsyncIterable[Question], most: int) -> AsyncIterator[list[Question]]:
    """The questions, so many at a time."""
    part: list[Question] = []
    async for question in _each(questions):
        part.append(question)
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part


async def _each(questions: Iterable[Question] | AsyncIterable[Question]) -> AsyncIterator[Question]:
    if isinstance(questions, AsyncIterable):
        async for question in questions:
            yield question
    else:
        for question in questions:
            yield question
