"""Gates of a report: exit code 3 and a sentence where it does not come to what was asked; it is written all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import lay_out
from tests.test_cli import FILES, JSONL, Run, put, refused, run

__all__ = ["run"]
OTHER = FILES["rules/orders.yaml"].replace("ruleset: orders", "ruleset: returns")
# Of 8 rows 5 are invalid; of the 3 valid ones 2 are undetermined, and `shipping` is free for 1 and charged for 2.


def report(run: Run, *more: str) -> tuple[int, str, list[str]]:
    """The exit code of a report, the last line of its output, and its messages."""
    put(JSONL, "orders.jsonl")
    ran = run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out", *more)
    return ran.code, ran.out.splitlines()[-1] if ran.out else "", ran.err.splitlines()


MET = [
    ("--max-invalid", "5"),
    ("--max-invalid", "62.5%"),
    ("--max-invalid", "100%"),
    ("--max-undetermined", "2"),
    ("--max-undetermined", "66.7%"),
    ("--expect", "shipping.free>=1"),
    ("--expect", "shipping.free==1"),
    ("--expect", "shipping.free <= 33.4%"),
    ("--expect", "orders.shipping.charged>=66.6%"),
]
UNMET = [
    ("--max-invalid", "4", "5 of 8 rows of `orders` are invalid; at most 4 may be"),
    ("--max-invalid", "62.4%", "5 of 8 rows of `orders` are invalid; at most 62.4% may be"),
    ("--max-undetermined", "1", "2 of 3 valid rows of `orders` are undetermined; at most 1 may be"),
    (
        "--expect",
        "shipping.free>=1000",
        "1 of 3 valid rows of `orders` are `free` by `shipping`; at least 1,000 must be",
    ),
    ("--expect", "shipping.free==0", "1 of 3 valid rows of `orders` are `free` by `shipping`; exactly 0 must be"),
    (
        "--expect",
        "shipping.charged<=66%",
        "2 of 3 valid rows of `orders` are `charged` by `shipping`; at most 66% may be",
    ),
]


@pytest.mark.parametrize("gate", [(), *MET])
def test_a_gate_that_is_met_says_nothing(run: Run, gate: tuple[str, ...]) -> None:
    assert report(run, *gate) == (0, "5 of 8 rows are invalid", [])


@pytest.mark.parametrize(("option", "bound", "why"), UNMET)
def test_a_gate_that_is_not_met_is_told_and_the_report_is_written(run: Run, option: str, bound: str, why: str) -> None:
    told = f"{option} {bound} is not met: {why}"
    assert report(run, option, bound) == (3, "5 of 8 rows are invalid", [told])
    assert json.loads(Path("out/manifest.json").read_text("utf-8"))["unmet"] == [told]
    assert f"<li>{told.replace('>', '&gt;').replace('<', '&lt;')}</li>" in Path("out/report.html").read_text("utf-8")
    assert run("report", "verify", "out").code == 0


def test_each_gate_is_told_also_beside_json(run: Run) -> None:
    code, last, told = report(run, "--json", "--max-invalid", "1", "--expect", "shipping.free>=2")
    assert (code, json.loads(last)["as_of"], len(told)) == (3, "2025-07-01", 2)


def test_undetermined_rows_are_counted_once_for_each_ruleset(run: Run) -> None:
    lay_out({"rules/returns.yaml": OTHER}, Path())
    put('{"price": 1}\n{}\n', "none.jsonl")
    ran = run(
        *("report", "orders=none.jsonl", "returns=none.jsonl", "--as-of", "2025-07-01", "--out", "out"),
        *("--max-invalid", "0", "--expect", "returns.shipping.free>=1"),
    )
    assert ran.code == 3
    assert ran.err.splitlines() == [
        "--max-invalid 0 is not met: 1 of 2 rows of `orders` are invalid; at most 0 may be",
        "--max-invalid 0 is not met: 1 of 2 rows of `returns` are invalid; at most 0 may be",
        "--expect returns.shipping.free>=1 is not met: 0 of 1 valid rows of `returns` are `free` by `shipping`; "
        "at least 1 must be",
    ]


FORM = "is not of the form DECISION.OUTCOME>=N; write it like shipping.free>=100, with >=, <= or =="
BOUND = "is neither a number of rows, such as 20, nor a share, such as 1% or 0.5%"


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--max-invalid", "few", f"--max-invalid: `few` {BOUND}"),
        ("--max-invalid", "-1", f"--max-invalid: `-1` {BOUND}"),
        ("--max-invalid", "101%", f"--max-invalid: `101%` {BOUND}"),
        ("--max-undetermined", "1.5", f"--max-undetermined: `1.5` {BOUND}"),
        ("--max-undetermined", "", f"--max-undetermined: `` {BOUND}"),
        ("--expect", "shipping.free>=x", f"--expect: `x` {BOUND}"),
        ("--expect", "shipping.free", f"--expect: `shipping.free` {FORM}"),
        ("--expect", "free>=1", f"--expect: `free>=1` {FORM}"),
        ("--expect", "shipping.free=1", f"--expect: `shipping.free=1` {FORM}"),
        ("--expect", "shiping.free>=1", "--expect: there is no decision `shiping`; did you mean `shipping`?"),
        ("--expect", "shipping.fre>=1", "--expect: `shipping` has no outcome `fre`; did you mean `free`?"),
        ("--expect", "shipping.xyz>=1", "--expect: `shipping` has no outcome `xyz`; it has free, charged"),
        (
            "--expect",
            "totals.xyz>=1",
            "--expect: `totals` has no outcome `xyz`; it has none, for it is a calculation",
        ),
        ("--expect", "order.shipping.free>=1", "--expect: there is no ruleset `order`; did you mean `orders`?"),
    ],
)
def test_a_gate_that_cannot_be_held_is_refused_and_nothing_is_written(
    run: Run, option: str, text: str, told: str
) -> None:
    put(JSONL, "orders.jsonl")
    ran = run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out", option, text)
    refused(ran, told, code=2)
    assert not Path("out").exists()


def test_a_decision_that_two_rulesets_have_is_asked_for_by_both_names(run: Run) -> None:
    lay_out({"rules/returns.yaml": OTHER}, Path())
    put(JSONL, "orders.jsonl")
    both = ("orders=orders.jsonl", "returns=orders.jsonl")
    ran = run("report", *both, "--as-of", "2025-07-01", "--out", "out", "--expect", "shipping.free>=1")
    told = "`orders` and `returns` have a decision `shipping`; write orders.shipping.OUTCOME"
    refused(ran, f"--expect: {told}", code=2)
