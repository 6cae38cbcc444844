"""The part of an answer that is the same for all facts that lead to it: outcome, rules, sources, readings and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from policy_engine.language.decisions import RulesetReference, Ruling, Status
from policy_engine.language.rulesets import Conclusion, DecisionLogic, Ruleset, Template
from policy_engine.language.sentences import Sentence

NO_RULE = Template(("No rule covers these facts.",))
NO_RULE_APPLIES = Template(("No rule applies.",))
CALCULATED = Template(("Calculated from the facts.",))
Applied = Sequence[tuple[str, Conclusion]]
"""The rules that apply, each with what follows from it."""


def ruling_of(
    ruleset: Ruleset,
    choices: Mapping[str, str],
    logic: DecisionLogic,
    status: Status,
    applied: Applied,
    sentences: Iterable[Sentence],
) -> Ruling:
    """What an answer says by its status and the rules that apply. Undetermined and gap cite all of the decision's sources."""
    cited = tuple(dict.fromkeys(source for _, conclusion in applied for source in conclusion.sources))
    used = {*logic.readings, *(name for _, conclusion in applied for name in conclusion.readings)}
    return Ruling(
        decision=f"{ruleset.id}.{logic.name}",
        status=status,
        outcome=outcome_of(logic, applied),
        rules=tuple(rule for rule, _ in applied),
        sources=(cited if status is Status.DECIDED else ()) or logic.sources,
        readings=tuple((r.name, choices[r.name]) for r in ruleset.readings if r.name in used),
        ruleset=RulesetReference(ruleset.id, ruleset.version, ruleset.digest),
        names=tuple(name for name, _ in logic.answer_types),
        sentences=tuple(sentences),
    )


def outcome_of(logic: DecisionLogic, applied: Applied) -> str | tuple[str, ...] | None:
    """The outcome of the rules that apply; a tuple where rules are collected, None where there is none."""
    outcomes = tuple(dict.fromkeys(conclusion.outcome for _, conclusion in applied if conclusion.outcome is not None))
    if logic.collects:
        return outcomes
    return outcomes[0] if outcomes else None


def sentences_of(logic: DecisionLogic, status: Status, applied: Applied) -> tuple[Template, ...]:
    """The sentences of a reason: those of the rules that apply, else that none applies, or the decision's own sentence."""
    found = tuple(conclusion.because for _, conclusion in applied if conclusion.because.parts)
    if status is Status.GAP:
        return (*found, NO_RULE)
    if found or status is Status.UNDETERMINED:
        return found
    return (logic.because or (CALCULATED if logic.body is None else NO_RULE_APPLIES),)
