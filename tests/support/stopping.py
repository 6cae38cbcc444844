"""Stops the real command at each of its calls to the file system, one after another, and says how it ended.

    python -m tests.support.stopping WAY FOLDER -- ARGUMENTS...

FOLDER is copied to FOLDER.1, FOLDER.2 and so on. In FOLDER.N the command is stopped at its Nth call that makes, moves, changes or
deletes a file or folder, counted from when a report's folder is first touched, in one of three WAYS:

- kill: SIGKILL before the call
- interrupt: SIGINT before the call, which is then not made
- late: SIGINT as soon as the call has been made

The last copy is the one in which the command came to its end. Each prints a line of JSON: the folder, the signal that ended it or
minus its exit code, and what it said on standard error.

A copy is a fork of this process, so that nothing is imported twice. Polars starts its threads when they are first needed, so a
fork is safe as long as this process itself decides nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import policy_engine.cli.main
import policy_engine.cli.tables

CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "fcntl.flock")
STAGING = "report-in-progress"


class Stop:
    """An audit hook that stops the process at the Nth change."""

    def __init__(self, way: str, number: int) -> None:
        self.way, self.number = way, number
        self.count: int | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called by Python before each call that is audited."""
        if self.count is None and event == "os.mkdir" and STAGING in str(arguments[0]):
            self.count = 0
        if self.count is None or not _changes(event, arguments):
            return
        self.count += 1
        if self.count == self.number:
            if self.way == "late":
                sys.setprofile(self.late)
            else:
                os.kill(os.getpid(), signal.SIGKILL if self.way == "kill" else signal.SIGINT)

    def late(self, frame: FrameType, event: str, argument: Any) -> None:
        """Called by Python when the audited call returns."""
        if event in ("c_return", "c_exception"):
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGINT)


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    return event in CHANGES or (event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))


def copy_stopped(way: str, number: int, folder: Path, command: list[str]) -> tuple[int, str, bool]:
    """How the command ended in a copy of a folder, what it said, and whether it was stopped."""
    folder = folder.absolute()
    said, done = Path(f"{folder}.said"), Path(f"{folder}.done")
    done.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _be_command(way, number, folder, command, said, done)
    _, status = os.waitpid(child, 0)
    stopped = os.WIFSIGNALED(status) or not done.exists()
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
    return ended, said.read_text("utf-8"), stopped


def _be_command(way: str, number: int, folder: Path, command: list[str], said: Path, done: Path) -> None:
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.chdir(folder)
    sys.argv = ["policy", *command]
    stop = Stop(way, number)
    sys.addaudithook(stop)
    code = 1
    try:
        policy_engine.cli.main.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stderr.flush()
        ended_first, stop.number = (stop.count or 0) < number, 0
        if ended_first:
            os.close(os.open(done, os.O_WRONLY | os.O_CREAT))
        os._exit(code)


def main() -> None:
    """Stop the command at each call."""
    way, folder, _, *command = sys.argv[1:]
    number, stopped = 0, True
    while stopped:
        number += 1
        copy = Path(f"{folder}.{number}")
        shutil.copytree(folder, copy, symlinks=True)
        ended, said, stopped = copy_stopped(way, number, copy, command)
        sys.stdout.write(json.dumps([str(copy), ended, said]) + "\n")


if __name__ == "__main__":
    main()
