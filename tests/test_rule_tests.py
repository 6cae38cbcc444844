"""Tests of analysts can fail: what a value may be taken for, and cases that would pass whatever the rules say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine
from policy_engine.analysis.rule_tests import NO_SUCH, run_case, same
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy

NOON = datetime(2025, 2, 28, 12, tzinfo=UTC)

# A value, what a test file wants of it, and whether that is the same.
EQUAL: tuple[tuple[Any, Any, bool], ...] = (
    ("08989", 8989, False),
    ("8989", 8989, False),
    ("08989", "08989", True),
    ("2", "²", False),
    ("²", 2, False),
    (2, "²", False),
    (Decimal("2.0"), "²", False),
    (2, 2, True),
    (2, "2", False),
    (2, Decimal("2.0"), False),
    (1, True, False),
    (True, 1, False),
    (True, "true", False),
    ("true", True, False),
    (True, True, True),
    (False, None, False),
    (Decimal("4.90"), Decimal("4.9"), True),
    (Decimal("4.90"), Decimal("4.91"), False),
    (Decimal("4.00"), 4, True),
    (Decimal("1.00"), True, False),
    (Decimal("4.90"), "4.90", True),
    (Decimal("4.90"), "4.9", False),
    (date(2025, 2, 28), "2025-02-28", True),
    (date(2025, 2, 28), "2025-03-01", False),
    (NOON, "2025-02-28T12:00:00Z", True),
    (NOON, "2025-02-28", False),
    ("2025-02-28", "2025-02-28", True),
    (None, None, True),
    (None, "none", False),
    (None, 0, False),
    ((1, 2), [1, 2], True),
    ((1, 2), [2, 1], False),
    ((1,), [1, 1], False),
    (("1",), [1], False),
    (("a",), "a", False),
    ((), [], True),
    ((), None, False),
    (NO_SUCH, "(no such value)", False),
    (NO_SUCH, None, False),
)


@pytest.mark.parametrize(("value", "wanted", "equal"), EQUAL)
def test_b4_the_type_of_a_value_decides_what_equals_it(value: Any, wanted: Any, equal: bool) -> None:
    assert same(value, wanted) is equal


SCHEMA = """{"type": "object", "additionalProperties": false, "properties": {
"code": {"type": "string", "x-key": true}, "n": {"type": "integer", "minimum": 0, "maximum": 9},
"visits": {"type": "array", "maxItems": 9, "items": {"type": "string", "format": "date"}}}}"""
RULES = """ruleset: u
title: U
version: "{version}"
effective: {{from: {start}}}
timezone: UTC
facts: unit
readings:
  zero: {{question: Q, choice: counts, choices: {{counts: A., counts_not: B.}}}}
decisions:
  v: {{question: Which?, values: {{out: {value}}}}}
  seen:
    question: Seen?
    outcomes: [y, n]
    rules:
      - {{id: r, when: any(e <= as_of for e in visits), then: y, because: x}}
    otherwise: {{then: n, because: y}}
  enough:
    question: Enough?
    outcomes: [y, n]
    rules:
      - {{id: zero, when: n == 0 and zero == "counts", then: y, because: x}}
    otherwise: {{then: n, because: y}}
"""
FIXTURE = '{"code": "A", "n": 3}'


def results_of(folder: Path, tests: str, value: str = "code", before: str | None = None) -> list[tuple[str, list[str]]]:
    """The cases of a test file, each with its failures; the file has no faults."""
    files = {"schemas/unit.schema.json": SCHEMA, "fixtures/a.json": FIXTURE, "rules/u_test.yaml": tests}
    files["rules/u.yaml"] = RULES.format(version="2", start="2025-01-01", value=value)
    if before is not None:
        old = RULES.format(version="1", start="2024-01-01, until: 2025-01-01", value=before)
        files["rules/u.old.yaml"] = old
    lay_out(files, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    cases, faults = read_tests([folder / "rules"], engine.rulebook)
    assert [f"{fault.code}: {fault.message}" for fault in faults] == []
    return [(case.name, list(run_case(engine, case).failures)) for case in cases]


TABLE = "tests: u\ntables:\n  - name: t\n    as_of: 2025-01-01\n    columns: {columns}\n    rows:\n{rows}"

# The tests, and the failures of each case.
RUN: Mapping[str, tuple[str, list[tuple[str, list[str]]]]] = {
    "a leading zero": (
        TABLE.format(
            columns="[code, v.out]", rows='      with: ["08989", "08989"]\n      without: ["8989", "08989"]\n'
        ),
        [("t: with", []), ("t: without", ["v.out is `8989`, and the case expects `08989`"])],
    ),
    "rows that differ in a list": (
        TABLE.format(
            columns="[visits, seen]",
            rows="      - [[2025-01-01], y]\n      - [[2024-12-31], y]\n      - [[2025-01-02], n]\n",
        ),
        [("t: [2025-01-01], y", []), ("t: [2024-12-31], y", []), ("t: [2025-01-02], n", [])],
    ),
    "a reading that nothing rests on": (
        TABLE.format(columns="[n, readings.zero, seen, enough]", rows="      a: [0, counts_not, ~, n]\n").replace(
            "    columns", "    facts: {code: A, visits: []}\n    columns"
        )
        + TABLE.format(columns="[visits, readings.zero, seen]", rows="      b: [[], counts_not, n]\n").replace(
            "tests: u\ntables:\n", ""
        ),
        [("t: a", []), ("t: b", ["the reading `zero` is switched, and no decision of this case rests on it"])],
    ),
    "a shared fact that a row leaves out": (
        TABLE.format(columns="[n, enough, enough.missing]", rows="      a: [1, n, ~]\n      b: [~, ~, n]\n").replace(
            "    columns", "    facts: {n: 0}\n    columns"
        ),
        [("t: a", []), ("t: b", [])],
    ),
    "invalid facts where an answer is expected": (
        "tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, facts: {n: 10}, expect: {enough: n}}\n",
        [("one", ["the facts are invalid at `/n`: 10 is not 9 or less"])],
    ),
    "an answer where invalid facts are expected": (
        'tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, facts: {from: fixtures/a.json}, invalid: [""]}\n',
        [("one", ["an error is expected, and there is none"])],
    ),
    "a day in force where none is expected": (
        "tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, not_in_force: true}\n",
        [("one", ["an error is expected, and there is none"])],
    ),
    "undetermined where an answer is expected": (
        "tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, expect: {v: {values: {out: null}}}}\n",
        [("one", ["v status is `undetermined`, and the case expects `decided`"])],
    ),
}


@pytest.mark.parametrize("case", RUN)
def test_b4_a_case_fails_where_the_answer_is_another(case: str, tmp_path: Path) -> None:
    tests, wanted = RUN[case]
    assert results_of(tmp_path, tests) == wanted


def test_b4_where_versions_give_other_types_the_failure_names_both_kinds(tmp_path: Path) -> None:
    tests = (
        "tests: u\ncases:\n"
        "  - {name: now, as_of: 2025-01-01, facts: {code: '8', n: 8}, expect: {v: {values: {out: 8}}}}\n"
        "  - {name: then, as_of: 2024-06-01, facts: {code: '8', n: 8}, expect: {v: {values: {out: 8}}}}\n"
    )
    assert results_of(tmp_path, tests, value="code", before="n") == [
        ("now", ["v.out is the text `8`, and the case expects the number `8`"]),
        ("then", []),
    ]


def test_b4_a_path_without_test_files_cannot_be_tested(tmp_path: Path) -> None:
    assert results_of(
        tmp_path, "tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, facts: {n: 0}, expect: {enough: y}}\n"
    )
    ran = policy("test", "rules/u_test.yaml", "rules/u.yaml", folder=tmp_path)
    told = "`rules/u.yaml` holds no test file; the name of one ends in _test.yaml\n"
    assert (ran.code, ran.out, ran.err) == (2, "", told)


def test_b4_a_case_without_its_fixture_is_told_and_not_run(tmp_path: Path) -> None:
    ran = "tests: u\ncases:\n  - {name: one, as_of: 2025-01-01, facts: {n: 0}, expect: {enough: y}}\n"
    assert results_of(tmp_path, ran)
    lost = "  - {name: two, as_of: 2025-01-01, facts: {from: no.json}, expect: {enough: y}}\n"
    (tmp_path / "rules" / "u_test.yaml").write_text(ran + lost)
    done = policy("test", folder=tmp_path)
    assert (done.code, done.out) == (1, "1 passed, 0 failed\n")
    assert done.err.startswith(
        "rules/u_test.yaml:4:50: error[file-unreadable]: the file cannot be read: there is no file `no.json`\n"
    )


def test_missing_facts_may_be_written_in_any_order(tmp_path: Path) -> None:
    facts = "facts: {destination_category: referred, customer_conversion_date: 2025-01-01, partner_deployment_date: 2020-01-01}"
    case = "  - {name: NAME, as_of: 2025-06-30, FACTS, expect: {new_account_bonus: {missing: MISSING}}}\n"
    both = {"one": "[move_effective_date, move_effective_at]", "other": "[move_effective_at, move_effective_date]"}
    wanted = {**both, "fewer": "[move_effective_at]"}
    cases = [case.replace("NAME", name).replace("FACTS", facts).replace("MISSING", one) for name, one in wanted.items()]
    lay_out({"p_test.yaml": "tests: partner_earnings\ncases:\n" + "".join(cases)}, tmp_path)
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["partner_earnings"])
    found, faults = read_tests([tmp_path], engine.rulebook)
    assert not faults
    assert [run_case(engine, one).passed for one in found] == [True, True, False]
