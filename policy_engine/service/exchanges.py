"""One request from its head to the end of its answer: who asked, what is done, and what is counted of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from policy_engine.diagnostics import shown_text
from policy_engine.service.batches import Batch
from policy_engine.service.callers import ANYBODY, Caller
from policy_engine.service.deciding import RequestSpan, Service
from policy_engine.service.logs import log, log_fault
from policy_engine.service.problems import OF_ERRORS, Problem, own_fault, problem_of
from policy_engine.service.requests import Head
from policy_engine.service.responses import Response, problem_response

if TYPE_CHECKING:  # without a decision log nothing of it is loaded
    from policy_engine.decision_log.records import Record

GONE = 499
"""The status that is counted where the caller did not wait for the answer."""
NOWHERE = "(none)"
"""The address that is counted of requests for which there is no route."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A request that is answered when its whole body is there."""

    answer: Callable[[bytes], Response]


@dataclass(frozen=True, slots=True)
class Apart:
    """A request that is answered by work which waits, for a file or a database, and so is done beside all others."""

    answer: Callable[[], Response]


Step = Response | Whole | Batch | Apart
"""What to do with a request whose head was read: send an answer, make it apart, read the body first, or go line by line."""
Told = TypeVar("Told")


@dataclass(slots=True)
class Exchange:
    """A request and what becomes of it; `named` says what stands in the place of each name in braces of its `address`.

    `refusal` is how a problem is answered. With a decision log `records` must be durable before the answer is sent.
    `span` hears of it where requests are traced.
    """

    service: Service
    head: Head
    id: str
    begun: float
    address: str = NOWHERE
    caller: Caller = ANYBODY
    named: Mapping[str, str] = field(default_factory=dict)
    refusal: Callable[[Problem], Response] = problem_response
    records: list[Record] = field(default_factory=list)
    span: RequestSpan | None = None

    @classmethod
    def of(cls, service: Service, head: Head) -> Exchange:
        """The exchange that begins now with a request."""
        return cls(service, head, service.request_id(head), service.clock.ticks())

    def told(self, work: Callable[[], Told]) -> Told | Response:
        """What work gives, or what is answered where it fails."""
        try:
            return self._traced(work)
        except Exception as error:  # whatever fails here, others are served
            return self.refused(_problem_for(error))

    def _traced(self, work: Callable[[], Told]) -> Told:
        return work() if self.span is None else self.span.around(work)

    def after_body(self, work: Callable[[bytes], Response]) -> Whole:
        """What to do once the body is there."""
        return Whole(lambda body: self.told(lambda: work(body)))

    def tried(self, work: Callable[[], Told]) -> Told:
        """What work gives for one of several questions; raises `Problem` where it fails."""
        try:
            return self._traced(work)
        except Exception as error:  # whatever fails here, the others are answered
            raise _problem_for(error) from None

    def apart(self, work: Callable[[], Response]) -> Apart:
        """What to do where the work waits for something else."""
        return Apart(lambda: self.told(work))

    def line_told(self, work: Callable[[bytes], bytes], line: bytes) -> bytes:
        """What work gives for a line of a batch; raises `Problem` where it fails."""
        return self.tried(lambda: work(line))

    def refused(self, problem: Problem) -> Response:
        """What is answered where there is a problem."""
        self.service.counts.problem(problem.kind.name)
        if self.span is not None:
            self.span.refused(problem.kind.name)
        return self.refusal(problem)

    def ended(self, status: int) -> None:
        """Count the request, end its span, log it where wanted; its address is that of the route, which tells no facts."""
        seconds = self.service.clock.ticks() - self.begun
        self.service.counts.request(self.address, status, seconds)
        if self.span is not None:
            self.span.ended(self.address, status)
        if self.service.settings.log_requests:
            method, milliseconds = shown_text(self.head.method, 20), round(seconds * 1000, 3)
            asked = {"id": self.id, "method": method, "address": self.address, "caller": self.caller.name}
            log("request", **asked, status=status, milliseconds=milliseconds)


def _problem_for(error: Exception) -> Problem:
    """What is told of an error; of a failure of our own nothing, for it may hold facts."""
    if isinstance(error, Problem):
        return error
    if type(error) in OF_ERRORS:
        return problem_of(error)
    log_fault("own fault", error)
    return own_fault()
