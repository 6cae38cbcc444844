"""Batches: JSON Lines in, JSON Lines out, a line at a time, so that memory does not grow with their length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from policy_engine.service.problems import Problem

if TYPE_CHECKING:  # without a decision log nothing of it is loaded
    from policy_engine.decision_log.records import Record


class Line(NamedTuple):  # made for every line, in a third of the time of a frozen dataclass
    """The answer to a line, or the problem that there is with it, as JSON; with a decision log also its record."""

    number: int
    member: str
    content: bytes
    record: Record | None = None

    def to_json(self, *, is_logged: bool) -> bytes:
        """The line as it is sent, with the id of its record where that is in the log."""
        told = b',"log":"%b"' % self.record.id.encode() if is_logged and self.record is not None else b""
        return b'{"line":%d,"%b":%b%b}\n' % (self.number, self.member.encode(), self.content, told)


@dataclass(slots=True)
class Batch:
    """A batch on its way: parts of it come in, and for each line that is whole an answer or a problem goes out.

    `answer` answers a line, and raises `Problem`. A line of more than `longest_line` bytes is never held; after `most_lines`
    the batch is over, which its last answer says. `told` hears of the kind of every problem. With a decision log `answer` adds
    a record to `records`.
    """

    answer: Callable[[bytes], bytes]
    longest_line: int
    most_lines: int
    told: Callable[[str], None] = lambda kind: None
    records: list[Record] = field(default_factory=list)
    number: int = 0
    is_over: bool = False
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, part: bytes) -> Iterator[Line]:
        """The answers to the lines that end within the next part."""
        first, *others = part.split(b"\n")
        self._hold(first)
        for begin in others:
            yield from self._ended()
            if self.is_over:
                return
            self._hold(begin)

    def end(self) -> Iterator[Line]:
        """The answer to the last line, where it does not end with a line break."""
        if self._rest and not self.is_over:
            yield from self._ended()

    def failed(self, problem: Problem) -> Line:
        """The last answer of a batch that cannot go on."""
        self.is_over = True
        return self.problem(self.number + 1, problem)

    def _hold(self, begin: bytes) -> None:
        """Keep what came of a line, and no more than shows that it is too long."""
        self._rest += begin[: self.longest_line + 1 - len(self._rest)]

    def _ended(self) -> Iterator[Line]:
        line, self._rest = bytes(self._rest), bytearray()
        if self.number == self.most_lines:
            yield self.failed(
                Problem("too-large", f"a batch has at most {self.most_lines} lines; nothing after them is answered")
            )
            return
        self.number += 1
        if line.strip():
            yield self._answered(line)

    def _answered(self, line: bytes) -> Line:
        self.records.clear()
        try:
            if len(line) > self.longest_line:
                raise Problem("too-large", f"the line has more than {self.longest_line} bytes")
            answered = Line(self.number, "answer", self.answer(line))
        except Problem as problem:
            answered = self.problem(self.number, problem)
        return answered._replace(record=self.records[0]) if self.records else answered

    def problem(self, number: int, problem: Problem) -> Line:
        """What is answered to a line where there is a problem."""
        self.told(problem.kind.name)
        return Line(number, "problem", problem.to_json())
