"""The service with a decision log: what is answered is recorded, and nothing is answered that is not."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine.decision_log import opening
from policy_engine.decision_log.records import Entry, read_entry
from policy_engine.decision_log.sealing import KeyFile, opened
from policy_engine.decision_log.stores import ONE_WRITER
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service.decision_log.keeper import Keeper, keys_of
from policy_engine.service.settings import Settings, settings_from
from tests.conftest import ROOT
from tests.support.asking import DEADLINE
from tests.support.commands import policy_process
from tests.support.processes import writer_of
from tests.support.served import Answered, Server, free_port, serving, some_rules

FACTS = {"opt_out_received_on": "2025-06-27"}
QUESTION = {"as_of": "2025-06-30", "facts": FACTS, "account": "A-17"}
LINES = {"content-type": "application/jsonl"}


@dataclass(frozen=True)
class Log:
    """A decision log in a file."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "decisions.sqlite"

    @property
    def keys(self) -> Path:
        return self.folder / "decisions.keys"

    def create(self) -> Log:
        opening.create_log(str(self.path), self.keys, "example.com/decisions", os.urandom)
        return self

    def entries(self) -> list[Entry]:
        return [entry for entry, _ in self.read()]

    def payloads(self) -> list[Any]:
        return [payload for _, payload in self.read()]

    def read(self) -> list[tuple[Entry, Any]]:
        """All entries, each with its payload."""
        reader, keys = opening.open_reader(str(self.path)), KeyFile(self.keys / opening.ACCOUNT_KEYS)
        try:
            found = []
            for row in reader.records(0, 10_000):
                assert row.id is not None
                assert row.entry is not None
                assert row.key is not None
                assert row.sealed is not None
                key = keys.key(row.key)
                assert key is not None
                found.append((read_entry(row.entry), json.loads(opened(key, row.id, row.sealed)[1])))
            return found
        finally:
            reader.close()
            keys.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("log")).create()


@pytest.fixture(scope="module")
def server(log: Log) -> Iterator[Server]:
    with serving(log.folder, only=["can_spam", "engine_access"], settings={"log_location": log.path}) as running:
        yield running


def plain(answered: Answered) -> dict[str, str]:
    """The headers of an answer that do not differ from one to the next."""
    return {name: value for name, value in answered.headers.items() if name not in ("x-request-id", "x-log-id", "date")}


def test_an_answer_is_that_of_python_to_the_byte_and_has_the_id_of_its_record(server: Server, log: Log) -> None:
    answered = server.ask("POST", DEADLINE, QUESTION)
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["can_spam"])
    decision = engine.decide("can_spam.opt_out_deadline", FACTS, as_of=date(2025, 6, 30))
    assert answered.body == decision.to_json()
    entry, payload = log.read()[-1]
    assert answered.headers["x-log-id"] == entry.id
    assert (entry.kind, entry.question, entry.as_of, entry.caller) == (
        "answer",
        "can_spam.opt_out_deadline",
        "2025-06-30",
        "anybody",
    )
    assert entry.ruleset == decision.ruleset
    assert (payload["account"], payload["facts"]) == ("A-17", FACTS)
    assert payload["answers"][0]["reason"] == decision.reason


def test_all_decisions_of_a_ruleset_are_one_record(server: Server, log: Log) -> None:
    answered = server.ask("POST", "/v1/decisions/can_spam", QUESTION)
    entry = log.entries()[-1]
    assert answered.headers["x-log-id"] == entry.id
    assert [each.decision for each in entry.answers] == [each["decision"] for each in answered.json.values()]


@pytest.mark.parametrize("asked", [{"explain": "trace"}, {"for": "customer"}, {"for": "auditor"}, {"explain": "none"}])
def test_explanations_are_recorded_as_answers_are(server: Server, log: Log, asked: dict[str, str]) -> None:
    before = len(log.entries())
    assert server.ask("POST", DEADLINE, {**QUESTION, **asked}).status == 200
    (payload,) = log.payloads()[before:]
    assert payload["facts"] == FACTS
    assert payload["answers"][0]["reason"].startswith("The opt-out arrived on 2025-06-27")


def test_of_invalid_facts_there_are_pointers_and_no_values(server: Server, log: Log) -> None:
    answered = server.ask("POST", DEADLINE, {"facts": {"opt_out_received_on": "the secret"}})
    entry, payload = log.read()[-1]
    assert (answered.status, answered.headers["x-log-id"]) == (422, entry.id)
    assert (entry.kind, entry.violations) == ("refusal", 1)
    assert payload["violations"] == [{"keyword": "format", "pointer": "/opt_out_received_on"}]
    assert "secret" not in json.dumps(payload)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/decisions/can_spam/nothing", QUESTION, 404),
        (DEADLINE, {**QUESTION, "as_of": "2025-06-31"}, 422),
        (DEADLINE, {**QUESTION, "account": 17}, 422),
        (DEADLINE, b"{", 400),
    ],
)
def test_where_nothing_is_decided_nothing_is_recorded(
    server: Server, log: Log, path: str, body: object, status: int
) -> None:
    before = len(log.entries())
    answered = server.ask("POST", path, body)
    assert (answered.status, answered.headers.get("x-log-id")) == (status, None)
    assert len(log.entries()) == before


def test_each_line_of_a_batch_has_its_record(server: Server, log: Log) -> None:
    asked = {"ruleset": "can_spam", "decision": "opt_out_deadline"}
    lines = [{**asked, **QUESTION}, {**asked, "decision": "nothing", **QUESTION}, {**asked, "facts": {"x": 1}}] * 60
    before = len(log.entries())
    answered = server.ask("POST", "/v1/batch", b"\n".join(json.dumps(line).encode() for line in lines), LINES)
    told = answered.lines
    assert [sorted(line) for line in told] == [
        ["answer", "line", "log"],
        ["line", "problem"],
        ["line", "log", "problem"],
    ] * 60
    entries = log.entries()[before:]
    assert [line["log"] for line in told if "log" in line] == [entry.id for entry in entries]
    assert [entry.kind for entry in entries] == ["answer", "refusal"] * 60


def test_readiness_and_metrics_speak_of_the_log(server: Server) -> None:
    told = server.ask("GET", "/readyz").json
    assert (told["status"], told["log"]) == ("ready", "fine")
    assert b"policy_not_logged_total" not in server.ask("GET", "/metrics").body


def test_a_log_that_cannot_be_opened_keeps_the_service_from_starting(tmp_path: Path, log: Log, server: Server) -> None:
    assert server.port
    nothing = tmp_path / "nothing.sqlite"
    assert fault(nothing, log.keys) == f"there is no log `{nothing}`; `policy log init {nothing}` makes one"
    assert fault(log.path, log.keys) == f"the log `{log.path}` is open for writing already; {ONE_WRITER}"
    assert "name the folder of keys" in fault(Log(tmp_path).create().path, tmp_path)
    with pytest.raises(CannotRun, match="the setting `log_keys` must name the folder of the keys"):
        keys_of(Settings(log_location="postgresql://here/log"))


def fault(location: Path, keys: Path) -> str:
    """Why no writer starts."""
    keeper = Keeper(str(location), str(keys))
    try:
        with pytest.raises(CannotRun) as caught:
            keeper.start()
    finally:
        keeper.stop()
    assert not keeper.folder.exists()
    return str(caught.value)


def test_a_service_waits_for_the_writer_of_one_that_was_killed(tmp_path: Path) -> None:
    made = Log(tmp_path).create()
    other = opening.open_writer(str(made.path), made.keys, os.urandom)
    ending = threading.Timer(0.5, other.close)
    ending.start()
    keeper = Keeper(str(made.path), str(made.keys))
    try:
        keeper.start()
    finally:
        keeper.stop()
        ending.join()


def test_a_service_whose_log_cannot_be_opened_ends_with_a_sentence(tmp_path: Path) -> None:
    rules, nothing, settings = (
        some_rules(tmp_path, ["can_spam"]),
        tmp_path / "nothing.sqlite",
        tmp_path / "settings.toml",
    )
    settings.write_text(f"[log]\nlocation = '{nothing}'", "utf-8")
    command = ["serve", "--port", str(free_port()), "--rules", str(rules), "--config", str(settings)]
    done = policy_process(*command)
    assert (done.code, done.out) == (2, "")
    assert " ".join(done.err.split()) == f"there is no log `{nothing}`; `policy log init {nothing}` makes one"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            "[log]\non_failure = 'ignore'",
            "the setting `log_on_failure` must be one of refuse, answer_and_count, not `ignore`",
        ),
        ("[log]\nkeys = 'keys'", "the setting `log_keys` needs `log_location`: nothing is logged without it"),
        ("[log]\nlocatoin = 'x'", "settings.toml: there is no setting `log_locatoin`; did you mean `log_location`?"),
        ("log_seconds = 0", "the setting `log_seconds` must be a whole number from 1 to 3600, not `0`"),
    ],
)
def test_settings_of_the_log_are_looked_at(tmp_path: Path, settings: str, told: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(settings, "utf-8")
    with pytest.raises(CannotRun, match=re.escape(told)):
        settings_from(file, {}, {})


def test_settings_of_the_log_may_stand_in_a_table(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port = 81\n[log]\nlocation = 'a.sqlite'\non_failure = 'answer_and_count'", "utf-8")
    found = settings_from(file, {"POLICY_SERVE_LOG_SECONDS": "3"}, {})
    assert (found.port, found.log_location, found.log_on_failure, found.log_seconds) == (
        81,
        "a.sqlite",
        "answer_and_count",
        3,
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Log]]:
    """A service that waits for its log for one second."""
    log = Log(tmp_path_factory.mktemp("quick")).create()
    settings = {"log_location": log.path, "log_seconds": 1}
    with serving(log.folder, only=["can_spam"], settings=settings) as running:
        yield running, log


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Log]]:
    """A service that answers also what it cannot log."""
    log = Log(tmp_path_factory.mktemp("counting")).create()
    settings = {"log_location": log.path, "log_seconds": 1, "log_on_failure": "answer_and_count"}
    with serving(log.folder, only=["can_spam"], settings=settings) as running:
        yield running, log


@contextmanager
def full_disk(server: Server, log: Log) -> Iterator[None]:
    """Let the writer's files not grow."""
    writer, size = writer_of(server), max(each.stat().st_size for each in log.folder.glob("decisions.sqlite*"))
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def slow_writer(server: Server, log: Log) -> Iterator[None]:
    """Let the writer do nothing."""
    writer = writer_of(server)
    os.kill(writer, signal.SIGSTOP)
    yield
    os.kill(writer, signal.SIGCONT)


TROUBLES = [
    pytest.param(full_disk, r"the log `.*decisions.sqlite` cannot be written: .*", id="full disk"),
    pytest.param(slow_writer, r"the decision log was not written within 1 seconds", id="slow writer"),
]


@pytest.mark.parametrize(("trouble", "detail"), TROUBLES)
def test_what_cannot_be_logged_is_not_answered(quick: tuple[Server, Log], trouble: Any, detail: str) -> None:
    server, log = quick
    assert server.ask("POST", DEADLINE, QUESTION).status == 200
    known, before = len(log.entries()), not_logged(server)
    with trouble(server, log):
        told = server.ask("POST", DEADLINE, QUESTION)
        assert (told.status, told.json["type"]) == (503, "/problems/log-unavailable")
        assert (told.headers["retry-after"], told.headers.get("x-log-id")) == ("1", None)
        assert re.fullmatch(detail, told.json["detail"])
        asked = json.dumps({"ruleset": "can_spam", **QUESTION}).encode()
        batch = server.ask("POST", "/v1/batch", b"%b\n{}\n%b" % (asked, asked), LINES)
        assert [line["problem"]["type"] for line in batch.lines] == [
            "/problems/log-unavailable",
            "/problems/invalid-question",
            "/problems/log-unavailable",
        ]
        ready = server.ask("GET", "/readyz")
        assert (ready.status, ready.json["status"], ready.json["log"]) == (503, "not ready", "unavailable")
        assert not_logged(server) == before + 3
    answered = server.ask("POST", DEADLINE, QUESTION)
    ids = [entry.id for entry in log.entries()]
    assert (answered.status, answered.headers["x-log-id"]) == (200, ids[-1])
    assert len(ids) == known + (1 if trouble is full_disk else 4)  # a slow writer has written what nobody waited for
    assert server.ask("GET", "/readyz").json["log"] == "fine"


def not_logged(server: Server, answer: str = "refused") -> int:
    """How many answers were not logged, as is counted."""
    found = re.search(
        rf'policy_not_logged_total{{answer="{answer}"}} (\d+)'.encode(), server.ask("GET", "/metrics").body
    )
    return int(found[1]) if found else 0


def test_it_is_answered_and_counted_where_that_is_wanted(counting: tuple[Server, Log]) -> None:
    server, log = counting
    logged = server.ask("POST", DEADLINE, QUESTION)
    known = len(log.entries())
    with full_disk(server, log):
        told = server.ask("POST", DEADLINE, QUESTION)
        assert (told.status, told.body, told.headers.get("x-log-id")) == (200, logged.body, None)
        asked = json.dumps({"ruleset": "can_spam", **QUESTION}).encode()
        (line,) = server.ask("POST", "/v1/batch", asked, LINES).lines
        assert sorted(line) == ["answer", "line"]
        ready = server.ask("GET", "/readyz")
        assert (ready.status, ready.json["status"], ready.json["log"]) == (200, "ready", "unavailable")
    assert (not_logged(server, "given"), not_logged(server)) == (2, 0)
    assert len(log.entries()) == known
    assert server.ask("POST", DEADLINE, QUESTION).headers["x-log-id"]
    assert [each["event"] for each in server.events()].count("the decision log cannot be written") == 1


def test_nobody_else_may_write_to_the_writer(server: Server) -> None:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text("utf-8").split()
    assert children
    (line,) = {
        each.split()[-1]
        for each in Path("/proc/net/unix").read_text("utf-8").splitlines()
        if "/policy-log-" in each and Path(each.split()[-1]).exists() and _is_listened_by(each, server.process.pid)
    }
    socket = Path(line)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def _is_listened_by(line: str, pid: int) -> bool:
    """Whether a process has the socket of a line of `/proc/net/unix` open."""
    inode = f"socket:[{line.split()[6]}]"
    return any(os.readlink(each) == inode for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())


UNUSED = """
import sys
import threading
from policy_engine.service import asgi, server
assert not [name for name in sys.modules if "decision_log" in name]
"""


def test_without_a_log_nothing_of_it_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", UNUSED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
