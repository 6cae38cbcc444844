"""Faults of meaning in a ruleset whose types are right: what is never used, and what can never be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.language import mentions
from policy_engine.language.expressions import Condition, Expression, Literal
from policy_engine.language.rulesets import ALWAYS, DecisionLogic, Matrix, Rules, Ruleset, conclusions_of

Lint = Callable[[Ruleset], Iterator[Diagnostic]]


def lint(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Every finding of every lint."""
    for find in LINTS:
        yield from find(ruleset)


def _mentioned(ruleset: Ruleset, kind: str) -> set[str]:
    """Names of a kind that a check or a decision, its sentences included, mentions, through definitions."""
    graph = mentions.graph_of(ruleset)
    asked = chain.from_iterable((*mentions.logic_of(d), *mentions.wording_of(d)) for d in ruleset.decisions)
    start = mentions.mentions_in([*asked, *(check.expect for check in ruleset.checks)])
    return {mention.name for mention in mentions.reached(start, graph) if mention.kind == kind}


def unused_definitions(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Definitions that nothing uses."""
    used = _mentioned(ruleset, "definition")
    return (say("unused-definition", d.span, name=d.name) for d in ruleset.definitions if d.name not in used)


def unused_parameters(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Parameters that nothing uses."""
    used = _mentioned(ruleset, "parameter")
    return (say("unused-parameter", p.span, name=p.name) for p in ruleset.parameters if p.name not in used)


def unused_readings(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Readings that could be switched, had they any effect."""
    used = _mentioned(ruleset, "reading")
    loose = (r for r in ruleset.readings if r.name not in used and not r.fixed)
    return (say("unused-reading", r.span, name=r.name) for r in loose)


def unused_sources(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Sources that no rule, reading, parameter or check cites."""
    cited = {source for decision in ruleset.decisions for source in decision.sources}
    cited |= {reading.source for reading in ruleset.readings if reading.source}
    cited |= {parameter.source for parameter in ruleset.parameters if parameter.source}
    cited |= {check.source for check in ruleset.checks if check.source}
    return (say("unused-source", s.span, name=s.id) for s in ruleset.sources if s.id not in cited)


def unused_outcomes(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Outcomes that no rule gives."""
    for decision in ruleset.decisions:
        given = {conclusion.outcome for _, conclusion in conclusions_of(decision.body)}
        yield from (say("unused-outcome", decision.span, name=o) for o in decision.outcomes if o not in given)


def unreachable_rules(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Rules behind one that is always true, or that asks the same."""
    for decision in ruleset.decisions:
        if isinstance(decision.body, Rules) and decision.body.hit == "first":
            yield from _behind(decision, decision.body)


def _behind(decision: DecisionLogic, body: Rules) -> Iterator[Diagnostic]:
    before: list[tuple[str, Condition]] = []
    for rule in body.rules:
        always = next((id_ for id_, when in before if _is_true(when)), None)
        same = next((id_ for id_, when in before if when == rule.when), None)
        if always is not None:
            yield say("unreachable-rule", rule.span, why=f"`{always}` before it is always true")
        elif same is not None:
            yield say("unreachable-rule", rule.span, why=f"`{same}` before it asks the same")
        if rule.period == ALWAYS:
            before.append((rule.id, rule.when))


def _is_true(when: Condition) -> bool:
    return isinstance(when, Expression) and isinstance(when.tree, Literal) and when.tree.value is True


def facts_read(ruleset: Ruleset) -> frozenset[str]:
    """Paths of the schema that a ruleset reads, sentences included."""
    matrices = (d.body for d in ruleset.decisions if isinstance(d.body, Matrix))
    axes = mentions.mentions_in(chain.from_iterable((m.rows, m.columns) for m in matrices))
    names = _mentioned(ruleset, "fact") | _mentioned(ruleset, "member")
    return frozenset(names | {mention.name for mention in axes})


LINTS: tuple[Lint, ...] = (
    unused_definitions,
    unused_parameters,
    unused_readings,
    unused_sources,
    unused_outcomes,
    unreachable_rules,
)
