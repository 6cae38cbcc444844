"""The JSON text of an answer: what a ruling settles is written once, and for each answer only the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from json.encoder import encode_basestring
from operator import add
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from policy_engine.language.values import Value, to_json

if TYPE_CHECKING:
    from policy_engine.language.decisions import Ruling


class Frame(NamedTuple):
    """What is always the same: before the reason, the names before the values, between these and `missing`, after the day."""

    head: str
    names: tuple[str, ...]
    middle: str
    tail: str


def frame_of(ruling: Ruling) -> Frame:
    """The frame of a ruling's answers."""
    ruleset = ruling.ruleset
    head = {"decision": ruling.decision, "status": str(ruling.status), "outcome": ruling.outcome, "rules": ruling.rules}
    middle = {"sources": ruling.sources, "readings": dict(ruling.readings)}
    tail = {"ruleset": {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest}}
    return Frame(
        f'{_text(head)[:-1]},"reason":',
        tuple(f"{',' if place else ''}{encode_basestring(name)}:" for place, name in enumerate(ruling.names)),
        f'}},{_text(middle)[1:-1]},"missing":',
        f'",{_text(tail)[1:]}',
    )


def filled_frame(
    frame: Frame, reason: str, values: Sequence[Value | None], missing: Sequence[str], as_of: date
) -> bytes:
    """The whole text; half a character, which UTF-8 cannot hold, is written as JSON escapes it."""
    head, names, middle, tail = frame
    told = "".join(map(add, names, map(_value, values))) if names else ""
    lacking = _list(missing) if missing else "[]"
    text = f'{head}{encode_basestring(reason)},"values":{{{told}{middle}{lacking},"as_of":"{as_of.isoformat()}{tail}'
    return text.encode("utf-8", "backslashreplace")


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
        date: lambda value: f'"{value.isoformat()}"',
    }
)
"""How the commonest values are written."""
