"""From a question to the bytes of its answer: that of `Decision.to_json()`, or as much of it as was asked for and may be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from policy_engine.engine import NO_READINGS, Engine
from policy_engine.errors import FactsError
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.traces import Explanation
from policy_engine.language.values import to_json
from policy_engine.reports.explanations import Reader, explained, withheld_from_customers
from policy_engine.service.problems import json_bytes
from policy_engine.service.requests import Detail, Question

FOR_CUSTOMERS = ("decision", "status", "outcome", "as_of", "ruleset")
"""What of an answer a customer is told beside the explanation; the rest could tell what is withheld."""


Counted = Callable[[Decision], None]
"""What hears of every decision."""


def answer(engine: Engine, question: Question, day: date, counted: Counted = lambda decision: None) -> bytes:
    """The answer as JSON; of all decisions of a ruleset as an object with one for each. Raises like `Engine.decide`."""
    if question.reader is None and question.detail is not Detail.TRACE:
        return _decided(engine, question, day, counted)
    try:
        return _explained(engine, question, day, counted)
    except FactsError as error:
        if question.reader is Reader.CUSTOMER:
            raise withheld_from_customers(error, engine.ruleset(question.ruleset, day)) from None
        raise


def decided(engine: Engine, question: Question, day: date, counted: Counted) -> Decision:
    """The answer to a question about one decision; raises like `Engine.decide`."""
    readings = question.readings or NO_READINGS
    decision = engine.decide(question.name, question.facts, as_of=day, readings=readings)
    counted(decision)
    return decision


def _decided(engine: Engine, question: Question, day: date, counted: Counted) -> bytes:
    write: Callable[[Decision], bytes] = Decision.to_json if question.detail is Detail.REASON else without_reason
    if question.decision:
        return write(decided(engine, question, day, counted))
    readings = question.readings or NO_READINGS
    answers = engine.decide_all(question.ruleset, question.facts, as_of=day, readings=readings)
    for decision in answers.values():
        counted(decision)
    return _joined((name, write(decision)) for name, decision in answers.items())


def _joined(answers: Iterable[tuple[str, bytes]]) -> bytes:
    """One object of several answers by name."""
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), text) for name, text in answers)


def without_reason(decision: Decision) -> bytes:
    """An answer without its reason, which takes the longest to write."""
    outcome, ruleset = decision.outcome, decision.ruleset
    return json_bytes(
        {
            "decision": decision.decision,
            "status": str(decision.status),
            "outcome": outcome,
            "rules": decision.rules,
            "values": {name: to_json(value) for name, value in decision.values.items()},
            "missing": decision.missing,
            "as_of": decision.as_of.isoformat(),
            "ruleset": {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest},
        }
    )


def _explained(engine: Engine, question: Question, day: date, counted: Counted) -> bytes:
    ruleset = engine.ruleset(question.ruleset, day)
    names = [question.decision] if question.decision else [logic.name for logic in ruleset.decisions]
    readings = question.readings or NO_READINGS
    told: dict[str, object] = {}
    for name in names:
        explanation = engine.explain(f"{ruleset.id}.{name}", question.facts, as_of=day, readings=readings)
        counted(explanation.decision)
        told[name] = _told(explanation, question, ruleset)
    return json_bytes(told[question.decision] if question.decision else told)


def _told(explanation: Explanation, question: Question, ruleset: Ruleset) -> dict[str, object]:
    """An answer in JSON types, with what its reader is told of how it came about."""
    reader, detail = question.reader, question.detail
    answered = explanation.to_dict() if detail is Detail.TRACE else explanation.decision.to_dict()
    if reader is Reader.CUSTOMER:
        answered = {name: answered[name] for name in FOR_CUSTOMERS}
    if detail is Detail.NONE:
        answered.pop("reason", None)
    elif reader is not None:
        answered["explanation"] = [section.to_dict() for section in explained(explanation, ruleset, reader)]
    return answered
