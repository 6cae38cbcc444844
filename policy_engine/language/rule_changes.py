"""What differs between two rulesets, in words, and facts about which they answer differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from policy_engine.errors import Violation
from policy_engine.language.decisions import Decision
from policy_engine.source import Span


class Effect(StrEnum):
    """What a change can alter.

    `ANSWER`: a status, an outcome, the rules that determine it, values, missing facts, or whether facts are valid and a question
    is answered at all. `REASON`: what else is said of an answer: its reason, sources and readings. `NOTHING`: texts that only
    describe the rules, and names that no answer tells.
    """

    ANSWER = "answer"
    REASON = "reason"
    NOTHING = "nothing"


class Kind(StrEnum):
    """What kind of part changed."""

    RULESET = "ruleset"
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
class Witness:
    """Facts about which two rulesets answer differently, as both were asked, and what they say.

    A side is a `Decision`, or the violations where the facts are invalid to it. `decision` is "" where they are valid to one side
    alone. Each side was asked on a day of its own, under the readings that were switched.
    """

    decision: str
    facts: Mapping[str, Any]
    days: tuple[date, date]
    readings: tuple[Mapping[str, str], Mapping[str, str]]
    old: Decision | tuple[Violation, ...]
    new: Decision | tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """The search for a witness of one change: what was found in so many tries, None where nothing was.

    `alone` where the witness is one of the old ruleset against the same with nothing changed but this. Else it is one of the
    two rulesets as they are, and may show another change.
    """

    change: RuleChange
    witness: Witness | None
    tries: int
    alone: bool
