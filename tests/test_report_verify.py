"""`policy report verify`: whatever is changed in a report, or in what it was made from, is found and named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import lay_out
from tests.support.commands import Ran, policy
from tests.support.tampering import (
    Change,
    delete,
    drop_row,
    emptied,
    exchange,
    fifo,
    file_in_place_of,
    forge,
    forge_value,
    forge_violation,
    forged,
    link,
    manifest,
    more,
    no_table,
    replace,
    rewrite,
    say,
    set_to,
    unlist,
    without,
)
from tests.test_cli import FILES, JSONL, Run, put, run

__all__ = ["run"]
MAKE = ("report", "orders=orders.csv", "--as-of", "2025-07-01", "--map", "map.yaml", "--format", "csv", "--out", "out")
TABLE = "cost,note\n50,a\n5,b\n-1,c\n7.5,d\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report, what it was made from, and a second table."""
    folder = tmp_path_factory.mktemp("made")
    lay_out({**FILES, "orders.csv": TABLE, "map.yaml": "columns: {cost: price}\n", "other.jsonl": JSONL}, folder)
    return folder


@pytest.fixture
def report(run: Run, made: Path) -> Run:
    """Runs a command where there is a report, made once and copied."""
    if not (made / "out").exists():
        shutil.copytree(made, ".", dirs_exist_ok=True)
        assert run(*MAKE).code == 0
        shutil.copytree(".", made, dirs_exist_ok=True)
    shutil.copytree(made, ".", dirs_exist_ok=True)
    return run


DIGEST = "0" * 64
DIFFERS: dict[str, tuple[Change, str]] = {
    # What the manifest claims.
    "rows": (
        set_to(999, "counts", 0, "rows"),
        "`manifest.json` says 999 for `counts[0].rows`; made again, it is 4",
    ),
    "valid rows": (
        set_to(999, "counts", 0, "valid"),
        "`manifest.json` says 999 for `counts[0].valid`; made again, it is 3",
    ),
    "invalid rows": (
        set_to(0, "counts", 0, "invalid"),
        "`manifest.json` says 0 for `counts[0].invalid`; made again, it is 1",
    ),
    "the ruleset of a count": (
        set_to("order", "counts", 0, "ruleset"),
        "`manifest.json` says order for `counts[0].ruleset`; made again, it is orders",
    ),
    "no counts": (set_to([], "counts"), "`manifest.json` lists 0 `counts`; made again, there are 1"),
    "the version": (
        set_to("77", "rulesets", 0, "version"),
        "`manifest.json` says 77 for `rulesets[0].version`; made again, it is 2",
    ),
    "the ruleset": (
        set_to("others", "rulesets", 0, "id"),
        "`manifest.json` says others for `rulesets[0].id`; made again, it is orders",
    ),
    "the ruleset's file": (
        set_to("rules/other.yaml", "rulesets", 0, "file"),
        "`manifest.json` says rules/other.yaml for `rulesets[0].file`; made again, it is rules/orders.yaml",
    ),
    "the schema": (
        set_to("other", "rulesets", 0, "schema", "name"),
        "`manifest.json` says other for `rulesets[0].schema.name`; made again, it is order",
    ),
    "no rulesets": (set_to([], "rulesets"), "`manifest.json` lists 0 `rulesets`; made again, there are 1"),
    "no inputs": (set_to([], "inputs"), "`manifest.json` lists 0 `inputs`; made again, there are 2"),
    "an input by another name": (
        set_to("./orders.csv", "inputs", 0, "name"),
        "`manifest.json` says ./orders.csv for `inputs[0].name`; made again, it is orders.csv",
    ),
    "the day": (set_to("2025-07-02", "arguments", "as_of"), "made again, `report.html` is different"),
    "the seed": (set_to(7, "arguments", "seed"), "made again, `report.html` is different"),
    "the number of samples": (set_to(0, "arguments", "samples"), "made again, `report.html` is different"),
    "the readings": (
        set_to({"free_from": "excluded"}, "arguments", "readings"),
        "made again, `decisions.parquet` is different: first in `shipping.outcome`, row 1",
    ),
    "the dates over which outcomes are drawn": (
        set_to(["placed"], "arguments", "over"),
        "made again, `decisions.parquet` is different: there is a column `placed` too",
    ),
    "the forms": (set_to([], "arguments", "formats"), "made again, the report has no `decisions.csv`"),
    "one form more": (
        set_to(["csv", "jsonl"], "arguments", "formats"),
        "made again, the report has a `decisions.jsonl` too",
    ),
    "the order of the keys": (
        lambda: say(dict(reversed(manifest().items()))),
        "`manifest.json` says the same as when the report is made again, and is written otherwise",
    ),
    "blanks": (
        lambda: put(json.dumps(manifest()), "out/manifest.json"),
        "`manifest.json` says the same as when the report is made again, and is written otherwise",
    ),
    # The files of the report.
    "no files, and a million rows claimed": (emptied, "made again, the report has a `decisions.csv` too"),
    "an output and what is said of it": (unlist("report.html"), "made again, the report has a `report.html` too"),
    "an output that is gone": (delete("out/report.html"), "the output `out/report.html` is not there any more"),
    "an output that was changed": (
        rewrite("out/summary.json", "{}"),
        "the output `out/summary.json` has changed since the report was made",
    ),
    "an output that was changed, of the same size": (
        replace("out/summary.json", "5.00", "6.00"),
        "the output `out/summary.json` has changed since the report was made",
    ),
    "an output that is a link": (link("out/report.html"), "`out/report.html` is not a file, as the report's are"),
    "an output that is a pipe": (fifo("out/report.html"), "`out/report.html` is not a file, as the report's are"),
    "a file more": (rewrite("out/more.txt", "x"), "`out/more.txt` is none of the report's files"),
    "a hidden file more": (rewrite("out/.more", "x"), "`out/.more` is none of the report's files"),
    "an empty folder more": (lambda: Path("out/more").mkdir(), "`out/more` is none of the report's files"),
    "a link more": (lambda: Path("out/more").symlink_to("nowhere"), "`out/more` is none of the report's files"),
    "a file more, and listed": (more, "made again, the report has no `more.txt`"),
    "an answer and its digest": (
        forge,
        "made again, `decisions.parquet` is different: first in `shipping.outcome`, row 2",
    ),
    "a row and its digest": (drop_row, "made again, `decisions.parquet` is different: it has 3 rows in place of 2"),
    "no table, and its digest": (
        no_table,
        "made again, `decisions.parquet` is different: it is not a whole Parquet file",
    ),
    "a value and its digest": (
        forge_value,
        "made again, `decisions.parquet` is different: first in `shipping.values.above`, row 1",
    ),
    "a violation and its digest": (
        forge_violation,
        "made again, `invalid.parquet` is different: first in `violations`, row 3",
    ),
    "a sentence of the page and its digest": (
        forged("report.html", "2 of 3 valid records", "3 of 3 valid records"),
        "made again, `report.html` is different",
    ),
    "a count of the summary and its digest": (
        forged("summary.json", '"invalid": 1', '"invalid": 0'),
        "made again, `summary.json` is different",
    ),
    "a line of the CSV file and its digest": (
        forged("decisions.csv", "free", "charged"),
        "made again, `decisions.csv` is different",
    ),
    "two outputs in each other's place": (
        exchange("out/decisions.parquet", "out/invalid.parquet"),
        "the output `out/decisions.parquet` has changed since the report was made",
    ),
    "a gate that was not there": (
        set_to("0", "arguments", "max_invalid"),
        "made again, `report.html` is different",
    ),
    "a gate that was met, as not met": (
        set_to(["--max-invalid 0 is not met"], "unmet"),
        "`manifest.json` lists 1 `unmet`; made again, there are 0",
    ),
    "the digest of an output": (
        set_to(DIGEST, "outputs", 0, "sha256"),
        "the output `out/decisions.csv` has changed since the report was made",
    ),
    "the size of an output": (
        set_to(1, "outputs", 0, "bytes"),
        "the output `out/decisions.csv` has changed since the report was made",
    ),
}
"""A change to a report, and the difference that is told."""

GONE = "is not there any more: the report cannot be made again; if it lies elsewhere, give that folder as --inputs DIR"
NOT_HERE = "whether it is right cannot be told; verify it with what it was made by"
CANNOT: dict[str, tuple[Change, str]] = {
    # What the report was made from or by is not here.
    "an input that is gone": (
        delete("orders.csv"),
        f"the input `orders.csv` {GONE}",
    ),
    "an input that was changed": (
        replace("orders.csv", "50", "51"),
        "the input `orders.csv` has changed since the report was made: it cannot be made again",
    ),
    "an input that grew": (
        replace("orders.csv", "7.5,d\n", "7.5,d\n8,e\n"),
        "the input `orders.csv` has changed since the report was made: it cannot be made again",
    ),
    "an input that is a pipe": (
        fifo("orders.csv"),
        "the input `orders.csv` has changed since the report was made: it cannot be made again",
    ),
    "a mapping that was changed": (
        rewrite("map.yaml", "columns: {cost: null}\n"),
        "the input `map.yaml` has changed since the report was made: it cannot be made again",
    ),
    "the digest of an input": (
        set_to(DIGEST, "inputs", 0, "sha256"),
        "the input `orders.csv` has changed since the report was made: it cannot be made again",
    ),
    "an input that never was": (
        set_to("nowhere.csv", "inputs", 0, "name"),
        f"the input `nowhere.csv` {GONE}",
    ),
    "another table": (
        set_to("nowhere.csv", "arguments", "tables", 0, "facts"),
        "there is no file `nowhere.csv`",
    ),
    "another ruleset": (
        set_to("order", "arguments", "tables", 0, "ruleset"),
        "there is no ruleset `order`; did you mean `orders`?",
    ),
    "rules that are gone": (delete("rules/orders.yaml"), "there is no rule file in rules"),
    "another version of this program": (
        set_to("0.0.9", "engine"),
        f"the report was made by policy_engine 0.0.9, and here is policy_engine 0.1.0: {NOT_HERE}",
    ),
    "another version of Polars": (
        set_to("1.0.0", "libraries", "polars"),
        f"the report was made by polars 1.0.0, and here is polars {pl.__version__}: {NOT_HERE}",
    ),
    "a library more": (
        set_to("1.0.0", "libraries", "pandas"),
        f"the report was made by pandas 1.0.0, and here is no pandas: {NOT_HERE}",
    ),
}
"""A change after which there is no telling whether the report is right, and what is told."""

DAMAGED = "`out/manifest.json` is not the manifest of a report, or is damaged: "
NO_MANIFEST: dict[str, tuple[Change, str]] = {
    "no manifest": (delete("out/manifest.json"), "`out` holds no report: there is no `out/manifest.json`"),
    "nothing in it": (
        rewrite("out/manifest.json", ""),
        "`out/manifest.json` is damaged: not JSON at line 1, column 1: the file holds nothing",
    ),
    "half of it": (
        lambda: put(Path("out/manifest.json").read_bytes()[:200], "out/manifest.json"),
        "`out/manifest.json` is damaged: not JSON at line 12, column 18: a quote is never closed",
    ),
    "no text": (lambda: put(b"\xff", "out/manifest.json"), "`out/manifest.json` is damaged: it is not UTF-8 text"),
    "a name twice": (
        replace("out/manifest.json", '"engine"', '"engine": "0", "engine"'),
        "`out/manifest.json` is damaged: the name `engine` stands twice in one object",
    ),
    "a list": (rewrite("out/manifest.json", "[]"), f"{DAMAGED}it is not an object"),
    "null": (rewrite("out/manifest.json", "null"), f"{DAMAGED}it is not an object"),
    "an empty object": (rewrite("out/manifest.json", "{}"), f"{DAMAGED}there is no `manifest`"),
    "deep nesting": (rewrite("out/manifest.json", "[" * 100_000), "`out/manifest.json` is damaged: nested too deep"),
    "a huge number": (
        replace("out/manifest.json", '"rows": 4', f'"rows": {"9" * 5000}'),
        "`out/manifest.json` is damaged: the number 99999999999999999999... has more than 100 digits",
    ),
    "a number that is none": (
        replace("out/manifest.json", '"rows": 4', '"rows": NaN'),
        f"{DAMAGED}`counts[0].rows` is not a whole number from 0",
    ),
    "another edition": (
        set_to(2, "manifest"),
        "`out/manifest.json` was written by another edition of this program, and cannot be read by this one",
    ),
    "an edition that is none": (set_to("2", "manifest"), f"{DAMAGED}`manifest` is not a whole number from 0"),
    "a field more": (set_to(1, "more"), f"{DAMAGED}`more` is unknown"),
    "a field more, within": (set_to(1, "counts", 0, "more"), f"{DAMAGED}`counts[0].more` is unknown"),
    "a field less": (without("counts"), f"{DAMAGED}there is no `counts`"),
    "a field less, within": (without("arguments", "seed"), f"{DAMAGED}there is no `arguments.seed`"),
    "a count that is a truth": (
        set_to(True, "counts", 0, "rows"),
        f"{DAMAGED}`counts[0].rows` is not a whole number from 0",
    ),
    "a count that is a fraction": (
        set_to(4.0, "counts", 0, "rows"),
        f"{DAMAGED}`counts[0].rows` is not a whole number from 0",
    ),
    "a count below nothing": (
        set_to(-1, "counts", 0, "rows"),
        f"{DAMAGED}`counts[0].rows` is not a whole number from 0",
    ),
    "outputs that are no list": (set_to({}, "outputs"), f"{DAMAGED}`outputs` is not a list"),
    "an output that is a text": (set_to(["x"], "outputs"), f"{DAMAGED}`outputs[0]` is not an object"),
    "readings that are a list": (
        set_to([], "arguments", "readings"),
        f"{DAMAGED}`arguments.readings` is not an object",
    ),
    "a digest that is none": (
        set_to("x", "outputs", 0, "sha256"),
        f"{DAMAGED}`outputs[0].sha256` is not a SHA-256 in hexadecimal",
    ),
    "a day that is none": (
        set_to("2025-02-30", "arguments", "as_of"),
        f"{DAMAGED}`arguments.as_of` is not a day such as 2025-02-28",
    ),
    "a day in another form": (
        set_to("20250701", "arguments", "as_of"),
        f"{DAMAGED}`arguments.as_of` is not a day such as 2025-02-28",
    ),
    "a form that is none": (
        set_to(["pdf"], "arguments", "formats"),
        f"{DAMAGED}`arguments.formats[0]` is not one of csv, jsonl, xlsx",
    ),
    "a form that is a list": (
        set_to([[]], "arguments", "formats"),
        f"{DAMAGED}`arguments.formats[0]` is not one of csv, jsonl, xlsx",
    ),
    "a seed that is too large": (
        set_to(2**33, "arguments", "seed"),
        f"{DAMAGED}`arguments.seed` is not a whole number up to 4294967296",
    ),
    "a path out of the folder": (
        set_to("../orders.csv", "outputs", 0, "name"),
        f"{DAMAGED}`outputs[0].name` is not the name of a file within the report",
    ),
    "a path from the root": (
        set_to("/etc/passwd", "outputs", 0, "name"),
        f"{DAMAGED}`outputs[0].name` is not the name of a file within the report",
    ),
    "NUL in an output's name": (
        set_to("a\0b", "outputs", 0, "name"),
        f"{DAMAGED}`outputs[0].name` is not the name of a file within the report",
    ),
    "NUL in an input's name": (set_to("a\0b", "inputs", 0, "name"), f"{DAMAGED}`inputs[0].name` is not a text"),
    "half a character": (
        replace("out/manifest.json", '"rules": "rules"', '"rules": "\\ud800"'),
        f"{DAMAGED}`arguments.rules` is not a text",
    ),
    "a manifest that is a link": (
        link("out/manifest.json"),
        "`out/manifest.json` is not a file, so `out` is no report",
    ),
    "a manifest that is a pipe": (
        fifo("out/manifest.json"),
        "`out/manifest.json` is not a file, so `out` is no report",
    ),
    "a report that is a link": (link("out"), "`out` is a link to `{folder}/elsewhere`; name the folder itself"),
    "a report that is a file": (
        file_in_place_of("out"),
        "`out` holds no report: there is no `out/manifest.json`",
    ),
}
"""A manifest that cannot be read, and what is told."""


def verify(run: Run) -> Ran:
    """What is said of the report; a long line is one line."""
    ran = run("report", "verify", "out")
    return Ran(int(ran.code), ran.out, " ".join(ran.err.split()))


def test_b2_what_was_not_changed_is_the_same(report: Run) -> None:
    assert verify(report) == Ran(0, "out: made again, every file is the same, byte for byte\n", "")


@pytest.mark.parametrize("name", DIFFERS)
def test_b2_a_difference_is_found_and_named(report: Run, name: str) -> None:
    change, told = DIFFERS[name]
    change()
    assert verify(report) == Ran(1, "", told)


@pytest.mark.parametrize("name", [*CANNOT, *NO_MANIFEST])
def test_b2_what_cannot_be_verified_is_never_the_same(report: Run, name: str) -> None:
    change, told = {**CANNOT, **NO_MANIFEST}[name]
    change()
    assert verify(report) == Ran(2, "", told.replace("{folder}", str(Path.cwd())))


def test_b2_rules_that_were_changed_are_told_with_both_versions(report: Run) -> None:
    before = manifest()["rulesets"][0]["digest"]
    replace("rules/orders.yaml", "title: ", "title: Other ")()
    ran = verify(report)
    assert ran.code == 2
    assert ran.err.startswith(
        f"the ruleset `orders` has changed: it was version 2 with {before}, and is version 2 with "
    )
    assert ran.err.endswith(": the report cannot be made again")


def move(*names: str, to: str) -> None:
    """Move files and folders into a folder."""
    Path(to).mkdir(parents=True, exist_ok=True)
    for name in names:
        Path(name).rename(Path(to, Path(name).name))


EVERYTHING = ("orders.csv", "map.yaml", "rules", "schemas")
SAME = "made again, every file is the same, byte for byte\n"


@pytest.mark.parametrize(
    ("names", "to", "more"),
    [
        ((), "elsewhere", ()),
        (("orders.csv",), "kept", ("--inputs", "kept")),
        (("orders.csv", "map.yaml"), "kept/in/depth", ("--inputs", "kept")),
        (EVERYTHING, "kept", ("--inputs", "kept")),
        (("rules", "schemas"), "kept", ("--inputs", "kept")),
        (("rules", "schemas", "out"), "kept", ()),
    ],
)
def test_what_a_report_was_made_from_is_found_elsewhere(
    report: Run, names: tuple[str, ...], to: str, more: tuple[str, ...]
) -> None:
    move(*names, to=to)
    folder = "kept/out" if "out" in names else "out"
    ran = report("report", "verify", folder, *more)
    assert (ran.code, ran.out, ran.err) == (0, f"{folder}: {SAME}", "")


def test_a_report_is_verified_from_any_folder(report: Run) -> None:
    place = Path("out").absolute()
    Path("in/depth").mkdir(parents=True)
    lay_out({"rules/other.yaml": FILES["rules/orders.yaml"].replace("limit: 50", "limit: 51")}, Path("in/depth"))
    assert policy("report", "verify", str(place), folder=Path("in/depth")) == Ran(0, f"{place}: {SAME}", "")


def test_an_input_is_known_by_its_bytes_and_not_by_its_name(report: Run) -> None:
    move("orders.csv", to="kept")
    Path("kept/orders.csv").rename("kept/renamed")
    put("cost,note\n50,a\n5,b\n-1,c\n7.5,x\n", "kept/orders.csv")
    assert report("report", "verify", "out", "--inputs", "kept").code == 0


def test_tables_of_a_folder_are_found_by_their_digests(run: Run) -> None:
    Path("many").mkdir()
    for name, price in (("a", 50.0), ("b", 5.0)):
        pl.DataFrame({"price": [price]}).write_parquet(f"many/{name}.parquet")
    absolute = str(Path("many").absolute())
    assert run("report", f"orders={absolute}", "--as-of", "2025-07-01", "--out", "out").code == 0
    move("many/b.parquet", to="kept")
    assert run("report", "verify", "out", "--inputs", "kept").code == 0
    move("many/a.parquet", to="kept/more")
    assert run("report", "verify", "out", "--inputs", "kept").code == 0


@pytest.mark.parametrize(
    ("change", "inputs", "told"),
    [
        (
            delete("orders.csv"),
            ".",
            "no file in `.` has the bytes of the input `orders.csv`: the report cannot be made again",
        ),
        (delete("orders.csv"), "nowhere", "--inputs: `nowhere` is not a folder"),
        (
            lambda: shutil.rmtree("rules"),
            "schemas",
            "no rules with the digests of the report are here, neither in `rules` nor below the folders that hold the report: it "
            "cannot be made again; give the folder that holds rules and schemas as --inputs DIR",
        ),
    ],
)
def test_it_is_told_why_a_report_cannot_be_verified(report: Run, change: Change, inputs: str, told: str) -> None:
    change()
    ran = report("report", "verify", "out", "--inputs", inputs)
    assert (ran.code, ran.out, " ".join(ran.err.split())) == (2, "", told)


def test_b2_more_than_forty_kinds_of_tampering_are_tried() -> None:
    assert len(DIFFERS) + len(CANNOT) + len(NO_MANIFEST) > 80


def test_b2_a_table_that_came_into_a_folder_is_named(run: Run) -> None:
    Path("many").mkdir()
    pl.DataFrame({"price": [50.0]}).write_parquet("many/a.parquet")
    assert run("report", "orders=many", "--as-of", "2025-07-01", "--out", "out").code == 0
    assert verify(run).code == 0
    pl.DataFrame({"price": [50.0]}).write_parquet("many/b.parquet")
    told = "the input `many/b.parquet` came after the report was made: it cannot be made again without it"
    assert verify(run) == Ran(2, "", told)
