"""Test files that analysts write (`*_test.yaml`): from nodes to cases, tables unrolled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import Diagnostic, did_you_mean, in_order, say
from policy_engine.errors import CannotRun
from policy_engine.frontend import shapes
from policy_engine.frontend.case_names import CaseNames, case_names
from policy_engine.frontend.facts_files import read_facts, read_file_text
from policy_engine.frontend.fields import Fields, read_date
from policy_engine.frontend.loader import TEST_SUFFIX, Rulebook, with_excerpts, yaml_files
from policy_engine.frontend.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.frontend.reader import read_file
from policy_engine.source import Authored, Span

PARTS = ("status", "outcome", "rules", "values", "missing", "reason", "sources", "readings")


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case of a test file.

    `expect` says, for each decision named, which parts of its answer must be what, in JSON types; `invalid` the pointers of
    the violations that the facts must have; `not_in_force` that the day is outside every version.
    """

    name: str
    ruleset: str
    as_of: date
    facts: Mapping[str, Any]
    readings: Mapping[str, str]
    expect: Mapping[str, Mapping[str, Any]]
    invalid: tuple[str, ...] | None
    not_in_force: bool
    span: Span


@dataclass(slots=True)
class _Reading:
    path: Path
    ruleset: str
    faults: list[Diagnostic]
    known: CaseNames
    names: set[str] = field(default_factory=set)


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The test files among files and below folders, in order of path; raises `CannotRun`."""
    return [path for path in yaml_files(paths) if path.stem.endswith(TEST_SUFFIX)]


def read_tests(paths: Iterable[Path], rulebook: Rulebook) -> tuple[tuple[RuleCase, ...], tuple[Diagnostic, ...]]:
    """The cases of every test file among the paths, and the faults of the files."""
    cases: list[RuleCase] = []
    faults: list[Diagnostic] = []
    texts: dict[str, list[str]] = {}
    for path in test_files(paths):
        text, node, found = read_file(path)
        texts[str(path)] = text.split("\n")
        faults.extend(found)
        if node is not None:
            cases.extend(_file(path, node, rulebook, faults))
    return tuple(cases), in_order(with_excerpts(faults, texts))


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
        if name.value not in rulebook.refused and path.stem.removesuffix(TEST_SUFFIX) not in rulebook.refused:
            faults.append(say("test-ruleset", name.span, hint=did_you_mean(name.value, known), name=name.value))
        return
    reading = _Reading(path, name.value, faults, case_names(rulebook.versions(name.value), faults))
    yield from fields.list_of("cases", lambda item: _case(item, reading))
    for table in fields.list_of("tables", lambda item: _table(item, reading)):
        yield from table


def _case(node: YamlNode, reading: _Reading) -> RuleCase | None:
    if not isinstance(node, MappingNode):
        reading.faults.append(say("wrong-kind", node.span, what="a case", expected="a mapping"))
        return None
    fields = Fields(node, shapes.TEST_CASE, reading.faults)
    name, day = fields.prose("name"), fields.day("as_of")
    expect = {d.value: _expectation(d, part, reading) for d, part in fields.named("expect")}
    invalid, not_in_force = node.get("invalid"), fields.flag("not_in_force")
    if name is None or day is None:
        return None
    _unique(name, reading)
    if not (expect or not_in_force or "expect" in fields.meant) and invalid is None:
        reading.faults.append(say("test-empty", name.span))
    pointers = tuple(text.value for text in fields.texts("invalid")) if invalid is not None else None
    facts = _facts(node.get("facts"), reading, free=invalid is not None)
    readings = _switched(fields, reading)
    return RuleCase(name.value, reading.ruleset, day, facts, readings, expect, pointers, not_in_force, name.span)


def _unique(name: Authored, reading: _Reading) -> None:
    if name.value in reading.names:
        reading.faults.append(say("test-twice", name.span, name=name.value))
    reading.names.add(name.value)


def _switched(fields: Fields, reading: _Reading) -> dict[str, str]:
    """The readings that a case switches; none is fixed."""
    node = fields.node.get("readings")
    for name, _ in node.entries if isinstance(node, MappingNode) else ():
        reading.known.check_switch(name.value, name.span)
    return _readings(fields, reading)


def _readings(fields: Fields, reading: _Reading) -> dict[str, str]:
    """The readings named, each known, and its choice too."""
    switched = {}
    for name, choice in fields.named("readings"):
        if not isinstance(choice, ScalarNode):
            fields.wrong(f"`{name.value}`", "a text", choice)
        elif reading.known.check_reading(name):
            reading.known.check_choice(name.value, choice)
            switched[name.value] = choice.text.value
    return switched


def _facts(node: YamlNode | None, reading: _Reading, *, free: bool = False) -> Mapping[str, Any]:
    """Facts written out, or those of a fixture file with changes; `free` where they may be invalid."""
    if node is None:
        return {}
    if not isinstance(node, MappingNode):
        reading.faults.append(say("wrong-kind", node.span, what="`facts`", expected="a mapping of facts"))
        return {}
    start = node.get("from")
    if not isinstance(start, ScalarNode):
        return _written_facts(node, reading, free=free)
    changes = node.get("with")
    changed = _written_facts(changes, reading, free=free) if isinstance(changes, MappingNode) else {}
    return {**_fixture(start.text, reading), **changed}


def _fixture(written: Authored, reading: _Reading) -> Mapping[str, Any]:
    """The facts of a file that some folder above the test file has; messages name it as its author does."""
    found = next((p / written.value for p in reading.path.absolute().parents if _is_file(p / written.value)), None)
    if found is None:
        reading.faults.append(say("file-unreadable", written.span, why=f"there is no file `{written.value}`"))
        return {}
    try:
        facts = read_facts(Path(written.value), read_file_text(found))
    except CannotRun as error:
        why = str(error).replace(str(found), written.value)
        reading.faults.append(say("file-unreadable", written.span, why=why))
        return {}
    if isinstance(facts, Mapping):
        return facts
    reading.faults.append(say("wrong-kind", written.span, what=f"`{written.value}`", expected="a mapping of facts"))
    return {}


def _is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file could have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _written_facts(node: MappingNode, reading: _Reading, *, free: bool) -> dict[str, Any]:
    if not free:
        reading.known.check_facts(node)
    return {key.value: plain(value) for key, value in node.entries}


def _expectation(decision: Authored, node: YamlNode, reading: _Reading) -> dict[str, Any]:
    known = reading.known
    if decision.value not in known.decisions:
        hint = did_you_mean(decision.value, known.decisions)
        reading.faults.append(say("test-decision", decision.span, hint=hint, name=decision.value))
    if not isinstance(node, MappingNode):
        _check_part(decision.value, "outcome", node, reading)
        return {"status": "decided", "outcome": plain(node)}
    fields = Fields(node, shapes.TEST_EXPECTATION, reading.faults)
    for part, named in node.entries:
        _check_part(decision.value, part.value, named, reading)
    _readings(fields, reading)
    wanted: dict[str, Any] = {part: plain(value) for part in PARTS if (value := node.get(part)) is not None}
    rule = fields.words("rule")
    if rule is not None:
        wanted["rules"] = [rule]
    return _with_status(wanted)


def _check_part(decision: str, part: str, node: YamlNode, reading: _Reading) -> None:
    """The names that a part of an expectation holds."""
    known = reading.known
    if decision not in known.decisions:
        return
    match part, node:
        case "outcome", _:
            known.check_outcome(decision, node)
        case (("rule" | "rules"), _):
            known.check_rule(decision, node)
        case "sources", _:
            known.check_source(decision, node)
        case "missing", _:
            known.check_missing(node)
        case "values", MappingNode(entries=entries):
            for name, _ in entries:
                known.check_value(decision, name)


def _with_status(wanted: dict[str, Any]) -> dict[str, Any]:
    """`missing` alone means undetermined; anything else but a status means decided."""
    if "status" in wanted:
        return wanted
    undetermined = bool(wanted.get("missing")) or set(wanted) == {"missing"}
    return {"status": "undetermined" if undetermined else "decided", **wanted}


def _table(node: YamlNode, reading: _Reading) -> list[RuleCase] | None:
    if not isinstance(node, MappingNode):
        reading.faults.append(say("wrong-kind", node.span, what="a table", expected="a mapping"))
        return None
    fields = Fields(node, shapes.TEST_TABLE, reading.faults)
    title, day = fields.words("name") or "", fields.day("as_of")
    facts, readings = _facts(node.get("facts"), reading), _switched(fields, reading)
    columns = fields.texts("columns")
    _check_columns(columns, reading)
    cases = []
    for name, row in _rows(node.get("rows")):
        cells = row.items if isinstance(row, SequenceNode) else ()
        if len(cells) != len(columns):
            reading.faults.append(say("test-row", name.span, found=len(cells), expected=len(columns)))
            continue
        full = Authored(f"{title}: {name.value}", name.span)
        _unique(full, reading)
        cases.append(_row(full, list(zip(columns, cells, strict=True)), _Defaults(day, facts, readings), reading))
    return [case for case in cases if case is not None]


def _rows(node: YamlNode | None) -> Iterator[tuple[Authored, YamlNode]]:
    """The rows of a table: each under a name, or a list of them, where its cells are its name."""
    if isinstance(node, MappingNode):
        yield from node.entries
    elif isinstance(node, SequenceNode):
        for row in node.items:
            cells = row.items if isinstance(row, SequenceNode) else ()
            words = ", ".join(cell.text.value or "-" for cell in cells if isinstance(cell, ScalarNode))
            yield Authored(words, row.span), row


@dataclass(frozen=True, slots=True)
class _Defaults:
    day: date | None
    facts: Mapping[str, Any]
    readings: Mapping[str, str]


def _check_columns(columns: tuple[Authored, ...], reading: _Reading) -> None:
    decisions, facts = reading.known.decisions, reading.known.fact_names()
    parts = [f"{name}.{part}" for name, of in decisions.items() for part in (*PARTS, "rule", *of.values)]
    switches = [f"readings.{name}" for name in reading.known.readings]
    known = [*facts, *decisions, *parts, *switches, "as_of"]
    for column in columns:
        if column.value not in known and not column.unread:
            hint = did_you_mean(column.value, known)
            reading.faults.append(say("test-column", column.span, hint=hint, name=column.value))


def _row(
    name: Authored, cells: list[tuple[Authored, YamlNode]], defaults: _Defaults, reading: _Reading
) -> RuleCase | None:
    day, facts, readings = defaults.day, dict(defaults.facts), dict(defaults.readings)
    expect: dict[str, dict[str, Any]] = {}
    fact_names = reading.known.fact_names()
    for column, node in cells:
        value = plain(node)
        head, _, part = column.value.partition(".")
        if value is None:
            continue
        if column.value == "as_of" and isinstance(node, ScalarNode):
            day = read_date(node.text, reading.faults)
        elif head == "readings" and part:
            if part in reading.known.readings:
                reading.known.check_choice(part, node)
                reading.known.check_switch(part, column.span)
            readings[part] = str(value)
        elif head in reading.known.decisions and (part or column.value not in fact_names):
            _check_part(head, part or "outcome", node, reading)
            _expect_part(expect.setdefault(head, {}), part, value)
        else:
            _check_fact(column.value, node, reading)
            facts[column.value] = value
    if day is None:
        reading.faults.append(
            say("missing-key", name.span, thing="a case", key="as_of", meaning="the day of the question")
        )
        return None
    wanted = {decision: _with_status(parts) for decision, parts in expect.items()}
    if not wanted:
        reading.faults.append(say("test-empty", name.span))
    return RuleCase(name.value, reading.ruleset, day, facts, readings, wanted, None, False, name.span)


def _check_fact(name: str, node: YamlNode, reading: _Reading) -> None:
    """The members of a fact in a cell; the fact itself was looked up for its column."""
    if name in reading.known.fact_names():
        reading.known.check_facts(MappingNode(((Authored(name, node.span), node),), node.span))


def _expect_part(wanted: dict[str, Any], part: str, value: Any) -> None:
    match part:
        case "":
            wanted["outcome"] = value
        case "rule":
            wanted["rules"] = [value]
        case "missing":
            wanted["missing"] = value if isinstance(value, list) else [value]
        case _ if part in PARTS:
            wanted[part] = value
        case _:
            wanted.setdefault("values", {})[part] = value
