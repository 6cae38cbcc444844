"""A decision log that one process writes by itself, as an engine tells it of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock, local
from types import TracebackType
from typing import Self

from policy_engine.decision_log.recording import RANDOM_BYTES, Moment, Recorder
from policy_engine.decision_log.records import Record
from policy_engine.decision_log.writing import LogWriter
from policy_engine.engine import Asked
from policy_engine.errors import FactsError, LogUnavailable
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset


@dataclass(slots=True)
class DecisionLog:
    """An open log for `Engine(log=...)`; threads may share it, and each record names `caller`.

    `milliseconds` gives the time since 1970 in UTC, `random_bytes` so many random bytes.
    """

    writer: LogWriter
    recorder: Recorder
    caller: str
    milliseconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    is_closed: bool = False
    _writing: Lock = field(default_factory=Lock, repr=False)
    _written: local = field(default_factory=local, repr=False)

    @property
    def latest(self) -> tuple[str, ...]:
        """The ids of the records that this thread wrote last: one for a question, several for `decide_many`."""
        return getattr(self._written, "ids", ())

    def record(self, asked: Asked, ruleset: Ruleset, told: Sequence[Decision] | FactsError) -> Record:
        """The record of a question; raises `LogUnavailable` for what no record can hold.

        Raises `TypeError` for an account that is no text.
        """
        if not isinstance(asked.account, str | None):
            raise TypeError(f"`account` is a text or None, not {type(asked.account).__name__}")
        moment = Moment(self.milliseconds(), self.random_bytes(RANDOM_BYTES))
        if isinstance(told, FactsError):
            return self.recorder.refused(asked, ruleset, told, self.caller, moment)
        return self.recorder.answered(asked, ruleset, told, self.caller, moment)

    def append(self, records: Sequence[Record]) -> None:
        """Write records, which are durable when this returns; raises `LogUnavailable`."""
        with self._writing:
            if self.is_closed:
                raise LogUnavailable("the log is closed, so no answer can be recorded; open it again with `open_log`")
            self.writer.append(records)
        self._written.ids = tuple(record.id for record in records)

    def close(self) -> None:
        """Let go of the log, so that others may write it."""
        with self._writing:
            self.is_closed = True
            self.writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
