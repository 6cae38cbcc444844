"""Runs of rules that test one text for equality: a back end makes a look-up of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Rule
from policy_engine.language.types import Text

SHORTEST_RUN = 3
"""So many rules in a row that test one name for equality become a look-up."""


def equality(rule: Rule) -> tuple[tree.Node, tuple[str, ...]] | None:
    """What a rule tests and for which texts, where that is all it does and it gives no values of its own."""
    if rule.then.values or not isinstance(rule.when, tree.Expression):
        return None
    match rule.when.tree:
        case tree.Compare(operator="==", left=left, right=tree.Literal(value=str(value))) if isinstance(
            left.type, Text
        ):
            return left, (value,)
        case tree.In(item=item, list=tree.ListLiteral(elements=elements)) if isinstance(item.type, Text):
            texts = tuple(e.value for e in elements if isinstance(e, tree.Literal) and isinstance(e.value, str))
            return (item, texts) if len(texts) == len(elements) else None
    return None


def runs(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """The rules, those in a row that test one name for equality together."""
    run: list[Rule] = []
    for rule in rules:
        tested, before = equality(rule), equality(run[-1]) if run else None
        if run and not (tested and before and tested[0] == before[0]):
            yield from _whole_or_single(run)
            run = []
        run.append(rule)
    yield from _whole_or_single(run)


def _whole_or_single(run: list[Rule]) -> Iterator[list[Rule]]:
    if len(run) >= SHORTEST_RUN:
        yield run
    else:
        yield from ([rule] for rule in run)
