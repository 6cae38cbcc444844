"""The decision log as a worker has it: records of what is answered, with their time and chance, and where they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from policy_engine.decision_log.opening import ACCOUNT_KEYS
from policy_engine.decision_log.recording import RANDOM_BYTES, Moment, Recorder, Searched
from policy_engine.decision_log.records import Record
from policy_engine.decision_log.sealing import KeyFile
from policy_engine.engine import Asked
from policy_engine.errors import FactsError, LogUnavailable
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.decision_log.client import Client
from policy_engine.service.decision_log.keeper import keys_of
from policy_engine.service.settings import Settings

DRAWN = 4_096
"""Random bytes that are drawn at once."""
REMEMBERED = 10.0
"""Seconds after which a failure tells nothing any more of whether the log can be written."""


def workers_log(settings: Settings, address: str) -> WorkersLog:
    """The log of a worker, by the writer's address; raises `CannotRun` where the file of keys cannot be read."""
    keys = KeyFile(Path(keys_of(settings)) / ACCOUNT_KEYS)
    try:
        return WorkersLog(Recorder(keys.masking_key), Client(address, settings.log_seconds))
    finally:
        keys.close()


@dataclass(slots=True)
class WorkersLog:
    """Makes records and has them written by the writer."""

    recorder: Recorder
    client: Client
    clock: Clock = CLOCK
    random_bytes: Callable[[int], bytes] = token_bytes
    _drawn: bytes = b""
    _fault: str = ""
    _failed: float = 0.0

    def answered(self, asked: Asked, ruleset: Ruleset, answers: Sequence[Decision], caller: str) -> Record:
        """The record of answers; raises `LogUnavailable` for what no record can hold."""
        return self.recorder.answered(asked, ruleset, answers, caller, self._moment())

    def refused(self, asked: Asked, ruleset: Ruleset, error: FactsError, caller: str) -> Record:
        """The record of facts that are invalid."""
        return self.recorder.refused(asked, ruleset, error, caller, self._moment())

    def searched(self, searched: Searched, ruleset: Ruleset, caller: str) -> Record:
        """The record of a search; raises `LogUnavailable` for what no record can hold."""
        return self.recorder.searched(searched, ruleset, caller, self._moment())

    def _moment(self) -> Moment:
        return Moment(int(self.clock.seconds() * 1000), self._random())

    def _random(self) -> bytes:
        """The random bytes of a record, of which no other gets any."""
        if len(self._drawn) < RANDOM_BYTES:
            self._drawn = self.random_bytes(DRAWN)
        taken, self._drawn = self._drawn[:RANDOM_BYTES], self._drawn[RANDOM_BYTES:]
        return taken

    async def write(self, records: Sequence[Record]) -> None:
        """Wait until records are durable; raises `LogUnavailable`."""
        try:
            await self.client.write(records)
        except LogUnavailable as error:
            self._fault, self._failed = str(error), self.clock.ticks()
            raise
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why nothing could be written the last time; "" where it could, or the last time is long ago."""
        return self._fault if self.clock.ticks() - self._failed < REMEMBERED else ""
