"""Limits on what one request may bring."""

from __future__ import annotations

from typing import Any

from policy_engine.facts.plain import MOST_VALUES
from policy_engine.service.problems import CLOSE, Problem


def refuse_long_body(length: str | None, largest: int) -> None:
    """Raises `Problem` where the header `Content-Length` says that the body is too large."""
    if length is not None and length.isdigit() and (len(length) > 15 or int(length) > largest):
        raise too_large(largest)


def too_large(largest: int) -> Problem:
    """What is answered to a body that is too large; the rest of it is not read."""
    return Problem("too-large", f"the body has more than {largest} bytes", headers=(CLOSE,))


def too_slow(seconds: int) -> Problem:
    """What is answered where the rest of a body does not come."""
    return Problem("too-slow", f"nothing more came for {seconds} seconds", headers=(CLOSE,))


def refuse_many_values(body: bytes, value: Any) -> None:
    """Raises `Problem` for more values than facts may have; a body with few commas cannot have them."""
    if len(body) > MOST_VALUES and body.count(b",") >= MOST_VALUES and _has_many(value):
        raise Problem("too-large", f"there are more than {MOST_VALUES} values")


def _has_many(value: Any) -> bool:
    waiting, met = [value], 0
    while waiting and met <= MOST_VALUES:
        value = waiting.pop()
        met += 1
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return met > MOST_VALUES
