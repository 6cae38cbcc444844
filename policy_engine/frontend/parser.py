"""From nodes to the syntax of a rule file: which keys stand where, and what kind of thing each holds."""

from __future__ import annotations

from datetime import date
from functools import partial

from policy_engine.diagnostics import WORDINGS, Diagnostic, Severity, did_you_mean, say
from policy_engine.frontend import shapes
from policy_engine.frontend.fields import ISO_DATE, KEBAB, SNAKE, Fields, check_name, is_split, read_date
from policy_engine.frontend.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain, plain_scalar
from policy_engine.frontend.shapes import Shape
from policy_engine.frontend.syntax import (
    CalendarSyntax,
    CheckSyntax,
    ConclusionSyntax,
    ConditionSyntax,
    ConstantValue,
    DecisionSyntax,
    GroupSyntax,
    LegendSyntax,
    MatrixSyntax,
    Named,
    ParameterSyntax,
    ReadingSyntax,
    RowSyntax,
    RulesetSyntax,
    RuleSyntax,
    SilenceSyntax,
    SourceSyntax,
)
from policy_engine.language.calendars import CALENDARS, EARLIEST, LATEST
from policy_engine.language.rulesets import OTHERWISE, Choice
from policy_engine.source import Authored, Span

Faults = list[Diagnostic]
A_CONDITION = {"key": "a condition", "expected": "an expression, or `all:`, `any:` or `none:` over a list"}


def parse_ruleset(node: YamlNode) -> tuple[RulesetSyntax | None, Faults]:
    """The syntax of a rule file, None where too much of it is wrong, and its faults."""
    faults: Faults = []
    fields = _fields(node, shapes.RULESET, "a rule file", faults)
    if fields is None:
        return None, faults
    name = fields.text("ruleset")
    if name is not None:
        check_name(name, SNAKE, faults)
    period, because = fields.period("effective", shapes.EFFECTIVE)
    effective = fields.node.get("effective")
    if isinstance(effective, MappingNode) and effective.get("from") is None:
        meaning = "the first day in force"
        faults.append(say("missing-key", effective.span, thing="the ruleset's period", key="from", meaning=meaning))
    timezone, facts = fields.text("timezone"), fields.text("facts")
    sources = tuple(s for entry in fields.named("sources", KEBAB) if (s := _source(*entry, faults)))
    readings = tuple(r for entry in fields.named("readings") if (r := _reading(*entry, faults)))
    parameters = tuple(p for entry in fields.named("parameters") if (p := _parameter(*entry, faults)))
    definitions = tuple((n, c) for n, value in fields.named("definitions") if (c := _condition(value, faults)))
    checks = fields.list_of("checks", lambda item: _check(item, faults))
    decisions = tuple(d for entry in fields.named("decisions") if (d := _decision(*entry, faults)))
    silences = fields.list_of("silence", lambda item: _silence(item, faults))
    title, version = fields.words("title"), fields.words("version")
    if name is None or timezone is None or facts is None:
        return None, faults
    return RulesetSyntax(
        name, title or "", version or "", period, because, timezone, facts,
        sources, readings, parameters, checks, definitions, decisions, silences, fields.span,
    ), faults  # fmt: skip


def _fields(node: YamlNode, shape: Shape, key: str, faults: Faults) -> Fields | None:
    if isinstance(node, MappingNode):
        return Fields(node, shape, faults)
    faults.append(say("wrong-kind", node.span, key=key, expected=f"a mapping with {', '.join(shape.names)}"))
    return None


def _source(name: Authored, node: YamlNode, faults: Faults) -> SourceSyntax | None:
    fields = _fields(node, shapes.SOURCE, name.value, faults)
    if fields is None:
        return None
    title = fields.words("title") or ""
    return SourceSyntax(name, title, fields.words("number"), fields.day("updated"), fields.words("url"))


def _reading(name: Authored, node: YamlNode, faults: Faults) -> ReadingSyntax | None:
    fields = _fields(node, shapes.READING, name.value, faults)
    if fields is None:
        return None
    choices = []
    for choice, argument in fields.named("choices"):
        if isinstance(argument, ScalarNode):
            choices.append(Choice(choice.value, argument.text.value.strip()))
        else:
            fields.wrong(choice.value, "a text", argument)
    choice_ = fields.text("choice")
    if choice_ is None:
        return None
    question = fields.words("question") or ""
    return ReadingSyntax(name, question, choice_, tuple(choices), fields.text("source"), fields.flag("fixed"))


def _parameter(name: Authored, node: YamlNode, faults: Faults) -> ParameterSyntax | None:
    fields = _fields(node, shapes.PARAMETER, name.value, faults)
    if fields is None:
        return None
    kind = fields.text("type")
    if kind is not None and kind.value != "date":
        faults.append(say("wrong-kind", kind.span, key="type", expected="date, or left out"))
    dated = kind is not None
    values: list[tuple[date | None, ConstantValue]] = []
    assert isinstance(node, MappingNode)
    if sum(node.get(key) is not None for key in ("value", "values", "calendar")) != 1:
        faults.append(say("one-of-keys", fields.span, thing="a parameter", keys="`value`, `values` and `calendar`"))
    single = node.get("value")
    if single is not None:
        values.append((None, _constant(single, dated, faults)))
    for day, value in fields.named("values", ISO_DATE):
        values.append((read_date(day, []), _constant(value, dated, faults)))
    return ParameterSyntax(
        name, tuple(values), _calendar(fields), fields.words("unit"), fields.text("source"), fields.words("meaning")
    )


def _calendar(fields: Fields) -> CalendarSyntax | None:
    """A named calendar with its years."""
    name, listed = fields.text("calendar"), fields.node.get("years")
    if name is None:
        if listed is not None:
            fields.faults.append(say("needless-key", listed.span, key="years", thing="a parameter without a calendar"))
        return None
    if name.value not in CALENDARS:
        hint = did_you_mean(name.value, CALENDARS) or f"there are {', '.join(CALENDARS)}"
        fields.faults.append(say("unknown-calendar", name.span, hint=hint, name=name.value))
        return None
    years = plain(listed) if listed is not None else None
    match years:
        case [int(first), int(last)] if EARLIEST <= first <= last <= LATEST:
            return CalendarSyntax(name.value, first, last)
    fields.faults.append(say("calendar-years", (listed or ScalarNode(name)).span, first=EARLIEST, last=LATEST))
    return None


def _constant(node: YamlNode, dated: bool, faults: Faults) -> ConstantValue:
    if isinstance(node, SequenceNode):
        return tuple(_constant(item, dated, faults) for item in node.items)
    if not isinstance(node, ScalarNode):
        faults.append(
            say("wrong-kind", node.span, key="value", expected="a number, a text, true, false, a date, or a list")
        )
        return 0
    if dated:
        return read_date(node.text, faults) or date.min
    value = plain_scalar(node.text)
    if value is None:
        faults.append(
            say("wrong-kind", node.span, key="value", expected="a number, a text, true, false, a date, or a list")
        )
        return 0
    return value


def _check(node: YamlNode, faults: Faults) -> CheckSyntax | None:
    fields = _fields(node, shapes.CHECK, "a check", faults)
    expect = None if fields is None else _condition_under(fields, "expect")
    if fields is None or expect is None:
        return None
    return CheckSyntax(expect, fields.words("because") or "", fields.text("source"), fields.span)


def _silence(node: YamlNode, faults: Faults) -> SilenceSyntax | None:
    fields = _fields(node, shapes.SILENCE, "a silence", faults)
    code = fields.text("code") if fields is not None else None
    if fields is None or code is None:
        return None
    wording = WORDINGS.get(code.value)
    if wording is None or wording.severity is not Severity.WARNING:
        hint = did_you_mean(code.value, [name for name, w in WORDINGS.items() if w.severity is Severity.WARNING])
        faults.append(say("silence-code", code.span, hint=hint, name=code.value))
        return None
    return SilenceSyntax(code, fields.words("name"), fields.words("because") or "")


def _condition_under(fields: Fields, key: str) -> ConditionSyntax | None:
    node = fields.node.get(key)
    return None if node is None else _condition(node, fields.faults)


def _condition(node: YamlNode, faults: Faults) -> ConditionSyntax | None:
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        faults.append(say("yaml-split", node.span) if node.flow else say("wrong-kind", node.span, words=A_CONDITION))
        return None
    fields = Fields(node, shapes.GROUP, faults)
    groups = [key for key in shapes.GROUP.names if node.get(key) is not None]
    if len(groups) != 1:
        if not any(fault.span.line == fields.span.line for fault in faults):
            faults.append(say("one-of-keys", fields.span, thing="a condition", keys="`all`, `any` and `none`"))
        return None
    if is_split(node.get(groups[0])):
        faults.append(say("yaml-split", fields.span))
        return None
    conditions: tuple[ConditionSyntax, ...] = fields.list_of(groups[0], partial(_condition, faults=faults))
    if not conditions:
        faults.append(say("empty-group", fields.span, kind=groups[0]))
        return None
    return GroupSyntax(groups[0], conditions, fields.span)


def _decision(name: Authored, node: YamlNode, faults: Faults) -> DecisionSyntax | None:
    fields = _fields(node, shapes.DECISION, name.value, faults)
    if fields is None:
        return None
    otherwise, matrix = fields.node.get("otherwise"), fields.node.get("matrix")
    values = _values(fields, "with") + _values(fields, "values")
    return DecisionSyntax(
        name=name,
        question=fields.words("question") or "",
        outcomes=fields.list_of("outcomes", lambda item: item.text if isinstance(item, ScalarNode) else None),
        hit=fields.text("hit"),
        values=values,
        rules=fields.list_of("rules", lambda item: _rule(item, faults)),
        otherwise=_otherwise(otherwise, faults) if otherwise is not None else None,
        matrix=_matrix(matrix, faults) if matrix is not None else None,
        because=fields.text("because"),
        sources=fields.texts("source"),
        readings=fields.texts("readings"),
        span=name.span,
    )


def _values(fields: Fields, key: str) -> Named:
    named = []
    for name, value in fields.named(key):
        if isinstance(value, ScalarNode):
            named.append((name, value.text))
        elif isinstance(value, SequenceNode) and value.flow:
            fields.faults.append(say("yaml-split", value.span))
        else:
            fields.wrong(name.value, "an expression", value)
    return tuple(named)


def _rule(node: YamlNode, faults: Faults) -> RuleSyntax | None:
    fields = _fields(node, shapes.RULE, "a rule", faults)
    if fields is None:
        return None
    name, when = fields.text("id"), _condition_under(fields, "when")
    if name is not None:
        check_name(name, KEBAB, faults)
        if name.value == OTHERWISE:
            faults.append(say("reserved-name", name.span, name=name.value))
    period, _ = fields.period("effective", shapes.EFFECTIVE)
    conclusion = _conclusion(fields, "then", "because")
    if name is None or when is None:
        return None
    return RuleSyntax(name, when, conclusion, period)


def _otherwise(node: YamlNode, faults: Faults) -> ConclusionSyntax | None:
    fields = _fields(node, shapes.OTHERWISE, OTHERWISE, faults)
    return None if fields is None else _conclusion(fields, "then", "because")


def _conclusion(fields: Fields, then: str, because: str) -> ConclusionSyntax:
    return ConclusionSyntax(
        fields.text(then),
        fields.text(because) or fields.text("because"),
        _values(fields, "with"),
        fields.texts("source"),
        fields.texts("readings"),
        fields.span,
    )


def _matrix(node: YamlNode, faults: Faults) -> MatrixSyntax | None:
    fields = _fields(node, shapes.MATRIX, "matrix", faults)
    if fields is None:
        return None
    rows = fields.text("rows")
    columns = list(fields.named("columns"))
    legend = tuple(entry for item in fields.named("legend") if (entry := _legend(*item, faults)))
    cells = tuple(row for value, item in _rows(fields) if (row := _row(value, item, faults)))
    if len(columns) != 1:
        if columns:
            faults.append(say("one-of-keys", fields.span, thing="columns", keys="a fact or definition and its values"))
        return None
    if rows is None:
        return None
    name, listed = columns[0]
    values = (
        tuple(item.text for item in listed.items if isinstance(item, ScalarNode))
        if isinstance(listed, SequenceNode)
        else ()
    )
    return MatrixSyntax(rows, name, values, legend, cells, fields.text("value"), fields.span)


def _rows(fields: Fields) -> tuple[tuple[Authored, YamlNode], ...]:
    node = fields.node.get("cells")
    if node is None or isinstance(node, MappingNode):
        return () if node is None else node.entries
    fields.wrong("cells", "a row under each value", node)
    return ()


def _legend(key: Authored, node: YamlNode, faults: Faults) -> LegendSyntax | None:
    fields = _fields(node, shapes.LEGEND, key.value, faults)
    if fields is None:
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
        cells = tuple(item.text for item in node.items if isinstance(item, ScalarNode))
    else:
        faults.append(say("wrong-kind", node.span, key=value.value, expected="a list of cells"))
        return None
    return RowSyntax(
        value, cells, sources, Span(value.span.path, value.span.line, value.span.column, value.span.length)
    )
