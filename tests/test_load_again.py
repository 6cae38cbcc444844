"""Loading again with a memory: the same is found, files whose text is the same are not checked again, and texts may be given."""

from __future__ import annotations

from pathlib import Path

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.yaml_reader import LARGEST_FILE, file_text
from policy_engine.frontend.loader import Rulebook, load
from policy_engine.frontend.memory import Memory
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import ROOT

RULES, SCHEMAS = ROOT / "rules", ROOT / "schemas"
EXAMPLES = ROOT / "examples"
CHANGED = RULES / "payouts.yaml"


def changed(path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
    """The texts of the files, one of them with a fault."""
    text, faults = file_text(path, largest)
    return (text.replace("timezone: ", "timezone: Nowhere/", 1) if path == CHANGED else text), faults


def found(rulebook: Rulebook) -> object:
    """What a load found."""
    return [ruleset.digest for ruleset in rulebook.rulesets], rulebook.diagnostics, rulebook.refused


def test_the_same_is_found_with_a_memory_and_without() -> None:
    for rules, schemas in ((RULES, SCHEMAS), (EXAMPLES / "rules", EXAMPLES / "schemas")):
        memory = Memory()
        wanted = found(load([rules], schemas))
        assert found(load([rules], schemas, memory=memory)) == wanted
        assert found(load([rules], schemas, memory=memory)) == wanted


def test_only_a_file_whose_text_changed_is_checked_again() -> None:
    memory = Memory()
    before = {ruleset.path: ruleset for ruleset in load([RULES], SCHEMAS, memory=memory).rulesets}
    now = load([RULES], SCHEMAS, read=changed, memory=memory)
    kept = [ruleset for ruleset in now.rulesets if before[ruleset.path] is ruleset]
    assert [diagnostic.code for diagnostic in now.diagnostics] == ["unknown-timezone"]
    assert len(kept) == len(now.rulesets) == len(before) - 1
    assert load([RULES], SCHEMAS, memory=memory).diagnostics == ()


def test_tables_schemas_and_tests_are_taken_from_the_texts_that_are_given() -> None:
    asked: list[Path] = []

    def noting(path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
        asked.append(path)
        return file_text(path, largest)

    rulebook = load([EXAMPLES / "rules"], EXAMPLES / "schemas", read=noting)
    read_tests([EXAMPLES / "rules"], rulebook, noting)
    assert {path.suffix for path in asked} == {".yaml", ".json", ".csv"}
    assert {path.stem.endswith("_test") for path in asked if path.suffix == ".yaml"} == {True, False}
