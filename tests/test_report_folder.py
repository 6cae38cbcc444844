"""`--out` destroys nothing that is not a report of ours, and there is a whole report at every moment."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.conftest import ROOT, lay_out
from tests.support.commands import Ran
from tests.support.tampering import delete, file_in_place_of, manifest, replace, rewrite, say, set_to
from tests.test_cli import FILES, Run, put, run

__all__ = ["run"]
OLD_DAY, NEW_DAY = "2025-07-01", "2025-08-01"
STAGING = Path(".out.report-in-progress")
TABLE = "price\n50\n5\n-1\n"
Setup = Callable[[], object]


def report(run: Run, out: str = "out", table: str = "orders.csv", day: str = NEW_DAY) -> Ran:
    """A report over a table; a long line is one line."""
    ran = run("report", f"orders={table}", "--as-of", day, "--out", out)
    return Ran(int(ran.code), ran.out, " ".join(ran.err.split()))


def everything(folder: Path = Path()) -> dict[str, tuple[int, bytes]]:
    """Whatever lies below a folder: which file it is, and what it holds."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_ino, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def whole(folder: Path) -> str | None:
    """The day of a report that holds all its files, each with its digest, and no other; None where it is no such report."""
    if not (folder / "manifest.json").is_file():
        return None
    said = json.loads((folder / "manifest.json").read_text("utf-8"))
    listed = {file["name"]: file["sha256"] for file in said["outputs"]}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}
    found.pop("manifest.json")
    return str(said["arguments"]["as_of"]) if found == listed else None


# What is replaced, and what is not.


def an_old_report() -> None:
    """An input is all that the old report needs here: each test makes it by running the command."""


def foreign_manifest() -> None:
    """A folder with somebody else's manifest.json, as browsers have."""
    shutil.rmtree("out")
    lay_out({"out/manifest.json": '{"name": "Shop", "icons": []}', "out/precious.txt": "x"}, Path())


def forged_manifest() -> None:
    """A manifest of ours that was copied beside files of somebody else."""
    shutil.copy("out/manifest.json", "kept")
    shutil.rmtree("out")
    lay_out({"out/precious.txt": "x", "out/report.html": "mine"}, Path())
    Path("kept").rename("out/manifest.json")


def hard_link() -> None:
    """The table has a second name, under which it lies in the report."""
    content, name = manifest(), "orders.csv"
    os.link(name, f"out/{name}")
    found = Path(name).read_bytes()
    entry = {"name": name, "bytes": len(found), "sha256": sha256(found).hexdigest()}
    say({**content, "outputs": [*content["outputs"], entry]})


def inner_link() -> None:
    """A file of the report is a link to one elsewhere."""
    Path("out/report.html").rename("kept.html")
    Path("out/report.html").symlink_to(Path("kept.html").absolute())


NOT_A_REPORT = "is there already, and is not a report; name another folder"
DAMAGED = "`out` is there already, and is not replaced: "
MOVE = "move that elsewhere, or name another folder"
REFUSED: dict[str, tuple[Setup, str]] = {
    "files of somebody": (lambda: lay_out({"mine/file.txt": "x"}, Path()), f"mine|`mine` {NOT_A_REPORT}"),
    "an empty folder in it": (lambda: Path("mine/below").mkdir(parents=True), f"mine|`mine` {NOT_A_REPORT}"),
    "a manifest.json of another program": (
        foreign_manifest,
        f"out|{DAMAGED}`out/manifest.json` is not the manifest of a report, or is damaged: there is no `manifest`; "
        "name another folder",
    ),
    "a manifest that is no JSON": (
        rewrite("out/manifest.json", "{"),
        f"out|{DAMAGED}`out/manifest.json` is damaged: not JSON at line 1, column 1: a bracket is never closed; "
        "name another folder",
    ),
    "a manifest of ours beside files of somebody": (
        forged_manifest,
        f"out|`out` is not replaced: `out/precious.txt` is none of the report's files; {MOVE}",
    ),
    "a file more": (
        rewrite("out/notes.txt", "x"),
        f"out|`out` is not replaced: `out/notes.txt` is none of the report's files; {MOVE}",
    ),
    "a folder more": (
        lambda: Path("out/archive").mkdir(),
        f"out|`out` is not replaced: `out/archive` is none of the report's files; {MOVE}",
    ),
    "a file of the report that was changed": (
        rewrite("out/report.html", "notes"),
        f"out|`out` is not replaced: the output `out/report.html` has changed since the report was made; {MOVE}",
    ),
    "a file of the report that is a link": (
        inner_link,
        f"out|`out` is not replaced: `out/report.html` is not a file, as the report's are; {MOVE}",
    ),
    "names that lead out of the folder": (
        set_to("../orders.csv", "outputs", 0, "name"),
        f"out|{DAMAGED}`out/manifest.json` is not the manifest of a report, or is damaged: `outputs[0].name` is not the name "
        "of a file within the report; name another folder",
    ),
    "a table under a second name": (
        hard_link,
        "out|the input `orders.csv` lies in `out`, which would be replaced; name another folder",
    ),
    "the folder of the rules": (
        an_old_report,
        "rules|the input `rules` lies in `rules`, which would be replaced; name another folder",
    ),
    "a link to a report": (
        lambda: Path("link").symlink_to("out"),
        "link|`link` is a link to `out`; name the folder itself",
    ),
    "a link to nothing": (
        lambda: Path("link").symlink_to("nowhere"),
        "link|`link` is a link to `nowhere`; name the folder itself",
    ),
    "a file": (rewrite("file", "x"), "file|`file` is there already, and is not a folder; name another"),
    "a pipe": (lambda: os.mkfifo("pipe"), "pipe|`pipe` is there already, and is not a folder; name another"),
    "a device": (an_old_report, "/dev/full|`/dev/full` is there already, and is not a folder; name another"),
    "below a file": (rewrite("file", "x"), "file/out|`file/out` cannot be written: `file` is not a folder"),
    "below a device": (an_old_report, "/dev/full/out|`/dev/full/out` cannot be written: `/dev/full` is not a folder"),
    "here": (an_old_report, ".|`.` is the folder you are in, or holds it; name a folder in it, such as `report`"),
    "above": (an_old_report, "..|`..` is the folder you are in, or holds it; name a folder in it, such as `../report`"),
    "the root": (an_old_report, "/|`/` is the folder you are in, or holds it; name a folder in it, such as `/report`"),
    "a mount point": (
        an_old_report,
        "/proc|`/proc` is a mount point, and cannot be replaced; name a folder in it, such as `/proc/report`",
    ),
    "a mount point within its file system": (
        an_old_report,
        "bound|`bound` is a mount point, and cannot be replaced; name a folder in it, such as `bound/report`",
    ),
}
"""What is done where an old report lies; behind the folder that is named, the message."""


@pytest.mark.parametrize("name", REFUSED)
def test_c11_what_is_not_a_report_is_refused_before_anything_is_decided(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    setup, message = REFUSED[name]
    out, told = message.split("|")
    setup()
    if out == "bound":
        Path(out).mkdir()
        put(
            f"29 1 0:26 / / rw - ext4 /dev/root rw\n30 29 0:26 /x {Path(out).absolute()} rw - ext4 /dev/root rw\n",
            "mounts",
        )
        monkeypatch.setattr("policy_engine.reports.report_folder.MOUNTS", Path("mounts"))
    before = everything()
    assert report(run, out) == Ran(2, "", told)
    assert everything() == before


def test_c11_home_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put(TABLE, "orders.csv")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    Path("home/me").mkdir(parents=True)
    for out in ("home", "home/me"):
        told = f"`{out}` is your home, or holds it; name a folder in it, such as `{out}/report`"
        assert report(run, out) == Ran(2, "", told)
    assert not any(Path("home/me").iterdir())


def test_c11_a_table_that_lies_in_the_old_report_is_refused(run: Run) -> None:
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    Path("out/orders.csv").write_text(TABLE, "utf-8")
    before = everything()
    told = "the input `out/orders.csv` lies in `out`, which would be replaced; name another folder"
    assert report(run, table="out/orders.csv") == Ran(2, "", told)
    Path("link.csv").symlink_to("out/orders.csv")
    assert report(run, table="link.csv") == Ran(2, "", told.replace("out/orders.csv", "link.csv", 1))
    Path("link.csv").unlink()
    assert everything() == before


REPLACED: dict[str, tuple[Setup, str]] = {
    "a report": (an_old_report, "out"),
    "a report of which a file is missing": (delete("out/report.html"), "out"),
    "an empty folder": (lambda: Path("empty").mkdir(), "empty"),
    "nothing": (an_old_report, "a/new/folder"),
    "a report beside a link to it": (lambda: Path("link").symlink_to("out"), "out"),
    "a report below a folder that is a link": (lambda: Path("link").symlink_to("."), "link/out"),
    "a name with blanks and signs": (an_old_report, "out *[x]"),
}


@pytest.mark.parametrize("name", REPLACED)
def test_c11_a_report_and_nothing_else_is_replaced(run: Run, name: str) -> None:
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    setup, out = REPLACED[name]
    setup()
    around = {path: held for path, held in everything().items() if not path.startswith(("out", out))}
    assert report(run, out).code == 0
    assert whole(Path(out)) == NEW_DAY
    after = {path: held for path, held in everything().items() if not path.startswith(("out", out))}
    assert {path: held for path, held in after.items() if path not in ("a", "a/new")} == around


def test_c11_a_run_that_fails_leaves_no_folder_above_the_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put(TABLE, "orders.csv")
    while_decided(monkeypatch, lambda: put("price\n", "orders.csv"))
    before = sorted(map(str, Path().rglob("*")))
    assert report(run, "a/new/folder").code == 2
    assert sorted(map(str, Path().rglob("*"))) == before


def test_c11_a_report_that_others_may_not_read_stays_so(run: Run) -> None:
    put(TABLE, "orders.csv")
    assert report(run).code == 0
    Path("out").chmod(0o700)
    assert report(run).code == 0
    assert Path("out").stat().st_mode & 0o777 == 0o700


def test_c11_a_file_that_comes_during_the_run_is_not_lost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    while_decided(monkeypatch, rewrite("out/notes.txt", "x"))
    told = "`out` was changed while the new report was made, and is not replaced"
    assert report(run) == Ran(2, "", told)
    assert whole(Path("out")) is None
    Path("out/notes.txt").unlink()
    assert whole(Path("out")) == OLD_DAY
    assert not STAGING.exists()


def while_decided(monkeypatch: pytest.MonkeyPatch, change: Setup) -> None:
    """Let something happen between the decisions and the summary."""
    from policy_engine.reports import run as running  # noqa: PLC0415 - the module, not the fixture

    count: Callable[..., object] = running.__dict__["ruleset_totals"]

    def counted(*arguments: object, **named: object) -> object:
        change()
        return count(*arguments, **named)

    monkeypatch.setattr(running, "ruleset_totals", counted)


def test_c11_two_runs_do_not_write_to_one_folder(run: Run) -> None:
    put(TABLE, "orders.csv")
    STAGING.mkdir()
    with (STAGING / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = "another run is writing `out`; wait for its end, or name another folder"
        assert report(run) == Ran(2, "", told)
    assert report(run).code == 0
    assert not STAGING.exists()


def test_c11_a_report_that_a_killed_run_moved_aside_is_never_lost(run: Run) -> None:
    """Whatever has taken its name in the meantime."""
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    STAGING.mkdir()
    Path("out").rename(STAGING / "old")
    told = (
        "there is no `out`: a run was killed when it was about to replace it; the report lies in `{}`, and the next run"
    )
    ran = run("report", "verify", "out")
    assert " ".join(ran.err.split()) == f"{told.format((STAGING / 'old').absolute())} puts it back"
    lay_out({"out/precious.txt": "x"}, Path())
    place, old = Path("out").absolute(), (STAGING / "old").absolute()
    told = f"`{place}` is not a report, and the one that was there lies in `{old}`; move one of them elsewhere"
    assert report(run) == Ran(2, "", told)
    assert (whole(STAGING / "old"), Path("out/precious.txt").read_text("utf-8")) == (OLD_DAY, "x")
    Path("out/precious.txt").unlink()
    put("price\n", "orders.csv")
    replace("rules/orders.yaml", "price >= limit", "pirce >= limit")()
    assert report(run).code == 1
    assert whole(STAGING / "old") == OLD_DAY


def test_c11_what_somebody_put_into_an_old_report_is_left_and_named(run: Run) -> None:
    put(TABLE, "orders.csv")
    assert report(run, day=OLD_DAY).code == 0
    STAGING.mkdir()
    shutil.copytree("out", STAGING / "old")
    put("x", str(STAGING / "old" / "notes.txt"))
    old = (STAGING / "old").absolute()
    told = f"the report before this one lies in `{old}`, with files that are not its own; move them elsewhere"
    assert report(run) == Ran(2, "", told)
    assert whole(Path("out")) == OLD_DAY
    (STAGING / "old" / "notes.txt").rename("notes.txt")
    assert report(run).code == 0
    assert not STAGING.exists()


def test_c11_files_that_cannot_be_replaced_as_a_folder_are_not(run: Run) -> None:
    put(TABLE, "orders.csv")
    assert report(run).code == 0
    file_in_place_of("out")()
    assert report(run) == Ran(2, "", "`out` is there already, and is not a folder; name another")


# Stopped at each call.


@pytest.mark.parametrize(("way", "there"), [("kill", True), ("interrupt", True), ("late", True), ("kill", False)])
def test_c11_a_run_that_is_stopped_at_any_call_leaves_a_whole_report(
    run: Run, tmp_path: Path, way: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    lay_out({**FILES, "orders.csv": TABLE, "precious.txt": "x"}, base)
    monkeypatch.chdir(base)
    if there:
        assert report(run, day=OLD_DAY).code == 0
    around = {path: held for path, (_, held) in everything(base).items() if not path.startswith("out")}
    arguments = ("report", "orders=orders.csv", "--as-of", NEW_DAY, "--out", "out")
    command = [sys.executable, "-m", "tests.support.stopping", way, str(base), "--", *arguments]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300
    )
    *stopped, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(stopped) >= (19 if there else 10), "every change is one call at which the run is stopped"
    assert last[1:] == [0, ""]
    for folder, code, said in stopped:
        assert (code, said) == ((signal.SIGKILL, "") if way == "kill" else (-130, ""))
        monkeypatch.chdir(folder)
        _is_safe(run, there)
        assert report(run).code == 0
        assert whole(Path("out")) == NEW_DAY
        after = {path: held for path, (_, held) in everything().items() if not path.startswith("out")}
        assert after == around


def _is_safe(run: Run, there: bool) -> None:
    """A whole report in its place, or else where `verify` says it is; no report only where there was none."""
    found = whole(Path("out"))
    if found is not None or not there:
        assert found in (OLD_DAY, NEW_DAY, None)
        return
    aside = STAGING / "old"
    assert whole(aside) == OLD_DAY
    assert str(aside.absolute()) in "".join(run("report", "verify", "out").err.split("\n"))
