"""Which sentences tell the reason of an answer, and how their pieces come together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_engine.language.decisions import Said, Status
from policy_engine.language.rulesets import DecisionLogic, Template
from policy_engine.language.rulings import Applied

NO_RULE = Template(("No rule covers these facts.",))
NO_RULE_APPLIES = Template(("No rule applies.",))
CALCULATED = Template(("Calculated from the facts.",))


def sentences_of(logic: DecisionLogic, status: Status, applied: Applied) -> tuple[Template, ...]:
    """The reasons of the rules that apply; or that there is none; or what the decision says of itself."""
    found = tuple(conclusion.because for _, conclusion in applied if conclusion.because.parts)
    if status is Status.GAP:
        return (*found, NO_RULE)
    if found or status is Status.UNDETERMINED:
        return found
    return (logic.because or (CALCULATED if logic.body is None else NO_RULE_APPLIES),)


def undetermined(missing: Sequence[str], causes: Sequence[str]) -> tuple[Said, ...]:
    """Why there is no answer: for want of facts, or where none is missing, for what is not there."""
    if missing:
        return (Said(f"This cannot be decided without {', '.join(missing)}."),)
    return (Said(f"This cannot be decided: {', '.join(causes)}."),)


def together(sentences: Iterable[tuple[Said, ...]]) -> Iterator[Said]:
    """The pieces of sentences with blanks between these; of equal sentences only one."""
    for number, sentence in enumerate(dict.fromkeys(sentences)):
        yield from ((Said(" "),) if number else ())
        yield from sentence
