"""Hostile and mistaken input is refused with diagnostics, soon, and never with an exception.

The corpora of `tests/hostile/` are checked in `alone/test_hostile_corpora.py`, each case in a process of its own.
`HOSTILE_EXAMPLES` says over how many examples the generated texts go; `make fuzz` sets it.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine import Engine
from policy_engine.diagnostics import has_errors
from policy_engine.errors import FactsError
from policy_engine.frontend.loader import Rulebook, load
from policy_engine.frontend.rule_tests import read_tests
from tests.conftest import ROOT, lay_out
from tests.support.hostile import FACTS, HEAD, record, ruleset
from tests.support.time_limit import within_two_seconds

SHIPPED = sorted((ROOT / "rules").glob("*.yaml"))
SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))
EXAMPLES = settings(
    max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def loaded(folder: Path, rules: Any, schema: Any = None) -> Rulebook:
    """What `load` makes of a rule file and a schema."""
    files = {"rules/hostile.yaml": rules, "schemas/facts.schema.json": schema or json.dumps(record(FACTS))}
    lay_out(files, folder)
    with within_two_seconds():
        return load([folder / "rules"], folder / "schemas")


@pytest.mark.parametrize("kind", ["rules", "schemas"])
def test_a_hostile_expression_in_a_sentence_or_a_cell_is_refused(kind: str, tmp_path: Path) -> None:
    decision: dict[str, Any] = {
        "question": "Q",
        "outcomes": ["x"],
        "rules": [{"id": "one", "when": "flag", "then": "x", "because": "{word.__class__} {history[0]}"}],
    }
    if kind == "schemas":
        cells = {"true": ["__import__", "x"], "false": ["x", "x"]}
        matrix = {"rows": "flag.__class__", "columns": {"flag": ["true", "false"]}, "cells": cells}
        decision = {"question": "Q", "outcomes": ["x"], "matrix": matrix}
    assert has_errors(loaded(tmp_path, json.dumps({**HEAD, "decisions": {"d": decision}})).diagnostics)


def fan_out(branches: int, levels: int) -> str:
    """A schema each of whose levels refers many times to the next."""
    last = {"type": "boolean"}
    definitions = {
        f"level_{i}": record({f"m{j}": {"$ref": f"#/$defs/level_{i + 1}"} for j in range(branches)})
        for i in range(levels)
    }
    return json.dumps(record({"n": {"$ref": "#/$defs/level_0"}}, **{"$defs": definitions | {f"level_{levels}": last}}))


def test_a_schema_that_doubles_at_every_level_is_refused(tmp_path: Path) -> None:
    assert has_errors(loaded(tmp_path, ruleset("n"), fan_out(60, 3)).diagnostics)


def test_a_recursive_schema_with_many_branches_is_told_once(tmp_path: Path) -> None:
    tree = record({f"m{i}": {"$ref": "#/$defs/tree"} for i in range(60)})
    schema = json.dumps(record({"n": {"$ref": "#/$defs/tree"}}, **{"$defs": {"tree": tree}}))
    assert 0 < len(loaded(tmp_path, ruleset("n"), schema).diagnostics) <= 60


PATTERNS = ["^(a+)+$", "^((a)+)+$", "^(a|aa)+$", "^(a|a)*$", "^((a|aa))+$", "^([a-z]+)*$", "^(a*)*b$", "^((a*))*$"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_that_would_explode_elsewhere_are_judged(pattern: str, tmp_path: Path) -> None:
    """A matcher that goes back would not end here; `test_schema_patterns.py` has the time."""
    schema = json.dumps(record({"n": {"type": "string", "pattern": pattern}}))
    rulebook = loaded(tmp_path, ruleset('n == "a"'), schema)
    assert not has_errors(rulebook.diagnostics)
    decision = f"{rulebook.rulesets[0].id}.{rulebook.rulesets[0].decisions[0].name}"
    for text in ("a" * 5_000 + "!", "!" + "a" * 5_000):
        with pytest.raises(FactsError, match="is not a text that matches"):
            Engine(rulebook).decide(decision, {"n": text}, as_of=date(2025, 1, 1))


PIECES = (
    "ruleset: a", "decisions:", "  d:", "    values: {a: n}", "- ", "  ", "\t", ": ", "{", "}", "[", "]", "&a ", "*a", '"', "'",
    "|", ">-", "#", "!x ", "? ", "---", "...", "<<: *a", "\n", "\n", "\n  ", "~", "true", "2025-02-28",
)  # fmt: skip
YAMLISH = st.lists(st.sampled_from(PIECES)).map("".join)


def survives(folder: Path, name: str, text: str) -> None:
    """Reading a file raises nothing, and everything said has words and a place."""
    lay_out({name: text}, folder)
    rulebook = load([folder / "rules"], folder / "schemas" if (folder / "schemas").exists() else ROOT / "schemas")
    _, faults = read_tests([folder / "rules"], rulebook)
    for diagnostic in (*rulebook.diagnostics, *faults):
        assert diagnostic.message
        assert diagnostic.span.line >= 1
        assert diagnostic.span.column >= 1
    (folder / name).unlink()


@EXAMPLES
@given(text=st.text())
def test_any_text_is_read(text: str, tmp_path: Path) -> None:
    survives(tmp_path, "rules/any.yaml", text)


@EXAMPLES
@given(text=YAMLISH)
def test_anything_like_yaml_is_read(text: str, tmp_path: Path) -> None:
    survives(tmp_path, "rules/any.yaml", text)


@EXAMPLES
@given(text=YAMLISH)
def test_anything_like_yaml_is_read_as_a_test_file(text: str, tmp_path: Path) -> None:
    survives(tmp_path, "rules/any_test.yaml", text)


@st.composite
def mutations(draw: st.DrawFn, paths: list[Path]) -> tuple[str, str]:
    """The name of a shipped file and its text, a random slice of it deleted, doubled or replaced."""
    path = draw(st.sampled_from(paths))
    text = path.read_text("utf-8")
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 60)))
    new = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), YAMLISH, st.text(max_size=20)))
    return path.name, text[:start] + new + text[end:]


@EXAMPLES
@given(mutation=mutations(SHIPPED))
def test_mutated_rule_and_test_files_are_read(mutation: tuple[str, str], tmp_path: Path) -> None:
    name, text = mutation
    survives(tmp_path, f"rules/{name}", text)


@EXAMPLES
@given(mutation=mutations(SCHEMAS))
def test_mutated_schemas_are_read(mutation: tuple[str, str], tmp_path: Path) -> None:
    name, text = mutation
    rules = json.dumps({**HEAD, "facts": name.removesuffix(".schema.json"), "decisions": {}})
    lay_out({"rules/a.yaml": rules}, tmp_path)
    survives(tmp_path, f"schemas/{name}", text)
