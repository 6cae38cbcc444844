"""The command `policy` as tests run it: in this process, which is quick, or as a process of its own.

A process of its own is for what only the real program shows: how it starts, signals, pipes, what a shell sees.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

from policy_engine.cli.main import main
from tests.conftest import ROOT


@dataclass(frozen=True)
class Ran:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str


def policy(*arguments: str, folder: Path = ROOT) -> Ran:
    """A command, run in a folder by this process."""
    out, err = _stream(), _stream()
    code = _exit_code(arguments, folder, out, err)
    return Ran(code, _text(out), _text(err))


def policy_on_one_stream(*arguments: str, folder: Path = ROOT) -> tuple[str, int]:
    """The same, with what it prints on both streams in the order in which a person sees it."""
    both = _stream()
    code = _exit_code(arguments, folder, both, both)
    return _text(both), code


def policy_process(*arguments: str, folder: Path = ROOT, stdin: bytes = b"") -> Ran:
    """A command as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "policy_engine", *arguments]
    ended = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, env=environment, check=False)
    return Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def _exit_code(arguments: tuple[str, ...], folder: Path, out: TextIOWrapper, err: TextIOWrapper) -> int:
    with chdir(folder), redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["policy", *arguments]):
        try:
            main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _stream() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), "utf-8")


def _text(stream: TextIOWrapper) -> str:
    stream.flush()
    held = stream.buffer
    assert isinstance(held, BytesIO)
    return held.getvalue().decode()
