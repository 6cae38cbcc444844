"""Conditions both ways and deciding alone: what coverage claims is what brute force finds, over rulesets written by chance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

import pytest

from policy_engine import Engine
from policy_engine.analysis.coverage import Coverage, coverage_of
from policy_engine.analysis.items import Kind
from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.source import Span
from tests.support.brute_force import Facts, Ruleset, asked_by_ifs, leaves, parsed

SCHEMA = """{"type": "object", "additionalProperties": false, "properties": {
"p": {"type": "boolean"}, "q": {"type": "boolean"}, "r": {"type": "boolean"},
"m": {"type": "integer", "minimum": -9, "maximum": 9}, "n": {"type": "integer", "minimum": -9, "maximum": 9}}}"""
HEAD = """ruleset: c
title: C
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: claim
"""
TODAY = date(2025, 1, 1)
LEAVES = (
    "p",
    "q",
    "r",
    "m < n",
    "n >= 1",
    "m <= 0 < n",
    "known(p)",
    "known(m)",
    "m in [1, 2]",
    "n not in [0, 1]",
    "m == n",
)
NOWHERE = Span("c_test.yaml")


@dataclass
class Author:
    """Writes a ruleset by chance: its text, and its formulas with the line and column at which each begins."""

    random: Random
    lines: list[str] = field(default_factory=list)
    definitions: dict[str, ast.AST] = field(default_factory=dict)
    rules: list[ast.AST] = field(default_factory=list)
    places: dict[ast.AST, tuple[int, int]] = field(default_factory=dict)

    def write(self) -> str:
        self.lines = ["definitions:"]
        for name in ("one", "two"):
            self.lines.append(f"  {name}:")
            self.definitions[name] = self.condition("    ")
        self.lines += ["decisions:", "  d:", "    question: Q", "    outcomes: [y, n]", "    rules:"]
        for number in range(3):
            self.lines += [f"      - id: r{number}", "        when:"]
            self.rules.append(self.condition("          "))
            self.lines += ["        then: y", "        because: x"]
        self.lines.append("    otherwise: {then: n, because: x}")
        return HEAD + "\n".join(self.lines) + "\n"

    def condition(self, indent: str) -> ast.AST:
        """A list of conditions, or an expression on a line of its own."""
        kind = self.random.choice(("all", "any", "none", ""))
        if not kind:
            self.lines.append(indent)
            return self.expression(len(indent))
        self.lines.append(f"{indent}{kind}:")
        parts: list[ast.expr] = []
        for _ in range(self.random.randint(2, 3)):
            self.lines.append(f"{indent}  - ")
            parts.append(self.expression(len(indent) + 4))
        joined = ast.BoolOp(ast.And() if kind == "all" else ast.Or(), parts)
        return ast.UnaryOp(ast.Not(), joined) if kind == "none" else joined

    def expression(self, column: int) -> ast.expr:
        """An expression at the end of the last line."""
        text = self.text(self.random.randint(0, 3))
        self.lines[-1] += text
        formula = parsed(text)
        for node in ast.walk(formula):
            if isinstance(node, ast.expr):
                self.places[node] = (HEAD.count("\n") + len(self.lines), column + node.col_offset + 1)
        return formula

    def text(self, depth: int) -> str:
        """An expression so many operators deep."""
        if not depth:
            return self.random.choice((*LEAVES, *self.definitions))
        one, two, three = (self.text(self.random.randint(0, depth - 1)) for _ in range(3))
        return self.random.choice(
            (f"({one}) and ({two})", f"({one}) or ({two})", f"not ({one})", f"({one}) if ({two}) else ({three})")
        )


def facts_by_chance(random: Random) -> Facts:
    """Facts, of which some are absent."""
    drawn: dict[str, bool | int | None] = {name: random.choice((True, False, None)) for name in "pqr"}
    drawn |= {name: random.choice((None, -1, 0, 1, 2, 3)) for name in "mn"}
    return {name: value for name, value in drawn.items() if value is not None}


def coverage_by(engine: Engine, cases: list[Facts]) -> Coverage:
    """What the answers about facts cover."""
    results = []
    for facts in cases:
        case = RuleCase("N", "c", TODAY, facts, {}, {"d": {}}, None, False, NOWHERE)
        results.append(CaseResult(case, (), (engine.explain("c.d", facts, as_of=TODAY),)))
    return coverage_of(engine.rulebook.rulesets, results)


def formulas(author: Author) -> Iterator[ast.AST]:
    """All formulas of a ruleset, the conditions of `if`s included."""
    for formula in (*author.definitions.values(), *author.rules):
        yield formula
        yield from asked_by_ifs(formula)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_claimed_of_conditions_is_what_brute_force_finds(seed: int) -> None:
    author = Author(Random(seed))
    text = author.write()
    engine = Engine.from_text({"c.yaml": text}, {"claim": SCHEMA})
    cases = [facts_by_chance(author.random) for _ in range(author.random.randint(4, 40))]
    brute = Ruleset(author.definitions, author.rules)
    for facts in cases:
        brute.see(facts)
    claimed: dict[tuple[int, int, str, str], bool] = {}
    for each in coverage_by(engine, cases).items:
        if each.item.kind in (Kind.CONDITIONS, Kind.DECIDING):
            place = each.item.span.line, each.item.span.column, each.item.of.replace("not in", "in"), each.item.what
            claimed[place] = each.cases > 0
    found = {
        (*author.places[leaf], ast.unparse(leaf).replace("not in", "in"), what): has
        for formula in formulas(author)
        for leaf in leaves(formula)
        for what, has in (
            ("true", True in brute.both_ways(formula, leaf)),
            ("false", False in brute.both_ways(formula, leaf)),
            ("alone", brute.decides_alone(formula, leaf)),
        )
    }
    assert {place: found[place] for place in claimed} == claimed, text
    left_out = found.keys() - claimed.keys()
    assert not [place for place in left_out if place[3] == "alone" and found[place]], text
