"""Rules are loaded again while the service answers: all workers change at one moment, and broken rules change nothing."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.fleet import Fleet, Worker, state_of
from policy_engine.service.loaded import Loaded
from policy_engine.service.loading import loaded_apart
from policy_engine.service.messages import Basis, Failed, Ready, Reloads, Rules, Switch
from policy_engine.service.settings import Settings
from tests.conftest import ROOT
from tests.support.served import PATIENCE, Server, serving, some_rules

DEADLINE = "/v1/decisions/can_spam/opt_out_deadline"
QUESTION = {"facts": {"opt_out_received_on": "2025-06-27"}, "as_of": "2025-06-30"}
BROKEN = "ruleset: ["


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return some_rules(tmp_path_factory.mktemp("reload"), ["can_spam"])


@pytest.fixture(scope="module")
def server(rules: Path) -> Iterator[Server]:
    with serving(rules.parent, "--rules", str(rules), settings={"workers": 2}) as running:
        yield running


@dataclass
class Asking:
    """Clients that ask all the time: when each question was sent, when its answer came, and by which digest."""

    server: Server
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    failed: list[object] = field(default_factory=list)
    is_over: bool = False

    def run(self) -> None:
        while not self.is_over:
            begun = time.monotonic()
            answered = self.server.ask("POST", DEADLINE, QUESTION)
            if answered.status != 200:
                self.failed.append(answered)
            self.answers.append((begun, time.monotonic(), answered.json["ruleset"]["digest"]))

    def turned_back(self) -> list[tuple[float, float, str]]:
        """Answers by rules that had been left when they were asked for: an answer by the next ones had come before."""
        first: dict[str, float] = {}
        for _, came, digest in sorted(self.answers, key=lambda answer: answer[1]):
            first.setdefault(digest, came)
        left = dict(zip(first, [*list(first.values())[1:], math.inf], strict=True))
        return [answer for answer in self.answers if answer[0] > left[answer[2]]]


def readiness(server: Server) -> dict[str, Any]:
    told: dict[str, Any] = server.ask("GET", "/readyz").json
    return told


def reload(server: Server, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Load the rules again, and wait until every worker says what is wanted."""
    server.process.send_signal(signal.SIGHUP)
    _wait(lambda: all(wanted(readiness(server)) for _ in range(8)), server)


def _wait(wanted: Callable[[], bool], server: Server) -> None:
    last = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < last, server.log.read_text("utf-8")
        time.sleep(0.02)


def test_workers_change_at_one_moment_and_no_answer_fails(server: Server, rules: Path) -> None:
    """Who asks after anybody has an answer by the new rules is not answered by the old ones."""
    file = rules / "can_spam.yaml"
    good = file.read_text("utf-8")
    texts = [good.replace("business days", "working days"), good.replace("business days", "weekdays")]
    epoch, asking = readiness(server)["epoch"], Asking(server)
    clients = [threading.Thread(target=asking.run) for _ in range(3)]
    for client in clients:
        client.start()
    for number, text in enumerate(texts, start=1):
        file.write_text(BROKEN, "utf-8")
        reload(server, lambda told: told["reload"] == "refused")
        file.write_text(text, "utf-8")
        reload(server, lambda told, expected=epoch + number: told["epoch"] == expected and told["reload"] == "fine")  # type: ignore[misc]
    asking.is_over = True
    for client in clients:
        client.join()
    assert asking.failed == []
    assert len({digest for _, _, digest in asking.answers}) == len(texts) + 1
    assert asking.turned_back() == []
    file.write_text(good, "utf-8")


def test_broken_rules_change_nothing_and_are_told(server: Server, rules: Path) -> None:
    file = rules / "can_spam.yaml"
    good, before = file.read_text("utf-8"), readiness(server)
    answer = server.ask("POST", DEADLINE, QUESTION).body
    file.write_text(BROKEN, "utf-8")
    reload(server, lambda told: told["reload"] == "refused")
    told = readiness(server)
    assert (told["status"], told["epoch"]) == ("ready", before["epoch"])
    assert told["faults"] == [f"{file}:2:1: yaml-syntax: this is not YAML: what begins here has no end"]
    assert server.ask("POST", DEADLINE, QUESTION).body == answer
    event = next(each for each in reversed(server.events()) if each["event"] == "the rules were not changed")
    assert event["why"] == told["faults"][0]
    assert b'policy_reloads_total{result="refused"}' in server.ask("GET", "/metrics").body
    file.write_text(good, "utf-8")
    reload(server, lambda told: told["reload"] == "fine")
    assert "faults" not in readiness(server)


def test_a_worker_that_ends_is_followed_by_one_with_the_present_rules(server: Server) -> None:
    epoch, pids = readiness(server)["epoch"], _workers(server)
    os.kill(pids[0], signal.SIGKILL)
    _wait(lambda: len(_workers(server)) == 2 and pids[0] not in _workers(server), server)
    _wait(lambda: all(_epoch(server) == epoch for _ in range(8)), server)
    assert server.ask("POST", DEADLINE, QUESTION).status == 200


def _epoch(server: Server) -> int | None:
    """The epoch by which questions are answered; None where nobody answers for a moment."""
    try:
        return int(readiness(server)["epoch"])
    except ConnectionError:
        return None


def _workers(server: Server) -> list[int]:
    """The processes that answer."""
    return [
        int(pid) for pid in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    ]


def test_counts_of_all_workers_are_told_by_each(server: Server) -> None:
    for _ in range(40):
        server.ask("GET", "/problems/forbidden")
    counted = b'policy_requests_total{address="/problems/{kind}",status="200"} 40\n'
    _wait(lambda: all(counted in server.ask("GET", "/metrics").body for _ in range(6)), server)


def test_files_are_watched_where_that_is_wanted(tmp_path: Path) -> None:
    file = some_rules(tmp_path, ["can_spam"]) / "can_spam.yaml"
    with serving(tmp_path, "--rules", str(file.parent), settings={"watch": True}) as server:
        file.write_text(file.read_text("utf-8").replace("business days", "working days"), "utf-8")
        _wait(lambda: readiness(server)["epoch"] == 2, server)


def test_a_state_tells_of_what_is_written_made_and_taken_away(tmp_path: Path) -> None:
    states, file = [state_of([tmp_path])], tmp_path / "a"
    changes: list[Callable[[], object]] = [
        file.touch,
        lambda: file.write_text("22"),
        (tmp_path / "b").mkdir,
        file.unlink,
    ]
    for change in changes:
        change()
        states.append(state_of([tmp_path]))
    assert all(one != other for one, other in pairwise(states))
    assert state_of([tmp_path]) == states[-1]


def test_rules_are_loaded_by_a_process_of_its_own(tmp_path: Path) -> None:
    some_rules(tmp_path, ["can_spam"])
    settings = Settings(rules=str(tmp_path / "rules"), schemas=str(ROOT / "schemas"))
    basis, engine = loaded_apart(settings), Engine.load(settings.rules, settings.schemas)
    assert basis.rulebook.rulesets == engine.rulebook.rulesets
    assert basis.openapi == Loaded(engine).openapi
    (tmp_path / "rules" / "can_spam.yaml").unlink()
    with pytest.raises(CannotRun, match="there is no rule file in"):
        loaded_apart(settings)


def test_a_service_changes_at_the_moment_that_was_announced() -> None:
    now, engine = [5.0], Engine.load(ROOT / "rules", ROOT / "schemas", only=["can_spam"])
    service = Service(Loaded(engine), Settings(), Clock(ticks=lambda: now[0]))
    service.switch(Loaded(engine, 2), Reloads({"changed": 1, "refused": 0}), at=6.0)
    assert service.loaded.epoch == 1
    now[0] = 6.0
    assert (service.loaded.epoch, service.reloads.counts["changed"]) == (2, 1)


class Workers:
    """Workers that a test plays itself."""

    def __init__(self, fleet: Fleet, *answers: object) -> None:
        self.heard: list[list[object]] = []
        for answer in answers:
            ours, theirs = Pipe()
            fleet.workers.append(Worker(ours))
            self.heard.append([])
            threading.Thread(target=self._play, args=(theirs, answer, self.heard[-1]), daemon=True).start()

    @staticmethod
    def _play(connection: Connection[Any, Any], answer: object, heard: list[object]) -> None:
        with suppress(EOFError):  # the test is over
            while answer is not None:
                heard.append(connection.recv())
                if isinstance(heard[-1], Rules):
                    connection.send(answer)
        connection.close()


def test_all_stay_where_one_worker_cannot_take_the_rules() -> None:
    rulebook = Engine.load(ROOT / "rules", ROOT / "schemas", only=["can_spam"]).rulebook
    fleet = Fleet(Basis(rulebook), lambda: Basis(rulebook))
    workers = Workers(fleet, Ready(2), Failed("MemoryError"))
    fleet.reload()
    assert (fleet.epoch, fleet.reloads.counts) == (1, {"changed": 0, "refused": 1})
    _eventually(lambda: all(isinstance(heard[-1], Reloads) for heard in workers.heard))
    assert not [message for heard in workers.heard for message in heard if isinstance(message, Switch)]


def test_a_worker_that_is_gone_keeps_nobody_from_changing() -> None:
    rulebook = Engine.load(ROOT / "rules", ROOT / "schemas", only=["can_spam"]).rulebook
    fleet = Fleet(Basis(rulebook), lambda: Basis(rulebook))
    workers = Workers(fleet, Ready(2), None)
    fleet.reload()
    assert (fleet.epoch, len(fleet.workers)) == (2, 1)
    _eventually(lambda: isinstance(workers.heard[0][-1], Switch))


def _eventually(wanted: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < last
        time.sleep(0.01)
