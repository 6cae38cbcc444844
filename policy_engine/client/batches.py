"""Batches: many questions in few requests, and which answer belongs to which of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from policy_engine.client.answers import Answer, answer_of, answers_of
from policy_engine.client.problems import NoAnswer, Refused, refused
from policy_engine.client.questions import Call, Question
from policy_engine.client.replies import read_json, read_value
from policy_engine.client.retries import Reply

AT_ONCE = 500
"""Questions in one request."""
MEDIA = "application/jsonl"


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of a batch with its answers by the names of their decisions, or the error that there is in their place."""

    question: Question
    answers: Mapping[str, Answer] = field(default_factory=dict)
    error: Refused | None = None

    __hash__ = None  # type: ignore[assignment]  # its mapping has none

    @property
    def answer(self) -> Answer:
        """The answer to a question about one decision; raises the error, and `ValueError` where all decisions were asked."""
        if self.error is not None:
            raise self.error
        if not self.question.names[1]:
            raise ValueError(f"all decisions of `{self.question.decision}` were asked: see `answers`")
        return self.answers[self.question.names[1]]


def require_some(at_once: int) -> None:
    """Raises `ValueError` for a number of questions with which nothing would be asked."""
    if at_once < 1:
        raise ValueError(f"`at_once` is how many questions are sent together: at least 1, not {at_once}")


def batch_of(questions: Sequence[Question]) -> Call:
    """The request that asks several questions; raises `TypeError` for facts that JSON cannot hold."""
    return Call("POST", "/v1/batch", b"".join(b"%b\n" % question.line() for question in questions), MEDIA)


def answered(questions: Sequence[Question], reply: Reply) -> Iterator[Answered]:
    """Each question with what was answered to it; raises `NoAnswer` where not every one was."""
    lines = reply.body.splitlines()
    for number, (question, line) in enumerate(zip(questions, lines, strict=False), start=1):
        yield read_value(partial(_answered, question, number, reply.request_id), read_json(line))
    if len(lines) != len(questions):
        raise NoAnswer(f"{len(questions)} questions were sent, and {len(lines)} lines came back")


def _answered(question: Question, number: int, request_id: str, told: Mapping[str, Any]) -> Answered:
    if told["line"] != number:
        raise ValueError(f"line {told['line']} in the place of line {number}")
    if "problem" in told:
        return Answered(question, error=refused(told["problem"], request_id))
    decision = question.names[1]
    if not decision:
        return Answered(question, answers_of(told["answer"], request_id))
    return Answered(question, {decision: answer_of(told["answer"], request_id)})
