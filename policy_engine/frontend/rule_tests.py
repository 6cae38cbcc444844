"""Reading test files (`*_test.yaml`): from YAML nodes to cases, one for each row of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import Diagnostic, in_order, say, say_unknown
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.yaml_reader import file_text, read_text
from policy_engine.frontend import shapes
from policy_engine.frontend.case_names import case_names
from policy_engine.frontend.case_tables import read_table
from policy_engine.frontend.expectations import expectation
from policy_engine.frontend.fields import Fields
from policy_engine.frontend.files import ReadText
from policy_engine.frontend.loader import TEST_SUFFIX, Rulebook, with_excerpts, yaml_files
from policy_engine.frontend.rule_cases import CaseFile, RuleCase, case_facts
from policy_engine.frontend.shape_hints import OUTSIDE_RULES
from policy_engine.source import Authored


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The test files among files and below folders, in order of path; raises `CannotRun`."""
    return [path for path in yaml_files(paths) if path.stem.endswith(TEST_SUFFIX)]


def read_tests(
    paths: Iterable[Path], rulebook: Rulebook, read: ReadText = file_text
) -> tuple[tuple[RuleCase, ...], tuple[Diagnostic, ...]]:
    """The cases of every test file among the paths, and the faults of the files; `read` gives their texts."""
    cases: list[RuleCase] = []
    faults: list[Diagnostic] = []
    texts: dict[str, list[str]] = {}
    rulebook = rulebook.with_libraries()
    for path in test_files(paths):
        text, found = read(path)
        node, found = (None, found) if found else read_text(text, str(path), OUTSIDE_RULES)
        texts[str(path)] = text.split("\n")
        faults.extend(found)
        if node is not None:
            cases.extend(_file(path, node, rulebook, faults))
    return tuple(cases), in_order(with_excerpts(faults, texts))


def unchecked(tests: Iterable[Path], rulebook: Rulebook, read: ReadText = file_text) -> list[Path]:
    """The test files of which nothing was checked, because the ruleset that they name has errors."""
    known = {ruleset.id for ruleset in rulebook.with_libraries().rulesets}
    named = ((path, read_text(read(path)[0], str(path), OUTSIDE_RULES)[0]) for path in tests)
    texts = ((path, node.get("tests")) for path, node in named if isinstance(node, MappingNode))
    names = ((path, text.text.value) for path, text in texts if isinstance(text, ScalarNode))
    return [path for path, name in names if name not in known and _is_refused(name, path, rulebook)]


def _is_refused(name: str, path: Path, rulebook: Rulebook) -> bool:
    return name in rulebook.refused or path.stem.removesuffix(TEST_SUFFIX) in rulebook.refused


def _file(path: Path, node: YamlNode, rulebook: Rulebook, faults: list[Diagnostic]) -> Iterator[RuleCase]:
    if not isinstance(node, MappingNode):
        faults.append(say("wrong-kind", node.span, what="a test file", expected="a mapping with tests and cases"))
        return
    fields = Fields(node, shapes.TESTS, faults)
    name = fields.text("tests")
    if name is None:
        return
    known = {ruleset.id for ruleset in rulebook.rulesets}
    if name.value not in known:
        if not _is_refused(name.value, path, rulebook):
            faults.append(say_unknown("test-ruleset", name, known))
        return
    file = CaseFile(path, name.value, case_names(rulebook.versions(name.value), faults))
    listed = [node.get(key) for key in ("cases", "tables")]
    something = (each is not None and not (isinstance(each, SequenceNode) and not each.items) for each in listed)
    if not any(something) and not fields.meant & {"cases", "tables"}:
        faults.append(say("test-no-cases", name.span, what="this file has no cases"))
    yield from fields.list_of("cases", lambda item: _case(item, file))
    for table in fields.list_of("tables", lambda item: read_table(item, file)):
        yield from table


def _case(node: YamlNode, file: CaseFile) -> RuleCase | None:
    if not isinstance(node, MappingNode):
        file.faults.append(say("wrong-kind", node.span, what="a case", expected="a mapping"))
        return None
    facts = case_facts(node.get("facts"), file.path, file.known, free=node.get("invalid") is not None)
    if facts is None:  # whatever else there is to say of the case, it cannot be asked
        return None
    fields = Fields(node, shapes.TEST_CASE, file.faults)
    name, day = fields.prose("name"), fields.day("as_of")
    expect = {d.value: expectation(d, part, file.known) for d, part in fields.named("expect")}
    readings = file.known.check_switched(fields)
    if name is None or day is None:
        return None
    file.add_name(name)
    wants = ["invalid"] if fields.node.get("invalid") is not None else []
    wants += ["not_in_force"] if fields.flag("not_in_force") else []
    _check_wants(fields, name, wants, file, expect)
    invalid = tuple(text.value for text in fields.texts("invalid")) if "invalid" in wants else None
    return RuleCase(name.value, file.ruleset, day, facts, readings, expect, invalid, "not_in_force" in wants, name.span)


def _check_wants(fields: Fields, name: Authored, wants: list[str], file: CaseFile, expect: dict[str, Any]) -> None:
    """Whether a case wants exactly one thing: answers, or to be refused in one of the ways `wants`."""
    if not (expect or wants or "expect" in fields.meant):
        file.faults.append(say("test-empty", name.span))
    others = [*wants[1:], *(["expect"] if wants and fields.node.get("expect") is not None else [])]
    for key in others:
        file.faults.append(say("test-ignored", fields.node.key_span(key), name=key, other=wants[0]))
