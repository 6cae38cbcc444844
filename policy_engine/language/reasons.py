"""Which sentences tell the reason of an answer."""

from __future__ import annotations

from policy_engine.language.decisions import Status
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
