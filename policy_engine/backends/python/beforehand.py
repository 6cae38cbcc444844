"""Definitions and used decisions worked out before anything that stands on them, each once.

As a rule they are worked out where they are first needed. Where many branches need them that writes them again and again, and
where each of a chain of definitions is used twice, twice as much with every link; then they are written beforehand instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.specialize import constant
from policy_engine.language.mentions import Mention, depths_of, graph_of, reached
from policy_engine.language.rulesets import Ruleset


def below(ruleset: Ruleset, start: Iterable[Mention]) -> Mapping[Mention, int]:
    """The definitions and decisions that something stands on, with their depths, those below first."""
    graph = graph_of(ruleset)
    wanted = reached(start, graph)
    return {mention: depth for mention, depth in depths_of(graph).items() if mention in wanted}


def work_out(to: Expressions, mentions: Iterable[Mention], asking: str) -> None:
    """Work out definitions, and the decisions that are used by the one that is asking."""
    for mention in mentions:
        if mention.kind == "decision" and mention.name != asking:
            to.use(mention.name)
        elif mention.kind == "definition":
            _define(to, mention.name)


def _define(to: Expressions, name: str) -> None:
    body = to.ruleset.definition(name).body
    if constant(body) is None:
        to.writer.once(f"def_{name}", lambda: to.condition_code(body))
