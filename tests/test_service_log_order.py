"""Each answer leaves after its record is on the disk, as the system calls of the service tell; killing cannot show that.

A log that does not wait for the disk (`synchronous = NORMAL`) is the control, which has to be found out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.asking import DEADLINE
from tests.support.processes import worker_of, writer_of
from tests.support.served import JSON, PATIENCE, Server, serving
from tests.test_service_log import QUESTION, Log

CALLS = "fdatasync,fsync,write,writev,sendto,sendmsg"
SYNCED = re.compile(r"fdatasync\(\d+\) += 0|fsync\(\d+\) += 0|<\.\.\. f(data)?sync resumed>\) += 0")
ANSWERED = re.compile(r"(write|writev|sendto|sendmsg)\(.*HTTP/1\.1 200")
LAX = """
import sqlite3

class Lax(sqlite3.Connection):
    def execute(self, query, *given):
        return super().execute(query.replace("synchronous = FULL", "synchronous = NORMAL"), *given)

connect = sqlite3.connect
sqlite3.connect = lambda *given, **named: connect(*given, **{**named, "factory": Lax})
"""
"""A module that Python loads at its start."""


@pytest.fixture(autouse=True)
def strace() -> None:
    """Skip, or fail in CI, where the calls of other processes cannot be seen."""
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this test needs Debian's strace")


@contextmanager
def traced(pids: list[int], output: Path) -> Iterator[None]:
    """What these processes ask of the system while this lasts, in the order in which it happens."""
    command = ["strace", "-f", "-s", "40", "-e", f"trace={CALLS}", "-o", str(output)]
    attached = [word for pid in pids for word in ("-p", str(pid))]
    with subprocess.Popen([*command, *attached], stderr=subprocess.PIPE) as tracing:
        assert tracing.stderr is not None
        for _ in pids:
            assert b"attached" in tracing.stderr.readline()
        yield
        tracing.send_signal(signal.SIGINT)
        tracing.communicate(timeout=PATIENCE)


def order(server: Server, folder: Path, questions: int) -> str:
    """`s` for each time that something was brought to the disk, `a` for each answer, in their order; one asks after the other."""
    output = folder / "calls"
    with traced([writer_of(server), worker_of(server)], output):
        connection = server.connection()
        for _ in range(questions):
            connection.request("POST", DEADLINE, QUESTION_TEXT, dict(JSON))
            assert connection.getresponse().read()
        connection.close()
        time.sleep(0.2)  # the last call is written
    told = output.read_text("utf-8", "replace").splitlines()
    return "".join("s" if SYNCED.search(line) else "a" for line in told if SYNCED.search(line) or ANSWERED.search(line))


QUESTION_TEXT = str(QUESTION).replace("'", '"')


def test_each_answer_leaves_after_its_record_is_on_the_disk(tmp_path: Path) -> None:
    log = Log(tmp_path).create()
    with serving(tmp_path, only=["can_spam"], settings={"log_location": log.path}) as server:
        assert server.ask("POST", DEADLINE, QUESTION).status == 200
        calls = order(server, tmp_path, 20)
    assert calls.count("a") == 20
    assert re.fullmatch(r"(s+a)+s*", calls)


def test_a_log_that_does_not_wait_for_the_disk_is_found_out(tmp_path: Path) -> None:
    log = Log(tmp_path).create()
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "sitecustomize.py").write_text(LAX, "utf-8")
    settings = {"log_location": log.path}
    with serving(tmp_path, only=["can_spam"], settings=settings, modules=tmp_path / "modules") as server:
        assert server.ask("POST", DEADLINE, QUESTION).status == 200
        calls = order(server, tmp_path, 20)
    assert calls.count("a") == 20
    assert not re.fullmatch(r"(s+a)+s*", calls)
