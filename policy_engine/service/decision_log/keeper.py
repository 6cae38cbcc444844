"""The parent process of the service and the writer of the decision log: it starts the writer, and again where it has died."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from policy_engine.decision_log.opening import default_keys, is_database
from policy_engine.errors import CannotRun
from policy_engine.service.logs import log_trouble
from policy_engine.service.settings import Settings

PAUSE = 0.2
"""Seconds from the end of a writer to the start of the next."""
PATIENCE = 30.0
"""Seconds in which a writer must end once no worker is left."""
MOST_WAITING = 256
"""Workers that may wait until a writer takes their connection."""


def keys_of(settings: Settings) -> str:
    """The folder of the keys of the decision log; raises `CannotRun` where a database's is not named."""
    if not settings.log_keys and is_database(settings.log_location):
        raise CannotRun(
            "the setting `log_keys` must name the folder of the keys, since the decision log is in a database"
        )
    return settings.log_keys or str(default_keys(settings.log_location))


@dataclass(slots=True)
class Keeper:
    """Keeps a writer running for the log at a location (a file, or the address of a database), by the keys of a folder.

    It listens itself and passes its socket on to each writer, so that workers always find the same address. Only the user who
    runs the service may use the socket and the folder it lies in.
    """

    location: str
    keys: str
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="policy-log-")))
    _listener: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX))
    _process: subprocess.Popen[str] | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Where workers find the writer."""
        return str(self.folder / "writer")

    def start(self) -> None:
        """Start a writer, and keep one running in the background; raises `CannotRun` where it cannot open the log."""
        self._listener.bind(self.address)
        Path(self.address).chmod(0o600)
        self._listener.listen(MOST_WAITING)
        self._process = process = self._started(is_first=True)
        assert process.stdout is not None
        fault = json.loads(process.stdout.readline() or '"the writer of the decision log has failed"')
        if fault:
            raise CannotRun(fault)
        threading.Thread(target=self._keep, daemon=True).start()

    def _started(self, *, is_first: bool) -> subprocess.Popen[str]:
        """A writer with its orders."""
        socket_ = self._listener.fileno()
        orders = {"log": self.location, "keys": self.keys, "socket": socket_, "is_first": is_first}
        command = [sys.executable, "-m", "policy_engine.service.decision_log.writer"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, pass_fds=(socket_,))
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already, which is seen by who waits for it
            process.stdin.write(json.dumps(orders) + "\n")
            process.stdin.flush()
        return process

    def _keep(self) -> None:
        while self._process is not None:
            code = self._process.wait()
            if self._is_over.wait(PAUSE):
                return
            _let_go(self._process)
            log_trouble("the writer of the decision log has ended and is started again", f"exit code {code}")
            self._process = self._started(is_first=False)

    def stop(self) -> None:
        """Let the writer end, once all workers have."""
        self._is_over.set()
        if self._process is not None:
            _let_go(self._process)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _let_go(process: subprocess.Popen[str]) -> None:
    """Close what leads to a process: it has its orders, and ends when it may."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
