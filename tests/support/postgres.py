"""A PostgreSQL server of its own for the tests: on a socket in a temporary folder, run by an unprivileged user."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

USER = "postgres"
"""The system's user that runs the server where the tests are run by root, whom it refuses."""
QUICK = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\njit = off\nshared_buffers = 32MB\n"


@cache
def connection() -> Any:
    """A connection to a server that lives as long as the process that runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="policy-postgres-"))
    run = _as_user()
    if run:
        shutil.chown(folder, USER)
    data, programs = folder / "data", _programs()
    _run(run, programs / "initdb", "-D", data, "-E", "UTF8", "--locale=C", "-A", "trust", "-U", USER, "--no-sync")
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(QUICK)
    options = f"-k {folder} -c listen_addresses=''"
    _run(run, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(_run, run, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    opened = psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True)
    atexit.register(opened.close)
    return opened


def new_database(name: str) -> str:
    """The address of a new database, on a server that from now on writes everything to the disk before it says so."""
    server = connection()
    server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.execute(f"CREATE DATABASE {name}")
    set_fsync("on")
    return f"postgresql://{USER}@/{name}?host={server.info.host}"


def set_fsync(value: str) -> None:
    """Let the server write to the disk what it commits, or not, and wait until it does so."""
    server = connection()
    server.execute(f"ALTER SYSTEM SET fsync = {value}")
    server.execute("SELECT pg_reload_conf()")
    while server.execute("SHOW fsync").fetchone() != (value,):
        time.sleep(0.01)


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
