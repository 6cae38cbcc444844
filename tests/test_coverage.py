"""Coverage claims only what it checked: faults that no test notices are told beforehand, and what it cannot judge is counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from policy_engine import Engine
from policy_engine.analysis.coverage import Coverage, coverage_of
from policy_engine.analysis.gaps import Gap
from policy_engine.analysis.gaps import told as gaps_told
from policy_engine.analysis.observing import Observer, Seen, Sort
from policy_engine.analysis.rule_tests import CaseResult, run_case
from policy_engine.analysis.sites import sites_of
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import lay_out
from tests.support.conformance import Case
from tests.test_recorded_traces import CASES as CONFORMANCE
from tests.test_recorded_traces import recorded

SCHEMA = """{"type": "object", "additionalProperties": false, "properties": {
"days": {"type": "integer", "minimum": 0, "maximum": 1000}, "sold": {"type": "integer", "minimum": 1, "maximum": 1000},
"price": {"type": "number", "minimum": 0, "maximum": 1000, "multipleOf": 0.01},
"on": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
"until": {"type": "string", "format": "date-time"},
"region": {"type": "string", "enum": ["eu", "us"]},
"visits": {"type": "array", "maxItems": 9, "items": {"type": "string", "format": "date"}},
"orders": {"type": "array", "maxItems": 9, "items": {"type": "string", "format": "date"}}}}"""
HEAD = """ruleset: c
title: C
version: "{version}"
effective: {{from: {period}}}
timezone: UTC
facts: claim
"""
TABLES = "tests: c\ntables:\n"
MIDNIGHT, LATER_ON = "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"
TABLE = "tests: c\ntables:\n  - name: t\n    as_of: 2025-01-01\n    columns: {columns}\n    rows:\n{rows}"


def decision(name: str, when: str, otherwise: str = "    otherwise: {then: n, because: y}\n") -> str:
    """A decision that one rule makes."""
    rule = f"      - id: r\n        when: {when}\n        then: y\n        because: x\n"
    return f"  {name}:\n    question: Q\n    outcomes: [y, n]\n    rules:\n{rule}{otherwise}"


def table(columns: str, *rows: str) -> str:
    """Cases, one a row."""
    return TABLE.format(columns=f"[{columns}]", rows="".join(f"      - [{row}]\n" for row in rows))


def run(folder: Path, rules: str, tests: str, before: str | None = None) -> tuple[Engine, list[CaseResult]]:
    """The results of test cases over rules, and over an older version of them."""
    files = {"schemas/claim.schema.json": SCHEMA, "rules/c_test.yaml": tests}
    files["rules/c.yaml"] = HEAD.format(version="2", period="2025-01-01") + rules
    if before is not None:
        files["rules/c.old.yaml"] = HEAD.format(version="1", period="2024-01-01, until: 2025-01-01") + before
    lay_out(files, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    cases, faults = read_tests([folder / "rules"], engine.rulebook)
    assert [f"{fault.span}: {fault.message}" for fault in faults] == []
    return engine, [run_case(engine, case) for case in cases]


def covered(folder: Path, rules: str, tests: str, before: str | None = None) -> Coverage:
    """What cases that pass leave out."""
    engine, results = run(folder, rules, tests, before)
    assert [failure for result in results for failure in result.failures] == []
    return coverage_of(engine.rulebook.rulesets, results)


def gaps_of(coverage: Coverage) -> list[Gap]:
    """The gaps as they are told."""
    return list(gaps_told(counted.item for counted in coverage.gaps))


def told(coverage: Coverage) -> list[str]:
    """What is told of gaps, without their places."""
    return [gap.message for gap in gaps_of(coverage)]


# What is swapped in the rules, and the line that tells before that no test would notice.
SWAPS: Mapping[str, tuple[str, str, str]] = {
    "in a branch that no case takes": (
        "else (days <= 30)",
        "else (days < 30)",
        "no case depends on `days <= 30`",
    ),
    "of a ratio": (
        "days / sold >= 0.2",
        "days / sold > 0.2",
        "no case stands at `days / sold >= 0.2`",
    ),
    "in one of two places with the same words": (
        "e <= as_of for e in orders",
        "e < as_of for e in orders",
        "no case stands just below, at and just above `e <= as_of`",
    ),
    "of instants": ("at <= until", "at < until", "no case stands at `at <= until`"),
    "of decimals": ("price > 9.99", "price >= 9.99", "no case stands just below, at and just above `price > 9.99`"),
    "in a check": ("days <= 900", "days < 900", "no case stands just below, at and just above `days <= 900`"),
    "in the branch of a value": (
        "sold * 2 if sold >= 10 else sold",
        "sold * 2 if sold > 10 else sold",
        "no case stands at and just above `sold >= 10`",
    ),
    "of the branch of a value": (
        "sold if days < 50 else sold + 1",
        "sold if days < 50 else sold + 2",
        "no case takes the branch `sold + 1`, where `days < 50` is false",
    ),
}
PLANTED = (
    "checks:\n  - {expect: days <= 900, because: Too many.}\n"
    'definitions:\n  in_time: (days <= 60) if region == "eu" else (days <= 30)\n'
    "  visited: any(e <= as_of for e in visits)\n  ordered: any(e <= as_of for e in orders)\ndecisions:\n"
    + decision("window", "in_time")
    + decision("share", "days / sold >= 0.2")
    + decision("was_here", "visited")
    + decision("has_bought", "ordered")
    + decision("early", "at <= until")
    + decision("dear", "price > 9.99")
    + "  amount: {question: Q, values: {a: 'sold * 2 if sold >= 10 else sold', b: 'sold if days < 50 else sold + 1'}}\n"
)
CASES = (
    table(
        "days, region, visits, orders, window, was_here, has_bought",
        "60, eu, [2025-01-01], [2020-01-01], y, y, y",
        "61, eu, [2025-01-02], [2026-01-01], n, n, n",
    )
    + table("days, sold, share, amount.a, amount.b", "40, 100, y, 200, 100", "1, 9, n, 9, 9").removeprefix(
        "tests: c\ntables:\n"
    )
    + table(
        "at, until, early",
        f"{MIDNIGHT}, {LATER_ON}, y",
        f"{LATER_ON}, {MIDNIGHT}, n",
    ).removeprefix(TABLES)
    + table("price, dear", "5, n", "10.01, y").removeprefix(TABLES)
    + 'cases:\n  - {name: too many, as_of: 2025-01-01, facts: {days: 1000}, invalid: [""]}\n'
)


@pytest.mark.parametrize("case", SWAPS)
def test_b3_a_fault_that_no_test_notices_is_told_beforehand(case: str, tmp_path: Path) -> None:
    before, after, line = SWAPS[case]
    assert PLANTED.count(before) == 1
    gaps = [f"{gap.span}: {gap.message}" for gap in gaps_of(covered(tmp_path, PLANTED, CASES))]
    assert [gap for gap in gaps if line in gap], gaps
    covered(tmp_path, PLANTED.replace(before, after), CASES)


# Rules below `decisions:`, cases, and what these leave out.
GAPS: Mapping[str, tuple[str, str, list[str]]] = {
    "a boundary with both its sides": (
        "decisions:\n" + decision("d", "days <= 60"),
        table("days, d", "60, y", "61, n"),
        ["no case stands just below `days <= 60`"],
    ),
    "the last inside alone": (
        "decisions:\n" + decision("d", "days <= 60"),
        table("days, d", "60, y", "62, n"),
        ["no case stands just below and just above `days <= 60`"],
    ),
    "decimals, by their last place": (
        "decisions:\n" + decision("d", "price >= 10"),
        table("price, d", "10, y", "9.99, n"),
        ["no case stands just above `price >= 10`"],
    ),
    "a unit of a decimal that is not the last place": (
        "decisions:\n" + decision("d", "price >= 10"),
        table("price, d", "10, y", "9, n"),
        ["no case stands just below and just above `price >= 10`"],
    ),
    "a chain": (
        "decisions:\n" + decision("d", "10 <= days <= 20"),
        table("days, d", "9, n", "10, y", "20, y"),
        [
            "no case stands just below `10 <= days`",
            "`days <= 20` is false in no case that comes here",
            "no case stands just below and just above `days <= 20`",
        ],
    ),
    "two conditions with the same words": (
        "decisions:\n" + decision("d", "days < 5") + decision("e", "days < 5"),
        table("days, d", "4, y", "5, n") + table("days, e", "1, y", "9, n").removeprefix(TABLES),
        ["no case stands just above `days < 5`", "no case stands just below, at and just above `days < 5`"],
    ),
    "twice in one expression": (
        "decisions:\n" + decision("d", 'days < 5 if region == "eu" else days < 5'),
        table("region, days, d", "eu, 4, y", "eu, 5, n", "us, 1, y"),
        [
            "no case stands just above `days < 5`",
            "`days < 5` is false in no case that comes here",
            "no case stands just below, at and just above `days < 5`",
        ],
    ),
    "a branch of each": (
        "decisions:\n" + decision("d", 'days == 5 if region == "eu" else days == 6'),
        table("region, days, d", "us, 6, y", "us, 5, n"),
        [
            "no case depends on `days == 5`",
            'no case takes the branch `days == 5`, where `region == "eu"` is true',
            '`region == "eu"` is true in no case that comes here',
        ],
    ),
    "a branch in a rule that is not reached": (
        "decisions:\n" + decision("d", '\n          all:\n            - region == "eu"\n            - days < 5'),
        table("region, d", "us, n"),
        [
            "no case comes by d: r -> y",
            '`region == "eu"` is true in no case that comes here',
            "no case depends on `days < 5`",
        ],
    ),
    "what an `and` does not depend on": (
        "decisions:\n" + decision("d", 'region == "eu" and days <= 60'),
        table("region, days, d", "us, 60, n", "us, 61, n", "eu, 5, y"),
        [
            "no two cases show that `days <= 60` decides alone",
            "no case stands just below, at and just above `days <= 60`",
        ],
    ),
    "what an `or` does not depend on": (
        "decisions:\n" + decision("d", 'region == "eu" or days <= 60'),
        table("region, days, d", "eu, 60, y", "eu, 61, y", "us, 61, n"),
        ["no two cases show that `days <= 60` decides alone", "no case stands just below and at `days <= 60`"],
    ),
    "what a list of conditions does not depend on": (
        "decisions:\n"
        + decision("d", '\n          all:\n            - region == "eu"\n            - none: [days > 60]'),
        table("region, days, d", "us, 60, n", "us, 61, n", "eu, 60, y"),
        ["no two cases show that `days > 60` decides alone", "no case stands just below and just above `days > 60`"],
    ),
    "what `any` does not depend on": (
        "decisions:\n" + decision("d", "any(e <= as_of for e in visits)"),
        table("visits, d", "[2024-01-01, 2025-01-01, 2025-01-02], y", "[2026-01-01], n"),
        [
            "`e <= as_of` is true in no case that comes here",
            "no case stands just below, at and just above `e <= as_of`",
        ],
    ),
    "a definition that the rule does not depend on": (
        "definitions:\n  late: days > 60\ndecisions:\n" + decision("d", 'region == "eu" and late'),
        table("region, days, d", "us, 60, n", "us, 61, n", "eu, 99, y"),
        [
            "`days > 60` is false in no case that comes here",
            "no case stands just below, at and just above `days > 60`",
            "no two cases show that `late` decides alone",
        ],
    ),
    "a link of a chain that another settles": (
        "decisions:\n" + decision("d", "10 <= days <= sold"),
        table("days, sold, d", "9, 9, n", "9, 8, n", "10, 20, y", "20, 30, y", "30, 20, n"),
        ["no case stands just below `10 <= days`", "no case stands just below, at and just above `days <= sold`"],
    ),
    "unknown settles nothing": (
        "decisions:\n" + decision("d", 'region == "eu" and days <= 60'),
        table("region, days, d, d.missing", "~, 60, ~, [region]", "eu, 61, n, ~", "eu, 1, y, ~"),
        ['`region == "eu"` is false in no case that comes here', "no case stands just below `days <= 60`"],
    ),
    "a distance that no facts have": (
        "decisions:\n" + decision("d", "count(e for e in visits) > 0"),
        table("visits, d", "[2025-01-01], y", "[], n"),
        [],
    ),
    "undetermined does not count as decided": (
        "decisions:\n  d:\n    question: Q\n    hit: collect\n    outcomes: [a, b]\n    rules:\n"
        '      - {id: one, when: region == "eu", then: a, because: x}\n'
        '      - {id: two, when: region == "us" and days == 1, then: b, because: x}\n'
        "      - {id: three, when: days == 2, then: b, because: x}\n",
        table("region, days, d, d.status, d.rules", "eu, ~, [a], undetermined, [one]", "us, 1, [b], decided, [two]"),
        [
            "no case comes by d: one -> a",
            "`days == 1` is false in no case that comes here",
            "no case comes by d: three -> b",
            "`days == 2` is true in no case that comes here",
        ],
    ),
    "a check that nobody breaks": (
        "checks:\n  - {expect: days != 7, because: Not seven.}\ndecisions:\n" + decision("d", "days == 5"),
        table("days, d", "5, y", "6, n"),
        ["no case breaks this check", "`days != 7` is false in no case that comes here"],
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_b3_what_no_case_tries_is_told(case: str, tmp_path: Path) -> None:
    rules, tests, wanted = GAPS[case]
    assert told(covered(tmp_path, rules, tests)) == wanted


def test_e5_a_switched_reading_counts_where_a_decided_answer_rests_on_it(tmp_path: Path) -> None:
    rules = (
        "readings:\n  strict: {question: Q, choice: strictly, choices: {strictly: A., loosely: B.}}\n"
        "decisions:\n" + decision("d", 'strict == "strictly" and days == 5')
    )
    undetermined = table(
        "days, readings.strict, d, d.missing", "5, strictly, y, ~", "6, strictly, n, ~", "~, ~, ~, [days]"
    )
    assert told(covered(tmp_path, rules, undetermined)) == [
        "no case switches strict=loosely",
        '`strict == "strictly"` is false in no case that comes here',
    ]
    assert told(covered(tmp_path, rules, undetermined + "      - [5, loosely, n, ~]\n")) == []


def test_b3_versions_are_told_apart_by_their_files(tmp_path: Path) -> None:
    rules = "decisions:\n" + decision("d", "days < 5")
    tests = table("as_of, days, d", "2025-01-01, 4, y", "2025-01-01, 5, n", "2024-06-01, 4, y")
    gaps = gaps_of(covered(tmp_path, rules, tests, before=rules))
    assert [f"{Path(gap.span.path).name}:{gap.span.line}: {gap.message}" for gap in gaps] == [
        "c.old.yaml:8: no case comes by d: otherwise -> n",
        "c.old.yaml:13: `days < 5` is false in no case that comes here",
        "c.old.yaml:13: no case stands at and just above `days < 5`",
        "c.yaml:13: no case stands just above `days < 5`",
    ]


# An earlier rule, and the distances of the sides of a later `days <= 60` that cases must still stand on.
EARLIER: Mapping[str, set[int]] = {
    "days > 60": {-1, 0},
    "60 < days": {-1, 0},
    "days >= 60": {-1},
    "known(days) and days > 60": {-1, 0},
    "known(price) and days > 60": {-1, 0, 1},
    'days > 60 and region == "eu"': {-1, 0, 1},
    "days > 60 or days == 0": {-1, 0, 1},
    "not days > 60": {-1, 0, 1},
    "days > 61": {-1, 0, 1},
    "sold > 60": {-1, 0, 1},
}
LATER = (
    "decisions:\n  d:\n    question: Q\n    outcomes: [y, n]\n    hit: {hit}\n    rules:\n"
    "      - id: one\n        when: {first}\n        then: n\n        because: x\n{effective}"
    "      - id: two\n        when: days <= 60\n        then: y\n        because: x\n"
)


def wanted_of_later(folder: Path, first: str, hit: str = "first", effective: str = "") -> tuple[frozenset[int], int]:
    """The distances wanted of the later comparison, and how many boundaries an earlier rule settles."""
    engine, _ = run(
        folder, LATER.format(first=first, hit=hit, effective=effective), table("days, d.status", "5, decided")
    )
    sites = sites_of(engine.rulebook.rulesets[0])
    (later,) = (boundary for boundary in sites.boundaries.values() if boundary.text == "days <= 60")
    return later.distances, sites.decided_earlier


@pytest.mark.parametrize("first", EARLIER)
def test_b3_only_a_rule_that_surely_decides_keeps_facts_from_a_later_boundary(first: str, tmp_path: Path) -> None:
    distances, settled = wanted_of_later(tmp_path, first)
    assert (set(distances), settled) == (EARLIER[first], 0 if EARLIER[first] == {-1, 0, 1} else 2)


def test_b3_a_rule_that_comes_or_goes_or_does_not_end_the_search_keeps_nothing_away(tmp_path: Path) -> None:
    assert wanted_of_later(tmp_path / "a", "days > 60", effective="        effective: {from: 2025-02-01}\n")[1] == 0
    assert wanted_of_later(tmp_path / "b", "days > 60", hit="collect")[1] == 0


@pytest.mark.parametrize("case", CONFORMANCE, ids=str)
def test_b3_every_trace_is_gone_through_in_step_with_its_text(case: Case) -> None:
    sites, seen = sites_of(case.ruleset), set[Seen]()
    for explanation in recorded(case).values():
        Observer(case.ruleset, sites).add(explanation, seen)
    known = {
        Sort.DISTANCE: {each.at for each in sites.boundaries.values()},
        Sort.BRANCH: {each.at for each in sites.forks.values()},
        Sort.INPUTS: {each.at for each in sites.conditions.values()},
    }
    assert {each for each in seen if each.sort in known and each.about[0] not in known[each.sort]} == set()
    lengths = {site.at: len(site.formula.inputs) for site in sites.conditions.values()}
    assert all(len(each.about[1]) == lengths[each.about[0]] for each in seen if each.sort is Sort.INPUTS)


LEGEND = """definitions: {many: sold > 1}
decisions:
  d:
    question: Q
    outcomes: [y, n]
    matrix:
      rows: region
      columns: {many: [true, false]}
      legend:
        both: {when: days > 9, then: y, else: n, because: x, else_because: z, with: {size: 2 if price > 5 else 1}}
      cells:
        eu: [both, both]
        us: [both, both]
"""


def test_b3_what_is_written_once_for_several_branches_of_cells_is_counted_once(tmp_path: Path) -> None:
    engine, _ = run(tmp_path, LEGEND, table("region, sold, days, price, d.status", "eu, 2, 10, 6, decided"))
    sites = sites_of(engine.rulebook.rulesets[0])
    assert {boundary.text for boundary in sites.boundaries.values()} == {"sold > 1", "days > 9", "price > 5"}
    assert (len(set(sites.boundaries.values())), len(set(sites.forks.values()))) == (3, 1)
