"""`policy test --coverage --over TABLE` counts what asking one by one gives, and tells it beside the lines."""

from __future__ import annotations

import decimal
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine, FactsError
from policy_engine.analysis.observing import Observer, Sort
from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.analysis.sites import sites_of
from policy_engine.analysis.walking import inputs_of
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.expressions import Condition
from policy_engine.language.formulas import Inputs
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Matrix, Rules, Ruleset
from policy_engine.reference.deciding import Evaluation
from policy_engine.reports.jobs import job_of_file
from policy_engine.reports.usage import usage_of
from policy_engine.source import Span
from policy_engine.tables.opening_tables import Options
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy
from tests.support.rulebook import shipped
from tests.test_coverage import decision, run, table

DAY = date(2025, 6, 30)
TABLES = {
    "partner_earnings": "account_moves",
    "client_management": "client_management",
    "lgc_roles": "lgc_roles",
    "charge_retry": "charge_retry",
    "email_limits": "email_limits",
}
"""Rulesets by `first` and by `collect`, by matrices with and without conditions in their cells, and over lists."""


def conditions_of(ruleset: Ruleset) -> set[int]:
    """The identities of the conditions to which all accounts come that come to their rule or cell."""
    found = set()
    for logic in ruleset.decisions:
        cells = logic.body.cells if isinstance(logic.body, Matrix) else ()
        rules = logic.body.rules if isinstance(logic.body, Rules) else ()
        whens = [*(rule.when for rule in rules), *(cell.when for cell in cells if cell.when is not None)]
        found |= {id(getattr(when, "tree", when)) for when in whens}
    return found


def one_by_one(engine: Engine, ruleset: Ruleset, rows: list[Any]) -> tuple[Counter[Any], Counter[Any], int]:
    """The reason codes and the inputs of conditions, by asking about each account alone; and how many are valid."""
    observer, ways, inputs, valid = Observer(ruleset, sites_of(ruleset)), Counter[Any](), Counter[Any](), 0
    for facts in rows:
        try:
            answers = [engine.explain(f"{ruleset.id}.{each.name}", facts, as_of=DAY) for each in ruleset.decisions]
        except FactsError:
            continue
        valid += 1
        case = RuleCase("N", ruleset.id, DAY, facts, {}, {}, None, False, Span("t"))
        for seen in observer.of(CaseResult(case, (), tuple(answers))):
            ways[seen.about[1:]] += seen.sort is Sort.WAY
            inputs[seen.about] += seen.sort is Sort.INPUTS
    return +ways, +inputs, valid


def inputs_by_reference(ruleset: Ruleset, body: Condition, rows: list[Any]) -> Counter[Inputs]:
    """The inputs of a definition for all valid accounts, as the reference evaluates it."""
    found = Counter[Inputs]()
    for facts in rows:
        if shipped().is_valid(ruleset.id, facts, as_of=DAY):
            evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), DAY, {})
            with decimal.localcontext(EXACT):
                found[tuple(inputs_of(body, evaluation.condition(body)))] += 1
    return found


@pytest.mark.parametrize("name", TABLES)
def test_columns_count_what_asking_one_by_one_counts(name: str) -> None:
    path = ROOT / "fixtures" / f"{TABLES[name]}.jsonl"
    ruleset, sites = shipped().ruleset(name, DAY), sites_of(shipped().ruleset(name, DAY))
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    ways, inputs, valid = one_by_one(shipped(), ruleset, rows)
    uses = usage_of(job_of_file(ruleset, {}, path, DAY, Options()), [])
    assert {way: use.accounts for way, use in uses.ways.items()} == ways
    assert (uses.rows, uses.valid) == (len(rows), valid)
    for identity in conditions_of(ruleset) & uses.inputs.keys():
        at = sites.conditions[identity].at if identity in sites.conditions else None
        wanted: dict[Inputs, int] = {about[1]: count for about, count in inputs.items() if about[0] == at}
        found = {values: use.accounts for values, use in uses.inputs[identity].items()}
        assert at is None or found == wanted, sites.conditions[identity]
    for definition in ruleset.definitions:
        identity = id(getattr(definition.body, "tree", definition.body))
        if identity in uses.inputs:
            found = {values: use.accounts for values, use in uses.inputs[identity].items()}
            assert found == inputs_by_reference(ruleset, definition.body, rows), definition.name
    filled = Counter(fact for row in rows for fact, value in row.items() if value is not None)
    assert all(count <= filled[path] for path, count in uses.filled.items() if "." not in path)


RULES = (
    "checks:\n  - {expect: days != 7, because: Not seven.}\n"
    "definitions:\n  fee: 5 if sold > 3 else 2\ndecisions:\n"
    + decision("d", '\n          all:\n            - days > 60\n            - region == "eu"')
    + decision("e", "any(v <= as_of for v in visits)")
)
CASES = table("days, region, visits, d, e", "60, eu, [2024-05-05], n, y", "61, us, [2026-01-01], n, n")
ACCOUNTS = """\
{"days": 70, "region": "eu", "on": "2024-03-01", "visits": []}
{"days": 99, "region": "eu", "on": "2023-12-31", "visits": []}
{"days": 5, "region": "us", "on": "2025-01-01", "visits": []}
{"days": 7, "region": "us"}
{"days": "many"}
"""
OVER = """\
accounts of a.jsonl by c 2, as of 2025-01-01: 5 rows, 3 valid, 2 invalid
  d: otherwise -> n: 1 account, last on 2025-01-01
  d: r -> y: 2 accounts, last on 2024-03-01
  e: otherwise -> n: 3 accounts, last on 2025-01-01
  e: r -> y: no account
rules/c.yaml: 7 remarks
   7 | checks:
>  8 |   - {expect: days != 7, because: Not seven.}
     |      ^ no case breaks this check, but 1 account, first row 4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with rules, their tests and a table of accounts."""
    run(tmp_path, RULES, CASES)
    lay_out({"a.jsonl": ACCOUNTS}, tmp_path)
    return tmp_path


def over(folder: Path, *more: str) -> str:
    """What is told of the accounts."""
    done = policy("test", "--coverage", "--over", "a.jsonl", "--as-of", "2025-01-01", *more, folder=folder)
    assert done.err == ""
    return done.out[done.out.index("accounts of") :]


def test_who_comes_by_what_stands_beside_the_lines(folder: Path) -> None:
    told = over(folder, "--dated-by", "on")
    assert told.startswith(OVER)
    assert "^ no case comes by d: r -> y, but 2 accounts, last on 2024-03-01\n" in told
    assert "^ no account comes by e: r -> y\n" in told
    assert "^ `sold > 3` is neither true nor false for any account\n" in told
    assert "facts that no account has: sold, price, at, until, orders\n" in told
    assert "no case has `days` above 60, but" not in told
    assert "conditions on elements of lists, which were not looked at over accounts: 1\n" in told


def test_accounts_that_break_a_check_are_dated_too(folder: Path) -> None:
    later = '{"days": 7, "on": "2024-08-08"}\n{"days": 7, "on": "2024-02-02"}\n'
    lay_out({"a.jsonl": ACCOUNTS + later}, folder)
    assert "^ no case breaks this check, but 3 accounts, last on 2024-08-08\n" in over(folder, "--dated-by", "on")
    assert "^ no case breaks this check, but 3 accounts, first row 4\n" in over(folder)


IFS = (
    'definitions:\n  fee: 5 if days > 60 else (3 if region == "eu" else 1)\ndecisions:\n'
    + decision("d", "fee > 2")
    + decision("e", "days > 80").replace("- id: r", "- id: r\n        effective: {from: 2025-02-01}")
)


def test_the_condition_of_an_inner_if_counts_for_the_accounts_that_come_to_it(tmp_path: Path) -> None:
    run(tmp_path, IFS, table("days, region, d", "61, us, y"))
    lay_out({"a.jsonl": ACCOUNTS}, tmp_path)
    over(tmp_path, "--coverage-out", "out")
    (told,) = json.loads((tmp_path / "out" / "coverage.json").read_text("utf-8"))["accounts"]
    counts = {(each["of"], each["what"]): each["accounts"] for each in told["items"]}
    assert counts["5", "where `days > 60` is true"] == 2
    assert counts['3 if region == "eu" else 1', "where `days > 60` is false"] == 2
    assert (counts['region == "eu"', "true"], counts['region == "eu"', "false"]) == (0, 2)
    assert counts["1", 'where `region == "eu"` is false'] == 2


def test_a_rule_that_is_out_of_force_on_the_day_is_not_asked_about(tmp_path: Path) -> None:
    run(tmp_path, IFS, table("days, region, d", "61, us, y"))
    lay_out({"a.jsonl": ACCOUNTS}, tmp_path)
    assert "  e: r -> y" not in over(tmp_path)


def test_without_a_date_the_first_account_is_named(folder: Path) -> None:
    assert "d: r -> y: 2 accounts, first row 1\n" in over(folder)


@pytest.mark.parametrize(
    ("when", "cases", "told"),
    [
        ("days > 60", table("days, d", "5, n", "60, n"), ["above 60, but 2 accounts, first row 1"]),
        ("days > 60", table("days, d", "5, n", "61, y"), []),
        (
            "days > 60 or days < 3",
            table("days, d", "61, y", "3, n"),
            ["above 3 and below 60, but 2 accounts, first row 3"],
        ),
        (
            "sold > 3",
            table("days, sold, d", "6, 1, n", "60, 5, y"),
            ["above 60, but 2 accounts, first row 1", "below 6, but 1 account, first row 3"],
        ),
        (
            "days > 60",
            table("sold, d.missing", "5, [days]"),
            ["above 60, but 2 accounts, first row 1", "below 60, but 2 accounts, first row 3"],
        ),
    ],
)
def test_values_in_a_region_without_a_case_are_told(when: str, cases: str, told: list[str], tmp_path: Path) -> None:
    run(tmp_path, "decisions:\n" + decision("d", when), cases)
    lay_out({"a.jsonl": ACCOUNTS}, tmp_path)
    found = [line for line in over(tmp_path).splitlines() if line.startswith("no case has `days`")]
    assert found == [f"no case has `days` {each}" for each in told]


def test_words_dates_and_truths_that_no_case_has_are_told(folder: Path) -> None:
    lay_out({"rules/c_test.yaml": table("days, region, on, d", "60, eu, 2024-12-31, n")}, folder)
    told = over(folder)
    assert "no case has `region` us, but 1 account, first row 3\n" in told
    assert "no case has `on` earlier than 1 day before the day of the question, but 2 accounts, first row 1\n" in told


def test_files_have_the_accounts_too(folder: Path) -> None:
    over(folder, "--dated-by", "on", "--coverage-out", "out")
    (told,) = json.loads((folder / "out" / "coverage.json").read_text("utf-8"))["accounts"]
    (way,) = (each for each in told["items"] if each["what"] == "d: r -> y")
    assert [way[part] for part in ("accounts", "last", "first_row", "cases")] == [2, "2024-03-01", 1, 0]
    assert (told["rows"], told["valid"], told["facts"]["days"]) == (5, 3, 3)
    page = (folder / "out" / "coverage.html").read_text("utf-8")
    assert "no case comes by d: r -&gt; y, but 2 accounts, last on 2024-03-01" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--over", "a.jsonl"), "--over goes with --coverage"),
        (("--coverage", "--as-of", "2025-01-01"), "--as-of goes with --over"),
        (("--coverage", "--over", "b.jsonl"), "there is no file `b.jsonl`"),
        (("--coverage", "--over", "a.jsonl", "--dated-by", "days"), "`days` is no date among the facts"),
        (("--coverage", "--over", "a.jsonl", "--as-of", "soon"), "--as-of: `soon` is not a date"),
        (("--coverage", "--over", "-"), "`-` is standard input, and no name tells what it holds"),
        (("--coverage", "--over", "a.jsonl", "--reading", "x=y"), "none of the rulesets has a reading `x`"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(arguments: tuple[str, ...], told: str, folder: Path) -> None:
    done = policy("test", *arguments, folder=folder)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_table_without_a_valid_account_is_refused(folder: Path) -> None:
    (folder / "a.jsonl").write_text('{"days": "many"}\n', "utf-8")
    done = policy("test", "--coverage", "--over", "a.jsonl", "--as-of", "2025-01-01", folder=folder)
    assert done.code == 2
    assert done.err == (
        "no row of `a.jsonl` is valid, so nothing is counted over it; "
        "`policy report c=a.jsonl` tells what is wrong with each\n"
    )


def test_several_rulesets_need_the_name_of_one(folder: Path) -> None:
    text = (folder / "rules" / "c.yaml").read_text("utf-8")
    lay_out({"rules/b.yaml": text.replace("ruleset: c", "ruleset: b")}, folder)
    lay_out({"rules/b_test.yaml": CASES.replace("tests: c", "tests: b")}, folder)
    done = policy("test", "--coverage", "--over", "a.jsonl", folder=folder)
    assert done.code == 2
    assert done.err == "--over: whose accounts are in `a.jsonl`? write RULESET=a.jsonl, or name one test file\n"
    assert "accounts of a.jsonl by b 2" in policy("test", "--coverage", "--over", "b=a.jsonl", folder=folder).out
