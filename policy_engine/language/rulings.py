"""Making the constant part of an answer: outcome, rules, sources and readings (sentences 15, 17 and 23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from policy_engine.language.decisions import RulesetReference, Ruling, Status
from policy_engine.language.rulesets import Conclusion, DecisionLogic, Rules, Ruleset
from policy_engine.language.sentences import Sentence

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
    collects = isinstance(logic.body, Rules) and logic.body.hit == "collect"
    cited = tuple(dict.fromkeys(source for _, conclusion in applied for source in conclusion.sources))
    used = {*logic.readings, *(name for _, conclusion in applied for name in conclusion.readings)}
    return Ruling(
        decision=f"{ruleset.id}.{logic.name}",
        status=status,
        outcome=_outcome(applied, collects),
        rules=tuple(rule for rule, _ in applied),
        sources=(cited if status is Status.DECIDED else ()) or logic.sources,
        readings=tuple((r.name, choices[r.name]) for r in ruleset.readings if r.name in used),
        ruleset=RulesetReference(ruleset.id, ruleset.version, ruleset.digest),
        names=tuple(name for name, _ in logic.answer_types),
        sentences=tuple(sentences),
    )


def _outcome(applied: Applied, collects: bool) -> str | tuple[str, ...] | None:
    outcomes = tuple(dict.fromkeys(conclusion.outcome for _, conclusion in applied if conclusion.outcome is not None))
    if collects:
        return outcomes
    return outcomes[0] if outcomes else None
