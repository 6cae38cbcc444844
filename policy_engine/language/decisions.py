"""Answers: decisions about facts, as values and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from json.encoder import encode_basestring
from operator import add
from types import MappingProxyType
from typing import Any

from policy_engine.language.sentences import (
    Placeholder,
    Said,
    Sentence,
    pattern_of,
    pieces,
    together,
    undetermined_text,
)
from policy_engine.language.values import Value, to_json


class Status(StrEnum):
    """How a question ended: decided; undetermined, for a fact is missing or something has no value; or in a gap of the rules."""

    DECIDED = "decided"
    UNDETERMINED = "undetermined"
    GAP = "gap"


UNDETERMINED = Status.UNDETERMINED  # in this Python version a look-up in an enumeration is slow


@dataclass(frozen=True, slots=True)
class RulesetReference:
    """Which text decided: the ruleset's id, version and digest."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True)
class Ruling:
    """All of an answer that does not vary with the facts, as plain data: made once, and shared between decisions.

    `readings` are pairs of a reading and its choice, `names` those of the values, `sentences` those of the reason.
    `by_name` makes a dictionary of the values.
    """

    decision: str
    status: Status
    outcome: str | tuple[str, ...] | None
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    ruleset: RulesetReference
    names: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    by_name: Callable[..., dict[str, Value | None]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", paired(self.names))  # it is read too often to be made when it is read

    @cached_property
    def pattern(self) -> str | None:
        """The text of the reason with `%s` for each value, where that is enough to fill it in."""
        return None if self.status is UNDETERMINED else pattern_of(self.sentences)

    @property
    def constant_reason(self) -> str | None:
        """The reason where it is always the same."""
        parts = [part for sentence in self.sentences for part in sentence]
        if self.status is UNDETERMINED or any(isinstance(part, Placeholder) for part in parts):
            return None
        return "".join([piece.text for piece in together(pieces(self.sentences, ()))])

    @cached_property
    def frame(self) -> Frame:
        """What is always the same in the JSON text of an answer."""
        return frame_of(self)

    @cached_property
    def summary(self) -> str:
        """Decision, outcome, rules and status as JSON, the names in this order."""
        told = {"decision": self.decision, "outcome": self.outcome, "rules": self.rules, "status": str(self.status)}
        return _text(told)

    def __reduce__(self) -> tuple[object, ...]:
        return Ruling, tuple(getattr(self, each.name) for each in fields(self) if each.init)


PAIRED: Sequence[Callable[..., Callable[..., dict[str, Any]]]] = (
    lambda: dict,
    lambda a: lambda v: {a: v},
    lambda a, b: lambda v, w: {a: v, b: w},
    lambda a, b, c: lambda v, w, x: {a: v, b: w, c: x},
    lambda a, b, c, d: lambda v, w, x, y: {a: v, b: w, c: x, d: y},
)
"""What pairs so many names with values, written out: `dict(zip(...))` takes twice as long."""


def paired(names: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    """What makes a dictionary of so many values."""
    return (
        PAIRED[len(names)](*names)
        if len(names) < len(PAIRED)
        else lambda *values: dict(zip(names, values, strict=True))
    )


class Decision:
    """The answer to one question about one set of facts: a value that never changes and can be sent to another process.

    `outcome` is a text, for `collect` a tuple of texts, and None for a calculation and where nothing was decided. `rules` are
    the ids of the rules that determined it. `values` holds plain Python values by name (exact: int, Decimal, date), None where
    there is none; all are None unless decided. `missing` are schema paths, in schema order. `as_of` is a civil date in the
    ruleset's time zone. Dictionaries are made when they are read, so changing one changes no answer.
    """

    # Generated code fills these in by itself, which is the quickest way to make an answer: the constant part, the values in the
    # order of its names, the day, what is missing, and the values that the sentences of the reason name (see `sentences.py`);
    # after these, where a decision is undetermined, a tuple of the causes if it misses no fact.
    __slots__ = ("_as_of", "_kept", "_missing", "_own_values", "_ruling")
    _ruling: Ruling
    _own_values: tuple[Value | None, ...]
    _as_of: date
    _missing: tuple[str, ...]
    _kept: tuple[Any, ...]

    @property
    def decision(self) -> str:
        """The id, `ruleset.decision`."""
        return self._ruling.decision

    @property
    def status(self) -> Status:
        """Decided, undetermined or gap."""
        return self._ruling.status

    @property
    def outcome(self) -> str | tuple[str, ...] | None:
        """The outcome; a tuple for `collect`; None where there is none."""
        return self._ruling.outcome

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the determining rules."""
        return self._ruling.rules

    @property
    def values(self) -> dict[str, Value | None]:
        """The values by name."""
        return self._ruling.by_name(*self._own_values) if self._own_values else {}

    @property
    def sources(self) -> tuple[str, ...]:
        """The ids of the sources cited."""
        return self._ruling.sources

    @property
    def readings(self) -> dict[str, str]:
        """The readings used, each with its choice."""
        return dict(self._ruling.readings)

    @property
    def ruleset(self) -> RulesetReference:
        """Which text decided."""
        return self._ruling.ruleset

    @property
    def missing(self) -> tuple[str, ...]:
        """The facts that an undetermined decision misses."""
        return self._missing

    @property
    def as_of(self) -> date:
        """The day that was asked about."""
        return self._as_of

    @property
    def reason(self) -> str:
        """The reason in words."""
        ruling, kept = self._ruling, self._kept
        pattern = ruling.pattern
        if pattern is not None and None not in kept:
            return pattern % kept
        if ruling.status is UNDETERMINED and not ruling.sentences:
            return undetermined_text(self._missing, kept[-1])
        return "".join([piece.text for piece in self.said])

    @property
    def said(self) -> tuple[Said, ...]:
        """The reason in pieces: those that tell a sensitive fact are marked."""
        ruling, kept = self._ruling, self._kept
        sentences = pieces(ruling.sentences, kept)
        if ruling.status is UNDETERMINED:
            sentences.append((Said(undetermined_text(self._missing, kept[-1])),))
        return tuple(together(sentences))

    def to_dict(self) -> dict[str, object]:
        """The same keys in JSON types; satisfies `decision.schema.json`, which `policy schemas` writes."""
        outcome, ruleset = self.outcome, self.ruleset
        return {
            "decision": self.decision,
            "status": str(self.status),
            "outcome": list(outcome) if isinstance(outcome, tuple) else outcome,
            "rules": list(self.rules),
            "reason": self.reason,
            "values": {name: to_json(value) for name, value in self.values.items()},
            "sources": list(self.sources),
            "readings": self.readings,
            "missing": list(self.missing),
            "as_of": self.as_of.isoformat(),
            "ruleset": {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest},
        }

    def to_json(self) -> bytes:
        """`to_dict()` as JSON in UTF-8, without blanks; the same answer always gives the same bytes."""
        return self._ruling.frame.filled(self)

    def summary(self) -> str:
        """Decision, outcome, rules and status as JSON."""
        return self._ruling.summary

    def particulars(self) -> str:
        """Missing facts, reason and values as JSON: all that may tell facts."""
        missing, reason, values = self._ruling.frame.varying(self)
        return f'{{"missing":{missing},"reason":{reason},"values":{{{values}}}}}'

    def _repr_html_(self) -> str:
        """The answer in a notebook."""
        from policy_engine.language.notebook import decision_html  # noqa: PLC0415 - only notebooks need it

        return decision_html(self)

    def _parts(self) -> tuple[object, ...]:
        return self._ruling, self._own_values, self._as_of, self._missing, self._kept

    def __eq__(self, other: object) -> bool:
        return self._parts() == other._parts() if isinstance(other, Decision) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.decision, self.status, self.outcome, self.rules, self.as_of))

    def __reduce__(self) -> tuple[object, ...]:
        return answered, self._parts()

    def __copy__(self) -> Decision:
        return self

    def __deepcopy__(self, memo: object) -> Decision:
        return self

    def __repr__(self) -> str:
        if not all(hasattr(self, name) for name in self.__slots__):
            return "Decision(not filled in)"
        ruling = self._ruling
        told = {"decision": ruling.decision, "status": str(ruling.status), "outcome": ruling.outcome}
        shown = {**told, "rules": ruling.rules, "values": self.values, "missing": self.missing, "as_of": self.as_of}
        return f"Decision({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def answered(
    ruling: Ruling, own_values: tuple[Value | None, ...], as_of: date, missing: tuple[str, ...], kept: tuple[Any, ...]
) -> Decision:
    """A decision of these parts."""
    answer = Decision()
    answer._ruling, answer._own_values = ruling, own_values
    answer._as_of, answer._missing, answer._kept = as_of, missing, kept
    return answer


# Writing answers as JSON: what is the same in all answers of a ruling is encoded once and used again.


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

    def varying(self, answer: Decision) -> tuple[str, str, str]:
        """The texts of an answer's missing facts, of its reason, and of its values with their names."""
        missing = _list(answer._missing) if answer._missing else "[]"
        reason = self.reason or encode_basestring(answer.reason)
        values = "".join(map(add, self.names, map(_value, answer._own_values))) if self.names else ""
        return missing, reason, values

    def _text(self, answer: Decision) -> str:
        missing, reason, values = self.varying(answer)
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
