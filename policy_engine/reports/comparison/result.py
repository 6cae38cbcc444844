"""What a comparison found, of all rulesets that were compared."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.language.rule_changes import Effect, RuleChange, Searched, SearchedChanges
from policy_engine.reports.arguments import AUDITOR, CUSTOMER
from policy_engine.reports.compare import Comparison
from policy_engine.reports.comparison.side import Side
from policy_engine.reports.manifest import Digested, FetchedRows


@dataclass(frozen=True, slots=True)
class RulesetCompared:
    """One ruleset on two sides: what changed in its text, the search for witnesses, and whose answers changed.

    `searched` is None where none were looked for, as where there is a table. `people` is None where no table was given, and
    `inputs` are the files of the table, `fetched` its rows where they came from a database. A customer is told that there is a
    witness, not its facts.
    """

    old: Side
    new: Side
    text: tuple[RuleChange, ...] = ()
    searched: SearchedChanges | None = None
    people: Comparison | None = None
    inputs: tuple[Digested, ...] = ()
    fetched: tuple[FetchedRows, ...] = ()
    audience: str = AUDITOR

    @property
    def ruleset(self) -> str:
        """The name of the ruleset."""
        return self.new.ruleset.id

    @property
    def is_for_customers(self) -> bool:
        """Whether facts are withheld."""
        return self.audience == CUSTOMER

    @property
    def is_same(self) -> bool:
        """Whether there is nothing to tell: the rules mean the same, and no table was given."""
        return not self.text and self.people is None and (self.searched is None or self.searched.witness is None)

    def search_for(self, change: RuleChange) -> Searched | None:
        """The search for a witness of a change."""
        return next((each for each in self.searched.searched if each.change == change), None) if self.searched else None


@dataclass(frozen=True, slots=True)
class Compared:
    """All rulesets that were compared, and those that only one side has."""

    rulesets: tuple[RulesetCompared, ...]
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()
    audience: str = AUDITOR

    @property
    def is_for_customers(self) -> bool:
        """Whether facts are withheld."""
        return self.audience == CUSTOMER

    @property
    def told(self) -> tuple[RulesetCompared, ...]:
        """Those of which something is told; a ruleset that was compared alone is told of in any case."""
        return self.rulesets if len(self.rulesets) == 1 else tuple(one for one in self.rulesets if not one.is_same)

    @property
    def same(self) -> tuple[str, ...]:
        """The names of the others."""
        told = {one.ruleset for one in self.told}
        return tuple(one.ruleset for one in self.rulesets if one.ruleset not in told)

    @property
    def compared(self) -> bool:
        """Whether there was something to compare, and in each table that was given an account that could be."""
        return bool(self.rulesets) and all(one.people is None or one.people.compared for one in self.rulesets)

    @property
    def differs(self) -> bool:
        """Whether an answer differs, or may, or a ruleset is only on one side."""
        people = any(one.people is not None and one.people.differs for one in self.rulesets)
        text = any(change.effect is Effect.ANSWER for one in self.rulesets if one.people is None for change in one.text)
        asked = any(one.searched is not None and one.searched.witness is not None for one in self.rulesets)
        return bool(people or text or asked or self.only_old or self.only_new)
