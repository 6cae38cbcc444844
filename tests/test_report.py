"""`policy report`: every row is accounted for, the files are whole or not there, and anyone can make them again."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine import Engine
from policy_engine.documents.facts_files import read_lines
from policy_engine.errors import FactsError
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Rules
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.deciding import decide_table
from policy_engine.reports.jobs import jobs_for
from policy_engine.reports.run import make_report
from policy_engine.tables import Options
from tests.conftest import ROOT
from tests.support.commands import Ran
from tests.support.rulebook import shipped
from tests.test_cli import JSONL, Run, put, refused, run

__all__ = ["run"]
DAY = date(2025, 6, 30)
FILES = {"decisions.parquet", "invalid.parquet", "summary.json", "report.html", "manifest.json"}


def report(run: Run, *more: str) -> Ran:
    """A report over the lines."""
    if not Path("orders.jsonl").exists():
        put(JSONL, "orders.jsonl")
    return run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out", *more)


def contents() -> dict[str, bytes]:
    """Every file below the current folder."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def test_a_report_is_five_files_that_add_up(run: Run) -> None:
    assert report(run).code == 0
    assert {path.name for path in Path("out").iterdir()} == FILES
    (one,) = json.loads(Path("out/summary.json").read_text("utf-8"))["rulesets"]
    assert (one["valid"], one["invalid"], one["rows"]) == (3, 5, 8)
    decisions, invalid = pl.read_parquet("out/decisions.parquet"), pl.read_parquet("out/invalid.parquet")
    assert decisions["row"].to_list() == [1, 2, 9]
    assert invalid["row"].to_list() == [3, 4, 5, 6, 7]
    assert decisions["shipping.outcome"].to_list() == ["free", "charged", "charged"]
    assert decisions["shipping.rule"].to_list() == decisions["shipping.reason"].to_list()
    for decision in one["decisions"]:
        assert sum(decision["statuses"].values()) == one["valid"]


def test_the_manifest_tells_what_it_was_made_from(run: Run) -> None:
    report(run)
    manifest = json.loads(Path("out/manifest.json").read_text("utf-8"))
    assert [file["name"] for file in manifest["inputs"]] == ["orders.jsonl"]
    assert {file["name"] for file in manifest["outputs"]} == FILES - {"manifest.json"}
    assert manifest["counts"] == [{"ruleset": "orders", "rows": 8, "valid": 3, "invalid": 5}]
    assert manifest["arguments"]["as_of"] == "2025-07-01"


def test_a_report_as_json_is_its_summary(run: Run) -> None:
    ran = report(run, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == json.loads(Path("out/summary.json").read_text("utf-8"))


def test_two_reports_are_the_same_to_the_byte(run: Run) -> None:
    report(run, "--format", "csv", "--format", "jsonl", "--format", "xlsx")
    before = contents()
    report(run, "--format", "csv", "--format", "jsonl", "--format", "xlsx")
    assert contents() == before


def test_a_report_replaces_a_report_and_nothing_else(run: Run) -> None:
    assert [report(run).code, report(run).code] == [0, 0]
    Path("mine").mkdir()
    put("precious", "mine/file.txt")
    refused(run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "mine"), "mine", code=2)
    assert Path("mine/file.txt").read_text("utf-8") == "precious"
    put("precious", "file")
    refused(run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "file"), "file", code=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("orders=nowhere.jsonl",), "nowhere.jsonl"),
        (("orders=nowhere",), "there is no file `nowhere`"),
        (("orders=rules/orders.yaml",), "give it one of .parquet"),
        (("orders",), "which facts for `orders`"),
        (("orders=orders.jsonl", "orders=orders.jsonl"), "`orders` is named twice"),
        (("order=orders.jsonl",), "did you mean `orders`"),
        (("orders=orders.jsonl", "--reading", "free_form=included"), "free_form"),
        (("orders=orders.jsonl", "--reading", "free_from=include"), "did you mean `included`"),
        (("orders=orders.jsonl", "--as-of", "2035-01-01"), "version 2"),
        (("orders=orders.jsonl", "--over", "price"), "`price` is no date among the facts"),
        (("orders=orders.jsonl", "--format", "pdf"), "`pdf` is none of csv, jsonl, xlsx"),
        (("orders=orders.jsonl", "--map", "map.yaml"), "map.yaml"),
    ],
)
def test_a_report_that_cannot_run_leaves_nothing(run: Run, arguments: tuple[str, ...], told: str) -> None:
    put(JSONL, "orders.jsonl")
    before = contents()
    day = () if "--as-of" in arguments else ("--as-of", "2025-07-01")
    refused(run("report", *arguments, *day, "--out", "out"), told, code=2)
    assert contents() == before


# Tables that are not as they should be.


def frame(**columns: Any) -> None:
    """A Parquet file of orders."""
    pl.DataFrame(columns).write_parquet("orders.parquet")


def over(run: Run, place: str) -> Ran:
    """A report over a table."""
    return run("report", f"orders={place}", "--as-of", "2025-07-01", "--out", "out", "--json")


def counted(ran: Ran) -> tuple[int, int, int]:
    """Rows, valid and invalid ones."""
    assert ran.code == 0, ran.err
    (one,) = json.loads(ran.out)["rulesets"]
    return one["rows"], one["valid"], one["invalid"]


def test_a_parquet_file_is_decided(run: Run) -> None:
    frame(price=[50.0, 5.0, -1.0, None, 0.001])
    assert counted(over(run, "orders.parquet")) == (5, 2, 3)
    assert pl.read_parquet("out/invalid.parquet")["row"].to_list() == [3, 4, 5]


def test_a_folder_and_a_glob_are_read_by_name(run: Run) -> None:
    Path("many").mkdir()
    for name, price in (("b", 5.0), ("a", 50.0), ("c", -1.0)):
        pl.DataFrame({"price": [price]}).write_parquet(f"many/{name}.parquet")
    assert counted(over(run, "many")) == (3, 2, 1)
    assert pl.read_parquet("out/decisions.parquet")["shipping.outcome"].to_list() == ["free", "charged"]
    assert counted(over(run, "many/[ab].parquet")) == (2, 2, 0)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_every_row_is_looked_at_once(run: Run, ending: str) -> None:
    """Two files are written from one pass; what is watched beside them must not see a row twice."""
    table = pl.DataFrame({"price": [n % 97 + 0.5 for n in range(30_000)]})
    writers: dict[str, Callable[[str], None]] = {
        "parquet": table.write_parquet,
        "csv": table.write_csv,
        "jsonl": table.write_ndjson,
    }
    writers[ending](f"orders.{ending}")
    engine = Engine.load()
    (job,) = jobs_for(engine, [("orders", Path(f"orders.{ending}"))], date(2025, 7, 1), {}, Options())
    seen: list[int] = []
    decide_table(
        job, Path("decisions.parquet"), Path("invalid.parquet"), [lambda facts, *_: seen.extend(facts["(row)"])]
    )
    assert sorted(seen) == list(range(1, 30_001))


def test_no_rows_are_a_report_of_none(run: Run) -> None:
    pl.DataFrame(schema={"price": pl.Float64}).write_parquet("orders.parquet")
    put("", "orders.jsonl")
    put("price\n", "orders.csv")
    for place in ("orders.parquet", "orders.jsonl", "orders.csv"):
        assert counted(over(run, place)) == (0, 0, 0), place
        assert run("report", "verify", "out").code == 0, place


def test_a_truncated_parquet_file_cannot_be_read(run: Run) -> None:
    frame(price=[50.0] * 1000)
    put(Path("orders.parquet").read_bytes()[:-100], "orders.parquet")
    refused(over(run, "orders.parquet"), "orders.parquet", code=2)
    assert not Path("out").exists()


def test_a_parquet_file_broken_in_its_middle_leaves_nothing(run: Run) -> None:
    frame(price=[float(i % 977) for i in range(100_000)])
    whole = Path("orders.parquet").read_bytes()
    put(whole[:2000] + b"\xff" * 2000 + whole[4000:], "orders.parquet")
    refused(over(run, "orders.parquet"), code=2)
    assert not Path("out").exists()


def test_a_column_of_the_wrong_type_cannot_be_read(run: Run) -> None:
    frame(price=[True, False])
    refused(over(run, "orders.parquet"), "price", code=2)


def test_ragged_rows_of_csv_are_invalid_and_the_rest_is_decided(run: Run) -> None:
    put("price,note\n50,x\n5\n7,y,z\n12\n", "orders.csv")
    rows, valid, invalid = counted(over(run, "orders.csv"))
    assert (rows, valid + invalid) == (4, 4)
    assert invalid == 3


def test_a_ruleset_that_tables_cannot_hold_is_refused_at_the_rule(run: Run) -> None:
    wide = {"type": "number", "multipleOf": 1e-10, "minimum": 0, "maximum": 10000000}
    whole = {"type": "integer", "minimum": 1, "maximum": 10**17}
    schema = {"type": "object", "additionalProperties": False, "properties": {"fine": wide, "whole": whole}}
    put(json.dumps(schema), "schemas/wide.schema.json")
    head = "ruleset: wide\ntitle: W\nversion: '1'\neffective: {from: 2025-01-01}\ntimezone: UTC\nfacts: wide\n"
    rule = "decisions:\n  d:\n    question: Q\n    values:\n      a: (whole / fine) > (fine / whole)\n"
    put(head + rule, "rules/wide.yaml")
    put("{}\n", "wide.jsonl")
    ran = run("report", "wide=wide.jsonl", "--as-of", "2025-07-01", "--out", "out")
    refused(ran, "rules/wide.yaml:11", "too-wide-for-tables", code=1)
    assert not Path("out").exists()


# Interrupted, and out of space.


def begun(folder: Path, *arguments: str, limit: int | None = None) -> subprocess.Popen[str]:
    """A report in a process of its own, whose files may have so many bytes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit or resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    command = [sys.executable, "-m", "policy_engine", "report", *arguments]
    whole = {"PYTHONDONTWRITEBYTECODE": "1"}  # of Python's own files such a process would write a part
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **whole}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=limited,  # noqa: PLW1509 - the test has no other threads
    )


def many_lines(count: int) -> None:
    """A file of many orders."""
    put("".join(f'{{"price": {n % 97}.5}}\n' for n in range(count)), "orders.jsonl")


@pytest.mark.parametrize("there", [True, False])
def test_a_report_for_which_there_is_no_space_leaves_what_was_there(run: Run, there: bool) -> None:
    if there:
        assert report(run).code == 0
    many_lines(50_000)
    before = contents()
    arguments = ("orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out")
    process = begun(Path.cwd(), *arguments, limit=20_000)
    out, err = process.communicate()
    assert (process.returncode, out) == (2, ""), err
    assert "cannot be written" in err
    assert "Traceback" not in err
    assert contents() == before


def test_an_interrupted_report_leaves_nothing(run: Run) -> None:
    many_lines(400_000)
    before = contents()
    process = begun(Path.cwd(), "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out")
    while process.poll() is None and not list(Path().glob(".out.*/new/*.parquet")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert contents() == before


# Other forms, and other parts.


def test_decisions_in_other_forms_have_every_row(run: Run) -> None:
    assert report(run, "--format", "csv", "--format", "jsonl", "--format", "xlsx").code == 0
    assert pl.read_csv("out/decisions.csv")["row"].to_list() == [1, 2, 9]
    lines = [json.loads(line) for line in Path("out/decisions.jsonl").read_text("utf-8").splitlines()]
    assert [line["shipping.outcome"] for line in lines] == ["free", "charged", "charged"]
    assert pl.read_csv("out/invalid.csv")["row"].to_list() == [3, 4, 5, 6, 7]
    assert Path("out/report.xlsx").read_bytes().startswith(b"PK")


def test_several_rulesets_have_a_folder_each(tmp_path: Path) -> None:
    tables = (("partner_earnings", "account_moves"), ("email_suppression", "senders"))
    arguments = Arguments(
        tuple((name, str(ROOT / f"fixtures/{file}.jsonl")) for name, file in tables),
        DAY,
        str(ROOT / "rules"),
        str(ROOT / "schemas"),
        over=("move_effective_date",),
    )
    make_report(arguments, tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    folders = {f"{name}/{file}.parquet" for name, _ in tables for file in ("decisions", "invalid")}
    assert found == folders | {"summary.json", "report.html", "manifest.json"}
    table = pl.read_parquet(tmp_path / "out/partner_earnings/decisions.parquet")
    assert table["move_effective_date"].dtype == pl.Date
    told = json.loads((tmp_path / "out/summary.json").read_text("utf-8"))["rulesets"][0]
    assert told["decisions"][0]["over_time"]["buckets"]
    assert told["near_misses"]


# A report says what the engine says.


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_report_says_of_every_record_what_the_engine_says(sample: Sample, tmp_path: Path) -> None:
    place = ROOT / "fixtures" / sample.file
    arguments = Arguments(((sample.ruleset, str(place)),), DAY, str(ROOT / "rules"), str(ROOT / "schemas"))
    make_report(arguments, tmp_path / "out")
    told = {row["row"]: row for row in pl.read_parquet(tmp_path / "out/decisions.parquet").iter_rows(named=True)}
    wrong = {row["row"]: row for row in pl.read_parquet(tmp_path / "out/invalid.parquet").iter_rows(named=True)}
    lines = list(read_lines(place))
    assert len(told) + len(wrong) == len(lines)
    for line in lines:
        found = _asked(sample.ruleset, line.facts)
        if isinstance(found, FactsError):
            messages = [violation["message"] for violation in wrong[line.number]["violations"]]
            assert messages == [violation.message for violation in found.violations]
        else:
            for name, answer in found.items():
                _agrees(told[line.number], name, answer)


def _asked(ruleset: str, facts: Any) -> Mapping[str, Decision] | FactsError:
    """What the engine says of one record."""
    try:
        return shipped().decide_all(ruleset, facts, as_of=DAY)
    except FactsError as error:
        return error


def _agrees(row: Mapping[str, Any], name: str, answer: Decision) -> None:
    """A row's columns of a decision are the answer."""
    logic = next(d for r in shipped().rulebook.rulesets for d in r.decisions if f"{r.id}.{d.name}" == answer.decision)
    assert row[f"{name}.status"] == str(answer.status)
    assert (row[f"{name}.missing"] or []) == list(answer.missing)
    assert {value: row[f"{name}.values.{value}"] for value in answer.values} == {
        value: list(found) if isinstance(found, tuple) else found for value, found in answer.values.items()
    }
    if isinstance(logic.body, Rules) and logic.body.hit == "collect":
        assert (row[f"{name}.outcome"], row[f"{name}.rule"]) == (list(answer.outcome or ()), list(answer.rules))
    elif logic.body is not None:
        assert row.get(f"{name}.outcome") == answer.outcome
        assert row[f"{name}.rule"] == (answer.rules[0] if answer.rules else None)
