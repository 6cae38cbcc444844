"""Files that are pipes or devices, outputs that cannot be written, names that are not UTF-8: a sentence, and exit code 2."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine.files import write_whole
from tests.conftest import ROOT, lay_out
from tests.support.commands import Ran
from tests.test_cli import FILES, TESTS, Run, put, run

__all__ = ["run"]
TIMEOUT = 60
"""Seconds; whoever waits for the other end of a pipe waits for ever."""
COMMANDS = {
    "check": "check",
    "test": "test",
    "decide": "decide orders.shipping --as-of 2025-07-01 --facts facts.json",
    "decide as JSON": "decide orders.shipping --as-of 2025-07-01 --facts facts.json --json",
    "explain": "explain orders.shipping --as-of 2025-07-01 --facts facts.json",
    "explain for a reader": "explain orders.shipping --as-of 2025-07-01 --facts facts.json --for auditor",
    "report": "report orders=orders.csv --as-of 2025-07-01 --out out",
    "report as JSON": "report orders=orders.csv --as-of 2025-07-01 --out out --json",
    "verify": "report verify made",
    "rules": "rules",
    "show": "rules show orders",
    "docs": "rules docs --out pages",
    "help": "--help",
    "version": "--version",
    "schemas": "schemas",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rules, tests, facts, a table and a report."""
    made = tmp_path_factory.mktemp("files")
    more = {"facts.json": '{"price": 50}', "orders.csv": "price\n50\n5\n", "rules/orders_test.yaml": TESTS}
    lay_out({**FILES, **more}, made)
    told = shell(made, "report orders=orders.csv --as-of 2025-07-01 --out made")
    assert told.code == 0, told.err
    return made


def shell(place: Path, arguments: str, around: str = "{}") -> Ran:
    """A command in a shell, which may send its output elsewhere."""
    command = around.format(f"{shlex.quote(sys.executable)} -m policy_engine {arguments}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=place,
        env=environment,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ran(ended.returncode, ended.stdout.decode(), " ".join(ended.stderr.decode().split()))


@pytest.mark.parametrize("name", COMMANDS)
def test_c17_what_cannot_be_printed_is_told(folder: Path, name: str) -> None:
    told = "standard output cannot be written: No space left on device"
    assert shell(folder, COMMANDS[name], "{} > /dev/full") == Ran(2, "", told)


@pytest.mark.parametrize("name", ["decide", "report", "help"])
def test_c17_a_closed_output_is_told_and_nothing_is_done(folder: Path, name: str) -> None:
    told = "standard output is closed, and nobody would see the answer; nothing was done"
    assert shell(folder, COMMANDS[name].replace("out", "closed"), "{} >&-") == Ran(2, "", told)
    assert not (folder / "closed").exists()


@pytest.mark.parametrize("name", ["decide", "decide as JSON", "explain", "report", "show", "help"])
def test_c17_an_output_that_nobody_reads_is_quiet(folder: Path, name: str) -> None:
    assert shell(folder, COMMANDS[name], "{} | true") == Ran(141, "", "")


@pytest.mark.parametrize("around", ["{} 2>&-", "{} 2>/dev/full"])
def test_c17_an_answer_does_not_need_standard_error(folder: Path, around: str) -> None:
    assert shell(folder, COMMANDS["decide as JSON"], around).code == 0
    assert shell(folder, "decide orders.shipping --facts nowhere.json", around) == Ran(2, "", "")


# Pipes, devices, and what is no folder.

NO_FILE = "`{}` is neither a file nor a folder"
PLACES = {
    "rules": ("decide orders --facts facts.json --rules {}", NO_FILE),
    "rules that are checked": ("check {}", NO_FILE),
    "rules of tests": ("test --rules {}", NO_FILE),
    "tests": ("test {}", NO_FILE),
    "rules that are listed": ("rules --rules {}", NO_FILE),
    "rules of pages": ("rules --rules {} docs", NO_FILE),
    "rules that are compared": ("compare orders --facts orders.csv --rules {}", NO_FILE),
    "rules of a report": ("report orders=orders.csv --out new --rules {}", NO_FILE),
    "schemas": ("decide orders --facts facts.json --schemas {}", "`{}` is not a folder of schemas"),
    "schemas that are checked": ("check --schemas {}", "`{}` is not a folder of schemas"),
    "schemas that are written": ("schemas --schemas {}", "`{}` is not a folder; name another"),
    "facts": ("decide orders --as-of 2025-07-01 --facts {}", "`{}` is not a file"),
    "facts that are explained": ("explain orders --as-of 2025-07-01 --facts {}", "`{}` is not a file"),
    "a mapping": (
        "report orders=orders.csv --as-of 2025-07-01 --out new --map {}",
        "{}:1:1: the file cannot be read: it is not a file",
    ),
    "a report": (
        "report orders=orders.csv --as-of 2025-07-01 --out {}",
        "`{}` is there already, and is not a folder; name another",
    ),
    "a report that is verified": ("report verify {}", "`{}` holds no report: there is no `{}/manifest.json`"),
    "pages": ("rules docs --out {}", "`{}` is not a folder; name another"),
    "results": ("test --junit {}", "`{}` is not a file, and is not replaced; name a file"),
}
"""A command with the place of a file or folder, and what is said of a pipe or a device there."""


@pytest.mark.parametrize("place", ["pipe", "/dev/full", "/dev/zero"])
@pytest.mark.parametrize("name", PLACES)
def test_c17_a_pipe_or_a_device_is_never_waited_for(run: Run, name: str, place: str) -> None:
    put('{"price": 50}')
    put("price\n50\n", "orders.csv")
    put(TESTS, "rules/orders_test.yaml")
    os.mkfifo("pipe")
    command, told = PLACES[name]
    ran = run(*command.format(place).split())
    assert (int(ran.code), " ".join(ran.err.split())) == (2, told.replace("{}", place))
    assert Path(place).exists()
    assert not Path(place).is_file()


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("command", ["report orders={} --as-of 2025-07-01 --out new", "compare orders --facts {}"])
def test_c17_a_table_that_is_a_pipe_is_never_waited_for(run: Run, command: str, ending: str) -> None:
    newer = FILES["rules/orders.yaml"].replace('version: "2"', 'version: "3"')
    put(
        newer.replace("effective: {from: 2025-01-01, until: 2030-01-01}", "effective: {from: 2030-01-01}"),
        "rules/newer.yaml",
    )
    place = f"pipe.{ending}"
    os.mkfifo(place)
    ran = run(*command.format(place).split())
    assert int(ran.code) == 2
    assert place in ran.err
    assert not Path("new").exists()


def test_c17_a_schema_that_is_a_pipe_is_never_waited_for(run: Run) -> None:
    os.mkfifo("schemas/other.schema.json")
    put(FILES["rules/orders.yaml"].replace("price >= limit", "pirce >= limit"), "rules/orders.yaml")
    assert run("check").code == 1
    Path("schemas/order.schema.json").unlink()
    os.mkfifo("schemas/order.schema.json")
    ran = run("check", "--format", "line")
    assert (ran.code, ran.out) == (
        1,
        "schemas/order.schema.json:1:1: error[file-unreadable]: the file cannot be read: it is not a file\n",
    )


def test_c17_pages_that_others_wrote_are_not_replaced(run: Run) -> None:
    put("# My project\n", "README.md")
    before = sorted(map(str, Path().rglob("*")))
    told = "`README.md` was not written by `policy rules docs`, and is not replaced; name another folder\n"
    ran = run("rules", "docs", "--out", ".")
    assert (int(ran.code), ran.out, ran.err) == (2, "", told)
    assert (Path("README.md").read_text("utf-8"), sorted(map(str, Path().rglob("*")))) == ("# My project\n", before)
    os.mkfifo("pipe.md")
    put(b"\xff", "bytes.md")
    Path("README.md").unlink()
    assert run("rules", "docs", "--out", ".").code == 0
    assert run("rules", "docs", "--out", ".", "--check").code == 0


def test_c17_results_are_written_where_a_link_leads(run: Run) -> None:
    put(TESTS, "rules/orders_test.yaml")
    put("old", "results.xml")
    Path("link.xml").symlink_to("results.xml")
    assert run("test", "--junit", "link.xml").code == 0
    assert Path("link.xml").is_symlink()
    assert "testsuite" in Path("results.xml").read_text("utf-8")


# Names that are not UTF-8.

BAD = os.fsdecode(b"caf\xe9")
SHOWN = "caf\\udce9"
NAMED = {
    "rules": ("decide orders --facts facts.json --rules BAD", SHOWN),
    "facts": ("decide orders --facts BAD.json", f"{SHOWN}.json"),
    "a table": ("report orders=BAD.csv --as-of 2025-07-01 --out new", f"orders={SHOWN}.csv"),
    "a report": ("report orders=orders.csv --as-of 2025-07-01 --out BAD", SHOWN),
    "a report that is verified": ("report verify BAD", SHOWN),
    "a mapping": ("report orders=orders.csv --as-of 2025-07-01 --out new --map BAD.yaml", f"{SHOWN}.yaml"),
    "what is checked": ("check BAD", SHOWN),
    "pages": ("rules docs --out BAD", SHOWN),
    "results": ("test --junit BAD.xml", f"{SHOWN}.xml"),
    "accounts": ("compare orders --facts BAD.jsonl", f"{SHOWN}.jsonl"),
}


@pytest.mark.parametrize("name", NAMED)
def test_c17_an_argument_that_is_not_utf_8_is_refused(run: Run, name: str) -> None:
    put("price\n50\n", "orders.csv")
    command, told = NAMED[name]
    before = sorted(map(str, Path().rglob("*")))
    ran = run(*command.replace("BAD", BAD).split())
    sentence = f"the name `{told}` is not UTF-8; give the file or folder another name\n"
    assert (int(ran.code), ran.out, ran.err) == (2, "", sentence)
    assert sorted(map(str, Path().rglob("*"))) == before


FOUND: dict[str, tuple[Callable[[], object], str, str]] = {
    "a rule file": (lambda: put("ruleset: x\n", f"rules/{BAD}.yaml"), "check", f"rules/{SHOWN}.yaml"),
    "a test file": (lambda: put("tests: x\n", f"rules/{BAD}_test.yaml"), "test", f"rules/{SHOWN}_test.yaml"),
    "a table of a folder": (
        lambda: put("", f"many/{BAD}.parquet"),
        "report orders=many --as-of 2025-07-01 --out new",
        f"many/{SHOWN}.parquet",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_c17_a_file_of_a_folder_whose_name_is_not_utf_8_is_refused(run: Run, name: str) -> None:
    Path("many").mkdir()
    setup, command, told = FOUND[name]
    setup()
    ran = run(*command.split())
    sentence = f"the name `{told}` is not UTF-8; give the file or folder another name\n"
    assert (int(ran.code), ran.out, ran.err) == (2, "", sentence)


@pytest.mark.parametrize(
    "day",
    [
        "20250701",
        "2025-W27-2",
        "2025-182",
        " 2025-07-01",
        "2025-07-01 ",
        "2025-7-1",
        "\u0662\u0660\u0662\u0665-\u0660\u0667-\u0660\u0661",
        "2025-02-30",
        "0000-01-01",
        "",
    ],
)
@pytest.mark.parametrize(
    "command", ["decide orders --facts facts.json", "report orders=orders.csv --out new", "rules show orders --code"]
)
def test_c17_a_day_is_taken_in_one_form(run: Run, command: str, day: str) -> None:
    put('{"price": 50}')
    put("price\n50\n", "orders.csv")
    ran = run(*command.split(), "--as-of", day)
    told = f"--as-of: `{day}` is not a date; write it as 2025-02-28\n"
    assert (int(ran.code), ran.out, ran.err) == (2, "", told)


def test_a_new_file_has_the_permissions_that_the_user_gives_to_files(tmp_path: Path) -> None:
    (tmp_path / "by_hand").write_text("")
    write_whole(tmp_path / "whole", "text")
    write_whole(tmp_path / "secret", "text", permissions=0o600)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"by_hand": modes["by_hand"], "whole": modes["by_hand"], "secret": 0o600}
