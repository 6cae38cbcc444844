"""The nodes of a typed tree: each has the author's words of its part, and a number of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Ratio
from tests.test_near_misses import with_definitions

EXPRESSIONS = [
    "a - (b - 1) - 2",
    "(a + b) * 2 - -a",
    "a * (b // 3) % 7",
    "-(a + b)",
    "(a if ok else b) + 1",
    "a if ok else (b if not ok else 1)",
    "not (ok or a > 1) and (ok or b > 2)",
    "not ok and a == 1",
    "a < b <= 10",
    'plan in ["free", "paid"] and plan not in ["free"]',
    'plan == "free" or ok == true',
    "days_between(opened, closed) > wait - grace",
    "count(e for e in events if e.on <= as_of and known(e.size)) >= 2",
    "any(e.size > a or e.size < b for e in (list(f for f in events if f.size > 1)))",
    "sum(default(e.size, 0) for e in events) / (a + 1) > 0.25",
    'round(amount * 0.15, 2, "half_even")',
    "first(e for e in events).size",
    "a if ok else unknown",
    "max(a, b, 3) == min(e.size for e in events)",
]


def nodes_of(ruleset: Ruleset) -> Iterator[tree.Node]:
    for definition in ruleset.definitions:
        assert isinstance(definition.body, tree.Expression)
        yield from tree.walk(definition.body.tree)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_words_of_a_part_mean_that_part(tmp_path: Path, text: str) -> None:
    """Each part that has no variable of a loop around it, written as a definition of its own, gives the same node."""
    parts = [n for n in nodes_of(with_definitions(tmp_path, {"d": text})) if _stands_alone(n)]
    again = with_definitions(tmp_path, {f"d{at}": node.text for at, node in enumerate(parts)})
    bodies = [d.body.tree for d in again.definitions if isinstance(d.body, tree.Expression)]
    assert bodies == parts
    assert parts[0].text == text


def _stands_alone(node: tree.Node) -> bool:
    bound = {part.variable for part in tree.walk(node) if isinstance(part, tree.Aggregate)}
    loose = any(isinstance(part, tree.Variable) and part.name not in bound for part in tree.walk(node))
    words = isinstance(node, tree.LeftUnknown) or (isinstance(node, tree.In) and " not in " in node.text)
    return not (loose or words or isinstance(node, tree.Literal) or isinstance(node.type, Ratio))


def test_numbers_are_of_one_node_each_and_the_same_for_the_same_text(tmp_path: Path) -> None:
    texts = {f"d{at}": text for at, text in enumerate(EXPRESSIONS)}
    nodes = list(nodes_of(with_definitions(tmp_path, texts)))
    distinct = {id(node): node for node in nodes}
    assert len({node.id for node in distinct.values()}) == len(distinct)
    assert [node.id for node in nodes_of(with_definitions(tmp_path, texts))] == [node.id for node in nodes]


def test_a_chain_is_one_node_whose_links_share_their_sides(tmp_path: Path) -> None:
    (body,) = (d.body for d in with_definitions(tmp_path, {"d": "a  <  b <= (10)"}).definitions)
    assert isinstance(body, tree.Expression)
    chain = body.tree
    assert isinstance(chain, tree.Chain)
    assert [link.text for link in chain.operands] == ["a < b", "b <= 10"]
    first, second = (tree.sides_of(link) for link in chain.operands)
    assert first[1] is second[0]
