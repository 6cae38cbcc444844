"""What `policy test --coverage` prints and writes: gaps beside the lines, numbers that add up, files that other tools read."""

from __future__ import annotations

from pathlib import Path

from tests.support.commands import policy
from tests.test_coverage import LATER, LATER_ON, MIDNIGHT, TABLES, decision, run, table

ONE_GAP = "decisions:\n" + decision("d", "days <= 60"), table("days, d", "59, y", "60, y", "62, n")
FILE = """\
rules/c.yaml: 1 gap
  12 |       - id: r
> 13 |         when: days <= 60
     |               ^ no case stands just above `days <= 60`
  14 |         then: y
"""
NUMBERS = """\
c 2: 87.5%: 2 of 2 rules, 2 of 2 conditions both ways, 1 of 1 conditions that decide alone, 2 of 3 sides of boundaries
coverage 87.5%: 7 of 8 items are tried
"""


def test_a_gap_stands_below_its_line_and_fails(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    done = policy("test", "--coverage", folder=tmp_path)
    assert done.out == f"{FILE}{NUMBERS}3 passed, 0 failed\n"
    assert done.code == 1


def test_so_much_may_be_asked_for_and_no_less(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    assert policy("test", "--coverage", "--fail-under", "87.5", folder=tmp_path).code == 0
    done = policy("test", "--coverage", "--fail-under", "87.6", folder=tmp_path)
    assert done.out == f"{FILE}{NUMBERS}coverage is below the 87.6% asked for\n3 passed, 0 failed\n"
    assert done.code == 1


def test_fail_under_alone_is_refused(tmp_path: Path) -> None:
    done = policy("test", "--fail-under", "90", folder=tmp_path)
    assert (done.code, done.err) == (2, "--fail-under goes with --coverage and --mutate\n")


def test_what_coverage_cannot_judge_is_counted_and_named(tmp_path: Path) -> None:
    rules = (
        LATER.format(first="days > 60", hit="first", effective="")
        + decision("share", "days / sold >= 0.2")
        + decision("early", "at <= until")
    )
    tests = table("days, sold, d, share", "60, 300, y, y", "61, 1000, n, n", "62, 100, n, y", "59, 59, y, y")
    tests += table(
        "at, until, early", f"{MIDNIGHT}, {MIDNIGHT}, y", f"{LATER_ON}, {MIDNIGHT}, n", f"{MIDNIGHT}, {LATER_ON}, y"
    ).removeprefix(TABLES)
    run(tmp_path, rules, tests)
    done = policy("test", "--coverage", folder=tmp_path)
    assert done.out == (
        "c 2: 100%: 6 of 6 rules, 6 of 6 conditions both ways, 3 of 3 conditions that decide alone, "
        "11 of 11 sides of boundaries\n"
        "coverage 100%: 26 of 26 items are tried\n"
        "boundaries of ratios or instants, which have no next value: any distance is just above or below: 2\n"
        "boundaries or conditions with a side on which an earlier rule decides: not looked for there: 2\n"
        "7 passed, 0 failed\n"
    )
    assert done.code == 0
