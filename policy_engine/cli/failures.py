"""A failing case in a few lines: its facts, what was expected and came, and the conditions that decided, with their values."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Verdict
from policy_engine.language.values import Unknown, in_words

MOST_LINES = 15
MOST_OF_FACTS, MOST_FAILURES, LONGEST = 3, 4, 150


def failure_lines(result: CaseResult) -> list[str]:
    """At most `MOST_LINES` lines about a case that failed, the first of them its place and name."""
    case = result.case
    readings = "".join(f", {name}={choice}" for name, choice in case.readings.items())
    facts = ", ".join(f"{name}: {in_words(value)}" for name, value in case.facts.items()) or "none"
    told = [f"{case.span}: {case.name}", *_wrapped(f"  facts on {case.as_of}{readings}: {facts}")]
    told += [_cut(f"  {failure}") for failure in result.failures[:MOST_FAILURES]]
    if len(result.failures) > MOST_FAILURES:
        told.append(f"  and {len(result.failures) - MOST_FAILURES} more")
    wrong = [one for one in result.explanations if _is_wrong(one, result)]
    conditions = [line for explanation in wrong for line in _decided(explanation)]
    free = MOST_LINES - len(told)
    shown = conditions if len(conditions) <= free else [*conditions[: free - 1], "  ... (--trace shows all)"]
    return [*told, *map(_cut, shown)]


def _is_wrong(explanation: Explanation, result: CaseResult) -> bool:
    name = explanation.decision.decision.partition(".")[2]
    return any(failure.startswith((f"{name} ", f"{name}.")) for failure in result.failures)


def _decided(explanation: Explanation) -> Iterator[str]:
    """The rules that were asked, each with the parts that made it true, false or unknown; then the values."""
    for rule in explanation.trace.rules:
        if rule.verdict is not Verdict.NOT_REACHED:
            yield f"  {rule.id} {rule.verdict}{_because(rule)}"
    for step in explanation.trace.values:
        yield f"  {step.text} = {_value(step)}"


def _because(rule: RuleTrace) -> str:
    told = dict.fromkeys(_told(part) for step in rule.steps for part in _deciding(step))
    return f": {'; '.join(told)}" if told else ""


def _deciding(step: Step) -> Iterator[Step]:
    """The smallest parts of a condition that have its truth, and so make it what it is."""
    below = [part for part in step.steps if part.origin is not Origin.LITERAL and _truth(part) == _truth(step)]
    if not below or _truth(step) == "":
        yield step
        return
    for part in below:
        yield from _deciding(part)


def _truth(step: Step) -> str:
    """True, false or unknown; nothing for what is no condition."""
    if isinstance(step.value, Unknown):
        return "unknown"
    return in_words(step.value) if isinstance(step.value, bool) else ""


def _told(step: Step) -> str:
    """A condition with the values that it compares."""
    sides = [f"{part.text} = {_value(part)}" for part in step.steps if part.origin is not Origin.LITERAL]
    beside = f" ({', '.join(sides)})" if sides else ""
    return f"{step.text} is {_value(step)}{beside}"


def _value(step: Step) -> str:
    return "unknown" if isinstance(step.value, Unknown) else in_words(step.value)


def _wrapped(text: str) -> list[str]:
    """A text in as many lines as it needs, up to `MOST_OF_FACTS`."""
    return textwrap.wrap(text, LONGEST, subsequent_indent="    ", max_lines=MOST_OF_FACTS, placeholder=" ...")


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
