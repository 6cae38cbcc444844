"""The processes of a running service."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.served import PATIENCE, Server


def children(pid: int) -> dict[int, str]:
    """The processes that any thread of a process started, and their command lines."""
    found = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return {int(child): _command(child) for child in found}


def _command(pid: str) -> str:
    """The command line of a process; "" where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def writer_of(server: Server) -> int:
    """The process that writes the decision log."""
    return _child(server, is_writer=True)


def worker_of(server: Server) -> int:
    """A process that answers."""
    return _child(server, is_writer=False)


def _child(server: Server, *, is_writer: bool) -> int:
    """A process of the server, once there is one."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        found = children(server.process.pid).items()
        wanted = [pid for pid, line in found if line and ("decision_log.writer" in line) is is_writer]
        if wanted:
            return wanted[0]
        time.sleep(0.01)
    raise AssertionError(server.log.read_text("utf-8"))
