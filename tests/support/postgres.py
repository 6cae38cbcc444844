"""A PostgreSQL server of its own for the tests: on a socket in a temporary folder, run by an unprivileged user."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

USER = "postgres"
"""The system's user that runs the server where the tests are run by root, whom it refuses."""
QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c jit=off -c shared_buffers=32MB"


@cache
def connection() -> Any:
    """A connection to a server that lives as long as the process that runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="policy-postgres-"))
    run = _as_user()
    if run:
        shutil.chown(folder, USER)
    data, programs = folder / "data", _programs()
    _run(run, programs / "initdb", "-D", data, "-E", "UTF8", "--locale=C", "-A", "trust", "-U", USER, "--no-sync")
    options = f"-k {folder} -c listen_addresses='' {QUICK}"
    _run(run, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(_run, run, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    return psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True)


def _programs() -> Path:
    """The folder of the newest server that is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def _as_user() -> Mapping[str, Any]:
    """How a program is run by the unprivileged user, where this process is root's."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(how: Mapping[str, Any], *command: Any) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, cwd="/", **how)
