"""A ruleset to begin with: its rules, its schema and its tests, as texts that are checked before anybody gets them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from policy_engine.analysis.case_texts import case_text
from policy_engine.analysis.rule_tests import CaseResult, run_case
from policy_engine.analysis.suggesting import suggestions_for
from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.yaml_values import in_yaml
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.frontend.formatting import format_text
from policy_engine.frontend.loader import Rulebook, load
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.frontend.schemas import is_name
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Span

DECISION = "result"
TRIES = 2_000
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
PLAIN_WORD = re.compile(r"[\w.+-]+(?: [\w.+-]+)*")
"""A text that needs no care between quotes in an expression."""
SILENCES = {
    "unused-fact": "The rules that read them are still to be written.",
    "unused-outcome": "The rules that give them are still to be written.",
}
"""What is silenced to begin with, and why it is no fault yet."""
REMARK = "Next: is this the right answer? Then take this line away."


@dataclass(frozen=True, slots=True)
class FirstFact:
    """A fact of a ruleset to begin with: its name, its part of the schema without a description, and what is to be said of it."""

    name: str
    schema: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is asked before a ruleset is begun; `key` is the fact that names a row in reports."""

    name: str
    title: str
    question: str
    outcomes: tuple[str, ...]
    first_day: date
    timezone: str
    facts: tuple[FirstFact, ...]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class FirstFiles:
    """The texts of the files of a ruleset to begin with, and the ruleset."""

    rules: str
    schema: str
    tests: str
    ruleset: Ruleset


def first_files(asked: Beginning) -> FirstFiles:
    """The files, checked as `policy check --strict` and `policy test` do; raises `CannotRun` where they would not pass."""
    with TemporaryDirectory(prefix="policy-") as folder:
        return _checked_files(asked, Path(folder))


def _checked_files(asked: Beginning, folder: Path) -> FirstFiles:
    rules, tests, schema = (folder / f"{asked.name}{ending}" for ending in (".yaml", "_test.yaml", ".schema.json"))
    schema.write_text(_schema_text(asked), "utf-8")
    rules.write_text(_rules_text(asked, []), "utf-8")
    silences = sorted({fault.code for fault in load([rules], folder).diagnostics} & SILENCES.keys())
    rules.write_text(format_text(_rules_text(asked, silences), rules.name), "utf-8")
    rulebook = load([rules], folder)
    _refuse_faults(rulebook.diagnostics)
    ruleset = rulebook.versions(asked.name)[0]
    tests.write_text(format_text(_tests_text(asked, ruleset), tests.name), "utf-8")
    cases, faults = read_tests([tests], rulebook)
    _refuse_faults(faults)
    _refuse_failures(run_case(Engine(rulebook), case) for case in cases)
    return FirstFiles(rules.read_text("utf-8"), schema.read_text("utf-8"), tests.read_text("utf-8"), ruleset)


def _refuse_faults(faults: Iterable[Diagnostic]) -> None:
    told = [f"{fault.code}: {fault.message}" for fault in faults]
    if told:
        raise CannotRun(
            "\n".join(["nothing was written, for the new files would have faults; please report it", *told])
        )


def _refuse_failures(results: Iterable[CaseResult]) -> None:
    told = [str(result) for result in results if not result.passed]
    if told:
        raise CannotRun("\n".join(["nothing was written, for the new tests would fail; please report it", *told]))


# The schema.


def _schema_text(asked: Beginning) -> str:
    facts = [_property(fact, is_key=fact.name == asked.key) for fact in asked.facts]
    lines = [
        "{",
        '  "$schema": "https://json-schema.org/draft/2020-12/schema",',
        f'  "title": {_json(f"The facts of {asked.name}")},',
        '  "type": "object",',
        '  "properties": {',
        ",\n".join(facts),
        "  },",
        '  "required": [],',
        '  "additionalProperties": false',
        "}",
    ]
    return "\n".join(lines) + "\n"


def _property(fact: FirstFact, *, is_key: bool) -> str:
    """A fact's part of the schema: what is said of it on one line, and its type on another."""
    kind = _json({**fact.schema, **({"x-key": True} if is_key else {})})
    if not fact.description:
        return f"    {_json(fact.name)}: {kind}"
    return f'    {_json(fact.name)}: {{\n      "description": {_json(fact.description)},\n      {kind[1:-1]}\n    }}'


def _json(value: object) -> str:
    """A value on one line, decimals as they are written."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_json(name)}: {_json(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_json, value)) + "]"
        case Decimal():
            return f"{value:f}"
    return json.dumps(value, ensure_ascii=False)


# The rules.


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition on one fact, why it holds, and the parameter that it needs."""

    when: str
    because: str
    parameter: str | None = None


def _rules_text(asked: Beginning, silences: Sequence[str]) -> str:
    names = {fact.name for fact in asked.facts}
    conditions = [_condition(fact, names) for fact in _telling(asked)]
    rules = list(zip(asked.outcomes[:-1], conditions, strict=False))
    return "\n".join([*_head(asked), *_parameters(rules), *_decision(asked, rules), *_silence(silences)]) + "\n"


def _telling(asked: Beginning) -> list[FirstFact]:
    """The facts in the order in which first rules ask them: those first of which most can be asked."""
    order = ("boolean", "enum", "number", "integer", "date", "date-time")
    facts = [fact for fact in asked.facts if fact.name != asked.key]
    kinds = {fact.name: "enum" if "enum" in fact.schema else _kind(fact) for fact in facts}
    return sorted(facts, key=lambda fact: order.index(kinds[fact.name]) if kinds[fact.name] in order else len(order))


def _kind(fact: FirstFact) -> str:
    return str(fact.schema.get("format", fact.schema["type"]))


def _condition(fact: FirstFact, names: set[str]) -> _Condition:
    name, word = fact.name, next((v for v in fact.schema.get("enum", ()) if PLAIN_WORD.fullmatch(v)), None)
    match _kind(fact):
        case "boolean":
            return _Condition(name, f"{name} is true.")
        case "integer" | "number":
            least = _own(f"least_{name}", names)
            parameter = f"  {least}: {{value: {_middle(fact)}, meaning: From here on the rule applies}}"
            return _Condition(f"{name} >= {least}", f"{{{name}}} is at least {{{least}}}.", parameter)
        case "date":
            return _Condition(f"{name} <= as_of", f"{{{name}}} is not in the future.")
        case "date-time":
            return _Condition(f"date_of({name}) <= as_of", f"{{{name}}} is not in the future.")
        case "string" if word is not None:
            return _Condition(f'{name} == "{word}"', f"{name} is {{{name}}}.")
    return _Condition(f"known({name})", f"{name} is known.")


def _middle(fact: FirstFact) -> Decimal:
    """A number between the bounds, with as many places as the fact has."""
    unit = Decimal(fact.schema.get("multipleOf", 1))
    low, high = Decimal(fact.schema["minimum"]), Decimal(fact.schema["maximum"])
    return ((low + high) / 2).quantize(unit)


def _head(asked: Beginning) -> Iterator[str]:
    yield f"""\
# Made by `policy new`. Each line that begins with `# Next` says what to do; take it away when it is done.
ruleset: {asked.name}
title: {in_yaml(asked.title)}
version: "1"
effective: {{from: {asked.first_day}}}
timezone: {in_yaml(asked.timezone)}
facts: {asked.name}

# Next: name the document that says all this, and let the decision cite it by `source: terms`.
# sources:
#   terms: {{title: The terms of payment, updated: 2025-01-01, url: "https://example.com/terms"}}
"""


def _parameters(rules: Iterable[tuple[str, _Condition]]) -> list[str]:
    found = [condition.parameter for _, condition in rules if condition.parameter is not None]
    return ["parameters:", "  # Next: write the right figures, and the unit of each.", *found, ""] if found else []


def _decision(asked: Beginning, rules: Sequence[tuple[str, _Condition]]) -> Iterator[str]:
    yield f"decisions:\n  {DECISION}:\n    question: {in_yaml(asked.question)}"
    yield f"    outcomes: [{', '.join(map(in_yaml, asked.outcomes))}]"
    if rules:
        yield "    rules:\n      # Next: say for each outcome when it holds, and why. The first rule that is true decides."
    for number, (outcome, condition) in enumerate(rules, 1):
        yield f"      - id: rule-{number}\n        when: {condition.when}"
        yield f"        then: {in_yaml(outcome)}\n        because: {in_yaml(condition.because)}"
    yield "    otherwise:\n      # Next: say why this is so where no rule applies."
    yield f"      then: {in_yaml(asked.outcomes[-1])}\n      because: No rule says anything else."


def _silence(codes: Sequence[str]) -> Iterator[str]:
    if codes:
        yield "\nsilence:\n  # Next: `policy check` tells when these are no longer needed."
    yield from (f"  - {{code: {code}, because: {in_yaml(SILENCES[code])}}}" for code in codes)


# The tests.


def _tests_text(asked: Beginning, ruleset: Ruleset) -> str:
    found = suggestions_for(ruleset, (), TRIES).cases
    cases = [*_without_facts(asked, ruleset), *(replace(case, name=_name_of(case)) for case in found)]
    return f"""\
# Made by `policy new`: the answers are those of the rules as they were written.
tests: {asked.name}

cases:
""" + "\n".join(case_text(case, mark=REMARK) for case in cases)


def _without_facts(asked: Beginning, ruleset: Ruleset) -> Iterator[RuleCase]:
    """What is missing where nothing is known, unless that decides as well, which a suggested case shows then."""
    answer = Engine(Rulebook((ruleset,), ())).decide(f"{asked.name}.{DECISION}", {}, as_of=asked.first_day)
    if answer.missing:
        wants = {DECISION: {"missing": list(answer.missing)}}
        yield RuleCase("without any facts", asked.name, asked.first_day, {}, {}, wants, None, False, Span(""))


def _name_of(case: RuleCase) -> str:
    return f"by {', '.join(case.expect[DECISION].get('rules', ()))}" if DECISION in case.expect else case.name


# Names.


def fact_names(columns: Sequence[str]) -> dict[str, str]:
    """For each column the name of a fact: its letters and digits, no word with a meaning of its own, and no name twice."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for number, column in enumerate(columns, 1):
        name = _own(_snake(column) or f"column_{number}", taken)
        found[column] = name
        taken.add(name)
    return found


def _snake(text: str) -> str:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower().translate(UMLAUTS)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return f"column_{name}" if name[:1].isdigit() else name


def _own(name: str, taken: set[str]) -> str:
    free = name if is_name(name) else f"{name}_value"
    number = 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
