"""An engine with a log: what is recorded, before it is answered, and what happens where it cannot be."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine import (
    CannotRun,
    Decision,
    DecisionLog,
    Engine,
    FactsError,
    LogUnavailable,
    UnknownDecision,
    open_log,
)
from policy_engine.decision_log.in_process import DecisionLog as Log
from policy_engine.decision_log.opening import create_log
from policy_engine.decision_log.recording import Moment, Recorder
from policy_engine.decision_log.records import Record, read_entry
from policy_engine.engine import GROUP, Asked
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.decision_log.recording import WorkersLog
from tests.test_log_recording import DAY, FACTS, RULES, schema

SCHEMA = json.dumps(schema({"account_id": {"x-account": True}}))
INVALID = {"account_id": "B-2", "age": -1}


class Memory:
    """A log that keeps records in lists, a list for each time it is written."""

    def __init__(self) -> None:
        self.written: list[Sequence[Record]] = []
        self.recorder = Recorder(b"k" * 32)
        self.made = 0

    def record(self, asked: Asked, ruleset: Ruleset, told: Sequence[Decision] | FactsError) -> Record:
        self.made += 1
        moment = Moment(self.made, self.made.to_bytes(26))
        if isinstance(told, FactsError):
            return self.recorder.refused(asked, ruleset, told, "tests", moment)
        return self.recorder.answered(asked, ruleset, told, "tests", moment)

    def append(self, records: Sequence[Record]) -> None:
        self.written.append(records)


class Full(Memory):
    """A log that cannot be written."""

    def append(self, records: Sequence[Record]) -> None:
        raise LogUnavailable("the disk is full")


def engine(log: Any) -> Engine:
    """The rules about loans with a log."""
    return Engine.from_text({"loan": RULES}, {"person": SCHEMA}, log=log)


def questions(memory: Memory) -> list[list[tuple[str, str]]]:
    """The kinds and questions of what was written, by the times that it was."""
    return [
        [(entry.kind, entry.question) for entry in (read_entry(one.entry) for one in each)] for each in memory.written
    ]


def test_each_way_to_ask_is_recorded_once() -> None:
    memory = Memory()
    rules = engine(memory)
    rules.decide("loan.may_borrow", FACTS, as_of=DAY)
    rules.decide_all("loan", FACTS, as_of=DAY)
    rules.explain("loan.offers", FACTS, as_of=DAY)
    rules.decide("loan.may_borrow", FACTS, as_of=DAY, trusted=True, readings={"bound": "no"})
    names = ["loan.may_borrow", "loan", "loan.offers", "loan.may_borrow"]
    assert questions(memory) == [[("answer", name)] for name in names]
    assert read_entry(memory.written[3][0].entry).readings == {"bound": "no"}
    assert len(read_entry(memory.written[1][0].entry).answers) == 3


def test_answers_are_those_of_an_engine_without_a_log() -> None:
    rules, plain = engine(Memory()), engine(None)
    assert rules.decide("loan.offers", FACTS, as_of=DAY) == plain.decide("loan.offers", FACTS, as_of=DAY)
    assert rules.decide_all("loan", FACTS, as_of=DAY) == plain.decide_all("loan", FACTS, as_of=DAY)
    told, expected = (each.explain("loan.offers", FACTS, as_of=DAY).to_dict() for each in (rules, plain))
    assert told == expected


def test_invalid_facts_are_recorded_and_raise_as_before() -> None:
    memory = Memory()
    rules = engine(memory)
    for ask in (rules.decide, rules.explain):
        with pytest.raises(FactsError, match="/age"):
            ask("loan.offers", INVALID, as_of=DAY)
    with pytest.raises(FactsError, match="/age"):
        rules.decide_all("loan", INVALID, as_of=DAY)
    assert questions(memory) == [[("refusal", "loan.offers")], [("refusal", "loan.offers")], [("refusal", "loan")]]
    assert [each[0].account for each in memory.written] == ["B-2"] * 3


def test_what_is_no_answer_is_not_recorded() -> None:
    memory = Memory()
    rules = engine(memory)
    with pytest.raises(UnknownDecision):
        rules.decide("loan.offer", FACTS, as_of=DAY)
    assert not rules.is_valid("loan", INVALID, as_of=DAY)
    assert rules.validate("loan", INVALID, as_of=DAY)
    assert rules.decide_table(pl.DataFrame({"age": [40], "income": [5]}), "loan", as_of=DAY).decisions.height == 1
    assert memory.written == []


def test_many_are_recorded_together_before_the_first_answer_is_given() -> None:
    memory = Memory()
    rules, taken = engine(memory), []

    def facts() -> Iterator[dict[str, Any]]:
        shared: dict[str, Any] = {}
        for number in range(GROUP + 3):
            taken.append(number)
            shared.update(account_id=str(number), age=-1 if number == 1 else number % 90, income=5)
            yield shared  # the same object again and again: a record is made when its answer is

    answers = rules.decide_many("loan.offers", facts(), as_of=DAY)
    assert (taken, memory.written) == ([], [])
    first = next(answers)
    assert (len(taken), [len(each) for each in memory.written]) == (GROUP, [GROUP])
    rest = list(answers)
    assert [len(each) for each in memory.written] == [GROUP, 3]
    assert isinstance(first, Decision)
    assert isinstance(rest[0], FactsError)
    assert [one.account for each in memory.written for one in each] == [str(number) for number in taken]
    assert [read_entry(one.entry).kind for one in memory.written[0]][:3] == ["answer", "refusal", "answer"]


def test_the_caller_may_name_the_account() -> None:
    memory = Memory()
    rules = engine(memory)
    rules.decide("loan.offers", FACTS, as_of=DAY, account="C-3")
    rules.decide_all("loan", FACTS, as_of=DAY, account="C-3")
    rules.explain("loan.offers", FACTS, as_of=DAY, account="")
    assert [each[0].account for each in memory.written] == ["C-3", "C-3", ""]


def test_without_its_record_no_answer_is_given() -> None:
    rules = engine(Full())
    for ask in (
        lambda: rules.decide("loan.offers", FACTS, as_of=DAY),
        lambda: rules.decide_all("loan", FACTS, as_of=DAY),
        lambda: rules.explain("loan.offers", FACTS, as_of=DAY),
        lambda: rules.decide("loan.offers", INVALID, as_of=DAY),
        lambda: list(rules.decide_many("loan.offers", [FACTS], as_of=DAY)),
    ):
        with pytest.raises(LogUnavailable, match="the disk is full"):
            ask()


def test_rules_that_are_read_again_keep_the_log(tmp_path: Path) -> None:
    (tmp_path / "loan.yaml").write_text(RULES)
    (tmp_path / "person.schema.json").write_text(SCHEMA)
    memory = Memory()
    rules = Engine.load(tmp_path, tmp_path, log=memory)
    rules.reload()
    rules.decide("loan.offers", FACTS, as_of=DAY)
    assert questions(memory) == [[("answer", "loan.offers")]]


class Standing:
    """A clock that stands still."""

    def seconds(self) -> float:
        return 1_700_000_000.25


def test_the_service_and_the_library_record_the_same_bytes() -> None:
    recorder, nothing = Recorder(b"k" * 32), None
    of_worker = WorkersLog(recorder, nothing, Standing(), bytes)  # type: ignore[arg-type]  # nothing is written
    of_library = Log(nothing, recorder, "crm", lambda: 1_700_000_000_250, bytes)  # type: ignore[arg-type]  # the same
    rules = engine(None)
    asked, ruleset = Asked("loan", FACTS, DAY, {"bound": "no"}), rules.ruleset("loan", DAY)
    answers = list(rules.decide_all("loan", FACTS, as_of=DAY, readings=asked.readings).values())
    assert of_worker.answered(asked, ruleset, answers, "crm") == of_library.record(asked, ruleset, answers)
    with pytest.raises(FactsError) as raised:
        rules.decide_all("loan", INVALID, as_of=DAY)
    wrong = Asked("loan", INVALID, DAY)
    assert of_worker.refused(wrong, ruleset, raised.value, "crm") == of_library.record(wrong, ruleset, raised.value)


def made(folder: Path) -> Path:
    """A log that was made in a folder."""
    place = folder / "decisions.sqlite"
    create_log(str(place), folder / "decisions.keys", "example.com/log", os.urandom)
    return place


def test_a_log_on_disk_has_each_answer_when_it_is_given(tmp_path: Path) -> None:
    place = made(tmp_path)
    with open_log(place, caller="batch") as log:
        rules = engine(log)
        assert isinstance(log, DecisionLog)
        assert not log.latest
        rules.decide("loan.offers", FACTS, as_of=DAY)
        first = log.latest[0]
        with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as reader:
            stored = [read_entry(entry) for (entry,) in reader.execute("SELECT entry FROM entries ORDER BY position")]
        assert [(entry.id, entry.caller, entry.question) for entry in stored] == [(first, "batch", "loan.offers")]
        list(rules.decide_many("loan.offers", [FACTS, INVALID], as_of=DAY))
        assert len(log.latest) == 2
        assert log.writer.checkpoint.size == 3


def test_threads_share_a_log_and_each_knows_its_own_records(tmp_path: Path) -> None:
    ids: list[str] = []

    def ask(rules: Engine, log: Log) -> None:
        for _ in range(5):
            rules.decide("loan.offers", FACTS, as_of=DAY)
            ids.extend(log.latest)

    with open_log(made(tmp_path)) as log:
        rules = engine(log)
        threads = [threading.Thread(target=ask, args=(rules, log)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert log.writer.checkpoint.size == len(set(ids)) == 20


def test_a_log_that_is_not_there_or_is_written_by_another_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="there is no log"):
        open_log(tmp_path / "none.sqlite")
    place = made(tmp_path)
    with open_log(place), pytest.raises(CannotRun, match="writ"):
        open_log(place)
    open_log(place, keys=tmp_path / "decisions.keys").close()


def test_an_account_or_a_caller_that_is_no_text_is_told_by_name(tmp_path: Path) -> None:
    with open_log(made(tmp_path)) as log:
        with pytest.raises(TypeError, match=r"^`account` is a text or None, not int$"):
            engine(log).decide("loan.offers", FACTS, as_of=DAY, account=5)  # type: ignore[arg-type]
        assert log.writer.checkpoint.size == 0
    with pytest.raises(TypeError, match=r"^`caller` is a text, not int$"):
        open_log(tmp_path / "decisions.sqlite", caller=5)  # type: ignore[arg-type]


def test_a_closed_log_gives_no_answers(tmp_path: Path) -> None:
    with open_log(made(tmp_path)) as log:
        rules = engine(log)
    with pytest.raises(
        LogUnavailable, match="the log is closed, so no answer can be recorded; open it again with `open_log`"
    ):
        rules.decide("loan.offers", FACTS, as_of=DAY)
