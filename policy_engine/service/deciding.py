"""The service, whatever server it runs in: its rules, its settings, its clock, and how a question is answered."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from policy_engine.language.decisions import Decision
from policy_engine.service.answers import answer, decided
from policy_engine.service.callers import ANYBODY, Caller, Callers, Rates, require
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.loaded import Loaded
from policy_engine.service.messages import NONE_YET, Reloads
from policy_engine.service.metrics import Counts, Series, added
from policy_engine.service.requests import Head, Question
from policy_engine.service.settings import Settings

LONGEST_ID = 128
"""Characters of a caller's `X-Request-ID`; in the place of a longer one another is made."""


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

    def answer(self, question: Question, caller: Caller) -> bytes:
        """The answer to a question as JSON; raises `Problem` and what the engine raises."""
        self.require(caller, "explain" if question.is_explained else "decide")
        loaded = self.loaded
        day = question.as_of or self.clock.day(loaded.timezone(question.ruleset))
        return answer(loaded.engine, question, day, self.counts.decided)

    def decided(self, question: Question, loaded: Loaded) -> Decision:
        """The answer to a question about one decision on a day, by these rules; raises what the engine raises."""
        assert question.as_of is not None
        return decided(loaded.engine, question, question.as_of, self.counts.decided)

    def series(self) -> Series:
        """All that is counted, by other workers too."""
        epoch = self.loaded.epoch
        reloads = {f'policy_reloads_total{{result="{what}"}}': number for what, number in self.reloads.counts.items()}
        return {**added([self.counts.series(), self.others]), **reloads, "policy_epoch": epoch}
