"""What AuthZEN answers is in the decision log: each evaluation that was decided, and each search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.served import Server, serving
from tests.test_authzen import (
    ACTIONS,
    ALICE,
    BOB,
    DATA,
    FIRST,
    ONE,
    READ,
    READS,
    RESOURCES,
    SEVERAL,
    WRITE,
    asked,
    named,
)
from tests.test_service_log import Log, full_disk


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("log")).create()


@pytest.fixture(scope="module")
def server(log: Log) -> Iterator[Server]:
    options = ("--rules", str(DATA / "rules"), "--schemas", str(DATA / "schemas"))
    settings = {"authzen": DATA / "permissions.yaml", "log_location": log.path, "log_seconds": 2}
    with serving(log.folder, *options, settings=settings) as running:
        yield running


def test_an_evaluation_is_a_record(server: Server, log: Log) -> None:
    answered = server.ask("POST", ONE, READS)
    entry = log.entries()[-1]
    assert answered.headers["x-log-id"] == entry.id
    assert [entry.question, *(each.outcome for each in entry.answers)] == ["record_access.access", "permit"]


def test_each_evaluation_that_was_decided_is_a_record(server: Server, log: Log) -> None:
    items = [
        {"resource": FIRST},
        {"resource": named("nothing", "x")},
        {"action": WRITE, "resource": FIRST},
        {"resource": FIRST},
    ]
    before = len(log.entries())
    semantic = {"evaluations_semantic": "deny_on_first_deny"}
    answered = server.ask("POST", SEVERAL, {"subject": BOB, "action": READ, "evaluations": items})
    assert [each["decision"] for each in answered.json["evaluations"]] == [True, False, False, True]
    entries = log.entries()[before:]
    assert answered.headers["x-log-id"] == ", ".join(entry.id for entry in entries)
    assert [entry.answers[0].outcome for entry in entries] == ["permit", "refuse", "permit"]
    server.ask("POST", SEVERAL, {"subject": BOB, "action": WRITE, "evaluations": items, "options": semantic})
    assert len(log.entries()) == before + 4


def test_a_search_is_a_record_of_what_was_told(server: Server, log: Log) -> None:
    answered = server.ask("POST", RESOURCES, asked(ALICE, READ, {"type": "record"}, page={"limit": 1}))
    entry, payload = log.read()[-1]
    told = [each["id"] for each in answered.json["results"]]
    assert answered.headers["x-log-id"] == entry.id
    assert (entry.kind, entry.question, entry.count) == ("search", "record_access.access", 1)
    assert payload["results"] == told
    assert payload["search"] == {
        "searched": "resource",
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record"},
    }
    server.ask("POST", ACTIONS, {"subject": named("user", "alice", role="secret"), "resource": FIRST})
    assert "secret" not in str(log.payloads()[-1])


def test_what_cannot_be_logged_is_not_answered(server: Server, log: Log) -> None:
    assert server.ask("POST", ONE, READS).status == 200
    with full_disk(server, log):
        for path, question in ((ONE, READS), (SEVERAL, READS), (ACTIONS, {"subject": ALICE, "resource": FIRST})):
            answered = server.ask("POST", path, question)
            assert answered.status == 503
            assert answered.body.startswith(b"the log `")
    assert server.ask("POST", ONE, READS).status == 200
