"""Promises of `docs/semantics.md` that hold for all rulesets and facts, over those that Hypothesis writes."""

from __future__ import annotations

import decimal
import json
import warnings
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, note
from hypothesis import strategies as st

from policy_engine.answering import explained
from policy_engine.backends.python import Program, prepare
from policy_engine.errors import FactsError
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.expressions import Call, Expression, expressions_of, walk
from policy_engine.language.mentions import fact_paths, graph_of, logic_of, mentions_in, reached
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.traces import Step
from policy_engine.language.types import ListOf, Record
from policy_engine.language.values import unknown_parts
from policy_engine.reference.deciding import Evaluation, explanation_of
from tests.support.conformance import Case, load_cases
from tests.support.generated import HEAD, Written, as_json
from tests.support.generated_facts import facts_for, without_references
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement

PROFILE = agreement(500, Phase.generate, Phase.shrink)
ASKING = ("known", "default", "if_known")


@given(questions())
@PROFILE
def test_e2_whatever_is_unknown_misses_facts_that_the_schema_has_or_has_a_cause(question: Question) -> None:
    """So it is at every step on the way to an answer, before anything is left out for not being in the schema.

    That answers name a fact or a cause (sentence 18.3), and that code compiles without a warning, is seen by test_agreement.py.
    """
    note(str(question.written))
    paths = set(fact_paths(question.ruleset.facts.type))
    with decimal.localcontext(EXACT):
        for facts, day in zip(question.facts, question.days, strict=True):
            note(f"{facts} on {day} under {question.readings}")
            evaluation = Evaluation(
                question.ruleset, valid_facts(facts, question.ruleset.facts), day, question.readings
            )
            for logic in question.ruleset.decisions:
                trace = explanation_of(evaluation, logic.name).trace
                steps = [*trace.values, *(step for rule in trace.rules for step in rule.steps)]
                unknown = [part for step in steps for one in walk_steps(step) for part in unknown_parts(one.value)]
                assert all(part.missing <= paths and (part.missing or part.causes) for part in unknown)


def walk_steps(step: Step) -> Iterator[Step]:
    """A step and all below it."""
    yield step
    for below in step.steps:
        yield from walk_steps(below)


@pytest.mark.parametrize("case", [case for case in load_cases() if case.invalid is None], ids=str)
def test_e5_generated_code_compiles_without_a_warning(case: Case) -> None:
    program = prepare(case.ruleset, case.readings, case.as_of)
    facts, _ = to_json_types(case.facts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_all(program, facts, case.as_of)


def test_e5_a_warning_of_the_compiler_would_be_seen() -> None:
    warnings.simplefilter("error")  # pytest takes it back after the test
    with pytest.raises(SyntaxError, match='"is not" with'):
        compile("(-5) is not None", "planted", "exec")


def compile_all(program: Program, facts: Any, day: date) -> None:
    """Have each function of a program compiled."""
    program.checks()(facts, day)
    for decision in program.decide_all()(facts, day).values():
        assert decision.reason or decision.missing is not None
    for logic in program.ruleset.decisions:
        program.missing(logic.name)(program.decide(logic.name)(facts, day), facts, day)
        explained(program, logic.name, facts, day)


# Facts that arrive later (sentence 7.2).


def asked_about(ruleset: Ruleset) -> frozenset[str]:
    """The facts that `known`, `if_known` or the first part of `default` asks about, through definitions and decisions too."""
    conditions = [d.body for d in ruleset.definitions] + [part for d in ruleset.decisions for part in logic_of(d)]
    nodes = [node for part in conditions for expression in expressions_of(part) for node in walk(expression.tree)]
    asked = [node.arguments[0] for node in nodes if isinstance(node, Call) and node.function in ASKING]
    found = reached(mentions_in(Expression("", node) for node in asked), graph_of(ruleset))
    return frozenset(mention.name for mention in found if mention.kind in ("fact", "member"))


def filled(facts: Any, kind: Record, more: Any, left: Collection[str], prefix: str = "") -> Any:
    """Facts with absent members taken from others, at every depth, but for those that are left as they are."""
    made = dict(facts)
    for member in kind.members:
        path, value, other = f"{prefix}{member.name}", facts.get(member.name), more.get(member.name)
        if value is None and other is not None and not any(_touches(path, one) for one in left):
            made[member.name] = other
        elif isinstance(value, dict) and isinstance(member.type, Record):
            made[member.name] = filled(value, member.type, other or {}, left, f"{path}.")
        elif isinstance(value, list) and isinstance(member.type, ListOf) and isinstance(member.type.element, Record):
            others = [*(other or []), *({} for _ in value)]
            pairs = zip(value, others, strict=False)
            made[member.name] = [filled(one, member.type.element, two, left, f"{path}.") for one, two in pairs]
    return made


def _touches(path: str, other: str) -> bool:
    """Whether one of two paths lies at or below the other."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def kept(question: Question, facts: Any, more: Any, left: Collection[str], day: date) -> Iterator[bool]:
    """Of each answer that is decided, whether it is the same over facts that were filled in, where these are valid."""
    ruleset, readings = question.ruleset, question.readings
    later = filled(facts, ruleset.facts.type, more, left)
    try:
        after = Evaluation(ruleset, valid_facts(later, ruleset.facts), day, readings)
    except FactsError:
        return
    before = Evaluation(ruleset, valid_facts(facts, ruleset.facts), day, readings)
    for logic in ruleset.decisions:
        old, new = before.decision(logic.name), after.decision(logic.name)
        if old.status is Status.DECIDED:
            yield _settled(old) == _settled(new)


def _settled(decision: Decision) -> tuple[object, ...]:
    return decision.status, decision.outcome, decision.rules, repr(decision.values)


@given(st.data())
@PROFILE
def test_e6_facts_that_nobody_asks_about_change_no_decided_answer(data: st.DataObject) -> None:
    question = data.draw(questions())
    note(str(question.written))
    more = data.draw(facts_for(without_references(json.loads(question.written.schema, parse_float=Decimal))))
    with decimal.localcontext(EXACT):
        for facts, day in zip(question.facts, question.days, strict=True):
            note(f"{facts} and then more of {more} on {day}")
            assert all(kept(question, facts, more, asked_about(question.ruleset), day))


@pytest.mark.parametrize("asking", ["known(n)", "default(n, 3) == 3", "decisions.e.v == 3"])
def test_e6_facts_that_are_asked_about_do(asking: str) -> None:
    """The property has something to find: if nothing were left out, these answers would change."""
    properties = {"n": {"type": "integer", "minimum": 0, "maximum": 9}}
    rule = {"id": "a", "when": asking, "then": "yes", "because": "So."}
    decisions: dict[str, dict[str, Any]] = {
        "d": {"outcomes": ["yes", "no"], "rules": [rule], "otherwise": {"then": "no", "because": "So."}},
        "e": {"values": {"v": "default(n, 3)"}},
    }
    told = {name: {"question": "?", "source": "one", **decision} for name, decision in decisions.items()}
    ruleset = as_json({**HEAD, "decisions": told})
    schema = as_json({"type": "object", "additionalProperties": False, "properties": properties})
    written = Written(ruleset, schema)
    checked, faults = written.check()
    assert checked is not None, faults
    question = Question(written, checked, ({},), (date(2025, 1, 1),), {})
    assert asked_about(checked) == {"n"}
    assert not all(kept(question, {}, {"n": 5}, (), date(2025, 1, 1)))


# Rules out of force (sentence 20.1).


def test_e4_a_rule_out_of_force_is_in_no_trace() -> None:
    """Neither its id, nor its place, nor what it asks for; the reference and generated Python say the same."""
    day, later = date(2024, 6, 30), date(2025, 6, 30)
    case = next(case for case in load_cases() if case.id.startswith("20-out-of-force"))
    ruleset = case.ruleset
    facts = valid_facts(case.facts, ruleset.facts)
    told = {on: explanation_of(Evaluation(ruleset, facts, on, {}), "d").trace for on in (day, later)}
    assert [rule.id for rule in told[day].rules] == ["always"]
    assert [rule.id for rule in told[later].rules] == ["later", "always"]
    assert "halved" in str(told[later])
    assert "halved" not in str(told[day])
    for on, trace in told.items():
        assert explained(prepare(ruleset, {}, on), "d", to_json_types(case.facts)[0], on).trace == trace
