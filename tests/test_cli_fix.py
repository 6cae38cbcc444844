"""`policy check --fix` and `--diff`: what they mend, what they leave, what they write and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine.frontend.fixing import Check, Fixing, fix_all
from tests.conftest import lay_out
from tests.support.commands import Ran, policy
from tests.test_engine import ORDER, ORDER_SCHEMA

SLIP = ORDER.replace("price >= limit", "pirce >= limit")
TESTS = """tests: orders
cases:
  - {name: large is free, as_of: 2025-07-01, facts: {pirce: 50}, expect: {shiping: free}}
  - name: small is charged
    as_of: 2025-07-01
    facts: {'price': 5}
    expect: {"shiping": "chargd"}
"""
FILES = {"rules/orders.yaml": ORDER, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}
Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Lays files out in a folder with one ruleset, and runs `policy check` there."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **files: str) -> Ran:
        lay_out(FILES | {f"rules/{name}.yaml": text for name, text in files.items()}, tmp_path)
        return policy("check", *arguments, folder=tmp_path)

    return run


def text(name: str = "orders") -> str:
    """The text of a file now, its line ends as they are."""
    return Path(f"rules/{name}.yaml").read_bytes().decode()


def test_fix_mends_and_says_what(run: Run) -> None:
    ran = run("--fix", orders=SLIP)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "rules/orders.yaml:23:13: fixed[unknown-name]: write `price` in place of `pirce`",
        "1 rule file, 0 test files: no faults",
    ]
    assert text() == ORDER


def test_diff_shows_and_writes_nothing(run: Run) -> None:
    ran = run("--diff", orders=SLIP)
    assert ran.code == 1
    assert ran.err == "1 rule file, 0 test files: no faults once this is fixed\n"
    assert text() == SLIP
    assert [line for line in ran.out.splitlines() if line.startswith(("-", "+"))] == [
        "--- rules/orders.yaml",
        "+++ rules/orders.yaml",
        '-  is_large: pirce >= limit if free_from == "included" else price > limit',
        '+  is_large: price >= limit if free_from == "included" else price > limit',
    ]
    ran = run("--diff")
    assert (ran.code, ran.out, ran.err) == (0, "", "1 rule file, 0 test files: no faults\n")


def test_fix_mends_test_files_too(run: Run) -> None:
    ran = run("--fix", orders_test=TESTS.replace("chargd", "free of charge"))
    assert ran.code == 1
    assert [line for line in ran.out.splitlines() if "[" in line[:60]] == [
        "rules/orders_test.yaml:3:54: fixed[unknown-member]: write `price` in place of `pirce`",
        "rules/orders_test.yaml:3:75: fixed[test-decision]: write `shipping` in place of `shiping`",
        "rules/orders_test.yaml:7:14: fixed[test-decision]: write `shipping` in place of `shiping`",
        "rules/orders_test.yaml:7:26: error[unknown-outcome]: `free of charge` is not among the outcomes of the decision",
    ]
    assert text("orders_test") == (
        TESTS.replace("pirce", "price").replace("shiping", "shipping").replace("chargd", "free of charge")
    )


def test_fix_keeps_line_ends_and_mark_and_permissions(run: Run) -> None:
    run("--fix", orders="\ufeff" + SLIP.replace("\n", "\r\n"))
    assert text() == "\ufeff" + ORDER.replace("\n", "\r\n")


def test_fix_with_forms_for_programs(run: Run) -> None:
    told = json.loads(run("--fix", "--format", "json", orders=SLIP).out)
    assert told["diagnostics"] == []
    assert [each["fix"]["edits"] for each in told["fixed"]] == [
        [
            {
                "path": "rules/orders.yaml",
                "line": 23,
                "column": 13,
                "end_line": 23,
                "end_column": 18,
                "old": "pirce",
                "new": "price",
            }
        ]
    ]
    ran = run("--fix", "--format", "line", orders=SLIP)
    assert ran.out == ""
    assert ran.err == "rules/orders.yaml:23:13: fixed[unknown-name]: write `price` in place of `pirce`\n"


def test_diff_takes_no_form(run: Run) -> None:
    ran = run("--diff", "--format", "json")
    assert (ran.code, ran.out) == (2, "")
    assert "--diff shows a diff and nothing else: leave --format out" in ran.err


def test_a_fix_that_is_a_guess_is_not_made(run: Run) -> None:
    guess = ORDER.replace("price >= limit", "rice >= limit")
    ran = run("--fix", orders=guess)
    assert (ran.code, text()) == (1, guess)
    assert ran.out.splitlines()[-2] == "1 rule file, 0 test files: 1 fault; 1 with a fix that only you can confirm"


def test_a_fix_that_brings_more_errors_is_left_out(run: Run) -> None:
    unread = ORDER.replace("definitions:", "definitons:").replace("is_large: price", "is_large: nothing + never")
    ran = run("--fix", orders=unread)
    assert text() == unread
    assert ran.out.splitlines()[-2].endswith(
        "; 1 with a fix that was left out: it brings other errors, or there are too many for one run"
    )


def test_what_makes_sense_only_together_is_fixed_together(run: Run) -> None:
    run("--fix", orders=SLIP.replace("definitions:", "definitons:").replace("shipping:", "Shipping:"))
    assert text() == ORDER


def test_sarif_carries_the_fix(run: Run) -> None:
    (result,) = json.loads(run("--format", "sarif", orders=SLIP).out)["runs"][0]["results"]
    region = {"startLine": 23, "startColumn": 13, "endLine": 23, "endColumn": 18}
    change = {
        "artifactLocation": {"uri": "rules/orders.yaml"},
        "replacements": [{"deletedRegion": region, "insertedContent": {"text": "price"}}],
    }
    assert result["fixes"] == [
        {
            "description": {"text": "write `price` in place of `pirce`"},
            "artifactChanges": [change],
            "properties": {"sure": True},
        }
    ]


def test_a_file_that_changes_meanwhile_is_not_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fix_and_change(check: Check) -> Fixing:
        fixing = fix_all(check)
        Path("rules/orders.yaml").write_text("ruleset: another\n")
        return fixing

    monkeypatch.setattr("policy_engine.cli.check.fix_all", fix_and_change)
    ran = run("--fix", orders=SLIP)
    assert (ran.code, ran.out, text()) == (2, "", "ruleset: another\n")
    assert ran.err == "`rules/orders.yaml` changed while it was being fixed; nothing was written: try again\n"


GUESS = ORDER.replace("price >= limit", "rice >= limit")


def test_a_diff_says_what_would_be_left_and_why(run: Run) -> None:
    ran = run("--diff", orders=GUESS.replace("title:", "titel:"))
    assert ran.err == "1 rule file, 0 test files: 1 fault once this is fixed; 1 with a fix that only you can confirm\n"


def test_test_files_that_could_not_be_checked_are_counted(run: Run) -> None:
    waits = "; 1 test file not checked, since what it tests has faults"
    ran = run(orders=GUESS, orders_test=TESTS)
    assert [line for line in ran.out.splitlines() if "orders_test" in line] == []
    assert ran.out.splitlines()[-2] == f"1 rule file, 1 test file: 1 fault{waits}"
    diff = run("--diff", orders=GUESS.replace("title:", "titel:"), orders_test=TESTS)
    assert diff.err.endswith(f": 1 fault once this is fixed; 1 with a fix that only you can confirm{waits}\n")
    assert waits not in run(orders=ORDER, orders_test=TESTS).out


def test_what_other_rule_files_may_read_is_not_said_to_be_unread(tmp_path: Path) -> None:
    colour = {"type": "string"}
    schema = json.dumps(ORDER_SCHEMA | {"properties": {**ORDER_SCHEMA["properties"], "colour": colour}})  # type: ignore[dict-item]
    lay_out({"rules/orders.yaml": ORDER, "schemas/order.schema.json": schema}, tmp_path)
    told = "no rule reads the fact `colour` of order"
    assert told in policy("check", "rules/orders.yaml", folder=tmp_path).out
    other = ORDER.replace("ruleset: orders", "ruleset: others").replace(
        "is_large: price", 'is_large: colour == "red" or price'
    )
    lay_out({"rules/others.yaml": other}, tmp_path)
    assert told not in policy("check", folder=tmp_path).out
    part = policy("check", "rules/orders.yaml", "--strict", folder=tmp_path)
    assert (part.code, part.out) == (
        0,
        "1 rule file, 0 test files: no faults; 1 warning left out, "
        "since other rule files of the folder may read what these do not\n",
    )
