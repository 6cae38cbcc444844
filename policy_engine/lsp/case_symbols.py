"""Every place of a test file where a name stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.frontend.expectations import PARTS
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.language.types import member_of, record_in
from policy_engine.lsp.fact_symbols import path_occurrences, pointer_occurrences, written_facts
from policy_engine.lsp.symbols import Occurrence, Symbol, span_of
from policy_engine.source import Authored

Found = Iterator[Occurrence]


@dataclass(frozen=True, slots=True)
class _Names:
    """What the names of a test file belong to: the ruleset, its schemas, its decisions, which are definitions of a library."""

    ruleset: str
    schemas: tuple[FactsSchema, ...]
    decisions: frozenset[str]
    decision_kind: str

    def is_fact(self, name: str) -> bool:
        """Whether some version has a fact of that name."""
        return any(member_of(schema.type, name) is not None for schema in self.schemas)

    def named(self, kind: str, text: Authored, owner: str = "") -> Occurrence:
        """A name of the ruleset, or with an owner one of a decision or a reading of it."""
        return Occurrence(Symbol(kind, f"{self.ruleset}/{owner}" if owner else self.ruleset, text.value), span_of(text))


def case_occurrences(node: YamlNode | None, versions: Sequence[Ruleset], *, of_library: bool) -> Found:
    """Every name in the document of a test file, of a ruleset or `of_library`, by the versions of what is under test."""
    if not isinstance(node, MappingNode) or not versions:
        return
    schemas = {version.facts.name: version.facts for version in versions}
    decisions = frozenset(decision.name for version in versions for decision in version.decisions)
    kind = "definition" if of_library else "decision"
    names = _Names(versions[0].id, tuple(schemas.values()), decisions, kind)
    tested = node.get("tests")
    if isinstance(tested, ScalarNode):
        yield Occurrence(Symbol("ruleset", "", tested.text.value), span_of(tested.text))
    for case in _mappings(node.get("cases")):
        yield from _case(case, names)
    for table in _mappings(node.get("tables")):
        yield from _table(table, names)


def _case(case: MappingNode, names: _Names) -> Found:
    yield from _shared(case, names)
    for pointer in _texts(case.get("invalid")):
        for schema in names.schemas:
            yield from pointer_occurrences(pointer, schema.name, schema.type)
    for decision, expected in _entries(case.get("expect")):
        yield from _decision(decision, names)
        if isinstance(expected, MappingNode):
            for part, value in expected.entries:
                yield from _part(decision.value, part, value, names)
        else:
            yield from _outcomes(decision.value, expected, names)


def _shared(case: MappingNode, names: _Names) -> Found:
    """The facts and the readings of a case, or of a table."""
    facts = case.get("facts")
    changed = facts.get("with") if isinstance(facts, MappingNode) and facts.get("from") is not None else facts
    for schema in names.schemas:
        yield from written_facts(changed, schema.name, schema.type)
    yield from _readings(case.get("readings"), names)


def _readings(node: YamlNode | None, names: _Names) -> Found:
    for reading, choice in _entries(node):
        yield names.named("reading", reading)
        yield from (names.named("choice", text, reading.value) for text in _texts(choice))


def _decision(text: Authored, names: _Names) -> Found:
    """A decision, which may be the first step of a longer text."""
    head = Authored(text.value.partition(".")[0], text.part(0, len(text.value.partition(".")[0])))
    yield Occurrence(Symbol(names.decision_kind, names.ruleset, head.value), head.span)


def _outcomes(decision: str, node: YamlNode | None, names: _Names) -> Found:
    yield from (names.named("outcome", text, decision) for text in _texts(node))


def _part(decision: str, part: Authored, node: YamlNode, names: _Names) -> Found:
    """What is expected of a part of an answer."""
    match part.value:
        case "outcome":
            yield from _outcomes(decision, node, names)
        case "rule" | "rules":
            yield from (names.named("rule", text, decision) for text in _texts(node))
        case "sources":
            yield from (names.named("source", text) for text in _texts(node))
        case "readings":
            yield from _readings(node, names)
        case "missing":
            for text in _texts(node):
                for schema in names.schemas:
                    yield from path_occurrences(text, schema.name, schema.type)
        case "values":
            yield from (names.named("value", name, decision) for name, _ in _entries(node))


def _table(table: MappingNode, names: _Names) -> Found:
    yield from _shared(table, names)
    columns = list(_texts(table.get("columns")))
    for column in columns:
        yield from _column(column, names)
    rows = table.get("rows")
    listed = rows.items if isinstance(rows, SequenceNode) else [row for _, row in _entries(rows)]
    for row in listed:
        cells = row.items if isinstance(row, SequenceNode) else ()
        for column, cell in zip(columns, cells, strict=False):
            yield from _cell(column, cell, names)


def _column(column: Authored, names: _Names) -> Found:
    head, _, part = column.value.partition(".")
    if names.is_fact(column.value):
        for schema in names.schemas:
            yield from path_occurrences(column, schema.name, schema.type)
    elif head == "readings":
        yield Occurrence(Symbol("reading", names.ruleset, part), column.part(len(head) + 1, len(column.value)))
    elif head in names.decisions:
        yield from _decision(column, names)
        if part and part not in (*PARTS, "rule"):
            owner = f"{names.ruleset}/{head}"
            yield Occurrence(Symbol("value", owner, part), column.part(len(head) + 1, len(column.value)))


def _cell(column: Authored, cell: YamlNode, names: _Names) -> Found:
    head, _, part = column.value.partition(".")
    if names.is_fact(column.value):
        for schema in names.schemas:
            member = member_of(schema.type, column.value)
            yield from written_facts(cell, schema.name, record_in(member.type) if member is not None else None)
    elif head == "readings":
        yield from (names.named("choice", text, part) for text in _texts(cell))
    elif head in names.decisions:
        yield from _part(head, Authored(part or "outcome", column.span), cell, names)


def named_items(node: YamlNode | None, key: str) -> list[Authored]:
    """The names of the cases, or of the tables, under a key of a test file."""
    listed = _mappings(node.get(key)) if isinstance(node, MappingNode) else []
    return [name for item in listed for name in _texts(item.get("name"))]


def fixtures_named(node: YamlNode | None) -> list[str]:
    """The files that the facts of cases and of tables are taken from, as the test file names them."""
    keys = ("cases", "tables") if isinstance(node, MappingNode) else ()
    facts = [item.get("facts") for key in keys if isinstance(node, MappingNode) for item in _mappings(node.get(key))]
    return list(
        dict.fromkeys(
            text.value for each in facts if isinstance(each, MappingNode) for text in _texts(each.get("from"))
        )
    )


def _mappings(node: YamlNode | None) -> list[MappingNode]:
    return [item for item in node.items if isinstance(item, MappingNode)] if isinstance(node, SequenceNode) else []


def _entries(node: YamlNode | None) -> tuple[tuple[Authored, YamlNode], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _texts(node: YamlNode | None) -> list[Authored]:
    """A text, or the texts of a list."""
    if isinstance(node, ScalarNode):
        return [node.text] if node.text.value else []
    return [item.text for item in node.items if isinstance(item, ScalarNode)] if isinstance(node, SequenceNode) else []
