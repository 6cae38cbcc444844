"""Finding, for each change of a ruleset, facts about which it makes the answer another one.

Nothing is proved where none are found. What is found was asked of both sides as they are, and by the reference too.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from policy_engine.analysis.changes.sides import Found, Sides
from policy_engine.analysis.nearby_questions import Questions
from policy_engine.analysis.rule_changes import changes_found, sides_as_asked
from policy_engine.analysis.shrinking import shrunk
from policy_engine.analysis.single_changes import with_change
from policy_engine.analysis.telling_apart import Told, differ_in, told_apart
from policy_engine.analysis.touched import Reach, Touched, keys_that_differ, together
from policy_engine.analysis.witnesses import Answering, Question
from policy_engine.errors import FactsError, Violation
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Decision
from policy_engine.language.mentions import expressions_in
from policy_engine.language.rounding import EXACT
from policy_engine.language.rule_changes import Asked, Effect, Kind, RuleChange, Searched, SearchedChanges, Witness
from policy_engine.language.rulesets import Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts

TRIES = 1_000
"""How many questions are drawn for each change."""
MOST_NODES = 400_000
"""Single changes are made to the old side as long as all the rulesets made of it have at most so many nodes together."""


def compare_sides(
    old: Asked, new: Asked, cases: Sequence[RuleCase] = (), tries: int = TRIES, first: date | None = None
) -> SearchedChanges:
    """All changes from one side to another, each that can alter an answer with the search for a witness.

    `cases` are the test cases of both, and `first` is the day that is asked before others. Raises `UnknownReading`.
    """
    sides = sides_as_asked(old, new)
    if not any(changes_found(sides)) and (old.day, old.readings) == (new.day, new.readings):
        return SearchedChanges((), None, 0)
    questions = Questions((sides.old, sides.new), (old, new), cases, first)
    return Search((old, new), sides, questions, tries).comparison()


@dataclass(slots=True)
class Search:
    """The search for witnesses between two sides."""

    asked: tuple[Asked, Asked]
    sides: Sides
    questions: Questions
    tries: int
    reach: tuple[Reach, Reach] = field(init=False)
    answering: tuple[Answering, Answering] = field(init=False)
    shared: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        old, new = self.sides.old, self.sides.new
        self.reach, self.answering = (Reach(old), Reach(new)), (Answering(old), Answering(new))
        self.shared = tuple(name for name in self.reach[1].decisions if name in self.reach[0].decisions)

    def comparison(self) -> SearchedChanges:
        """The changes with their searches; and one for the sides as they are, where no change has a witness."""
        left = MOST_NODES // _size(self.sides.old)
        searched, all_found = [], [*changes_found(self.sides)]
        is_only = self._is_only(all_found)
        for found in all_found:
            if _can_be_seen(found.change):
                one = self._searched(found, alone=left > 0)
                searched.append(replace(one, alone=one.alone or (is_only and one.witness is not None)))
                left -= 1
            else:
                searched.append(Searched(found.change, None, 0, alone=False))
        if any(each.witness is not None for each in searched):
            return SearchedChanges(tuple(searched), None, 0)
        everything = Touched(self.shared, validity=True)
        witness, tries, _ = self._witness(everything, None, Random(self.sides.new.id))
        return SearchedChanges(tuple(searched), witness, tries)

    def _is_only(self, found: Sequence[Found]) -> bool:
        """Whether nothing but one change can make the answers differ, the day and the readings being the same."""
        old, new = self.asked
        alike = (old.day, old.readings) == (new.day, new.readings)
        return alike and sum(each.change.effect is Effect.ANSWER for each in found) == 1

    def _searched(self, found: Found, *, alone: bool) -> Searched:
        """The search for a witness of one change."""
        changed = with_change(self.sides, found.patch) if alone and found.patch is not None else None
        touched = together(self.reach[0].touched(found.change), self.reach[1].touched(found.change), self.shared)
        if found.change.kind is Kind.TABLE:
            touched = replace(touched, numbers=keys_that_differ(self.sides.old, self.sides.new, found.change.name))
        single = None if changed is None else Answering(changed)
        witness, tries, by_it = self._witness(touched, single, Random(found.change.message))
        return Searched(found.change, witness, tries, alone=single is not None and by_it)

    def _witness(self, touched: Touched, single: Answering | None, random: Random) -> tuple[Witness | None, int, bool]:
        """A small witness of both sides, and of a single change to the old one where that is given: the best that is drawn.

        Beside it stands how many questions were tried that a side can be asked, those with facts valid to one at least, and
        whether the single change makes the answer that of the new side.
        """
        best: tuple[Question, Told] | None = None
        starts, tried = [*self.questions.starts], 0
        for question in self.questions.drawn(touched, starts, self.tries, random):
            told = self._told(question, touched, single)
            tried += told is not None or self._is_valid(question)
            if told is not None and (best is None or told.rank > best[1].rank):
                best = question, told
                if all(told.rank):
                    break
                starts += [question] * len(starts)  # every other question is drawn near this one
        if best is None:
            return None, tried, False
        return self._confirmed(*best, single), tried, best[1].same_as_new

    def _is_valid(self, question: Question) -> bool:
        asked = zip(self.answering, self._asked(question), strict=True)
        return any(side.is_valid(of_side) for side, of_side in asked)

    def _told(self, question: Question, touched: Touched, single: Answering | None) -> Told | None:
        return told_apart(self.answering, single, self._asked(question), touched)

    def _asked(self, question: Question) -> tuple[Question, Question]:
        return self.questions.of_side(question, 0), self.questions.of_side(question, 1)

    def _confirmed(self, question: Question, told: Told, single: Answering | None) -> Witness | None:
        """A small witness, on the day that is asked first if it can be; None where the reference finds no difference."""
        touched = Touched((told.decision,) if told.decision else (), not told.decision)
        first = self.questions.first
        usual = first if first is not None and self.questions.can_answer(first) else question.as_of

        def still(less: dict[str, Any]) -> bool:
            return self._told(_with(less, usual), touched, single) == told

        whole = {"as_of": question.as_of, "facts": dict(question.facts), "readings": dict(question.readings)}
        old, new = self._asked(_with(shrunk(whole, still), usual))
        name = told.decision or self.shared[0]
        answers = [_by_reference(*each, name) for each in zip(self.asked, (old, new), strict=True)]
        if not _differ(told.part, *answers):
            return None
        days, readings = (old.as_of, new.as_of), (old.readings, new.readings)
        return Witness(told.decision, told.part, old.facts, days, readings, *answers)


def _with(parts: Mapping[str, Any], usual: date) -> Question:
    """The question of what is left of one: on the usual day where its day is left out."""
    return Question(parts.get("facts", {}), parts.get("as_of", usual), parts.get("readings", {}))


def _can_be_seen(change: RuleChange) -> bool:
    """Whether facts can show a change: both sides are asked, whatever their periods, what both can answer."""
    one_sided = change.kind is Kind.DECISION and (change.old is None or change.new is None)
    return change.effect is Effect.ANSWER and change.kind is not Kind.PERIOD and not one_sided


def _size(ruleset: Ruleset) -> int:
    """The number of nodes of a ruleset, at least 1."""
    return 1 + sum(1 for expression in expressions_in(ruleset) for _ in tree.walk(expression.tree))


def _by_reference(side: Asked, asked: Question, decision: str) -> Decision | tuple[Violation, ...]:
    """The answer of the reference, or the violations."""
    with decimal.localcontext(EXACT):
        try:
            facts = valid_facts(asked.facts, side.ruleset.facts)
            evaluation = Evaluation(side.ruleset, facts, asked.as_of, asked.readings)
            check_facts(evaluation)
        except FactsError as error:
            return error.violations
        return evaluation.decision(decision)


def _differ(part: str, old: Decision | tuple[Violation, ...], new: Decision | tuple[Violation, ...]) -> bool:
    """Whether two sides say different things in a part, or that the facts are valid to one alone."""
    if isinstance(old, Decision) and isinstance(new, Decision):
        return differ_in(part, old, new)
    return isinstance(old, Decision) or isinstance(new, Decision)
