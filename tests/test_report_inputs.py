"""The digests in a manifest are of what was decided: a file that changes while it is read ends the run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from policy_engine.reports import jobs
from policy_engine.reports import run as running
from tests.support.commands import Ran
from tests.support.tampering import delete, replace, rewrite
from tests.test_cli import Run, put, run

__all__ = ["run"]
TABLE = "cost,note\n50,a\n5,b\n-1,c\n"
CHANGED = "`{}` was changed while it was read, and no report is written; run the report again when nobody writes to it"
Change = Callable[[], object]


def another() -> None:
    """Another file of the same bytes takes the name."""
    put(TABLE, "another")
    Path("another").replace("orders.csv")


def in_place_and_back_dated() -> None:
    """Other bytes of the same number, and the old time."""
    before = Path("orders.csv").stat()
    with Path("orders.csv").open("r+b") as file:
        file.write(b"note")
    os.utime("orders.csv", ns=(before.st_atime_ns, before.st_mtime_ns))


def added_to() -> None:
    """A row more."""
    with Path("orders.csv").open("a", encoding="utf-8") as file:
        file.write("7,d\n")


CHANGES: dict[str, tuple[Change, str]] = {
    "replaced by other bytes": (replace("orders.csv", "50", "51"), "orders.csv"),
    "replaced by the same bytes": (another, "orders.csv"),
    "added to": (added_to, "orders.csv"),
    "cut": (rewrite("orders.csv", "cost,note\n"), "orders.csv"),
    "changed in its place, and its time set back": (in_place_and_back_dated, "orders.csv"),
    "deleted": (delete("orders.csv"), "orders.csv"),
    "the mapping": (rewrite("map.yaml", "columns: {cost: null}\n"), "map.yaml"),
}
"""What happens to a file, and which one it is."""
WHEN = {
    "while it is opened": (jobs, "open_table"),
    "before it is decided": (running, "decide_table"),
    "after it was decided": (running, "ruleset_totals"),
    "after it was digested": (running, "report_html"),
}
"""The step of the run before which it happens."""


def report(run: Run, table: str = "orders.csv") -> Ran:
    """A report over a table; a long line is one line."""
    ran = run("report", f"orders={table}", "--map", "map.yaml", "--as-of", "2025-07-01", "--out", "out")
    return Ran(int(ran.code), ran.out, " ".join(ran.err.split()))


def just_before(monkeypatch: pytest.MonkeyPatch, when: str, change: Change) -> None:
    """Let something happen just before a step of the run."""
    module, name = WHEN[when]
    step: Callable[..., object] = module.__dict__[name]

    def changed(*arguments: object, **named: object) -> object:
        change()
        return step(*arguments, **named)

    monkeypatch.setattr(module, name, changed)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", CHANGES)
def test_c12_a_file_that_changes_during_the_run_ends_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, when: str
) -> None:
    put(TABLE, "orders.csv")
    put("columns: {cost: price}\n", "map.yaml")
    change, file = CHANGES[name]
    just_before(monkeypatch, when, change)
    assert report(run) == Ran(2, "", CHANGED.format(file))
    assert not list(Path().glob("*out*"))


@pytest.mark.parametrize("when", WHEN)
def test_c12_a_file_of_a_folder_that_changes_ends_the_run(run: Run, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    Path("many").mkdir()
    for name in "ab":
        pl.DataFrame({"cost": [50.0], "note": ["x"]}).write_parquet(f"many/{name}.parquet")
    put("columns: {cost: price}\n", "map.yaml")
    just_before(monkeypatch, when, lambda: os.utime("many/b.parquet"))
    assert report(run, "many") == Ran(2, "", CHANGED.format("many/b.parquet"))


def test_c12_a_file_that_comes_while_a_folder_is_opened_ends_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("many").mkdir()
    table = pl.DataFrame({"cost": [50.0], "note": ["x"]})
    table.write_parquet("many/a.parquet")
    put("columns: {cost: price}\n", "map.yaml")
    just_before(monkeypatch, "while it is opened", lambda: table.write_parquet("many/b.parquet"))
    told = "`many/b.parquet` came while `many` was opened; run the report again when nobody writes there"
    assert report(run, "many") == Ran(2, "", told)


def test_c12_what_was_decided_is_what_was_digested(run: Run) -> None:
    put(TABLE, "orders.csv")
    put("columns: {cost: price}\n", "map.yaml")
    assert report(run).code == 0
    said = json.loads(Path("out/manifest.json").read_text("utf-8"))["inputs"]
    found = [Path(name).read_bytes() for name in ("orders.csv", "map.yaml")]
    assert [(one["bytes"], one["sha256"]) for one in said] == [(len(b), sha256(b).hexdigest()) for b in found]


def test_c12_a_file_that_is_only_read_by_others_ends_no_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put(TABLE, "orders.csv")
    put("columns: {cost: price}\n", "map.yaml")
    just_before(monkeypatch, "after it was decided", lambda: Path("orders.csv").read_bytes())
    assert report(run).code == 0
