"""What proves the decision log, over HTTP: the shipped checker finds it right, and roles say who may have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from policy_engine.decision_log.notes import read_checkpoint
from policy_engine.service.keys import add_key
from tests.conftest import ROOT
from tests.support.asking import DEADLINE
from tests.support.served import JSON, Answered, Server, serving
from tests.test_service_log import QUESTION, Log

CHECKPOINT, CONSISTENCY = "/v1/log/checkpoint", "/v1/log/consistency"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("log")).create()


@pytest.fixture(scope="module")
def keys(log: Log) -> Mapping[str, str]:
    """A key of each role."""
    roles = ("service", "analyst", "auditor", "administrator")
    return {role: add_key(log.folder / "keys.json", role, role, "2026-01-01") for role in roles}


@pytest.fixture(scope="module")
def server(log: Log, keys: Mapping[str, str]) -> Iterator[Server]:
    settings = {"log_location": log.path, "keys": log.folder / "keys.json"}
    assert keys
    with serving(log.folder, only=["can_spam", "engine_access"], settings=settings) as running:
        yield running


@pytest.fixture
def ask(server: Server, keys: Mapping[str, str]) -> Ask:
    return Ask(server, keys)


class Ask:
    """Requests in the roles of callers."""

    def __init__(self, server: Server, keys: Mapping[str, str]) -> None:
        self.server, self.keys = server, keys

    def get(self, path: str, role: str = "auditor") -> Answered:
        return self.server.ask("GET", path, headers={"authorization": f"Bearer {self.keys[role]}"})

    def decide(self) -> str:
        """The id of a record."""
        headers = {**JSON, "authorization": f"Bearer {self.keys['service']}"}
        return self.server.ask("POST", DEADLINE, QUESTION, headers).headers["x-log-id"]


def checked(proof: bytes, log: Log, folder: Path) -> str:
    """What the shipped checker says of a proof."""
    file = folder / "proof"
    file.write_bytes(proof)
    command = [
        sys.executable,
        str(ROOT / "docs" / "check_log_proof.py"),
        str(file),
        (log.keys / "verifier.key").read_text("utf-8"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


def test_an_entry_comes_with_its_proof(ask: Ask, log: Log, tmp_path: Path) -> None:
    ids = [ask.decide() for _ in range(5)]
    answered = ask.get(f"/v1/log/{ids[2]}")
    assert (answered.status, answered.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert ids[2] in checked(answered.body, log, tmp_path)
    assert checked(answered.body.replace(b"index ", b"index 1", 1), log, tmp_path).startswith("1:")


def test_a_newer_log_continues_an_older_one(ask: Ask, log: Log, tmp_path: Path) -> None:
    ask.decide()
    old = read_checkpoint(ask.get(CHECKPOINT).body.decode())
    for _ in range(4):
        ask.decide()
    new = read_checkpoint(ask.get(CHECKPOINT).body.decode())
    assert new.size == old.size + 4
    for query in (f"from={old.size}&to={new.size}", f"from={old.size}"):
        told = f"the log of {new.size} records begins with that of {old.size}\n"
        assert checked(ask.get(f"{CONSISTENCY}?{query}").body, log, tmp_path) == told


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/v1/log/nothing", 404, "`nothing` is no id of a record"),
        (f"/v1/log/{'0' * 32}", 404, "there is no record `00000000000000000000000000000000` in the decision log"),
        (CONSISTENCY, 422, "from which size on? Ask with `?from=` and a number of records"),
        (f"{CONSISTENCY}?from=-1", 422, "`from` must be a number of records, such as from=100"),
        (f"{CONSISTENCY}?from=1&to=x", 422, "`to` must be a number of records, such as to=100"),
        (f"{CONSISTENCY}?from=1&from=2", 422, "`from` must be a number of records, such as from=100"),
        (f"{CONSISTENCY}?from=1&to=999999", 404, "no commit of the log ended at 999999 records"),
    ],
)
def test_what_is_not_there_is_told(ask: Ask, path: str, status: int, detail: str) -> None:
    ask.decide()
    answered = ask.get(path)
    assert (answered.status, answered.json["detail"]) == (status, detail)


@pytest.mark.parametrize("role", ["service", "analyst", "auditor", "administrator"])
def test_roles_say_who_may_read_and_verify(ask: Ask, role: str) -> None:
    id_ = ask.decide()
    may = 200 if role in ("auditor", "administrator") else 403
    for path in (CHECKPOINT, f"/v1/log/{id_}", f"{CONSISTENCY}?from=1"):
        answered = ask.get(path, role)
        assert answered.status == may
        if may == 403:
            assert answered.json[
                "detail"
            ] == "A service asks for answers and their reasons. The rest is for people." or (
                answered.json["detail"] == "The decision log is for auditors and administrators."
            )


def test_without_a_log_there_is_nothing_to_read(tmp_path: Path) -> None:
    with serving(tmp_path, only=["can_spam"]) as server:
        answered = server.ask("GET", CHECKPOINT)
        assert (answered.status, answered.json["type"]) == (404, "/problems/not-found")
        assert answered.json["detail"] == "this service keeps no decision log: the setting `log_location` names one"
