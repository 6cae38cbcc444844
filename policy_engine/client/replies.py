"""From what came over HTTP to values, or to the exception that it stands for."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from policy_engine.client.problems import NoAnswer, Problem, Refused, refused
from policy_engine.client.retries import Failure, Reply

Value = TypeVar("Value")
PROBLEM = "application/problem+json"


def accepted(came: Reply | Failure) -> Reply:
    """An answer that is no problem; raises `Refused` for a problem, and `NoAnswer` where none came."""
    if isinstance(came, Failure):
        raise came.error
    if came.status != 200:
        raise _refusal(came)
    return came


def read(reply: Reply, make: Callable[[Any, str], Value]) -> Value:
    """What a function makes of the JSON of an answer and its request's id; raises `NoAnswer` where it is no such JSON."""
    return read_value(lambda told: make(told, reply.request_id), read_json(reply.body))


def read_value(make: Callable[[Any], Value], told: Any) -> Value:
    """What a function makes of a JSON value; raises `NoAnswer` where it is not as the service writes it."""
    try:
        return make(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"what came is no answer of this service: {type(error).__name__} {error}") from None


def read_json(text: bytes) -> Any:
    """The value of a JSON text, with all digits of its numbers; raises `NoAnswer`."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise NoAnswer("what came is not JSON, so it is no answer of this service: is the address right?") from None


def _refusal(reply: Reply) -> Refused:
    """The exception for a status; that of a proxy tells nothing but the status."""
    if reply.headers.get("content-type", "").partition(";")[0] == PROBLEM:
        return read(reply, refused)
    title, detail = "There is no answer", "what answered gave no reason; it may be a proxy before the service"
    return Refused(Problem("about:blank", title, reply.status, detail, {}, reply.request_id))
