"""Many at once: `decide_many` is lazy, tells errors item by item, and threads may share an engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count, islice
from typing import Any

import pytest

from policy_engine import Decision, Engine, FactsError, NotInForce, UnknownDecision, UnknownReading
from tests.conftest import ROOT
from tests.support.rulebook import shipped

DAY = date(2025, 9, 1)
QUESTION = "user_roles.permission"
OWNER = {"activity": "send_test_emails", "role": "account_owner", "acting_in": "own_account_non_partner"}
WRONG = {**OWNER, "role": "nobody"}
FIXTURES = {
    "email_suppression": "senders",
    "payouts": "payouts",
    "sender_health": "sender_health",
    "can_spam": "can_spam",
}
THREADS, ROUNDS = 8, 3


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The shipped rules."""
    return shipped()


def fresh() -> Engine:
    """An engine that has decided nothing yet."""
    return Engine(shipped().rulebook)


def test_one_item_is_taken_at_a_time(engine: Engine) -> None:
    taken = 0

    def endless() -> Iterator[dict[str, object]]:
        nonlocal taken
        for taken in count(1):  # noqa: B007 - told to the test
            yield dict(OWNER)

    answers = engine.decide_many(QUESTION, endless(), as_of=DAY)
    assert taken == 0
    for expected in (1, 2, 3):
        assert next(answers) == engine.decide(QUESTION, OWNER, as_of=DAY)
        assert taken == expected


def test_an_error_stands_in_the_place_of_its_item(engine: Engine) -> None:
    answers = list(engine.decide_many(QUESTION, [OWNER, WRONG, {**OWNER, "role": None}, OWNER], as_of=DAY))
    assert [isinstance(answer, Decision) for answer in answers] == [True, False, True, True]
    assert isinstance(answers[1], FactsError)
    assert [violation.pointer for violation in answers[1].violations] == ["/role"]
    assert answers[3] == answers[0]


@pytest.mark.parametrize("item", [None, 3, "facts", [], object(), {1: 2}])
def test_what_are_no_facts_are_an_error_of_the_item(engine: Engine, item: Any) -> None:
    answers = list(engine.decide_many(QUESTION, [item, OWNER], as_of=DAY))
    assert isinstance(answers[0], FactsError)
    assert isinstance(answers[1], Decision)


def test_an_error_of_the_source_is_the_callers_own(engine: Engine) -> None:
    def broken() -> Iterator[dict[str, object]]:
        yield dict(OWNER)
        raise RuntimeError("the file ended")

    answers = engine.decide_many(QUESTION, broken(), as_of=DAY)
    assert isinstance(next(answers), Decision)
    with pytest.raises(RuntimeError, match="the file ended"):
        next(answers)


@pytest.mark.parametrize(
    ("question", "more", "error"),
    [
        ("user_roles.permissions", {}, UnknownDecision),
        ("no_such.permission", {}, UnknownDecision),
        ("user_roles", {}, UnknownDecision),
        (QUESTION, {"readings": {"no_such": "x"}}, UnknownReading),
        (QUESTION, {"as_of": date(1, 1, 1)}, NotInForce),
        (QUESTION, {"as_of": "2025-09-01"}, TypeError),
    ],
)
def test_what_concerns_all_is_raised_at_once(
    engine: Engine, question: str, more: dict[str, Any], error: type[Exception]
) -> None:
    def untouched() -> Iterator[dict[str, object]]:
        raise AssertionError("nothing should be taken")
        yield {}

    with pytest.raises(error):
        engine.decide_many(question, untouched(), **{"as_of": DAY, **more})


def test_the_answers_are_those_of_decide(engine: Engine) -> None:
    for question, facts, day in list(questions(engine)):
        (answer,) = engine.decide_many(question, [facts], as_of=day)
        assert answer == engine.decide(question, facts, as_of=day)


def questions(engine: Engine) -> Iterator[tuple[str, dict[str, Any], date]]:
    """Questions to some rulesets about a few of their fixtures, on different days."""
    for ruleset, fixture in FIXTURES.items():
        lines = (ROOT / f"fixtures/{fixture}.jsonl").read_text("utf-8").splitlines()
        for index, line in enumerate(islice(lines, 4)):
            day = DAY + timedelta(37 * index)
            for logic in engine.ruleset(ruleset, day).decisions:
                yield f"{ruleset}.{logic.name}", json.loads(line), day


def answered(engine: Engine, asked: Iterable[tuple[str, dict[str, Any], date]]) -> list[dict[str, object]]:
    """The answers in full, or what was wrong with the facts."""
    return [_answer(engine, question, facts, day) for question, facts, day in asked]


def _answer(engine: Engine, question: str, facts: dict[str, Any], day: date) -> dict[str, object]:
    try:
        return engine.decide(question, facts, as_of=day).to_dict()
    except FactsError as error:
        return {"invalid": [violation.pointer for violation in error.violations]}


def test_threads_may_share_an_engine() -> None:
    asked = list(questions(fresh()))
    expected = answered(fresh(), asked)
    shared, barrier = fresh(), threading.Barrier(THREADS)

    def work(offset: int) -> list[list[dict[str, object]]]:
        barrier.wait()
        own = [*asked[offset:], *asked[:offset]]
        return [_rotated(answered(shared, own), -offset) for _ in range(ROUNDS)]

    for rounds in _in_threads(work, [index * len(asked) // THREADS for index in range(THREADS)]):
        assert rounds == [expected] * ROUNDS


def _rotated(items: list[dict[str, object]], by: int) -> list[dict[str, object]]:
    return [*items[by:], *items[:by]] if by else items


def _in_threads(work: Callable[[int], Any], items: list[int]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, items))
