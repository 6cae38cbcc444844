"""Coverage sees gaps in periods, rows of look-up tables, values, and both branches of cells, where no case tries them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from policy_engine.analysis.items import Kind
from tests.test_coverage import TABLES, covered, decision, table

LIMIT = "parameters:\n  limit: {values: {2025-01-01: 60, 2025-03-01: 90}}\ndecisions:\n"
LIMITED = LIMIT + decision("d", "days <= limit") + decision("e", "days > 5")
DATED = "decisions:\n" + decision("d", "days > 5").replace(
    "- id: r", "- id: r\n        effective: {from: 2025-02-01, until: 2025-03-01}"
)
RATES = (
    "tables:\n  rates:\n    keys: {region: text}\n    columns: {rate: integer}\n"
    "    rows: [{region: eu, rate: 3}, {region: us, rate: 5}]\n    otherwise: {rate: 1}\n"
    "decisions:\n  d: {question: Q, values: {v: 'rates[region].rate'}}\n"
)
VALUES = "decisions:\n  d: {question: Q, values: {v: if_known(days + 1), w: if_known(sold + 1)}}\n"
CELLS = (
    "definitions: {sells: known(sold)}\ndecisions:\n  d:\n    question: Q\n    outcomes: [y, n]\n    matrix:\n"
    "      rows: region\n      columns: {sells: [true, false]}\n"
    "      legend:\n        both: {when: days > 9, then: y, else: y, because: x, else_because: z}\n"
    "        no: {then: n, because: x}\n      cells:\n        eu: [both, no]\n        us: [no, no]\n"
)

# The kind of items, the rules, cases, and what these leave out.
GAPS: Mapping[str, tuple[Kind, str, str, list[str]]] = {
    "a period of a parameter, asked for by another decision alone": (
        Kind.PERIODS,
        LIMITED,
        table("as_of, days, d", "2025-02-28, 5, y") + table("as_of, days, e", "2025-03-01, 5, n").removeprefix(TABLES),
        ["no case depends on limit from 2025-03-01"],
    ),
    "days around a change": (
        Kind.DAYS,
        LIMITED,
        table("as_of, days, d", "2025-02-27, 5, y", "2025-03-01, 5, y"),
        ["no case depends on limit on 2025-02-28, the day before it changes"],
    ),
    "the day of a change": (
        Kind.DAYS,
        LIMITED,
        table("as_of, days, d", "2025-02-28, 5, y", "2025-03-02, 5, y"),
        ["no case depends on limit on 2025-03-01, the day on which it changes"],
    ),
    "periods in which no case depends on the parameter": (
        Kind.PERIODS,
        LIMIT + decision("d", "sold > 3 and days <= limit"),
        table("as_of, days, sold, d", "2025-02-28, 5, 9, y", "2025-03-01, 5, 1, n"),
        ["no case depends on limit from 2025-03-01"],
    ),
    "the day of a change on which no case depends on the parameter": (
        Kind.DAYS,
        LIMIT + decision("d", "sold > 3 and days <= limit"),
        table("as_of, days, sold, d", "2025-02-28, 5, 9, y", "2025-03-01, 5, 1, n"),
        ["no case depends on limit on 2025-03-01, the day on which it changes"],
    ),
    "a parameter in a sentence, by a case that comes by another rule": (
        Kind.PERIODS,
        LIMIT + decision("d", "days > 5").replace("because: x", "because: 'Up to {limit}.'", 1),
        table("as_of, days, d", "2025-02-28, 6, y", "2025-03-01, 5, n"),
        ["no case depends on limit from 2025-03-01"],
    ),
    "a parameter in a branch that a sentence does not take": (
        Kind.PERIODS,
        LIMIT.replace("decisions:", "definitions: {most: limit if sold > 3 else 7}\ndecisions:")
        + decision("d", "days > 5").replace("because: x", "because: 'Up to {most}.'", 1),
        table("as_of, days, sold, d", "2025-02-28, 6, 4, y", "2025-03-01, 6, 1, y"),
        ["no case depends on limit from 2025-03-01"],
    ),
    "the period of a rule, and the time before and after it": (
        Kind.PERIODS,
        DATED,
        table("as_of, days, d", "2025-02-10, 6, y"),
        ["no case depends on r from 2025-01-01 until 2025-02-01", "no case depends on r from 2025-03-01"],
    ),
    "rows of a look-up table": (
        Kind.ROWS,
        RATES,
        table("region, d.v", "us, 5"),
        ["no case finds rates: otherwise", 'no case finds rates: region "eu"'],
    ),
    "a value that no answer has": (Kind.VALUES, VALUES, table("days, d.v", "1, 2"), ["no decided case has d.w"]),
    "the other branch of a cell, which gives the same": (
        Kind.CELLS,
        CELLS,
        table("region, days, sold, d", "eu, 10, 1, y", "eu, 10, ~, n", "us, 1, 1, n"),
        ["no case comes by d: eu.true:else -> y", "no case comes by d: us.false -> n"],
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_what_no_case_tries_is_told(case: str, tmp_path: Path) -> None:
    kind, rules, tests, wanted = GAPS[case]
    assert [gap.item.message for gap in covered(tmp_path, rules, tests).gaps if gap.item.kind is kind] == wanted
