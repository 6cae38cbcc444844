"""Writing answers as JSON: the part that is the same in all answers of a ruling is encoded once and reused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring
from operator import add
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policy_engine.language.values import Value, to_json

if TYPE_CHECKING:
    from policy_engine.language.decisions import Decision, Ruling


@dataclass(slots=True)
class Frame:
    """What is always the same in the answers of a ruling, and the latest of its answers where these differ in their days alone.

    `head` comes before the reason, `names` before each value, `middle` between these and `missing`, `tail` after the day;
    `reason` is None where it varies.
    """

    head: str
    names: tuple[str, ...]
    middle: str
    tail: str
    reason: str | None
    varies: bool
    latest: tuple[date | None, bytes] = (None, b"")

    def filled(self, answer: Decision) -> bytes:
        """The whole text of an answer; half a character, which UTF-8 cannot hold, is written as JSON escapes it."""
        day, text = self.latest
        if self.varies or day != answer._as_of:
            text = self._text(answer).encode("utf-8", "backslashreplace")
        if not self.varies:
            self.latest = answer._as_of, text
        return text

    def _text(self, answer: Decision) -> str:
        reason = self.reason or encode_basestring(answer.reason)
        values = "".join(map(add, self.names, map(_value, answer._own_values))) if self.names else ""
        missing = _list(answer._missing) if answer._missing else "[]"
        day = _day(answer._as_of)
        return f'{self.head}{reason},"values":{{{values}{self.middle}{missing},"as_of":{day}{self.tail}'


def frame_of(ruling: Ruling) -> Frame:
    """The frame of a ruling's answers."""
    ruleset, reason = ruling.ruleset, ruling.constant_reason
    head = {"decision": ruling.decision, "status": str(ruling.status), "outcome": ruling.outcome, "rules": ruling.rules}
    middle = {"sources": ruling.sources, "readings": dict(ruling.readings)}
    tail = {"ruleset": {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest}}
    return Frame(
        f'{_text(head)[:-1]},"reason":',
        tuple(f"{',' if place else ''}{encode_basestring(name)}:" for place, name in enumerate(ruling.names)),
        f'}},{_text(middle)[1:-1]},"missing":',
        f",{_text(tail)[1:]}",
        None if reason is None else encode_basestring(reason),
        varies=reason is None or bool(ruling.names),
    )


@lru_cache(maxsize=4096)
def _day(day: date) -> str:
    """A day as JSON, which Python takes long to write; answers of one time name few."""
    return f'"{day.isoformat()}"'


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _value(value: Value | None) -> str:
    write = WRITTEN.get(value.__class__)
    return write(value) if write is not None else _text(to_json(value))


def _list(values: Sequence[Value]) -> str:
    return f"[{','.join(map(_value, values))}]"


WRITTEN: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        type(None): lambda _: "null",
        bool: lambda value: "true" if value else "false",
        int: int.__repr__,
        str: encode_basestring,
        tuple: _list,
        date: _day,
    }
)
"""How the commonest values are written."""
