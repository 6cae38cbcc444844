"""What two rulesets answer differently about one question, and whether a single change does it too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from policy_engine.analysis.touched import Touched
from policy_engine.analysis.witnesses import Answering, Question
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rule_changes import VALUES

ANSWER, VALIDITY = "answer", "validity"


class Told(NamedTuple):
    """A question that two rulesets answer differently, "" where facts are valid to one alone.

    `part` is what differs: the outcome, a value, the rules or the missing facts. `same_as_new` where the single change alone
    makes it what the new ruleset says, and not only something else than the old one says.
    """

    decision: str
    part: str
    outcomes: tuple[object, object]
    is_settled: bool
    same_as_new: bool

    @property
    def rank(self) -> tuple[bool, bool]:
        """How well it shows a change: best by what both sides decide, and made by the change alone as on the new side."""
        return self.same_as_new, self.is_settled


def told_apart(
    answering: tuple[Answering, Answering],
    single: Answering | None,
    questions: tuple[Question, Question],
    touched: Touched,
) -> Told | None:
    """What shows best that two rulesets answer differently, of what a change touches; None where nothing does.

    Where there is a `single` change to the old ruleset, that has to answer differently too.
    """
    found = _found(answering, single, questions, touched)
    return max(found, key=lambda told: told.rank, default=None)


def _found(
    answering: tuple[Answering, Answering],
    single: Answering | None,
    questions: tuple[Question, Question],
    touched: Touched,
) -> Iterator[Told]:
    (old, new), (before, after) = answering, questions
    is_valid, was_valid = new.is_valid(after), old.is_valid(before)
    changed = is_valid if single is None else single.is_valid(before)
    if is_valid != was_valid:
        if touched.validity and changed != was_valid:
            yield Told("", VALIDITY, (was_valid, is_valid), is_settled=False, same_as_new=True)
    elif is_valid and changed:
        for name in touched.decisions:
            answers = old.answer(name, before), new.answer(name, after)
            yield from _of_decision(name, answers, answers[1] if single is None else single.answer(name, before))


def _of_decision(name: str, answers: tuple[Decision, Decision], changed: Decision) -> Iterator[Told]:
    """The first part in which two answers differ, and the one that a single change gives from the old one."""
    old, new, single = (_parts(answer) for answer in (*answers, changed))
    differing = [part for part in {**new, **old} if old.get(part) not in (new.get(part), single.get(part))]
    best = max(differing, key=lambda part: single.get(part) == new.get(part), default=None)
    if best is not None:
        outcomes = tuple((answer.status, answer.outcome) for answer in answers)
        settled = all(answer.status is Status.DECIDED for answer in answers)
        yield Told(name, best, (outcomes[0], outcomes[1]), settled, same_as_new=single.get(best) == new.get(best))


def differ_in(part: str, old: Decision, new: Decision) -> bool:
    """Whether a part of two answers differs."""
    return _parts(old).get(part) != _parts(new).get(part)


def _parts(answer: Decision) -> Mapping[str, object]:
    """What an answer says, in the order in which it matters; the outcome stands beside the status."""
    return {
        ANSWER: (answer.status, answer.outcome),
        **{f"{VALUES}{name}": value for name, value in answer.values.items()},
        "rules": answer.rules,
        "missing": answer.missing,
    }
