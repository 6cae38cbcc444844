"""Mutation testing: which small faults of a ruleset its test cases would see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from policy_engine.analysis.mutants import Mutant
from policy_engine.analysis.rule_tests import failures_of
from policy_engine.analysis.witnesses import Answering, Nearby, Question, numbers_in, witness
from policy_engine.facts.plain import to_json_types
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.mentions import Mention, expressions_in, facts_reached, graph_of, mentions_in, reached
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Span


class Fate(StrEnum):
    """What became of a mutant: a case fails, no case does, or no difference of its answers was found at all."""

    KILLED = "killed"
    SURVIVED = "survived"
    NO_DIFFERENCE = "no difference found"


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant, what became of it, and for a survivor a case that would kill it, with the present answer."""

    mutant: Mutant
    fate: Fate
    case: RuleCase | None = None


@dataclass(slots=True)
class Mutation:
    """A version of a ruleset with the cases that pass, which its mutants are tried on; `tries` is how often each is asked more.

    The cases are those of this version, the facts of which can be taken to JSON types; `left_out` counts the others. `reached` is
    what each decision mentions, through definitions and other decisions.
    """

    ruleset: Ruleset
    cases: Sequence[RuleCase]
    tries: int
    original: Answering = field(init=False)
    asked: list[tuple[RuleCase, Question]] = field(default_factory=list)
    graph: dict[Mention, frozenset[Mention]] = field(init=False)
    reached: Mapping[str, frozenset[Mention]] = field(init=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        self.original = Answering(self.ruleset)
        self.graph = graph_of(self.ruleset)
        names = [logic.name for logic in self.ruleset.decisions]
        self.reached = {name: reached([Mention("decision", name)], self.graph) for name in names}
        for case in self.cases:
            question = question_of(case)
            if question is None or (case.invalid is None and not self.original.is_valid(question)):
                self.left_out += 1
            else:
                self.asked.append((case, question))

    def tried(self, mutant: Mutant) -> Tried:
        """What becomes of a mutant."""
        changed = Answering(mutant.ruleset)
        decisions = self._affected(mutant)
        if any(self._kills(case, question, changed, decisions) for case, question in self.asked):
            return Tried(mutant, Fate.KILLED)
        case = self._killing(mutant, changed, decisions)
        return Tried(mutant, Fate.SURVIVED if case else Fate.NO_DIFFERENCE, case)

    def needed(self, survivors: Iterable[Tried]) -> Iterator[RuleCase]:
        """Cases that kill survivors, without those whose survivor a case before them kills."""
        added: list[RuleCase] = []
        for tried in survivors:
            assert tried.case is not None
            changed, decisions = Answering(tried.mutant.ruleset), self._affected(tried.mutant)
            if not any(self._kills(case, asked_by(case), changed, decisions) for case in added):
                added.append(tried.case)
                yield tried.case

    def _kills(self, case: RuleCase, question: Question, changed: Answering, decisions: Sequence[str]) -> bool:
        """Whether a case fails under a mutant."""
        if case.invalid is not None:
            return changed.ruleset.checks is not self.ruleset.checks and changed.is_valid(question)
        if changed.ruleset.checks is not self.ruleset.checks and not changed.is_valid(question):
            return True
        if not any(name in decisions for name in case.expect):
            return False
        return bool(failures_of(case, {name: changed.answer(name, question) for name in case.expect}))

    def _affected(self, mutant: Mutant) -> list[str]:
        """The decisions that a mutant may answer differently."""
        changed = {
            Mention(kind, now.name)
            for kind, parts in _NAMED.items()
            for before, now in zip(getattr(self.ruleset, parts), getattr(mutant.ruleset, parts), strict=True)
            if before is not now
        }
        if mutant.ruleset.checks is not self.ruleset.checks:
            return list(self.reached)
        return [name for name, mentions in self.reached.items() if changed & mentions]

    def _killing(self, mutant: Mutant, changed: Answering, decisions: Sequence[str]) -> RuleCase | None:
        """A case that tells a mutant from the ruleset."""
        random = Random(mutant.words)
        starts = [question for case, question in self.asked if case.invalid is None]
        within = [mutant.within] if mutant.within else []
        asked = [Mention("decision", name) for name in decisions]
        found = (facts_reached(self.ruleset, start, self.graph) for start in (mentions_in(within), asked))
        names = next(filter(None, found), None)
        if names is None:
            return None
        numbers = numbers_in(self.ruleset, within or expressions_in(self.ruleset), self.graph)
        near = Nearby(self.ruleset, names, numbers, random)
        told_apart = witness(self.original, changed, decisions, starts, near.drawn, self.tries, random)
        if told_apart is None:
            return None
        decision, question = told_apart
        name = f"{mutant.words} (line {mutant.span.line}, column {mutant.span.column})"
        place = self.cases[0].span
        if not decision and not self.original.is_valid(question):
            return suggested_case(name, self.ruleset, question, place, {}, ("",))
        answer = self.original.answer(decision or decisions[0], question)
        return suggested_case(
            name, self.ruleset, question, place, {answer.decision.partition(".")[2]: expected_of(answer)}
        )


def suggested_case(
    name: str,
    ruleset: Ruleset,
    asked: Question,
    place: Span,
    expect: Mapping[str, Mapping[str, Any]],
    invalid: tuple[str, ...] | None = None,
) -> RuleCase:
    """A case that asks a question, and expects what is answered now."""
    return RuleCase(name, ruleset.id, asked.as_of, asked.facts, asked.readings, expect, invalid, False, place)


def expected_of(answer: Decision) -> dict[str, Any]:
    """What a case has to say of an answer for every other answer to fail it."""
    told = answer.to_dict()
    parts = ["outcome"] if answer.status is Status.DECIDED and answer.outcome is not None else ["status"]
    parts += [part for part in ("rules", "values", "missing") if told[part]]
    return {part: told[part] for part in parts}


_NAMED = {
    "definition": "definitions",
    "decision": "decisions",
    "parameter": "parameters",
    "table": "tables",
    "reading": "readings",
}


def asked_by(case: RuleCase) -> Question:
    """What a case of ours asks: its facts are in JSON types."""
    return Question(case.facts, case.as_of, case.readings)


def question_of(case: RuleCase) -> Question | None:
    """What a case asks; None where its facts have no form in JSON, or no version is in force."""
    facts, unfit = to_json_types(case.facts)
    if case.not_in_force or unfit or not isinstance(facts, dict):
        return None
    return Question(facts, case.as_of, case.readings)
