"""What changed from one ruleset to another is told in words, and what alters nothing is not told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from policy_engine import Engine, UnknownReading
from policy_engine.analysis.mutants import mutants_of
from policy_engine.analysis.rule_changes import as_asked, changes
from policy_engine.language import expressions, lookup_tables, rulesets
from policy_engine.language.rule_changes import Effect, Wording
from policy_engine.language.rulesets import Ruleset
from tests.conftest import ROOT, read_data
from tests.support.variants import variants

FOLDER = ROOT / "tests" / "data" / "rule_changes"
TEXTS = {name: (FOLDER / name).read_text("utf-8") for name in ("refunds.yaml", "shared.yaml", "f.schema.json")}


def ruleset_of(texts: Mapping[str, str]) -> Ruleset:
    """The ruleset of a rule file, a library and a schema."""
    rules = {name: text for name, text in texts.items() if name.endswith(".yaml")}
    engine = Engine.from_text(rules, {"f": texts["f.schema.json"]})
    return next(ruleset for ruleset in engine.rulesets if ruleset.id == "refunds")


BASE = ruleset_of(TEXTS)


def told(old: Ruleset, new: Ruleset) -> list[str]:
    """The changes, each behind what it can alter."""
    return [f"{change.effect}: {change.message}" for change in changes(old, new)]


def edited(*edits: tuple[str, str]) -> Ruleset:
    """The ruleset with some of its text written otherwise."""
    texts = dict(TEXTS)
    for was, now in edits:
        assert sum(text.count(was) for text in texts.values()) == 1, was
        texts = {name: text.replace(was, now) for name, text in texts.items()}
    return ruleset_of(texts)


EDITED = read_data(FOLDER / "changes.yaml")


@pytest.mark.parametrize("case", EDITED, ids=[case["edits"][0]["is"][:50] for case in EDITED])
def test_what_an_edit_changes_is_told_and_nothing_else(case: Mapping[str, Any]) -> None:
    assert told(BASE, edited(*((edit["was"], edit["is"]) for edit in case["edits"]))) == case["told"]


def test_both_sides_are_told_with_their_places() -> None:
    (change,) = changes(BASE, edited(("days < 9", "days <= 9")))
    assert (change.ruleset, change.kind, change.name) == ("refunds", "rule", "refund: new-one")
    assert change.old == Wording('all (kind == "new"; days < 9)')
    assert change.new == Wording('all (kind == "new"; days <= 9)')
    assert TEXTS["refunds.yaml"].splitlines()[change.new.span.line - 1].strip() == "- id: new-one"


ONCE = "      - {id: once, when: many, then: full, because: Once., effective: {from: 2020-02-01, until: 2020-03-01}}\n"


def test_the_order_of_rules_that_are_never_in_force_together_does_not_count() -> None:
    later = edited(("      - id: old-one\n", f"{ONCE}      - id: old-one\n"))
    earlier = edited(("      - id: new-one\n", f"{ONCE}      - id: new-one\n"))
    assert told(later, earlier) == []
    first = edited(("      - id: too-late\n", f"{ONCE}      - id: too-late\n"))
    moved = "The rule `once` of `refund` stands before `too-late`; it stood before `old-one`."
    assert told(later, first) == [f"answer: {moved}"]


# Two days, and two choices


def test_two_days_of_one_ruleset_differ_by_what_is_in_force() -> None:
    before, after = (as_asked(BASE, day, {}) for day in (date(2020, 6, 1), date(2025, 6, 1)))
    assert told(before, after) == [
        "answer: The parameter `limit` is 20, was 10.",
        "answer: The rule `new-one` of `refund` is new; it gives `full` and `kept` as `share[kind].part`"
        ' where `all (kind == "new"; days < 9)`.',
    ]
    assert told(as_asked(BASE, date(2025, 1, 1), {}), after) == []


def test_two_choices_of_a_reading_differ_by_the_choice() -> None:
    day = date(2025, 6, 1)
    switched = as_asked(BASE, day, {"last_day": "excluded"})
    assert told(as_asked(BASE, day, {}), switched) == [
        "answer: The choice of the reading `last_day` is `excluded`; it was `counts`."
    ]
    with pytest.raises(UnknownReading):
        as_asked(BASE, day, {"last_day": "other"})


# Shipped rulesets

SHIPPED = Engine.load(ROOT / "rules", ROOT / "schemas").rulesets


@pytest.mark.parametrize("ruleset", SHIPPED, ids=lambda ruleset: f"{ruleset.id}-{ruleset.version}")
def test_every_fault_that_an_author_may_make_is_a_change_that_can_alter_an_answer(ruleset: Ruleset) -> None:
    every = list(mutants_of(ruleset))
    for mutant in every[:: max(1, len(every) // 60)]:
        found = changes(ruleset, mutant.ruleset)
        assert [change for change in found if change.effect is Effect.ANSWER], mutant


@pytest.mark.parametrize("path", sorted({ruleset.path for ruleset in SHIPPED}), ids=lambda path: Path(path).name)
def test_a_rule_file_that_is_shuffled_and_laid_out_otherwise_has_no_changes(path: str) -> None:
    document = read_data(Path(path))
    ruleset = next(ruleset for ruleset in SHIPPED if ruleset.path == path)
    schema = (ROOT / "schemas" / f"{ruleset.facts.name}.schema.json").read_text("utf-8")
    for seed in range(3):
        text = as_flow(shuffled(document, Random(seed)), indent=seed)
        (again,) = Engine.from_text({"shuffled": text}, {ruleset.facts.name: schema}).rulesets
        assert changes(ruleset, again) == ()


def as_flow(document: Any, indent: int) -> str:
    """A document as JSON, which is YAML too; decimals as they were written."""
    text = json.dumps(document, default=lambda value: f"<<{value}>>", indent=indent)
    return re.sub(r'"<<([0-9.-]+)>>"', r"\1", text)


FREE = ("all", "any", "none", "checks")
"""The keys of lists whose order has no meaning."""


def shuffled(part: Any, random: Random, key: str = "") -> Any:
    """A document with its mappings, and the lists whose order has no meaning, in another order."""
    if isinstance(part, dict):
        names = [*part]
        if key != "columns":  # cells follow the order of a matrix's columns
            random.shuffle(names)
        return {name: shuffled(part[name], random, name) for name in names}
    if isinstance(part, list):
        parts = [shuffled(each, random) for each in part]
        if key in FREE:
            random.shuffle(parts)
        return parts
    return part


# Nothing is left out

NOT_COMPARED = {
    ("Ruleset", "id"): "it names both sides",
    ("Ruleset", "version"): "it names the sides",
    ("Ruleset", "digest"): "it differs with every change, and with the order of parts",
    ("Ruleset", "path"): "a place",
    ("Ruleset", "withheld"): "it follows from the schema and from the expressions",
    ("FactsSchema", "zone"): "it follows from the time zone of the ruleset",
    ("DecisionLogic", "answer_types"): "they follow from the types of values",
    ("DecisionLogic", "sources"): "they follow from those of rules, and its own",
    ("DecisionLogic", "readings"): "they follow from its own and from the expressions",
    ("Cell", "id"): "it follows from row and column",
    ("Cell", "row"): "cells of one row and column are compared",
    ("Cell", "column"): "cells of one row and column are compared",
    ("Number", "low"): "bounds follow from the schema and from the expressions",
    ("Number", "high"): "bounds follow from the schema and from the expressions",
    ("Cell", "label"): "what it stands for is compared",
    ("ValueDefinition", "nullable"): "it follows from the expression",
    ("Quoted", "expression"): "it only tells whether the words are sensitive",
    ("Expression", "text"): "the tree is compared",
    ("LookupTable", "dated"): "it follows from the keys",
    ("LookupTable", "of_day"): "it follows from the day of the question",
    ("LookupTable", "path"): "a place",
    ("TableRow", "line"): "a place",
    ("TableRow", "column"): "a place",
    ("Holidays", "name"): "its days are compared",
    ("Holidays", "added"): "its days are compared",
    ("Holidays", "removed"): "its days are compared",
    ("Variable node", "name"): "the generator that it belongs to is compared",
    ("Aggregate node", "variable"): "the elements that it stands for are compared",
}
"""Fields that are deliberately not compared, each with the reason."""
NOWHERE = ("span", "place", "type", "optional")
"""Fields that are not compared in any class: places, and types, which follow from the schema and from the expressions."""
OTHER_NAMES = {"late": "many", "many": "late", "limit": "spare"}
"""What expressions name is called otherwise."""


def test_every_field_is_compared_or_is_known_not_to_be() -> None:
    seen: set[tuple[str, str]] = set()
    compared: set[tuple[str, str]] = set()
    for trail, changed in variants(BASE, NOWHERE, OTHER_NAMES):
        seen.update(trail)
        if not compared.issuperset(trail) and _is_told(changed):
            compared.update(trail)
    assert sorted(seen - compared - NOT_COMPARED.keys()) == []
    assert sorted(NOT_COMPARED.keys() - seen) == []
    assert sorted(NOT_COMPARED.keys() & compared) == []
    visited = {name.removesuffix(" node") for name, _ in seen}
    assert set(_classes()) - visited == {
        "Place",
        "Constant",
    }  # where it stands, and what only specialized rulesets have


def _is_told(changed: Ruleset) -> bool:
    try:
        return bool(changes(BASE, changed))
    except (KeyError, ValueError):  # no checked ruleset: it names what there is not, or a row has too few keys
        return False


def _classes() -> Iterator[str]:
    """Every class of rulesets, tables and expressions that has fields to compare."""
    for module in (rulesets, lookup_tables, expressions):
        own = (part for part in vars(module).values() if isinstance(part, type) and part.__module__ == module.__name__)
        for cls in filter(is_dataclass, own):
            if {field.name for field in fields(cls)}.difference(NOWHERE):
                yield cls.__name__
