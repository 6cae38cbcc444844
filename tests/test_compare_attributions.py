"""Which condition made each difference: what is told of small changes, and that it is true of every account."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.tables.files import frame
from policy_engine import FactsError, PolicyError
from policy_engine.analysis.mutants import mutants_of
from policy_engine.documents.facts_files import read_json
from policy_engine.engine import Engine
from policy_engine.language.traces import Step, Trace
from policy_engine.language.values import Unknown, in_words
from policy_engine.reports.compare import compare
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.attributions import Why
from policy_engine.reports.comparison.side import Side
from policy_engine.tables.opening_tables import Options
from tests.support.rulebook import shipped
from tests.test_compare import COLLECTED, DAY, FORM, ONE_OBSTACLE, ROWS, SCHEMA, calculation, rule, rules, write

ROOT = Path(__file__).parents[1]
TWO = rule("big", "amount > 50") + rule("signed", "contract", "no")
READING = """readings:
  limit:
    question: How much?
    choice: {choice}
    choices: {{low: Little., high: Much.}}
definitions:
  most: 50 if limit == "low" else 100
"""
PARAMETER = "parameters:\n  most: {{value: {value}}}\n"
MATRIX = """definitions:
  is_signed: known(contract)
  is_big: amount > {limit}
decisions:
  charge:
    question: What?
    outcomes: [yes, no]
    matrix:
      rows: is_signed
      columns: {{is_big: [true, false]}}
      legend:
        a: {{then: yes, because: Yes.}}
        b: {{then: no, because: No.}}
        c: {{when: amount > {more}, then: yes, because: Yes., else: no, else_because: No.}}
      cells:
        true: [b, a]
        false: [c, b]
"""
# What the older and the newer version say, and what is told of the accounts whose answer, rules or value differs.
TOLD: Mapping[str, tuple[str, str, list[str]]] = {
    "a comparison": (
        rules(rule("big", "amount > 100")),
        rules(rule("big", "amount >= 100")),
        ["`amount >= 100`, which is true, in place of `amount > 100`, which was false (rule big): 1"],
    ),
    "a number in it": (
        rules(rule("big", "amount > 100")),
        rules(rule("big", "amount > 99")),
        ["`amount > 99`, which is true, in place of `amount > 100`, which was false (rule big): 1"],
    ),
    "a parameter": (
        PARAMETER.format(value="100") + rules(rule("big", "amount > most")),
        PARAMETER.format(value="50") + rules(rule("big", "amount > most")),
        ["`most` is 50, was 100 (rule big): 1"],
    ),
    "a reading that a definition rests on": (
        READING.format(choice="high") + rules(rule("big", "amount > most")),
        READING.format(choice="low") + rules(rule("big", "amount > most")),
        ["`limit` is low, was high (rule big): 1"],
    ),
    "a condition that came to others": (
        rules(rule("big", "amount > 5")),
        rules(rule("big", "amount > 5 and known(tax_form)")),
        ["only the new side asks `known(tax_form)`, which is false (rule big): 2"],
    ),
    "a condition that went": (
        rules(rule("big", "{all: [amount > 5, known(contract), tax_form]}")),
        rules(rule("big", "{all: [amount > 5, known(contract)]}")),
        ["only the old side asked `tax_form`, which was unknown (rule big): 1"],
    ),
    "one of two alternatives": (
        rules(rule("big", "amount > 100 or not known(contract)")),
        rules(rule("big", "amount > 99 or not known(contract)")),
        ["`amount > 99`, which is true, in place of `amount > 100`, which was false (rule big): 1"],
    ),
    "a rule that came before": (
        rules(TWO),
        rules(rule("free", "amount == 100", "no") + TWO),
        ["the rule free is new: `amount == 100`: 1"],
    ),
    "a rule that went": (
        rules(TWO),
        rules(rule("big", "amount > 50")),
        ["the rule signed is gone: `contract`: 1"],
    ),
    "a rule that is called otherwise": (
        rules(rule("big", "amount > 50")),
        rules(rule("large", "amount > 50")),
        ["the rule large had another name: 2"],
    ),
    "another outcome": (
        rules(rule("big", "amount > 50")),
        rules(rule("big", "amount > 50", "no")),
        ["the rule big gives no, gave yes: 2"],
    ),
    "another order": (
        rules(TWO),
        rules(rule("signed", "contract", "no") + rule("big", "amount > 50")),
        ["the order of the rules: signed decides now: 1"],
    ),
    "collected obstacles": (
        rules(ONE_OBSTACLE, **COLLECTED),  # type: ignore[arg-type]
        rules(ONE_OBSTACLE + FORM, **COLLECTED),  # type: ignore[arg-type]
        ["the rule no-form is new: `not tax_form`: 2"],
    ),
    "another way of deciding": (
        rules(rule("big", "amount > 0"), outcomes="yes", hit="collect", otherwise=False),
        rules(rule("big", "amount > 0")),
        ["the decision is made in another way: 3"],
    ),
    "the column of a matrix": (
        MATRIX.format(limit=50, more=70),
        MATRIX.format(limit=100, more=70),
        ["`amount > 100`, which is false, in place of `amount > 50`, which was true: 1"],
    ),
    "a condition of a cell": (
        MATRIX.format(limit=5, more=70),
        MATRIX.format(limit=5, more=5),
        ["`amount > 5`, which is true, in place of `amount > 70`, which was false (rule false.true): 1"],
    ),
    "the branch that is taken": (
        calculation("1 if amount > 50 else 2"),
        calculation("3 if amount > 50 else 4"),
        ["`3` in place of `1`: 2", "`4` in place of `2`: 1"],
    ),
    "a value of a rule": (
        rules("      - {id: big, when: amount > 50, then: yes, because: B., with: {fee: amount * 2}}\n"),
        rules("      - {id: big, when: amount > 50, then: yes, because: B., with: {fee: amount * 3}}\n"),
        ["`amount * 3` in place of `amount * 2` (rule big): 2"],
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_made_a_difference_is_told(case: str, tmp_path: Path) -> None:
    old, new, told = TOLD[case]
    write(tmp_path, old, new)
    (tmp_path / "a.jsonl").write_text(ROWS)
    before, after = Engine.load(tmp_path / "rules", tmp_path / "schemas").rulebook.versions("fee")
    found = compare(Side(before, DAY), Side(after, DAY), tmp_path / "a.jsonl", Options())
    causes = [f"{words.attribution(each, one.part)}: {each.rows}" for one in found.changes for each in one.attributions]
    assert causes == told


def test_another_time_zone_is_found_in_what_it_makes_of_an_instant(tmp_path: Path) -> None:
    schema = SCHEMA.replace('"format": "date"}', '"format": "date-time"}')
    dated = rules(rule("new", "date_of(since) >= as_of"))
    write(tmp_path, dated, dated, {"sale": schema})
    path = tmp_path / "rules" / "fee.yaml"
    path.write_text(path.read_text().replace("Europe/Berlin", "America/New_York"))
    (tmp_path / "a.jsonl").write_text('{"amount": 1, "since": "2026-06-01T01:00:00+02:00"}\n')
    before, after = Engine.load(tmp_path / "rules", tmp_path / "schemas").rulebook.versions("fee")
    found = compare(Side(before, DAY), Side(after, DAY), tmp_path / "a.jsonl", Options())
    (one,) = found.changes
    assert [words.attribution(each) for each in one.attributions] == [
        "`date_of(since)` is 2026-05-31, was 2026-06-01 (rule new)"
    ]


# ---- that it is true


def steps_of(trace: Trace) -> Iterator[Step]:
    """Every step of a trace and of those it used, each once."""
    waiting = [step for rule_ in trace.rules for step in rule_.steps] + list(trace.values)
    seen: set[int] = set()
    while waiting:
        step = waiting.pop()
        if id(step) not in seen:
            seen.add(id(step))
            yield step
            waiting += step.steps
    for used in trace.used:
        yield from steps_of(used.trace)


def values_of(trace: Trace, text: str) -> set[str]:
    """The values that a part has in a trace, in words."""
    return {
        "unknown" if isinstance(step.value, Unknown) else in_words(step.value)
        for step in steps_of(trace)
        if step.text == text
    }


@cache
def fixture_of(ruleset: str) -> Path:
    """The shipped table of a ruleset."""
    tables = {"email_suppression": "senders", "user_roles": "role_questions", "partner_earnings": "account_moves"}
    return ROOT / "fixtures" / f"{tables.get(ruleset, ruleset)}.jsonl"


LAST_DAY = date(2026, 6, 30)
RULESETS = sorted({each.id for each in shipped().rulesets if fixture_of(each.id).exists()})


def answers(engine: Engine, ruleset: str, facts: Any) -> Mapping[str, Any] | None:
    """What is compared of all answers, None where the facts are invalid."""
    try:
        found = engine.decide_all(ruleset, facts, as_of=LAST_DAY)
    except FactsError:
        return None
    return {name: (a.status, a.outcome, a.rules, a.values, set(a.missing)) for name, a in found.items()}


@pytest.mark.parametrize("name", RULESETS)
def test_every_change_of_a_mutant_is_found_and_its_condition_really_differs(name: str, tmp_path: Path) -> None:
    ruleset = shipped().ruleset(name, LAST_DAY)
    decided = [
        each for each in mutants_of(ruleset) if each.ruleset.checks == ruleset.checks
    ]  # the reference checks by text
    mutants = random.Random(name).sample(decided, 2)
    table = [read_json(line) for line in fixture_of(name).read_text("utf-8").splitlines()]
    for mutant in mutants:
        old, new = Side(ruleset, LAST_DAY), Side(mutant.ruleset, LAST_DAY)
        try:
            compare(old, new, fixture_of(name), Options(), out=tmp_path)
        except PolicyError:
            continue
        changes = pl.read_parquet(tmp_path / "changes.parquet").to_dicts()
        engines = old.engine(), new.engine()
        singly = [tuple(answers(engine, name, facts) for engine in engines) for facts in table]
        assert {(one["row"], one["decision"]) for one in changes} == set(differing(singly)), mutant.words
        for one in changes[::5]:
            check_attribution(one, engines, name, table[one["row"] - 1])


def differing(singly: list[tuple[Any, ...]]) -> Iterator[tuple[int, str]]:
    """The rows and decisions whose answers differ when asked singly; without a decision where one side finds a row invalid."""
    for row, (old, new) in enumerate(singly, 1):
        if old is None or new is None:
            if old is not new:
                yield row, ""
            continue
        yield from ((row, decision) for decision in old if old[decision] != new[decision])


def check_attribution(one: Mapping[str, Any], engines: tuple[Engine, Engine], ruleset: str, facts: Any) -> None:
    """The condition named has, on each side that has it, the value that is told; and on both another one."""
    if one["part"] in ("missing", "validity"):
        return
    assert one["why"] is not None
    if one["why"] not in (Why.CONDITION, Why.NEW_PART, Why.OLD_PART):
        return
    old, new = (engine.explain(f"{ruleset}.{one['decision']}", facts, as_of=LAST_DAY).trace for engine in engines)
    for trace, text, value in (
        (old, one["old_condition"] or one["condition"], one["old_value"]),
        (new, one["condition"], one["new_value"]),
    ):
        there = values_of(trace, text)
        assert value is None or not there or value in there
    assert one["old_value"] != one["new_value"]


SENDERS = 4_000


def test_accounts_named_change_when_asked_singly_and_others_do_not(tmp_path: Path) -> None:
    accounts = frame("senders", SENDERS)
    accounts.write_parquet(tmp_path / "senders.parquet")
    day = date(2025, 6, 30)
    old, new = (Side(version, day) for version in shipped().rulebook.versions("email_suppression"))
    found = compare(old, new, tmp_path / "senders.parquet", Options(), out=tmp_path)
    named = set(pl.read_parquet(tmp_path / "changes.parquet")["row"])
    assert len(named) > SENDERS // 3
    engines = old.engine(), new.engine()
    facts = accounts.with_columns(
        pl.col("sender_status_history").list.eval(
            pl.element().struct.with_fields(since=pl.element().struct.field("since").cast(pl.String))
        )
    )
    changed, valid = set(), 0
    for row, one in enumerate(facts.to_dicts(), 1):
        plain = {name: value for name, value in one.items() if value is not None}
        try:
            before, after = (engine.decide_all("email_suppression", plain, as_of=day) for engine in engines)
        except FactsError:
            continue
        valid += 1
        if any(parts(before[name]) != parts(after[name]) for name in before):
            changed.add(row)
    assert (named, valid) == (changed, found.compared)


def parts(answer: Any) -> tuple[Any, ...]:
    """What is compared of an answer."""
    return answer.status, answer.outcome, answer.rules, answer.values, set(answer.missing)
