"""What a decision stands on under the readings chosen: what only the branches that are never taken ask for is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policy_engine.backends.settled import OPEN, Settled
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import Mention, depths_of, graph_of, mentions_of, reached

FIXED = (
    tree.Literal,
    tree.Parameter,
    tree.Reading,
    tree.Compare,
    tree.And,
    tree.Or,
    tree.Not,
    tree.Arithmetic,
    tree.Negate,
    tree.Conditional,
)
"""The nodes that depend on no fact, if nothing below them does."""


@dataclass(slots=True)
class Standing:
    """The definitions and decisions of a ruleset: what each asks for, and their order, those below before those above.

    `own` is what definitions ask for under the readings chosen, `fixed` are the names of those that depend on no fact.
    """

    settled: Settled
    graph: dict[Mention, frozenset[Mention]] = field(init=False)
    order: dict[Mention, int] = field(init=False)
    own: dict[Mention, frozenset[Mention]] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        bodies = {Mention("definition", d.name): d.body for d in self.settled.ruleset.definitions}
        self.graph = graph_of(self.settled.ruleset)
        self.order = {mention: place for place, mention in enumerate(depths_of(self.graph))}
        for mention in self.order:
            if mention in bodies:
                self.own[mention] = self.asked([bodies[mention]])
                if all(self._is_fixed(part.tree) for part in tree.expressions_of(bodies[mention])):
                    self.fixed.add(mention.name)

    def asked(self, conditions: Iterable[tree.Condition]) -> frozenset[Mention]:
        """What conditions ask for directly."""
        parts = [part.tree for condition in conditions for part in tree.expressions_of(condition)]
        return frozenset(mention for part in parts for node in self._taken(part) for mention in mentions_of(node))

    def below(self, conditions: Iterable[tree.Condition]) -> list[Mention]:
        """The definitions and decisions that conditions stand on, those below first; of decisions also those that these use.

        What definitions a used decision stands on is its own affair.
        """
        found = reached(self.asked(conditions), self.own)
        used = reached((mention for mention in found if mention.kind == "decision"), self.graph)
        wanted = found | {mention for mention in used if mention.kind == "decision"}
        return sorted((mention for mention in wanted if mention in self.order), key=self.order.__getitem__)

    def _taken(self, node: tree.Node) -> Iterator[tree.Node]:
        """The nodes of an expression but for those of branches that are never taken."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(self._below(node))

    def _below(self, node: tree.Node) -> Iterable[tree.Node]:
        if isinstance(node, tree.Conditional) and self._is_fixed(node.condition):
            chosen = self.settled.constant(node.condition)
            if chosen is not OPEN:
                return [node.condition, node.then if chosen else node.otherwise]
        return tree.children(node)

    def _is_fixed(self, node: tree.Node) -> bool:
        return all(
            one.name in self.fixed if isinstance(one, tree.Definition) else isinstance(one, FIXED)
            for one in tree.walk(node)
        )
