"""Facts on standard input, in a file and through a pipe are read alike, and refused by the same sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from policy_engine.documents import facts_files
from policy_engine.documents.facts_files import LARGEST_FACTS
from tests.conftest import ROOT, lay_out
from tests.support.commands import Ran
from tests.test_cli import DECIDE, FILES, Run, process, put, refused, run

__all__ = ["run"]
GOOD = b'{"price": 50}'
READ = [GOOD, b"\xef\xbb\xbf" + GOOD, b'{\r\n"price": 50\r}', '{"price": 50, "note": "ü"}'.encode()]
REFUSED = [
    (
        b'{"price": 10,\n"note": "M\xfcller"}',
        "is not UTF-8 text: on line 2 stands the byte 0xFC, which read as cp1252 gives `Müller`; save it as UTF-8",
    ),
    (
        b"\xff\xfe" + '{"price": 50}'.encode("utf-16-le"),
        "is not UTF-8 text: it is utf-16-le, by its first bytes; save it as UTF-8",
    ),
    ('{"price": 50}'.encode("utf-16-be"), "is not UTF-8 text: it is utf-16-be, by its first bytes; save it as UTF-8"),
    (
        b" " * (LARGEST_FACTS + 1),
        "has more than 10000000 bytes, which is more than one set of facts has",
    ),
]


def outcome(ran: Ran) -> str:
    """What was decided, without a word of complaint."""
    assert (ran.code, ran.err) == (0, "")
    return str(json.loads(ran.out)["outcome"])


@pytest.mark.parametrize("content", READ)
def test_c17_a_file_and_standard_input_are_read_alike(tmp_path: Path, content: bytes) -> None:
    lay_out(FILES, tmp_path)
    (tmp_path / "facts.json").write_bytes(content)
    assert outcome(process(tmp_path, *DECIDE, "facts.json", "--json")) == "free"
    assert outcome(process(tmp_path, *DECIDE, "-", "--json", stdin=content)) == "free"


@pytest.mark.parametrize(("content", "told"), REFUSED)
def test_c17_a_file_and_standard_input_are_refused_alike(tmp_path: Path, content: bytes, told: str) -> None:
    lay_out(FILES, tmp_path)
    (tmp_path / "facts.json").write_bytes(content)
    for place, stdin, shown in (("facts.json", b"", "`facts.json`"), ("-", content, "standard input")):
        ran = process(tmp_path, *DECIDE, place, stdin=stdin)
        refused(ran, code=2)
        assert ran.err == f"{shown} {told}\n"


def shell(folder: Path, line: str) -> Ran:
    """A command of bash, with `policy` and its arguments up to the facts as `$@`."""
    command = ["bash", "-c", f'"$@" {line}', "bash", sys.executable, "-m", "policy_engine", *DECIDE]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, cwd=folder, env=environment, check=False, text=True)
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def test_c17_pipes_that_a_shell_has_opened(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    assert outcome(shell(tmp_path, """<(echo '{"price": 50}') --json""")) == "free"
    refused(shell(tmp_path, "<(echo '{')"), "not JSON at line 1", code=2)


def test_c17_standard_input_by_its_path(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    assert outcome(process(tmp_path, *DECIDE, "/dev/stdin", "--json", stdin=GOOD)) == "free"


def test_c17_standard_input_that_is_closed(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    ran = shell(tmp_path, "- <&-")
    refused(ran, code=2)
    assert ran.err == "standard input is closed; pipe the facts in, or name a file\n"


def test_c17_a_named_pipe_is_not_waited_for(run: Run) -> None:
    os.mkfifo("facts.json")
    refused(run(*DECIDE, "facts.json"), "`facts.json` is not a file", code=2)


def test_c17_what_the_system_does_not_let_us_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_files, "OPEN_FILES", (".",))  # a folder is opened, and cannot be read
    put("x", "rules/x.txt")
    refused(run(*DECIDE, "rules"), "`rules` cannot be read: Is a directory", code=2)
