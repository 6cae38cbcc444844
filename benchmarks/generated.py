"""Rulesets of any size: a matrix, a run of rules that test one fact, and mixed rules as people write them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

HEAD = """\
ruleset: {name}
title: A generated ruleset
version: "1"
effective: {{from: 2020-01-01}}
timezone: UTC
facts: {schema}
sources:
  made: {{title: Made for the benchmarks}}
"""
DECISION = """\
decisions:
  answer:
    question: What is the answer?
    source: made
    outcomes: [allow, deny]
"""
REGIONS = ("north", "south", "east", "west")


def matrix(folder: Path, name: str, size: int) -> None:
    """A matrix of so many rows and two columns."""
    cells = "".join(f"        v{row}: [{_legend(row)}, {_legend(row + 1)}]\n" for row in range(size))
    legend = (
        "    matrix:\n      rows: item\n      columns: {side: [left, right]}\n      legend:\n"
        "        yes: {then: allow, because: It is allowed.}\n        no: {then: deny, because: It is refused.}\n"
        f"      cells:\n{cells}"
    )
    _write(folder, name, "sized", DECISION + legend, _sized_schema(size))


def _legend(row: int) -> str:
    return "yes" if row % 3 else "no"


def equalities(folder: Path, name: str, size: int) -> None:
    """So many rules, each of which tests the same fact for another text."""
    rules = "".join(
        f'      - {{id: r{row}, when: item == "v{row}", then: {"allow" if row % 3 else "deny"}, because: It is v{row}.}}\n'
        for row in range(size - 1)
    )
    _write(folder, name, "sized", f"{DECISION}    rules:\n{rules}{_otherwise()}", _sized_schema(size))


def mixed(folder: Path, name: str, rules: int, seed: int) -> None:
    """Rules that compare amounts, dates and texts, in groups and by definitions."""
    rolled = random.Random(seed)
    definitions = "definitions:\n  age: days_between(opened_on, as_of)\n  large: amount >= 500\n"
    lines = "".join(f"      - {_rule(index, rolled)}\n" for index in range(rules))
    _write(folder, name, "case", f"{definitions}{DECISION}    rules:\n{lines}{_otherwise()}", CASE)


def _rule(index: int, rolled: random.Random) -> str:
    region, low, days = rolled.choice(REGIONS), rolled.randrange(1_000), rolled.randrange(1_000)
    conditions = (
        f'amount > {low} and region == "{region}"',
        f'age < {days} and region in ["{region}", "west"]',
        f"default(approved, false) and amount == {low}",
        f'{{all: [large, region == "{region}", age == {days}]}}',
    )
    when = conditions[index % len(conditions)]
    quoted = when if when[0] == "{" else f"'{when}'"
    return f"{{id: r{index}, when: {quoted}, then: {('allow', 'deny')[index % 2]}, because: Rule {index} of {region} applies.}}"


def _otherwise() -> str:
    return "    otherwise: {then: deny, because: Nothing else applies.}\n"


def _sized_schema(size: int) -> dict[str, Any]:
    return _record(
        {
            "item": {"type": "string", "enum": [f"v{row}" for row in range(size)]},
            "side": {"type": "string", "enum": ["left", "right"]},
        },
        ["item", "side"],
    )


def _record(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Generated facts",
        "type": "object",
        "properties": {name: {"description": f"The {name}.", **kind} for name, kind in properties.items()},
        "required": required,
        "additionalProperties": False,
    }


CASE = _record(
    {
        "amount": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
        "opened_on": {"type": "string", "format": "date"},
        "region": {"type": "string", "enum": list(REGIONS)},
        "approved": {"type": "boolean"},
    },
    ["amount", "opened_on", "region"],
)


def _write(folder: Path, name: str, schema: str, body: str, document: dict[str, Any]) -> None:
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    (folder / "rules" / f"{name}.yaml").write_text(HEAD.format(name=name, schema=schema) + body)
    (folder / "schemas" / f"{schema}.schema.json").write_text(json.dumps(document, indent=2))
