"""Running the cases of test files: which answers are not what their authors expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.engine import Engine
from policy_engine.errors import FactsError, NotInForce, PolicyError
from policy_engine.frontend.rule_tests import RuleCase
from policy_engine.language.decisions import Decision, Explanation


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case: its failures, none where it passed, and the answers to the decisions it names."""

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


def run_case(engine: Engine, case: RuleCase) -> CaseResult:
    """The result of one case."""
    try:
        if case.invalid is not None or case.not_in_force:
            engine.decide_all(case.ruleset, case.facts, as_of=case.as_of, readings=case.readings)
            return CaseResult(case, ("an error is expected, and there is none",))
        answers = {name: _ask(engine, case, name) for name in case.expect}
    except FactsError as error:
        return CaseResult(case, _invalid(case, error))
    except NotInForce as error:
        return CaseResult(case, () if case.not_in_force else (str(error),))
    except PolicyError as error:
        return CaseResult(case, (str(error),))
    failures = [text for name, wanted in case.expect.items() for text in _differences(name, answers[name], wanted)]
    return CaseResult(case, tuple(failures), tuple(answers.values()))


def _ask(engine: Engine, case: RuleCase, name: str) -> Explanation:
    return engine.explain(f"{case.ruleset}.{name}", case.facts, as_of=case.as_of, readings=case.readings)


def _invalid(case: RuleCase, error: FactsError) -> tuple[str, ...]:
    told = sorted(violation.pointer for violation in error.violations)
    if case.invalid is None:
        return tuple(
            f"the facts are invalid{f' at `{v.pointer}`' if v.pointer else ''}: {v.message}" for v in error.violations
        )
    if told == sorted(case.invalid):
        return ()
    return (f"the facts are invalid at {told}, and the case expects {sorted(case.invalid)}",)


def _differences(name: str, explanation: Explanation, wanted: Mapping[str, Any]) -> list[str]:
    answer = explanation.decision.to_dict()
    found = []
    for part, value in wanted.items():
        if isinstance(value, dict):
            values = answer[part]
            assert isinstance(values, dict)
            pairs = [(f"{name}.{key}", values.get(key, "(no such value)"), wish) for key, wish in value.items()]
        else:
            pairs = [(f"{name} {part}", answer[part], value)]
        found += [
            f"{what} is {_shown(is_)}, and the case expects {_shown(wish)}"
            for what, is_, wish in pairs
            if not _same(is_, wish)
        ]
    return found


def _same(found: Any, wanted: Any) -> bool:
    """Equal in JSON types; a decimal, which is text in an answer, equals the number that an author writes."""
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(found, str) and isinstance(wanted, int | Decimal) and not isinstance(wanted, bool):
        return _is_number(found) and Decimal(found) == wanted
    return type(found) is type(wanted) and bool(found == wanted)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case list():
            return f"[{', '.join(map(_shown, value))}]"
        case _:
            return f"`{value}`"
