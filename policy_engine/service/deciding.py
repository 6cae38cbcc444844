"""The service, whatever server it runs in: its rules, its settings, its clock, and how a question is answered."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeVar

from policy_engine.engine import NO_READINGS, Asked, Engine
from policy_engine.errors import FactsError, LogUnavailable
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.answers import Counted, answer, decided
from policy_engine.service.callers import ANYBODY, Caller, Callers, Rates, require
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.loaded import Loaded
from policy_engine.service.messages import NONE_YET, Reloads
from policy_engine.service.metrics import Counts, Series, added
from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head, Question
from policy_engine.service.settings import ANSWER_AND_COUNT, Settings

if TYPE_CHECKING:  # without a decision log nothing of it is loaded
    from policy_engine.decision_log.recording import Searched
    from policy_engine.decision_log.records import Record

LONGEST_ID = 128
"""Characters of a caller's `X-Request-ID`; in the place of a longer one another is made."""
Told = TypeVar("Told")


class DecisionLog(Protocol):
    """What remembers answers: a record is made of each, and the answer waits until the record is durable."""

    def answered(self, asked: Asked, ruleset: Ruleset, answers: Sequence[Decision], caller: str) -> Record:
        """The record of answers; raises `LogUnavailable` for what no record can hold."""
        ...

    def refused(self, asked: Asked, ruleset: Ruleset, error: FactsError, caller: str) -> Record:
        """The record of facts that are invalid."""
        ...

    def searched(self, searched: Searched, ruleset: Ruleset, caller: str) -> Record:
        """The record of a search; raises `LogUnavailable` for what no record can hold."""
        ...

    def write(self, records: Sequence[Record]) -> Awaitable[None]:
        """Wait until records are durable; raises `LogUnavailable`."""
        ...

    @property
    def fault(self) -> str:
        """Why nothing could be written the last time, "" where it could."""
        ...


class RequestSpan(Protocol):
    """What is told elsewhere of one request."""

    def around(self, work: Callable[[], Told]) -> Told:
        """What work gives; the decisions that are made meanwhile belong to this request."""
        ...

    def refused(self, kind: str) -> None:
        """Tell the kind of a problem that is answered."""
        ...

    def ended(self, address: str, status: int) -> None:
        """Tell that it has its answer."""
        ...


class Traces(Protocol):
    """What begins the spans of requests."""

    def begun(self, head: Head, request_id: str) -> RequestSpan:
        """The span of a request."""
        ...


@dataclass(slots=True)
class Service:
    """What answers; `name` begins the ids of its requests, `others` is what other workers counted.

    `token_key` makes the tokens of pages, which every worker must take.
    """

    current: Loaded
    settings: Settings
    clock: Clock = CLOCK
    callers: Callers = field(default_factory=Callers)
    rates: Rates = field(default_factory=lambda: Rates(0))
    log: DecisionLog | None = None
    traces: Traces | None = None
    counts: Counts = field(default_factory=Counts)
    others: Series = field(default_factory=dict)
    reloads: Reloads = NONE_YET
    upcoming: tuple[float, Loaded, Reloads] | None = None
    name: str = "request"
    token_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def loaded(self) -> Loaded:
        """The rules by which questions are answered now."""
        upcoming = self.upcoming
        if upcoming is not None and self.clock.ticks() >= upcoming[0]:
            _, self.current, self.reloads = upcoming
            self.upcoming = None
        return self.current

    def switch(self, loaded: Loaded, reloads: Reloads, at: float) -> None:
        """Answer by other rules from a moment on, in seconds of the clock that never goes back."""
        self.upcoming = at, loaded, reloads

    def request_id(self, head: Head) -> str:
        """The caller's `X-Request-ID`, or one of our own where there is none that can be sent back."""
        given = head.header("x-request-id")
        if given and len(given) <= LONGEST_ID and given.isascii() and given.isprintable():
            return given
        return f"{self.name}-{next(self._numbers)}"

    def caller(self, head: Head) -> Caller:
        """Who sent a request, which is counted; raises `Problem` where it is nobody who is known, or too many come."""
        caller = self.callers.known(head)
        if caller is not ANYBODY:
            self.rates.spend(caller)
        return caller

    def require(self, caller: Caller, operation: str) -> None:
        """Raises `Problem` where a caller may not do something."""
        require(self.loaded, caller, operation, self.clock)

    def answer(self, question: Question, caller: Caller, records: list[Record]) -> bytes:
        """The answer to a question as JSON; raises `Problem` and what the engine raises.

        With a decision log its record comes to `records`, and the answer must not be sent before that is durable.
        """
        self.require(caller, "explain" if question.is_explained else "decide")
        loaded = self.loaded
        day = question.as_of or self.clock.day(loaded.timezone(question.ruleset))
        return self._remembered(
            question, day, loaded, caller, records, lambda heard: answer(loaded.engine, question, day, heard)
        )

    def decided(self, question: Question, loaded: Loaded, caller: Caller, records: list[Record]) -> Decision:
        """The answer to a question about one decision on a day, by these rules; otherwise like `answer`."""
        day = question.as_of
        assert day is not None
        return self._remembered(
            question, day, loaded, caller, records, lambda heard: decided(loaded.engine, question, day, heard)
        )

    def _remembered(
        self,
        question: Question,
        day: date,
        loaded: Loaded,
        caller: Caller,
        records: list[Record],
        decide: Callable[[Counted], Told],
    ) -> Told:
        """What deciding gives. With a decision log its record is of what `Counted` hears, or of facts that are invalid."""
        log = self.log
        if log is None:
            return decide(self.counts.decided)
        asked = Asked(question.name, question.facts, day, question.readings or NO_READINGS, question.account)
        engine, answers = loaded.engine, list[Decision]()

        def heard(decision: Decision) -> None:
            self.counts.decided(decision)
            answers.append(decision)

        try:
            told = decide(heard)
        except FactsError as error:
            refusal = error  # which is a name of this branch alone
            self.keep(records, lambda: log.refused(asked, _ruleset(engine, asked), refusal, caller.name))
            raise
        self.keep(records, lambda: log.answered(asked, _ruleset(engine, asked), answers, caller.name))
        return told

    def keep(self, records: list[Record], made: Callable[[], Record]) -> None:
        """Add a record; raises `Problem` where none can be made, and nothing may be answered without one."""
        try:
            records.append(made())
        except LogUnavailable as error:
            problem = self.not_logged(1, error)
            if problem is not None:
                raise problem from None

    def not_logged(self, number: int, error: LogUnavailable) -> Problem | None:
        """Count answers that cannot be logged, and give what is answered instead; None where they are given all the same."""
        is_given = self.settings.log_on_failure == ANSWER_AND_COUNT
        self.counts.not_logged["given" if is_given else "refused"] += number
        return None if is_given else Problem("log-unavailable", str(error), headers=(("retry-after", "1"),))

    def series(self) -> Series:
        """All that is counted, by other workers too."""
        epoch = self.loaded.epoch
        reloads = {f'policy_reloads_total{{result="{what}"}}': number for what, number in self.reloads.counts.items()}
        return {**added([self.counts.series(), self.others]), **reloads, "policy_epoch": epoch}


def _ruleset(engine: Engine, asked: Asked) -> Ruleset:
    """The version that answers."""
    return engine.ruleset(asked.question.partition(".")[0], asked.as_of)
