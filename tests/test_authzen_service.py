"""AuthZEN within the service: callers, rates, metrics, log and reload hold for it as for every other question."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine.engine import Engine
from policy_engine.service.authzen.metadata import WELL_KNOWN
from policy_engine.service.authzen.tenants import read_tenants
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import Whole
from policy_engine.service.keys import add_key
from policy_engine.service.loaded import Loaded
from policy_engine.service.requests import Head
from policy_engine.service.responses import Response
from policy_engine.service.routes import received
from policy_engine.service.settings import Settings
from tests.conftest import ROOT
from tests.support.commands import policy
from tests.support.served import JSON, PATIENCE, Server, serving
from tests.test_authzen import ACTIONS, ALICE, BOB, DATA, FIRST, ONE, READ, RESOURCES, SEVERAL, SUBJECTS, WRITE, asked

EVERYBODY_DECIDES = "decide:      [yes, "
ANALYSTS_DO_NOT = "decide:      [people, "
READS = asked(ALICE, READ, FIRST)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules, schemas, a mapping with its tables, and keys; an analyst may not decide."""
    folder = tmp_path_factory.mktemp("authzen")
    shutil.copytree(DATA, folder, dirs_exist_ok=True)
    shutil.copy(ROOT / "schemas" / "engine_role_question.schema.json", folder / "schemas")
    rules = (ROOT / "rules" / "engine_access.yaml").read_text("utf-8")
    assert EVERYBODY_DECIDES in rules
    changed = rules.replace(EVERYBODY_DECIDES, ANALYSTS_DO_NOT)
    (folder / "rules" / "engine_access.yaml").write_text(changed, "utf-8")
    return folder


@pytest.fixture(scope="module")
def keys(folder: Path) -> Mapping[str, str]:
    return {role: add_key(folder / "keys.json", role, role, "2026-01-01") for role in ("service", "analyst")}


@pytest.fixture(scope="module")
def server(folder: Path, keys: Mapping[str, str]) -> Iterator[Server]:
    options = ("--rules", str(folder / "rules"), "--schemas", str(folder / "schemas"))
    settings = {
        "authzen": folder / "permissions.yaml",
        "keys": folder / "keys.json",
        "workers": 2,
        "log_requests": True,
        "public_url": "https://pdp.example/engine",
    }
    with serving(folder, *options, settings=settings) as running:
        yield running


def shown(key: str) -> dict[str, str]:
    return {**JSON, "authorization": f"Bearer {key}"}


def test_without_a_key_nobody_is_answered_but_who_asks_for_metadata(server: Server) -> None:
    for path in (ONE, SEVERAL, SUBJECTS, RESOURCES, ACTIONS, f"/tenants/library{ONE}"):
        answered = server.ask("POST", path, READS, {**JSON, "x-request-id": "mine"})
        assert (answered.status, answered.headers["x-request-id"]) == (401, "mine")
        assert answered.headers["www-authenticate"] == 'Bearer realm="policy_engine"'
        assert answered.body == b"send the header `Authorization: Bearer` with a key or a token\n"
    assert server.ask("GET", WELL_KNOWN).status == 200


def test_the_rules_say_who_may_ask(server: Server, keys: Mapping[str, str]) -> None:
    assert server.ask("POST", ONE, READS, shown(keys["service"])).json["decision"] is True
    for path in (ONE, SEVERAL, SUBJECTS, RESOURCES, ACTIONS):
        refused = server.ask("POST", path, READS, shown(keys["analyst"]))
        assert (refused.status, refused.headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert refused.body == b"A service asks for answers and their reasons. The rest is for people.\n"


def test_the_metadata_name_the_public_address(server: Server) -> None:
    told = server.ask("GET", f"{WELL_KNOWN}/tenants/library").json
    assert told["policy_decision_point"] == "https://pdp.example/engine/tenants/library"
    assert told["search_action_endpoint"] == "https://pdp.example/engine/tenants/library/access/v1/search/action"


def test_decisions_and_requests_are_counted_and_logged(server: Server, keys: Mapping[str, str]) -> None:
    own = shown(keys["service"])
    body = {**asked(BOB, READ, FIRST), "evaluations": [{}, {"action": WRITE}, {"resource": 1}]}
    before = counted(server, own)
    answered = server.ask("POST", SEVERAL, body, {**own, "x-request-id": "counted"})
    assert [each["decision"] for each in answered.json["evaluations"]] == [True, False, False]
    server.ask("POST", SUBJECTS, READS, own)
    expected = {
        'policy_decisions_total{decision="record_access.access",status="decided",outcome="permit"}': 1,
        'policy_decisions_total{decision="record_access.access",status="undetermined",outcome=""}': 0,
        'policy_decisions_total{decision="record_access.access",status="decided",outcome="refuse"}': 1,
        'policy_requests_total{address="/access/v1/evaluations",status="200"}': 1,
        'policy_requests_total{address="/access/v1/search/subject",status="200"}': 1,
        'policy_problems_total{kind="invalid-question"}': 1,
    }
    _wait(
        lambda: {name: counted(server, own).get(name, 0) - before.get(name, 0) for name in expected} == expected, server
    )
    [line] = [each for each in server.events() if each.get("id") == "counted"]
    assert (line["address"], line["status"], line["caller"]) == (SEVERAL, 200, "service")
    assert "alice" not in server.log.read_text("utf-8")
    assert "record-1" not in server.log.read_text("utf-8")


def counted(server: Server, headers: Mapping[str, str]) -> dict[str, float]:
    lines = server.ask("GET", "/metrics", headers=headers).body.decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def ready(server: Server) -> dict[str, Any]:
    told: dict[str, Any] = server.ask("GET", "/readyz").json
    return told


def reload(server: Server, wanted: Callable[[dict[str, Any]], bool]) -> None:
    server.process.send_signal(signal.SIGHUP)
    _wait(lambda: all(wanted(ready(server)) for _ in range(8)), server)


def _wait(wanted: Callable[[], bool], server: Server) -> None:
    last = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < last, server.log.read_text("utf-8")
        time.sleep(0.05)


def test_mapping_and_tables_change_with_the_rules_and_a_broken_one_changes_nothing(
    server: Server, folder: Path, keys: Mapping[str, str]
) -> None:
    own, question = shown(keys["service"]), asked({"type": "user", "id": "dora"}, WRITE, FIRST)
    users, mapping = folder / "users.csv", folder / "permissions.yaml"
    good, told = users.read_text("utf-8"), mapping.read_text("utf-8")
    epoch = ready(server)["epoch"]
    assert server.ask("POST", ONE, question, own).json["decision"] is False
    mapping.write_text(told.replace("allow: permit", "allow: permitt"), "utf-8")
    reload(server, lambda answer: answer["reload"] == "refused")
    assert ready(server)["epoch"] == epoch
    event = next(each for each in reversed(server.events()) if each["event"] == "the rules were not changed")
    assert event["why"].startswith(
        f"{mapping}:3:12: there is no outcome of `record_access.access` `permitt`; did you mean"
    )
    mapping.write_text(told, "utf-8")
    users.write_text(good + "dora,,yes\n", "utf-8")
    reload(server, lambda answer: answer["epoch"] == epoch + 1 and answer["reload"] == "fine")
    for _ in range(8):
        assert server.ask("POST", ONE, question, own).json["decision"] is True
        found = server.ask("POST", SUBJECTS, asked({"type": "user"}, WRITE, FIRST), own).json["results"]
        assert [each["id"] for each in found] == ["alice", "carol", "dora"]


def test_files_of_tables_are_watched(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    options = ("--rules", str(tmp_path / "rules"), "--schemas", str(tmp_path / "schemas"))
    with serving(tmp_path, *options, settings={"authzen": tmp_path / "permissions.yaml", "watch": True}) as server:
        users = tmp_path / "users.csv"
        users.write_text(users.read_text("utf-8") + "dora,,yes\n", "utf-8")
        _wait(lambda: ready(server)["epoch"] == 2, server)


def service(day: date = date(2025, 9, 1)) -> Service:
    """The service within this process, on a day."""
    engine, clock = Engine.load(DATA / "rules", DATA / "schemas"), Clock(lambda timezone: day)
    tenants = read_tenants(DATA / "permissions.yaml", engine.rulebook, clock)
    return Service(Loaded(engine, tenants=tenants), Settings(), clock)


def answer(asked_of: Service, path: str, body: object) -> Response:
    _, step = received(asked_of, Head("POST", path, {"content-type": "application/json"}.get))
    if isinstance(step, Response):
        return step
    assert isinstance(step, Whole)
    return step.answer(json.dumps(body).encode())


def test_on_a_day_without_rules_nothing_is_permitted() -> None:
    early = service(date(2024, 12, 31))
    told = json.loads(answer(early, ONE, READS).body)
    assert told["decision"] is False
    reason = "`record_access` is not in force on 2024-12-31: there is version 1 from 2025-01-01"
    assert told["context"] == {"reason": reason}
    for path in (SUBJECTS, RESOURCES, ACTIONS):
        assert json.loads(answer(early, path, READS).body) == {"results": []}


def test_a_failure_of_our_own_is_told_as_one_and_permits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = service()

    def fails(*_: object) -> None:
        raise ZeroDivisionError("alice")

    monkeypatch.setattr(Service, "decided", fails)
    single = answer(failing, ONE, READS)
    message = "the question may be right; nothing was decided"
    assert (single.status, single.body.decode()) == (500, f"{message}\n")
    several = json.loads(answer(failing, SEVERAL, {**READS, "evaluations": [{}]}).body)
    context = {"reason": message, "error": {"status": 500, "message": message}}
    assert several == {"evaluations": [{"decision": False, "context": context}]}


def test_without_a_mapping_there_is_nothing_here() -> None:
    bare = Service(Loaded(Engine.load(DATA / "rules", DATA / "schemas")), Settings())
    refused = answer(bare, ONE, READS)
    told = "this service answers no AuthZEN questions here: the setting `authzen` names the mapping that it needs\n"
    assert (refused.status, refused.body.decode()) == (404, told)


def test_the_description_that_is_printed_has_the_addresses(folder: Path) -> None:
    places = ["--rules", "rules", "--schemas", "schemas", "--authzen", "permissions.yaml"]
    told = json.loads(policy("serve", *places, "openapi", folder=folder).out)
    assert {ONE, f"/tenants/{{tenant}}{ONE}", WELL_KNOWN} <= told["paths"].keys()


STARTS: list[tuple[list[str], str]] = [
    (["--authzen", "nowhere.yaml"], "nowhere.yaml:1:1: the file cannot be read: No such file or directory\n"),
    (["--authzen", "rules/record_access.yaml"], "rules/record_access.yaml:1:1: an AuthZEN mapping has no `ruleset`;"),
]


@pytest.mark.parametrize(("options", "told"), STARTS)
def test_a_service_does_not_start_with_a_mapping_that_is_wrong(folder: Path, options: list[str], told: str) -> None:
    ran = policy("serve", *options, "--rules", "rules", "--schemas", "schemas", folder=folder)
    assert ran.code == 2
    assert ran.err.startswith(told)
