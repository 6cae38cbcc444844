"""The five questions, and the facts they are asked about: fixtures that are valid, about one in twenty undetermined."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks import by_hand
from policy_engine import Decision, Engine
from policy_engine.errors import FactsError

AS_OF = date(2025, 7, 28)
HOW_MANY, UNDETERMINED = 200, 10
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Question:
    """A decision, the function written by hand that answers it too, and the fixture that it is asked about."""

    decision: str
    by_hand: Callable[[by_hand.Facts, date], by_hand.Answer]
    fixture: str
    days_later: int = 0

    @property
    def ruleset(self) -> str:
        """The ruleset's name."""
        return self.decision.partition(".")[0]

    @property
    def name(self) -> str:
        """The decision's own name."""
        return self.decision.partition(".")[2]


QUESTIONS = (
    Question("partner_earnings.new_account_bonus", by_hand.new_account_bonus, "account_moves"),
    Question("user_roles.permission", by_hand.permission, "role_questions"),
    Question("charge_retry.charge_status", by_hand.charge_status, "charge_retry", days_later=28),
    Question("email_suppression.suppression_removal", by_hand.suppression_removal, "senders"),
    Question("email_limits.set_limit", by_hand.set_limit, "email_limits"),
)
"""The charges are moved by four weeks, so that on the day asked about some are between their attempts."""


def load_engine() -> Engine:
    """The rulebook."""
    return Engine.load(ROOT / "rules", ROOT / "schemas")


def facts_for(engine: Engine, question: Question) -> list[dict[str, Any]]:
    """The mix of facts for a question, in an order that looks random and is always the same."""
    known: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    for facts in _fixture(question):
        try:
            decision = engine.decide(question.decision, facts, as_of=AS_OF)
        except FactsError:
            continue
        (known if decision.status == "decided" else unknown).append(facts)
    mix = [*islice(cycle(known), HOW_MANY - UNDETERMINED), *islice(cycle(unknown), UNDETERMINED)]
    random.Random(0).shuffle(mix)
    return [json.loads(json.dumps(facts)) for facts in mix]


def _fixture(question: Question) -> Iterator[dict[str, Any]]:
    for line in (ROOT / "fixtures" / f"{question.fixture}.jsonl").read_text().splitlines():
        yield json.loads(_moved(line, timedelta(days=question.days_later)) if question.days_later else line)


def _moved(line: str, later: timedelta) -> str:
    """The same facts with every day so much later."""
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: str(date.fromisoformat(found[0]) + later), line)


def answer_of(decision: Decision) -> by_hand.Answer:
    """Our answer in the form of the one by hand, with all that there is to know."""
    rule = decision.rules[0] if decision.rules else None
    values = decision.values if decision.status == "decided" else {}
    outcome = decision.outcome if isinstance(decision.outcome, str) else None
    return by_hand.Answer(str(decision.status), outcome, rule, values, decision.missing)


def check_by_hand(engine: Engine, question: Question, mix: list[dict[str, Any]]) -> None:
    """Raise where the function by hand gives another answer."""
    for facts in mix:
        ours = answer_of(engine.decide(question.decision, facts, as_of=AS_OF))
        theirs = question.by_hand(facts, AS_OF)
        if ours != theirs:
            raise AssertionError(f"{question.decision}: {facts}: {ours} is not {theirs}")
