"""Records of the decision log: a small entry without personal data, and a payload that the entry names by its digest alone.

An entry is canonical JSON: an object with exactly the members of its kind, in UTF-8, names in the order of their code points at
every level, no blanks, no number but integers, and in texts nothing escaped but quotes, backslashes and the control characters
below U+0020 (as \\b, \\t, \\n, \\f, \\r or \\u00XX with small digits). So equal entries are equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from policy_engine.documents.facts_files import read_json
from policy_engine.errors import LogUnavailable
from policy_engine.language.decisions import RulesetReference

FORMAT = 1
"""The version of the form of entries; it stands in each."""
LARGEST_ENTRY = 65_535
"""Bytes of an entry, as bundles of entries count them in 16 bits."""
ID_BYTES, SALT_BYTES = 10, 16
"""Random bytes of an id, and of a salt."""
DOMAIN = b"policy_engine decision log: payload, form 1\n"
"""What begins all that a payload's digest is of, so that nothing else has the same digest."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a question: its entry, its payload and the salt of that, and the account, "" where there is none."""

    id: str
    entry: bytes
    payload: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    account: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an entry says of one decision."""

    decision: str
    status: str
    outcome: str | tuple[str, ...] | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record without personal data.

    `kind` is answer, refusal (the facts were invalid), search, erasure or pruning. `question` is `ruleset.decision`, or a
    ruleset where all its decisions were asked for; `readings` are those that the caller switched, `masked` the paths of the
    facts that the schema keeps out of the log. `violations` counts those of a refusal, `count` the results of a search, or
    the payloads that went with an erasure, which names their `positions` as runs, such as `3-7,12`. `payload` is the digest
    of salt and payload in hexadecimal digits. A pruning takes the entries, and the payloads, before a position.
    """

    kind: str
    id: str
    time: str
    caller: str = ""
    question: str = ""
    as_of: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    ruleset: RulesetReference = field(default=RulesetReference("", "", ""))
    answers: tuple[Answered, ...] = ()
    violations: int = 0
    masked: tuple[str, ...] = ()
    payload: str = ""
    count: int = 0
    positions: str = ""
    entries_before: int = 0
    payloads_before: int = 0


ASKED = ("as_of", "masked", "payload", "question", "readings", "ruleset")
OF_ALL = ("caller", "format", "id", "kind", "time")
MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "answer": tuple(sorted((*OF_ALL, *ASKED, "answers"))),
        "refusal": tuple(sorted((*OF_ALL, *ASKED, "violations"))),
        "search": tuple(sorted((*OF_ALL, "as_of", "count", "payload", "question", "ruleset"))),
        "erasure": tuple(sorted((*OF_ALL, "count", "positions"))),
        "pruning": tuple(sorted((*OF_ALL, "entries_before", "payloads_before"))),
    }
)
"""The members of an entry of each kind."""


def entry_bytes(entry: Entry) -> bytes:
    """The bytes of an entry; raises `LogUnavailable` where they are too many."""
    return sized(canonical({name: _member(entry, name) for name in MEMBERS[entry.kind]}))


def sized(entry: bytes) -> bytes:
    """The bytes of an entry; raises `LogUnavailable` where they are too many."""
    if len(entry) > LARGEST_ENTRY:
        raise LogUnavailable(
            f"the entry would have {len(entry)} bytes, and an entry of the log has at most {LARGEST_ENTRY}; "
            "ask for one decision instead of all, or split the ruleset"
        )
    return entry


def _member(entry: Entry, name: str) -> Any:
    if name == "format":
        return FORMAT
    if name == "ruleset":
        return _members_of(entry.ruleset)
    if name == "answers":
        return [_members_of(answer) for answer in entry.answers]
    return getattr(entry, name)


def _members_of(part: RulesetReference | Answered) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__slots__}


_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """A value without floats as canonical JSON; half a character, which UTF-8 cannot hold, is written as JSON escapes it."""
    return _canonical(value).encode("utf-8", "backslashreplace")


def read_entry(content: bytes) -> Entry:
    """The entry of canonical bytes; raises `ValueError` with a sentence for any others."""
    members = read_json(content.decode())
    kind = members.get("kind") if isinstance(members, dict) else None
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise ValueError(f"an entry is an object whose `kind` is one of {', '.join(MEMBERS)}")
    if tuple(members) != MEMBERS[kind] or members["format"] != FORMAT:
        raise ValueError(f"an entry of the kind {kind} has format {FORMAT} and the members {', '.join(MEMBERS[kind])}")
    try:
        entry = Entry(**{name: _read(name, value) for name, value in members.items() if name != "format"})
        again = entry_bytes(entry)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the entry has a part of the wrong form: {error}") from None
    if again != content:
        raise ValueError("the entry is not canonical JSON: written again it has other bytes")
    return entry


def _read(name: str, value: Any) -> Any:
    """The value of a member, from JSON types; raises `TypeError`, `KeyError` and `AttributeError`."""
    match name:
        case "answers":
            return tuple(map(_answered, _is(list, value)))
        case "ruleset":
            return RulesetReference(**_is(dict, value))
        case "masked":
            return _texts(value)
        case "readings":
            return _is(dict, value)
        case "violations" | "count" | "entries_before" | "payloads_before":
            return _is(int, value)
    return _is(str, value)


def _answered(value: Any) -> Answered:
    decision, status = _is(str, value["decision"]), _is(str, value["status"])
    return Answered(decision, status, _outcome(value["outcome"]), _texts(value["rules"]))


def _outcome(value: Any) -> str | tuple[str, ...] | None:
    return _texts(value) if isinstance(value, list) else value if value is None else _is(str, value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_is(str, text) for text in _is(list, value))


Given = TypeVar("Given")


def _is(kind: type[Given], value: Any) -> Given:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def payload_digest(salt: bytes, payload: bytes) -> str:
    """SHA-256 over `DOMAIN`, the length of the salt in 8 bytes (the highest first), the salt, and the payload."""
    return hashlib.sha256(DOMAIN + len(salt).to_bytes(8) + salt + payload).hexdigest()


def uuid7(milliseconds: int, random: bytes) -> str:
    """A UUID of version 7 (RFC 9562): the milliseconds since 1970 in UTC, then 74 bits of `ID_BYTES` random bytes."""
    high, low = int.from_bytes(random[:2]) & 0x0FFF | 0x7000, int.from_bytes(random[2:ID_BYTES]) & (2**62 - 1) | 2**63
    digits = f"{milliseconds:012x}{high:04x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_bytes(id_: str) -> bytes:
    """The 16 bytes of an id; raises `ValueError` where it is none."""
    content = bytes.fromhex(id_.replace("-", ""))
    if len(content) != 16:
        raise ValueError("an id has 32 digits")
    return content


def milliseconds_of(id_: str) -> int:
    """When a record was made, in milliseconds since 1970 in UTC, from its id."""
    return int(id_.replace("-", "")[:12], 16)


def time_text(milliseconds: int) -> str:
    """Milliseconds since 1970 as an entry tells them, such as 2026-03-01T09:30:00.125Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
