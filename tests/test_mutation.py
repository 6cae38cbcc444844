"""Mutants are the faults that authors make; what kills them, and what would, is found by asking and not by guessing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine
from policy_engine.analysis.case_texts import add_cases
from policy_engine.analysis.mutants import mutants_of
from policy_engine.analysis.mutation import Fate, Mutation
from policy_engine.analysis.suggesting import suggestions_for
from policy_engine.backends.python import prepare
from policy_engine.errors import CannotRun
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.plain import to_json_types
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Span
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy

SCHEMA = json.dumps(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "kind": {"enum": ["new", "old"], "type": "string"},
            "days": {"type": "integer", "minimum": 0, "maximum": 1000},
            "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000},
            "opened": {"type": "string", "format": "date"},
            "entries": {
                "type": "array",
                "maxItems": 5,
                "items": {
                    "type": "object",
                    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
                    "required": ["n"],
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    }
)
RULES = """\
ruleset: s
title: S
version: "1"
effective: {from: 2020-01-01}
timezone: Europe/Berlin
facts: f
parameters:
  limit: {values: {2020-01-01: 10, 2025-01-01: 20}}
  spring: {type: date, value: 2025-03-01}
tables:
  share:
    keys: {kind: text}
    columns: {part: {type: decimal}}
    rows:
      - {kind: new, part: 0.10}
      - {kind: old, part: 0.20}
checks:
  - expect: days != 500
    because: No account has 500 days.
definitions:
  rounded: round(amount / 3, 2, "half_up")
  late: opened < spring if kind == "new" else days > limit
  sum_of_two: days + 1
  most: max(e.n for e in entries if e.n > 2)
  both: days in [1, 2] and not known(opened)
decisions:
  d:
    question: Which?
    outcomes: [yes_, no_]
    values: {third: "if_known(rounded)", part: "if_known(share[kind].part)", most: if_known(most), more: if_known(sum_of_two)}
    rules:
      - {id: a, when: {any: [late, both]}, then: yes_, because: Late.}
      - {id: b, when: 3 <= days < 9, then: no_, because: Few.}
    otherwise: {then: yes_, because: Else.}
"""


def engine_of(folder: Path, rules: str = RULES) -> Engine:
    """The engine of one ruleset."""
    lay_out({"rules/s.yaml": rules, "schemas/f.schema.json": SCHEMA}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


def test_every_kind_of_fault_is_made(tmp_path: Path) -> None:
    (ruleset,) = engine_of(tmp_path).rulebook.rulesets
    found = [f"{one.span.line}: {one.words}" for one in mutants_of(ruleset)]
    assert found == (ROOT / "tests" / "data" / "mutants.txt").read_text("utf-8").splitlines()


CASES = """\
tests: s

# What stands here stays.
cases:
  - name: many days
    as_of: 2025-06-01
    facts: {kind: old, days: 21, opened: 2025-03-01}
    expect: {d: yes_}   # as it was

tables:
  - name: a few days
    as_of: 2025-06-01
    columns: [kind, days, d]
    rows:
      three: [old, 3, no_]
      nine: [old, 9, yes_]
"""


def test_a_mutant_is_killed_where_a_case_fails_and_else_a_case_that_would_is_shown(tmp_path: Path) -> None:
    engine = engine_of(tmp_path)
    lay_out({"rules/s_test.yaml": CASES}, tmp_path)
    cases, faults = read_tests([tmp_path / "rules"], engine.rulebook)
    assert not faults
    (ruleset,) = engine.rulebook.rulesets
    tried = list(map(Mutation(ruleset, cases, 300).tried, mutants_of(ruleset)))
    assert min(Counter(one.fate for one in tried)[fate] for fate in Fate) > 0
    for one in tried:
        failed = [case for case in cases if not _holds(one.mutant.ruleset, case)]
        assert bool(failed) is (one.fate is Fate.KILLED), one
        assert (one.case is not None) is (one.fate is Fate.SURVIVED), one
        assert one.case is None or (_holds(ruleset, one.case) and not _holds(one.mutant.ruleset, one.case)), one


def _holds(ruleset: Ruleset, case: RuleCase) -> bool:
    """Whether a case passes, asked anew of the Python back end: the engine's reference reads the author's words, which stay."""
    program = prepare(ruleset, {}, case.as_of, validator_of(ruleset.facts.document))
    facts, _ = to_json_types(case.facts)
    if not program.checks()(facts, case.as_of):
        return case.invalid is not None
    answers = {name: part.to_dict() for name, part in program.decide_all()(facts, case.as_of).items()}
    expected = [(answers[name][part], value) for name, parts in case.expect.items() for part, value in parts.items()]
    return case.invalid is None and all(given == value for given, value in expected)


def test_cases_that_kill_survivors_are_added_behind_the_others(tmp_path: Path) -> None:
    engine_of(tmp_path)
    lay_out({"rules/s_test.yaml": CASES}, tmp_path)
    path = tmp_path / "rules" / "s_test.yaml"
    first = policy("test", "rules", "--mutate", "--tries", "300", "--write", folder=tmp_path)
    assert first.code == 1, first
    before, mark, after = path.read_text("utf-8").partition("  # Added by `policy test --write`")
    assert before.rstrip() + "\n\n" == CASES.partition("tables:")[0]
    assert mark
    assert after.endswith(CASES[CASES.index("tables:") :])
    again = policy("test", "rules", "--mutate", "--tries", "300", folder=tmp_path)
    assert len(_survivors(first.out)) > 10
    assert not _survivors(first.out) & _survivors(again.out)
    assert policy("check", "rules", folder=tmp_path).code == 0


def _survivors(told: str) -> set[str]:
    return {line for line in told.splitlines() if "no case fails where" in line}


@pytest.mark.parametrize(
    ("cases", "arguments", "code", "told"),
    [
        ("tests: s\ncases: [{name: a, as_of: 2025-06-01, facts: {days: 1, kind: old}, expect: {d: yes_}}]\n",
         ["--write"], 1,
         "`rules/s_test.yaml` is written so that no case can be added surely; add them by hand, as they are shown\n"),
        (CASES, ["--fail-under", "20"], 0, ""),
        (CASES, ["--fail-under", "90"], 1, ""),
        (CASES.replace("[old, 3, no_]", "[old, 3, yes_]"), [], 1,
         "no mutants were made: first all cases have to pass, and with --coverage enough be tried\n"),
    ],
)  # fmt: skip
def test_exit_codes(cases: str, arguments: list[str], code: int, told: str, tmp_path: Path) -> None:
    engine_of(tmp_path)
    lay_out({"rules/s_test.yaml": cases}, tmp_path)
    ran = policy("test", "rules", "--mutate", "--tries", "50", *arguments, folder=tmp_path)
    assert (ran.code, ran.err) == (code, told), ran


@pytest.mark.parametrize("name", ["email_limits", "engine_access", "send_overage", "payment_methods"])
def test_the_cases_of_shipped_rulesets_see_every_fault(name: str) -> None:
    rulebook = Engine.load(ROOT / "rules", ROOT / "schemas", only=[name]).rulebook
    cases, _ = read_tests([ROOT / "rules" / f"{name}_test.yaml"], rulebook)
    (ruleset,) = rulebook.rulesets
    fates = Counter(one.fate for one in map(Mutation(ruleset, cases, 200).tried, mutants_of(ruleset)))
    assert fates[Fate.KILLED] > 20
    assert not fates[Fate.SURVIVED]


ADDED = RuleCase("a: b", "s", date(2025, 6, 1), {"days": 1}, {}, {"d": {"outcome": "yes_"}}, None, False, Span(""))
ONE = "  - {name: x, as_of: 2025-06-01, facts: {}, expect: {d: yes_}}\n"
TEXT = """\
  # Added by `policy test --write`: confirm that this is the right answer.
  - name: "a: b"
    as_of: 2025-06-01
    facts:
      days: 1
    expect:
      d: {outcome: yes_}
"""
ADDITIONS: Mapping[str, tuple[str, str]] = {
    "at the end": (f"tests: s\ncases:\n{ONE}", f"tests: s\ncases:\n{ONE}\n{TEXT}"),
    "no end of line": (f"tests: s\ncases:\n{ONE}".rstrip(), f"tests: s\ncases:\n{ONE}\n{TEXT}"),
    "a comment of the next key": (
        f"cases:\n{ONE}\n# Tables.\ntests: s\n",
        f"cases:\n{ONE}\n{TEXT}\n# Tables.\ntests: s\n",
    ),
    "no list": ("tests: s\ntables: []\n", f"tests: s\ntables: []\n\ncases:\n{TEXT}"),
    "other ends of lines": (
        f"tests: s\ncases:\n{ONE}".replace("\n", "\r\n"),
        f"tests: s\ncases:\n{ONE}\n{TEXT}".replace("\n", "\r\n"),
    ),
    "not indented": (
        f"tests: s\ncases:\n{ONE[2:]}",
        f"tests: s\ncases:\n{ONE[2:]}\n" + "".join(f"{line[2:]}\n" for line in TEXT.splitlines()),
    ),
    "the same name": (
        f"tests: s\ncases:\n{ONE.replace('x,', chr(34) + 'a: b' + chr(34) + ',')}",
        f"tests: s\ncases:\n{ONE.replace('x,', chr(34) + 'a: b' + chr(34) + ',')}\n{TEXT.replace('a: b', 'a: b, 2')}",
    ),
}


@pytest.mark.parametrize(("before", "after"), ADDITIONS.values(), ids=ADDITIONS.keys())
def test_nothing_else_of_a_test_file_changes(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "s_test.yaml"
    path.write_bytes(before.encode())
    add_cases(path, [ADDED])
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize(
    "text",
    [
        "tests: s\ncases: [{name: x, facts: {}}]\n",
        "tests: s\ncases:\n  - name: x\n    facts: {\na: 1\n}\n",
        "tests: s\ncases: [\n",
        "tests: other\ncases:\n  - {name: x}\n",
    ],
)
def test_a_test_file_is_left_alone_where_cases_cannot_be_added_surely(text: str, tmp_path: Path) -> None:
    path = tmp_path / "s_test.yaml"
    path.write_text(text)
    with pytest.raises(CannotRun):
        add_cases(path, [ADDED])
    assert path.read_text() == text


def test_a_test_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s_test.yaml"
    path.write_bytes(b"tests: s\ncases:\n  - {name: \xff}\n")
    with pytest.raises(CannotRun):
        add_cases(path, [ADDED])
    assert path.read_bytes() == b"tests: s\ncases:\n  - {name: \xff}\n"


@pytest.mark.parametrize("asked", [["--suggest"], ["--mutate", "--fail-under", "0"]])
def test_cases_that_cannot_be_added_fail_the_command(asked: list[str], tmp_path: Path) -> None:
    engine_of(tmp_path)
    flow = "tests: s\ncases: [{name: a, as_of: 2025-06-01, facts: {days: 1, kind: old}, expect: {d: yes_}}]\n"
    lay_out({"rules/s_test.yaml": flow}, tmp_path)
    assert policy("test", *asked, "--tries", "50", folder=tmp_path).code == 0
    ran = policy("test", *asked, "--tries", "50", "--write", folder=tmp_path)
    told = "`rules/s_test.yaml` is written so that no case can be added surely; add them by hand, as they are shown\n"
    assert (ran.code, ran.err, (tmp_path / "rules/s_test.yaml").read_text()) == (1, told, flow)


def test_cases_are_suggested_for_rules_without_one_from_nothing_on(tmp_path: Path) -> None:
    never = "{id: never, when: days > 20 and days < 10, then: no_, because: Never.}"
    engine_of(tmp_path, RULES.replace("    otherwise:", f"      - {never}\n    otherwise:"))
    first = policy("test", "rules", "--suggest", folder=tmp_path)
    assert first.code == 2, first
    ran = policy("test", "--suggest", "--write", "--tries", "2000", folder=tmp_path)
    told = [line for line in ran.out.splitlines() if not line.startswith("  ")]
    assert told == [
        "0 passed, 0 failed",
        "rules/s.yaml: no facts were found in 2,000 tries that come by d: never -> no_",
        "rules/s_test.yaml: 3 added; confirm the answer of each",
    ]
    assert policy("test", folder=tmp_path).out == "3 passed, 0 failed\n"
    assert policy("check", "rules", folder=tmp_path).code == 0
    again = policy("test", "--suggest", "--write", "--tries", "100", folder=tmp_path)
    assert again.out.splitlines()[1:] == ["rules/s.yaml: no facts were found in 100 tries that come by d: never -> no_"]


def test_every_rule_of_a_shipped_ruleset_is_found_from_nothing() -> None:
    (ruleset,) = Engine.load(ROOT / "rules", ROOT / "schemas", only=["email_limits"]).rulebook.rulesets
    found = suggestions_for(ruleset, (), 3_000)
    assert (bool(found.cases), found.not_found) == (True, [])
    assert all(_holds(ruleset, case) for case in found.cases)
