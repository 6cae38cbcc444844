"""Parsing a rule file: from YAML nodes to the dataclasses of `syntax`."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from policy_engine.diagnostics import WORDINGS, Diagnostic, Severity, did_you_mean, say
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.quoting import split_fault, unread
from policy_engine.documents.yaml_reader import file_text
from policy_engine.fixes import Hint
from policy_engine.frontend import shapes
from policy_engine.frontend.calendars import weekend_of
from policy_engine.frontend.fields import (
    KEBAB,
    SNAKE,
    Fields,
    check_name,
    fields_of,
    is_empty,
    text_item,
    whole_text,
)
from policy_engine.frontend.files import ReadText
from policy_engine.frontend.lookup_tables import parse_table
from policy_engine.frontend.parameters import parse_parameter
from policy_engine.frontend.shape_hints import as_list, is_outdented, separate, several_items
from policy_engine.frontend.syntax import (
    CheckSyntax,
    ConclusionSyntax,
    ConditionSyntax,
    DecisionSyntax,
    GroupSyntax,
    LegendSyntax,
    MatrixSyntax,
    Named,
    ReadingSyntax,
    RowSyntax,
    RulesetSyntax,
    RuleSyntax,
    SilenceSyntax,
    UseSyntax,
    conclusions_written,
)
from policy_engine.language.rulesets import OTHERWISE, Choice, Source
from policy_engine.source import Authored

Faults = list[Diagnostic]
A_CONDITION = {"what": "a condition", "expected": "an expression, or `all:`, `any:` or `none:` over a list"}
ONE_CONDITION, ONE_IN_BRACKETS = "write the condition without `- `", "write the condition without the brackets"
SEVERAL_CONDITIONS = "write `all:` above the list if every one must be true, `any:` if one is enough"
SEVERAL_IN_BRACKETS = "write `{all: [...]}` if every one must be true, `{any: [...]}` if one is enough"
SCHEMA_FILE = re.compile(r"(?:.*/)?([a-z][a-z0-9_]*)(?:\.schema)?\.json")
SECTIONS = ("sources", "readings", "parameters", "tables", "definitions", "decisions")


def is_library(node: YamlNode) -> bool:
    """Whether a rule file is a library."""
    return isinstance(node, MappingNode) and node.get("library") is not None and node.get("ruleset") is None


def parse_ruleset(node: YamlNode, read: ReadText = file_text) -> tuple[RulesetSyntax | None, Faults]:
    """The syntax of a ruleset or a library, None where too much of it is wrong, and its faults; `read` gives its tables."""
    faults: Faults = []
    shape = shapes.LIBRARY if is_library(node) else shapes.RULESET
    fields = fields_of(node, shape, "a rule file", faults)
    fields.leave_out_unknown_keys()
    name = fields.text("library" if shape is shapes.LIBRARY else "ruleset")
    if name is not None:
        check_name(name, SNAKE, faults)
    period, because = fields.period("effective", shapes.EFFECTIVE)
    effective = fields.node.get("effective")
    if isinstance(effective, MappingNode) and effective.get("from") is None:
        meaning = "the first day in force"
        thing = f"the {shape.thing.removeprefix('a ')}'s period"
        faults.append(say("missing-key", effective.span, thing=thing, key="from", meaning=meaning))
    timezone, facts = fields.text("timezone"), _schema_name(fields)
    if shape is shapes.LIBRARY:
        timezone = Authored("UTC", fields.span)
        facts = Authored("", fields.span) if fields.node.get("facts") is None else facts
    sources = tuple(_source(*entry, faults) for entry in fields.named("sources", KEBAB))
    readings = tuple(_reading(*entry, faults) for entry in fields.named("readings"))
    parameters = tuple(parse_parameter(*entry, faults) for entry in fields.named("parameters"))
    tables = tuple(parse_table(*entry, faults, read) for entry in fields.named("tables"))
    definitions = tuple((n, _definition(value, faults)) for n, value in fields.named("definitions"))
    checks = fields.list_of("checks", lambda item: _check(item, faults))
    decisions = _decisions(fields)
    silences = fields.list_of("silence", lambda item: _silence(item, faults))
    title, version = fields.words("title"), fields.prose("version") or unread(fields.span)
    if name is None or timezone is None or facts is None:
        return None, faults
    return RulesetSyntax(
        name, title or "", version, period, because, timezone, facts,
        sources, readings, parameters, tables, checks, definitions, decisions, silences,
        fields.node.key_span("effective") if effective is None else effective.span, _lost(fields), fields.span,
        _weekend(fields), fields.text("language"), _uses(fields),
    ), faults  # fmt: skip


def _uses(fields: Fields) -> tuple[UseSyntax, ...]:
    """What is taken from each library; no parts where they could not be read."""
    uses = []
    for library, node in fields.named("use"):
        items = node.items if isinstance(node, SequenceNode) else ()
        uses.append(UseSyntax(library, tuple(text_item(item, fields.faults) for item in items)))
        if not items:
            hint = _part_listed(node.text.value) if isinstance(node, ScalarNode) and not is_empty(node) else None
            fields.wrong(f"`{library.value}`", "a list of the parts that are taken", node, hint)
    return tuple(uses)


def _part_listed(text: str) -> str:
    """What to write in place of a text under the name of a library."""
    return "name each part that is taken: `[a_part, another_part]`" if text in ("all", "*") else as_list([text])


def _weekend(fields: Fields) -> tuple[int, ...] | None:
    """The weekend of the ruleset's working week, None where it names none."""
    node = fields.node.get("calendar")
    return None if node is None else weekend_of(fields_of(node, shapes.CALENDAR, "`calendar`", fields.faults))


def _schema_name(fields: Fields) -> Authored | None:
    """The name of the facts' schema; that of a file is reported, and its schema taken."""
    name = fields.text("facts")
    found = SCHEMA_FILE.fullmatch(name.value) if name is not None else None
    if name is None or found is None:
        return name
    hint = Hint(f"write `facts: {found[1]}`", name.value, found[1])
    fields.faults.append(say("wrong-name", name.span, hint=hint, name=name.value))
    return replace(name, value=found[1])


def _lost(fields: Fields) -> frozenset[str]:
    """The sections that are there and could not be read, or stand under a misspelt key."""
    there = {key: fields.node.get(key) for key in SECTIONS}
    wrong = {key for key, node in there.items() if node is not None and not isinstance(node, MappingNode)}
    return frozenset(wrong | {key for key in SECTIONS if key in fields.meant and there[key] is None})


def _source(name: Authored, node: YamlNode, faults: Faults) -> Source:
    fields = fields_of(node, shapes.SOURCE, f"`{name.value}`", faults)
    title, number, updated = fields.words("title") or "", fields.words("number"), fields.day("updated")
    return Source(name.value, title, number, updated, fields.words("url"), name.span)


def _reading(name: Authored, node: YamlNode, faults: Faults) -> ReadingSyntax:
    fields = fields_of(node, shapes.READING, f"`{name.value}`", faults)
    choices = []
    for choice, argument in fields.named("choices"):
        if isinstance(argument, ScalarNode):
            whole_text(argument.text, faults)
            choices.append(Choice(choice.value, argument.text.value.strip()))
        else:
            fields.wrong(f"`{choice.value}`", "a text", argument)
            choices.append(Choice(choice.value, ""))
    choice_ = fields.text("choice") or unread(fields.span)
    question = fields.words("question") or ""
    return ReadingSyntax(name, question, choice_, tuple(choices), fields.text("source"), fields.flag("fixed"))


def _check(node: YamlNode, faults: Faults) -> CheckSyntax | None:
    fields = fields_of(node, shapes.CHECK, "a check", faults)
    expect = _condition_under(fields, "expect")
    if expect is None:
        return None
    return CheckSyntax(expect, fields.words("because") or "", fields.text("source"), fields.span)


def _silence(node: YamlNode, faults: Faults) -> SilenceSyntax | None:
    fields = fields_of(node, shapes.SILENCE, "a silence", faults)
    code = fields.text("code")
    if code is None:
        return None
    wording = WORDINGS.get(code.value)
    if wording is None or wording.severity is not Severity.WARNING:
        warnings = [name for name, w in WORDINGS.items() if w.severity is Severity.WARNING]
        hint = did_you_mean(code.value, warnings) if wording is None else "an error cannot be silenced: correct it"
        faults.append(say("silence-code", code.span, hint=hint, name=code.value))
        return None
    return SilenceSyntax(code, fields.words("name"), fields.words("because") or "")


def _condition_under(fields: Fields, key: str) -> ConditionSyntax | None:
    node = fields.node.get(key)
    return None if node is None else _condition(node, fields.faults)


def _condition(node: YamlNode, faults: Faults) -> ConditionSyntax:
    """The condition in a node, or the stand-in for one that could not be read."""
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return _listed(node, faults)
    before = len(faults)
    fields = Fields(node, shapes.GROUP, faults)
    groups = [key for key in shapes.GROUP.names if node.get(key) is not None]
    if len(groups) != 1:
        if len(faults) == before:
            faults.append(say("one-of-keys", fields.span, thing="a condition", keys="`all`, `any` and `none`"))
        return unread(fields.span)
    listed = node.get(groups[0])
    conditions: tuple[ConditionSyntax, ...] = ()
    if listed is not None and not is_empty(listed):
        conditions = fields.list_of(groups[0], partial(_condition, faults=faults))
    if not conditions:
        if len(faults) == before:
            faults.append(say("empty-group", fields.span, kind=groups[0]))
        return unread(fields.span)
    return GroupSyntax(groups[0], conditions, fields.span)


def _definition(node: YamlNode, faults: Faults) -> ConditionSyntax:
    """A definition's body, which may be a list as well as a condition."""
    return _bracketed(node, faults) if isinstance(node, SequenceNode) and node.flow else _condition(node, faults)


def _listed(node: SequenceNode, faults: Faults) -> Authored:
    """Report a list of conditions that does not say how many of them must be true."""
    single, several = ONE_CONDITION, SEVERAL_CONDITIONS
    if node.flow:
        single, several = ONE_IN_BRACKETS, SEVERAL_IN_BRACKETS
    hint = None if not node.items else single if len(node.items) == 1 else several
    faults.append(say("wrong-kind", node.span, hint=hint, words=A_CONDITION))
    return unread(node.span)


def _bracketed(node: SequenceNode, faults: Faults, key: str | None = None) -> Authored:
    """A list in brackets where an expression should stand: YAML took it for its own."""
    span = replace(node.span, length=len(node.raw.split("\n", 1)[0]))
    faults.append(split_fault(span, node.raw, key))
    return Authored(node.raw, span, node.raw)


def _decisions(fields: Fields) -> tuple[DecisionSyntax, ...]:
    """The decisions; a key of one that stands among them is reported, and the one above it is known to lack a part."""
    found: list[DecisionSyntax] = []
    for name, node in fields.named("decisions"):
        if found and is_outdented(name.value, node):
            words = {"key": name.value, "decision": found[-1].name.value}
            fields.faults.append(say("outdented-key", name.span, words=words))
            found[-1] = replace(found[-1], broken=True)
        else:
            found.append(_decision(name, node, fields.faults))
    return tuple(found)


def _decision(name: Authored, node: YamlNode, faults: Faults) -> DecisionSyntax:
    before = len(faults)
    fields = fields_of(node, shapes.DECISION, f"`{name.value}`", faults)
    otherwise, matrix = fields.node.get("otherwise"), fields.node.get("matrix")
    values = _values(fields, "with") + _values(fields, "values")
    outcomes = fields.list_of("outcomes", lambda item: whole_text(text_item(item, faults), faults))
    made = DecisionSyntax(
        name=name,
        question=fields.words("question") or "",
        outcomes=outcomes,
        meanings=_values(fields, "meanings"),
        hit=fields.text("hit"),
        combine=_values(fields, "combine"),
        values=values,
        rules=fields.list_of("rules", lambda item: _rule(item, faults)),
        otherwise=_otherwise(otherwise, faults) if otherwise is not None else None,
        matrix=_matrix(matrix, faults) if matrix is not None else None,
        because=fields.prose("because"),
        sources=fields.texts("source"),
        readings=fields.texts("readings"),
        keys={key.value: key.span for key, _ in fields.node.entries},
        broken=False,
        span=name.span,
    )
    made = replace(made, outcomes=tuple(_one_outcome(outcome, made, faults) for outcome in outcomes))
    return replace(made, broken=len(faults) > before)


def _one_outcome(outcome: Authored, decision: DecisionSyntax, faults: Faults) -> Authored:
    """An outcome; one that is several, as the rules show, is reported, and counts as unread."""
    words = separate(outcome.value) if outcome.plain else None
    given = {conclusion.then.value for conclusion in conclusions_written(decision) if conclusion.then is not None}
    if words is None or outcome.value in given or not given.intersection(words):
        return outcome
    faults.append(several_items(outcome, words))
    return unread(outcome.span)


def _values(fields: Fields, key: str) -> Named:
    named = []
    for name, value in fields.named(key):
        if isinstance(value, ScalarNode):
            named.append((name, value.text))
        elif isinstance(value, SequenceNode) and value.flow:
            named.append((name, _bracketed(value, fields.faults, name.value)))
        else:
            fields.wrong(f"`{name.value}`", "an expression", value)
            named.append((name, unread(value.span)))
    return tuple(named)


def _rule(node: YamlNode, faults: Faults) -> RuleSyntax | None:
    if isinstance(node, MappingNode) and _is_key_of_decision(node):
        key = node.entries[0][0]
        hint = "take `- ` away, and indent it as far as the decision's `question`"
        faults.append(say("unknown-key", key.span, hint=hint, thing="a rule", key=key.value))
        return None
    fields = fields_of(node, shapes.RULE, "a rule", faults)
    if not fields.readable:
        return None
    name, when = fields.text("id"), _condition_under(fields, "when")
    if name is not None:
        check_name(name, KEBAB, faults)
        if name.value == OTHERWISE:
            faults.append(say("reserved-name", name.span, name=name.value))
    period, _ = fields.period("effective", shapes.EFFECTIVE)
    conclusion = _conclusion(fields, "then", "because")
    return RuleSyntax(name or unread(fields.span), when or unread(fields.span), conclusion, period)


def _is_key_of_decision(node: MappingNode) -> bool:
    """Whether what stands among rules is no rule, but a key of the decision."""
    keys = {key.value for key, _ in node.entries}
    return bool(keys & {"otherwise", "matrix"}) and not keys & {"id", "when", "then"}


def _otherwise(node: YamlNode, faults: Faults) -> ConclusionSyntax | None:
    if isinstance(node, ScalarNode) and not is_empty(node):
        hint = f"write `otherwise: {{then: {node.text.value.strip()}, because: ...}}`"
        faults.append(
            say("wrong-kind", node.span, hint=hint, what="`otherwise`", expected="a mapping with then and because")
        )
        return None
    fields = fields_of(node, shapes.OTHERWISE, "`otherwise`", faults)
    return _conclusion(fields, "then", "because") if fields.readable else None


def _conclusion(fields: Fields, then: str, because: str) -> ConclusionSyntax:
    return ConclusionSyntax(
        fields.text(then),
        fields.prose(because) or fields.prose("because"),
        _values(fields, "with"),
        fields.texts("source"),
        fields.texts("readings"),
        fields.span,
    )


def _matrix(node: YamlNode, faults: Faults) -> MatrixSyntax | None:
    fields = fields_of(node, shapes.MATRIX, "`matrix`", faults)
    rows, listed = fields.text("rows"), fields.node.get("columns")
    columns = list(fields.named("columns"))
    legend = tuple(entry for item in fields.named("legend") if (entry := _legend(*item, faults)))
    cells = tuple(row for value, item in _rows(fields) if (row := _row(value, item, faults)))
    if len(columns) != 1:
        if isinstance(listed, MappingNode):
            fields.wrong("`columns`", "one fact or definition with the list of its values", listed)
        return None
    if rows is None:
        return None
    name, values = columns[0][0], _column_values(*columns[0], faults)
    return MatrixSyntax(rows, name, values, legend, cells, fields.text("value"), fields.span)


def _column_values(name: Authored, listed: YamlNode, faults: Faults) -> tuple[Authored, ...]:
    if isinstance(listed, SequenceNode):
        return tuple(text_item(item, faults) for item in listed.items)
    faults.append(say("wrong-kind", listed.span, what=f"`{name.value}`", expected="a list of values"))
    return ()


def _rows(fields: Fields) -> tuple[tuple[Authored, YamlNode], ...]:
    node = fields.node.get("cells")
    if node is None or isinstance(node, MappingNode):
        return () if node is None else node.entries
    fields.wrong("`cells`", "a row under each value", node)
    return ()


def _legend(key: Authored, node: YamlNode, faults: Faults) -> LegendSyntax | None:
    fields = fields_of(node, shapes.LEGEND, f"`{key.value}`", faults)
    if not fields.readable:
        return None
    when = _condition_under(fields, "when")
    refused = _conclusion(fields, "else", "else_because")
    if (when is None) != (fields.node.get("else") is None):
        faults.append(say("matrix-else", key.span))
    return LegendSyntax(
        key, when, _conclusion(fields, "then", "because"), refused if refused.then is not None else None
    )


def _row(value: Authored, node: YamlNode, faults: Faults) -> RowSyntax | None:
    sources: tuple[Authored, ...] = ()
    if isinstance(node, MappingNode):
        fields = Fields(node, shapes.ROW, faults)
        sources = fields.texts("source")
        cells = fields.texts("cells")
    elif isinstance(node, SequenceNode):
        cells = tuple(text_item(item, faults) for item in node.items)
    else:
        faults.append(say("wrong-kind", node.span, what=f"`{value.value}`", expected="a list of cells"))
        return None
    return RowSyntax(value, cells, sources, value.span)
