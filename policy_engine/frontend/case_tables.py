"""Reading tables of test cases: each row is a case, each cell a fact, the day, a reading's choice or an expectation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from policy_engine.diagnostics import say
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain, plain_scalar
from policy_engine.frontend import shapes
from policy_engine.frontend.case_names import CaseNames
from policy_engine.frontend.expectations import PARTS, check_part, check_value, with_status
from policy_engine.frontend.fields import Fields, read_date
from policy_engine.frontend.rule_cases import CaseFile, RuleCase, case_facts
from policy_engine.source import Authored

Cells = list[tuple[Authored, YamlNode]]
"""The cells of a row, each with the name of its column."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all rows of a table share."""

    day: date | None
    facts: Mapping[str, Any]
    readings: Mapping[str, str]


def read_table(node: YamlNode, file: CaseFile) -> list[RuleCase] | None:
    """The cases of a table."""
    if not isinstance(node, MappingNode):
        file.faults.append(say("wrong-kind", node.span, what="a table", expected="a mapping"))
        return None
    facts = case_facts(node.get("facts"), file.path, file.known)
    if facts is None:  # whatever else there is to say of the cases, they cannot be asked
        return None
    fields = Fields(node, shapes.TEST_TABLE, file.faults)
    title, day = fields.words("name") or "", fields.day("as_of")
    shared = _Shared(day, facts, file.known.check_switched(fields))
    columns = fields.texts("columns")
    _check_columns(columns, file.known)
    return list(_cases(title, columns, _rows(fields), shared, file))


def _cases(
    title: str, columns: tuple[Authored, ...], rows: list[tuple[Authored, YamlNode]], shared: _Shared, file: CaseFile
) -> Iterator[RuleCase]:
    for name, row in rows:
        cells = row.items if isinstance(row, SequenceNode) else ()
        if len(cells) != len(columns):
            file.faults.append(say("test-row", name.span, found=len(cells), expected=len(columns)))
            continue
        full = Authored(f"{title}: {name.value}", name.span)
        file.add_name(full)
        case = _case(full, list(zip(columns, cells, strict=True)), shared, file)
        if case is not None:
            yield case


def _rows(fields: Fields) -> list[tuple[Authored, YamlNode]]:
    """The rows of a table: each under a name, or a list of them, where its cells are its name."""
    match fields.node.get("rows"):
        case MappingNode(entries=entries) if entries:
            return list(entries)
        case SequenceNode(items=items) if items:
            cells = [row.items if isinstance(row, SequenceNode) else () for row in items]
            names = (", ".join(map(in_words, each)) for each in cells)
            return [(Authored(name, row.span), row) for name, row in zip(names, items, strict=True)]
        case MappingNode() | SequenceNode():
            fields.faults.append(say("test-no-cases", fields.node.key_span("rows"), what="this table has no rows"))
        case ScalarNode() as node:
            fields.wrong("`rows`", "the cells of each row, under its name or in a list", node)
    return []


def in_words(node: YamlNode) -> str:
    """A cell as it stands in a name: what is empty is a dash; quotes stand where a text without them would be something else."""
    match node:
        case ScalarNode(text=text):
            if text.plain:
                return "-" if plain_scalar(text) is None else text.value
            bare = plain_scalar(Authored(text.value, text.span))
            return text.value if bare == text.value and text.value != "-" else f'"{text.value}"'
        case SequenceNode(items=items):
            return f"[{', '.join(map(in_words, items))}]"
        case MappingNode(entries=entries):
            return f"{{{', '.join(f'{key.value}: {in_words(value)}' for key, value in entries)}}}"


def _check_columns(columns: tuple[Authored, ...], known: CaseNames) -> None:
    """Whether all columns mean something, and each something of its own."""
    decisions, facts = known.decisions, known.fact_names()
    parts = [f"{name}.{part}" for name, of in decisions.items() for part in (*PARTS, "rule", *of.values)]
    switches = [f"readings.{name}" for name in known.readings]
    names = [*facts, *decisions, *parts, *switches, "as_of"]
    seen: dict[str, str] = {}
    for column in columns:
        if not column.unread:
            known.check("test-column", column, names)
        meaning = _meaning(column.value, known)
        if meaning in seen:
            known.faults.append(say("test-part-twice", column.span, name=column.value, other=seen[meaning]))
        seen[meaning] = column.value


def _meaning(column: str, known: CaseNames) -> str:
    """What a column gives, the same for all names of it."""
    head, _, part = column.partition(".")
    if head not in known.decisions or column in known.fact_names():
        return column
    return f"{head}.{'rules' if part == 'rule' else part or 'outcome'}"


def _case(name: Authored, cells: Cells, shared: _Shared, file: CaseFile) -> RuleCase | None:
    day, facts, readings = shared.day, dict(shared.facts), dict(shared.readings)
    expect: dict[str, dict[str, Any]] = {}
    known, fact_names = file.known, file.known.fact_names()
    for column, node in cells:
        value = plain(node)
        head, _, part = column.value.partition(".")
        if value is None:
            facts.pop(column.value, None)
        elif column.value == "as_of" and isinstance(node, ScalarNode):
            day = read_date(node.text, file.faults)
        elif head == "readings" and part:
            if part in known.readings:
                known.check_choice(part, node)
                known.check_switch(part, column.span)
            readings[part] = str(value)
        elif head in known.decisions and (part or column.value not in fact_names):
            _expect(expect.setdefault(head, {}), head, part, node, known)
        else:
            if column.value in fact_names:  # the fact itself was looked up for its column
                known.check_facts(MappingNode(((Authored(column.value, node.span), node),), node.span))
            facts[column.value] = value
    if day is None:
        meaning = "the day of the question"
        file.faults.append(say("missing-key", name.span, thing="a case", key="as_of", meaning=meaning))
        return None
    if not expect:
        file.faults.append(say("test-empty", name.span))
    wanted = {decision: with_status(parts) for decision, parts in expect.items()}
    return RuleCase(name.value, file.ruleset, day, facts, readings, wanted, None, False, name.span)


def _expect(wanted: dict[str, Any], decision: str, part: str, node: YamlNode, known: CaseNames) -> None:
    """Add what a cell expects of a decision."""
    if not part and known.is_value(decision):
        check_value(decision, decision, node, known)
        wanted.setdefault("values", {})[decision] = plain(node)
    else:
        check_part(decision, part or "outcome", node, known)
        _expect_part(wanted, part, plain(node))


def _expect_part(wanted: dict[str, Any], part: str, value: Any) -> None:
    match part:
        case "":
            wanted["outcome"] = value
        case "rule":
            wanted["rules"] = [value]
        case "missing":
            wanted["missing"] = value if isinstance(value, list) else [value]
        case "values":
            wanted["values"] = {**wanted.get("values", {}), **value}
        case _ if part in PARTS:
            wanted[part] = value
        case _:
            wanted.setdefault("values", {})[part] = value
