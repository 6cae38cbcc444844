"""What differs between two rulesets, in words, and facts about which they answer differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from policy_engine.errors import Violation
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Span

VALUES = "values."
"""What the name of a value follows, where it is a part of an answer."""


class Effect(StrEnum):
    """What a change can alter.

    `ANSWER`: a status, an outcome, the rules that determine it, values, missing facts, whether facts are valid, or on which days
    there are answers. `REASON`: what else is said of an answer: its reason, sources and readings, and how these can be switched.
    `NOTHING`: texts that only describe the rules, and names that no answer tells.
    """

    ANSWER = "answer"
    REASON = "reason"
    NOTHING = "nothing"


class Kind(StrEnum):
    """What kind of part changed."""

    RULESET = "ruleset"
    PERIOD = "period"
    FACT = "fact"
    SOURCE = "source"
    READING = "reading"
    PARAMETER = "parameter"
    TABLE = "table"
    CHECK = "check"
    DEFINITION = "definition"
    DECISION = "decision"
    RULE = "rule"
    CELL = "cell"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one side, and where they stand; "" where they stand in no file."""

    words: str
    span: Span = field(compare=False, default=Span(""))


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One change of a ruleset; `old` and `new` are the words of both sides, None where a side has no such part.

    `name` is that of the part; of a rule, a cell or a value it follows that of its decision: `refund: late-payer`.
    `message` tells the change in a sentence that needs no other.
    """

    ruleset: str
    kind: Kind
    name: str
    effect: Effect
    message: str
    old: Wording | None = None
    new: Wording | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A ruleset as it is asked: on one day, or on any where `day` is None, under readings that are switched."""

    ruleset: Ruleset
    day: date | None = None
    readings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Witness:
    """Facts about which two rulesets answer differently, and what they say.

    A side says a `Decision`, or the violations where the facts are invalid to it. `decision` is the question, "" where the facts
    are valid to one side alone. `part` is what differs of the answers: `answer` (status and outcome), `values.NAME`, `rules` or
    `missing`; else `validity`. Each side was asked on a day of its own, under the readings that were switched.
    """

    decision: str
    part: str
    facts: Mapping[str, Any]
    days: tuple[date, date]
    readings: tuple[Mapping[str, str], Mapping[str, str]]
    old: Decision | tuple[Violation, ...]
    new: Decision | tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """The search for a witness of one change: what was found in so many tries, None where nothing was.

    `alone` where the old side was also asked with nothing changed but this, and then answers as the new one does, or where no
    other change can alter an answer. Else the witness is one of the two sides as they are, and may show another change. Nothing
    was tried where `tries` is 0.
    """

    change: RuleChange
    witness: Witness | None
    tries: int
    alone: bool


@dataclass(frozen=True, slots=True)
class SearchedChanges:
    """All changes from one side to another, each with the search for a witness.

    `witness` is one of the two sides as they are, looked for in so many `tries` where no change has one.
    """

    searched: tuple[Searched, ...]
    witness: Witness | None
    tries: int
