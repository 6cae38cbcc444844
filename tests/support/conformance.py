"""The conformance cases: the numbered sentences of `docs/semantics.md` as data that any back end can be run over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from policy_engine.backends.contract import Answer, Answers
from policy_engine.diagnostics import has_errors
from policy_engine.documents import nodes
from policy_engine.documents.yaml_reader import read_file, read_text
from policy_engine.errors import RulesetError
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.checker import check
from policy_engine.frontend.libraries import Library, joined
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts

FOLDER = Path(__file__).parents[1] / "conformance"
BASE = {
    "ruleset": "conformance",
    "title": "Conformance",
    "version": "1",
    "effective": {"from": "2000-01-01"},
    "timezone": "America/New_York",
    "facts": "conformance",
    "sources": {"text": {"title": "The text"}},
}

LIBRARY = {"library": "shared", "title": "What is shared", "version": "1", "facts": "conformance"}


@dataclass(frozen=True)
class Case:
    """One case: a ruleset, facts, a day, and what must come out."""

    id: str
    library: str | None
    sentences: tuple[str, ...]
    functions: tuple[str, ...]
    schema: str
    ruleset_text: str
    facts: Any
    as_of: date
    readings: Mapping[str, str]
    expect: Mapping[str, Mapping[str, Any]]
    invalid: tuple[str, ...] | None

    def __str__(self) -> str:
        return self.id

    @property
    def ruleset(self) -> Ruleset:
        """The checked ruleset."""
        return _ruleset(self.ruleset_text, self.schema, self.library)


@cache
def _ruleset(text: str, schema: str, library: str | None = None) -> Ruleset:
    facts, faults = schema_of(schema, "conformance.schema.json", "conformance")
    assert facts is not None, faults
    node, faults = read_text(text, "conformance.yaml")
    assert node is not None, faults
    syntax, faults = parse_ruleset(node)
    assert syntax is not None, faults
    if library is not None:
        syntax = joined(syntax, facts, [library_of(library, facts)], faults).syntax
    ruleset, found = check(syntax, facts, "sha256:" + "0" * 64)
    if ruleset is None or has_errors(faults):
        raise RulesetError([*faults, *found])
    return ruleset


def library_of(text: str, facts: FactsSchema) -> Library:
    """A library of some text over a schema, in which nothing is wrong."""
    node, faults = read_text(text, "library.yaml")
    assert node is not None, faults
    syntax, faults = parse_ruleset(node)
    assert syntax is not None, faults
    ruleset, found = check(syntax, facts, "", faults)
    if ruleset is None:
        raise RulesetError(found)
    return Library(node, syntax, ruleset)


def plain(facts: Any) -> Any:
    """Facts as callers give them in JSON types, as back ends take them."""
    read, unfit = to_json_types(facts)
    assert not unfit
    return read


def only_named(found: Any, wanted: Any) -> Any:
    """Of an answer's mapping, the keys that the case names."""
    if isinstance(found, dict) and isinstance(wanted, dict) and wanted:
        return {key: found.get(key, "(absent)") for key in wanted}
    return found


def reference(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """The reference in the form of a back end; it takes facts as callers give them, and refuses those that are invalid."""

    def answers(facts: Any) -> Answer:
        evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), as_of, readings)
        check_facts(evaluation)
        return {logic.name: evaluation.decision(logic.name).to_dict() for logic in ruleset.decisions}

    return lambda facts: [answers(each) for each in facts]


@cache
def load_cases() -> tuple[Case, ...]:
    """Every case of every file, read once in each process."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yaml")):
        _, node, faults = read_file(path)
        assert node is not None, faults
        assert not faults, faults
        document: Any = nodes.plain(node)
        for case in document["cases"]:
            yield _case(path, document, case)


def _case(path: Path, document: Any, case: Any) -> Case:
    schema = {"type": "object", "additionalProperties": False, **case.get("schema", document.get("schema", {}))}
    body = _merged(_merged(BASE, document.get("ruleset") or {}), case.get("ruleset") or {})
    expect = case.get("expect") or {}
    if "expression" in case:
        body = _merged(body, {"decisions": {"it": {"values": {"it": case["expression"]}}}})
        expect = {"it": _gives(case)}
    if "decisions" not in body:
        body["decisions"] = {"it": {"values": {"it": "true"}}}
    for decision in body["decisions"].values():
        _complete(decision)
    facts = case.get("facts") or {}
    if "facts_json" in case:
        facts = json.loads(case["facts_json"])
    library = {**LIBRARY, **case["library"]} if "library" in case else None
    return Case(
        id=f"{path.stem}: {case['name']}",
        library=None if library is None else json_text(library),
        sentences=tuple(map(str, case["sentences"])),
        functions=tuple(case.get("functions") or ()),
        schema=json_text(schema),
        ruleset_text=json_text(body),
        facts=facts,
        as_of=date.fromisoformat(case.get("as_of", "2025-01-01")),
        readings=case.get("readings") or {},
        expect=expect,
        invalid=tuple(case["invalid"]) if "invalid" in case else None,
    )


def _gives(case: Any) -> dict[str, Any]:
    if case["gives"] == "unknown":
        return {"status": "undetermined", "values": {"it": None}, "missing": case.get("missing") or []}
    return {"status": "decided", "values": {"it": case["gives"]}, "missing": []}


def _complete(decision: Any) -> None:
    """What cases may leave out."""
    decision.setdefault("question", "?")
    for rule in decision.get("rules", []):
        rule.setdefault("because", "It applies.")
        if "source" not in decision:
            rule.setdefault("source", "text")
    if "otherwise" in decision:
        decision["otherwise"].setdefault("because", "It applies.")


def _merged(base: Any, over: Any) -> Any:
    """Two mappings as one, at every depth; else what stands over."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}


def json_text(value: Any) -> str:
    """JSON with exact decimals, which is YAML too."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(key))}: {json_text(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(json_text, value)) + "]"
        case Decimal():
            return f"{value:f}"
        case _:
            return json.dumps(value)
