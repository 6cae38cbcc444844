"""The missing facts of decisions as columns of a query: lists of their paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from policy_engine.backends.missing_decisions import MissingDecisions
from policy_engine.backends.missing_facts import BITS
from policy_engine.backends.sql.build import Sql, choose
from policy_engine.backends.sql.decisions import Decided
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.missing import Missing
from policy_engine.language.mentions import Mention, graph_of
from policy_engine.language.mentions import reached as mentioned
from policy_engine.language.types import TEXT, ListOf


@dataclass(slots=True)
class MissingPaths:
    """Writes the missing facts of decisions."""

    to: Expressions
    decided: Callable[[str], Decided]
    masks: MissingDecisions[Sql] = field(init=False)
    graph: dict[Mention, frozenset[Mention]] = field(init=False)

    def __post_init__(self) -> None:
        self.masks = MissingDecisions(partial(Missing, self.to), self.decided)
        self.graph = graph_of(self.to.ruleset)

    def of(self, name: str) -> Sql:
        """The missing facts of a decision as a list, in the order of the schema; null where it is not undetermined."""
        decided, dialect = self.decided(name), self.to.dialect
        words = [self.to.kept(word, f"{name}_missing") for word in self.masks.decision(name) or ()]
        told = [
            choose([(words[at // BITS].bits(1 << at % BITS).compared("!=", 0), path)])
            for at, path in enumerate(self.masks.missing.paths)
            if words and self._may_be_missing(name, path)
        ]
        if not told:
            return choose([(decided.undetermined, dialect.texts([]))], dialect.nothing(ListOf(TEXT)))
        return choose([(decided.undetermined, dialect.compacted(dialect.texts(told)))])

    def _may_be_missing(self, name: str, path: str) -> bool:
        """Whether a decision asks for a path at all."""
        found = mentioned([Mention("decision", name)], self.graph)
        return Mention("fact", path) in found or Mention("member", path) in found
