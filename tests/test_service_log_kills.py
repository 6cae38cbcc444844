"""Whatever is killed while the service answers: each answer that came is in the decision log once, and the log verifies.

`KILLS=50` kills that often, which takes some minutes.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from policy_engine.decision_log import opening
from policy_engine.decision_log.records import read_entry
from policy_engine.decision_log.sealing import KeyFile
from policy_engine.decision_log.verifying import verify
from tests.support import postgres
from tests.support.asking import Asking, asking
from tests.support.processes import worker_of, writer_of
from tests.support.served import PATIENCE, serving

KILLS = int(os.environ.get("KILLS", "1"))
BEFORE = 0.3
"""Seconds of questions before each kill."""


@dataclass
class Log:
    """A decision log at a location."""

    location: str
    keys: Path

    @property
    def settings(self) -> dict[str, object]:
        return {"log_location": self.location, "log_keys": str(self.keys), "workers": 2}

    def ids(self) -> list[str]:
        """The ids of all records, in order; the log verifies."""
        reader, keys = opening.open_reader(self.location), KeyFile(self.keys / opening.ACCOUNT_KEYS)
        try:
            verifier = opening.read_signing_key(self.keys / opening.SIGNING_KEY).verifier
            found = verify(reader, verifier, keys)
            assert (found.fault_count, found.payloads) == (0, found.records)
            return [read_entry(row.entry).id for row in reader.records(0, 10_000_000) if row.entry]
        finally:
            reader.close()
            keys.close()


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    location = str(tmp_path / "decisions.sqlite")
    if request.param == "postgres":
        location = postgres.new_database("kills")
    made = Log(location, tmp_path / "keys")
    opening.create_log(made.location, made.keys, "example.com/decisions", os.urandom)
    return made


def once_more_answered(told: Asking) -> None:
    """Wait until questions are answered again, and some more."""
    known, last = len(told.logged), time.monotonic() + PATIENCE
    while len(told.logged) < known + 10:
        assert time.monotonic() < last
        time.sleep(0.01)
    time.sleep(BEFORE)


def check(told: Asking, log: Log) -> None:
    """Every answer is in the log once; there may be more in it, for what was written and not confirmed."""
    ids = log.ids()
    assert len(ids) == len(set(ids))
    assert told.unlogged == 0
    assert told.statuses <= {200, 503}
    assert len(told.logged) > 10 * KILLS
    assert set(told.logged) <= set(ids)


def test_what_is_answered_is_logged_when_the_writer_or_a_worker_is_killed(log: Log, tmp_path: Path) -> None:
    with serving(tmp_path, only=["can_spam"], settings=log.settings) as server, asking(server.port) as told:
        for _ in range(KILLS):
            once_more_answered(told)
            os.kill(writer_of(server), signal.SIGKILL)
            once_more_answered(told)
            os.kill(worker_of(server), signal.SIGKILL)
        once_more_answered(told)
    check(told, log)


def test_what_is_answered_is_logged_when_the_server_is_killed(log: Log, tmp_path: Path) -> None:
    with asking(1) as told:
        for number in range(KILLS + 1):
            folder = tmp_path / str(number)
            folder.mkdir()
            with ExitStack() as stack:
                server = stack.enter_context(serving(folder, only=["can_spam"], settings=log.settings))
                told.port = server.port
                once_more_answered(told)
                if number < KILLS:
                    server.process.kill()
                    server.process.wait()
    check(told, log)
