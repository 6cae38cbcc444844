"""Runs the cases of test files, and says which answers are not what their authors expect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from policy_engine.engine import Engine
from policy_engine.errors import FactsError, NotInForce, PolicyError
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.decisions import Decision
from policy_engine.language.traces import Explanation
from policy_engine.language.values import to_json


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case: its failures, none where it passed, and the answers to the decisions it names."""

    case: RuleCase
    failures: tuple[str, ...]
    explanations: tuple[Explanation, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.failures

    @property
    def answers(self) -> tuple[Decision, ...]:
        """The answers, without their traces."""
        return tuple(explanation.decision for explanation in self.explanations)


BLANKS = dict.fromkeys(map(ord, "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"), " ")
"""What formats write where no line may break, and what a person types there."""


class Absent:
    """Stands for a value that an answer does not have; equal to nothing that can be expected."""

    def __str__(self) -> str:
        return "(no such value)"


NO_SUCH = Absent()


def run_case(engine: Engine, case: RuleCase) -> CaseResult:
    """The result of one case."""
    try:
        if case.invalid is not None or case.not_in_force:
            engine.decide_all(case.ruleset, case.facts, as_of=case.as_of, readings=case.readings)
            return CaseResult(case, ("an error is expected, and there is none",))
        answers = {
            name: engine.explain(f"{case.ruleset}.{name}", case.facts, as_of=case.as_of, readings=case.readings)
            for name in case.expect
        }
    except FactsError as error:
        return CaseResult(case, _invalid(case, error))
    except NotInForce as error:
        return CaseResult(case, () if case.not_in_force else (str(error),))
    except PolicyError as error:
        return CaseResult(case, (str(error),))
    failures = failures_of(case, {name: explanation.decision for name, explanation in answers.items()})
    return CaseResult(case, tuple(failures), tuple(answers.values()))


def failures_of(case: RuleCase, answers: Mapping[str, Decision]) -> list[str]:
    """What is not as a case expects it, of the answers to the decisions that it names."""
    failures = [text for name, wanted in case.expect.items() for text in _differences(name, answers[name], wanted)]
    return [*failures, *_without_effect(case, answers.values())]


def _without_effect(case: RuleCase, answers: Collection[Decision]) -> Iterator[str]:
    """The readings that a case switches though none of its answers depends on them."""
    used = {name for answer in answers for name in answer.readings}
    for name in case.readings:
        if name not in used:
            yield f"the reading `{name}` is switched, and no decision of this case rests on it"


def _invalid(case: RuleCase, error: FactsError) -> tuple[str, ...]:
    found = sorted(violation.pointer for violation in error.violations)
    if case.invalid is None:
        return tuple(
            f"the facts are invalid{f' at `{v.pointer}`' if v.pointer else ''}: {v.message}" for v in error.violations
        )
    if found == sorted(case.invalid):
        return ()
    return (f"the facts are invalid at {found}, and the case expects {sorted(case.invalid)}",)


def _differences(name: str, decision: Decision, wanted: Mapping[str, Any]) -> list[str]:
    answer = _with_plain_blanks(decision.to_dict())
    found: list[tuple[str, object, object]] = []
    named: dict[str, Mapping[str, object]] = {"values": decision.values, "readings": decision.readings}
    for part, wish in _with_plain_blanks(wanted).items():
        if part in named and isinstance(wish, dict):
            found += [(f"{name}.{key}", named[part].get(key, NO_SUCH), one) for key, one in wish.items()]
        else:
            given: Any = answer[part]
            if part == "missing" and isinstance(wish, list) and sorted(map(str, wish)) == sorted(given):
                continue  # the order is that of the schema, and no matter
            found.append((f"{name} {part}", tuple(given) if isinstance(given, list) else given, wish))
    return [
        f"{what} is {_shown(is_, wish)}, and the case expects {_shown(wish, is_)}"
        for what, is_, wish in found
        if not same(is_, wish)
    ]


def _with_plain_blanks(parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parts of an answer, or of what is wanted of it; no-break blanks of the reason are blanks, which look the same."""
    reason = parts.get("reason")
    return {**parts, "reason": reason.translate(BLANKS)} if isinstance(reason, str) else parts


def same(value: object, wanted: object) -> bool:
    """Whether a value is what a test file wants of it, which is in JSON types: the type of the value decides what is equal.

    A text is a text and never a number; an integer is no decimal; a decimal may be written as a number or as its own text.

    >>> same("08989", 8989), same(Decimal("4.90"), Decimal("4.9")), same(Decimal("4.90"), "4.90"), same(1, True)
    (False, True, True, False)
    """
    match value, wanted:
        case tuple(), list():
            return len(value) == len(wanted) and all(map(same, value, wanted))
        case Decimal(), Decimal() | int() if not isinstance(wanted, bool):
            return value == wanted
        case ((Decimal() | date()), str()):
            return to_json(value) == wanted
    return type(value) is type(wanted) and bool(value == wanted)


KINDS = {bool: "the boolean ", str: "the text ", int: "the number ", Decimal: "the number "}


def _shown(value: object, beside: object) -> str:
    """A value as a message shows it; its kind is named where the other value is of another kind."""
    match value:
        case None:
            return "nothing"
        case list() | tuple():
            others = beside if isinstance(beside, list | tuple) and len(beside) == len(value) else value
            return f"[{', '.join(map(_shown, value, others))}]"
    kind = KINDS.get(type(value), "")
    named = kind if kind != KINDS.get(type(beside), kind) else ""
    return f"{named}`{_text(value)}`"


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal() | date():
            return str(to_json(value))
    return str(value)
