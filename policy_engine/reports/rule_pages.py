"""A ruleset as a page of Markdown that a person reads: questions, rules in words, tables, sources, readings, the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.mentions import Mention, graph_of
from policy_engine.language.rulesets import (
    ALWAYS,
    Cell,
    Conclusion,
    DecisionLogic,
    Matrix,
    Parameter,
    Quoted,
    Rules,
    Ruleset,
    Template,
)
from policy_engine.language.types import Calendar, Member, Number, Record, Text, Type, innermost, name_of
from policy_engine.language.values import in_words
from policy_engine.reports.markdown import code, link, text

GENERATED = "<!-- Written by `policy rules docs`; change the rule file, not this page. -->"
WORDS = {"all": "all of", "any": "at least one of", "none": "none of"}


def page_of(versions: Sequence[Ruleset]) -> str:
    """The page of a ruleset: its newest version first, then the earlier ones."""
    newest = versions[-1]
    lines = [GENERATED, f"# {newest.id}", "", f"{text(newest.title)}.", ""]
    if len(versions) > 1:
        lines += [
            "Versions:",
            "",
            *(f"- [{text(v.version)}](#version-{_anchor(v.version)}), {v.period}" for v in reversed(versions)),
            "",
        ]
    for version in reversed(versions):
        lines += _version(version)
    return "\n".join(lines).rstrip() + "\n"


def index_of(rulebook: Iterable[Sequence[Ruleset]]) -> str:
    """The list of all rulesets with their questions."""
    lines = [GENERATED, "# The rulebook", "", "| ruleset | question | versions |", "| --- | --- | --- |"]
    for versions in rulebook:
        newest = versions[-1]
        periods = "<br>".join(f"{text(v.version)}: {v.period}" for v in reversed(versions))
        for number, decision in enumerate(newest.decisions):
            first = f"[{newest.id}]({newest.id}.md)" if number == 0 else ""
            lines.append(
                f"| {first} | {text(decision.question)} (`{decision.name}`) | {periods if number == 0 else ''} |"
            )
    return "\n".join(lines) + "\n"


def _version(ruleset: Ruleset) -> list[str]:
    lines = [
        f"## Version {text(ruleset.version)}",
        "",
        f"In force {ruleset.period}, in the time zone {ruleset.timezone}.",
    ]
    if ruleset.period_because:
        lines.append(text(ruleset.period_because))
    lines.append("")
    for decision in ruleset.decisions:
        lines += _decision(ruleset, decision)
    lines += _section("Definitions", _definitions(ruleset))
    lines += _section("Parameters", _parameters(ruleset))
    lines += _section("Readings", _readings(ruleset))
    lines += _section(
        "Checks", [f"- {_condition_line(check.expect)}: {text(check.because)}" for check in ruleset.checks]
    )
    lines += _section("Facts", _facts(ruleset))
    lines += _section("Sources", _sources(ruleset))
    lines += _section("How it hangs together", _graph(ruleset))
    return lines


def _section(title: str, body: Iterable[str]) -> list[str]:
    lines = list(body)
    return [f"### {title}", "", *lines, ""] if lines else []


def _decision(ruleset: Ruleset, decision: DecisionLogic) -> Iterator[str]:
    yield from (f"### {decision.name}", "", text(decision.question), "")
    if decision.outcomes:
        several = isinstance(decision.body, Rules) and decision.body.hit == "collect"
        named = ", ".join(code(outcome) for outcome in decision.outcomes)
        yield from (f"{'Lists all that apply of' if several else 'One of'}: {named}.", "")
    if isinstance(decision.body, Rules):
        yield from _rules(decision.body)
    elif isinstance(decision.body, Matrix):
        yield from _matrix(decision.body)
    if decision.values:
        yield from ("Values:", "")
        for value in decision.values:
            kind = name_of(value.type) + (", may be none" if value.nullable else "")
            yield f"- `{value.name}` ({kind}): {_condition_line(value.expression)}"
        yield ""
    if decision.readings:
        yield from (f"Depends on the readings {', '.join(f'`{name}`' for name in decision.readings)}.", "")


def _rules(body: Rules) -> Iterator[str]:
    """The rules in order, in words."""
    for number, rule in enumerate(body.rules, start=1):
        yield f"{number}. **{rule.id}**: {code(rule.then.outcome or '')}, if"
        yield from (f"   {line}" for line in _condition(rule.when))
        if rule.period != ALWAYS:
            yield f"   - in force {rule.period}"
        yield from (f"   {line}" for line in _conclusion(rule.then))
    if body.otherwise is not None:
        yield f"{len(body.rules) + 1}. **otherwise**: {code(body.otherwise.outcome or '')}"
        yield from (f"   {line}" for line in _conclusion(body.otherwise))
    yield ""


def _conclusion(conclusion: Conclusion) -> Iterator[str]:
    if conclusion.because.parts:
        yield f"- *{_template(conclusion.because)}*"
    for value in conclusion.values:
        yield f"- gives `{value.name}`: {code(value.expression.text)}"
    cited = [f"source: {', '.join(conclusion.sources)}"] if conclusion.sources else []
    if conclusion.readings:
        cited.append(f"reading: {', '.join(conclusion.readings)}")
    if cited:
        yield f"- {'; '.join(cited)}"


def _condition(condition: Condition, depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(condition, Expression):
        yield f"{indent}- {code(condition.text)}"
        return
    yield f"{indent}- {WORDS[condition.kind]}:"
    for part in condition.conditions:
        yield from _condition(part, depth + 1)


def _condition_line(condition: Condition) -> str:
    if isinstance(condition, Expression):
        return code(condition.text)
    return f"{WORDS[condition.kind]} ({'; '.join(map(_condition_line, condition.conditions))})"


def _matrix(matrix: Matrix) -> Iterator[str]:
    """The matrix as a table, then what the words in its cells stand for."""
    columns = [_text(value) for value in matrix.column_values]
    yield f"| {text(matrix.rows.text)} \\ {text(matrix.columns.text)} | {' | '.join(columns)} | source |"
    yield "| --- " * (len(columns) + 2) + "|"
    for row in matrix.row_values:
        cells = [cell for cell in matrix.cells if cell.row == row]
        sources = dict.fromkeys(source for cell in cells for source in cell.then.sources)
        yield f"| {_text(row)} | {' | '.join(text(cell.label) for cell in cells)} | {', '.join(sources)} |"
    yield ""
    legend = dict.fromkeys(_legend_line(cell) for cell in matrix.cells if _has_legend(cell))
    yield from (*legend, "") if legend else ()


def _has_legend(cell: Cell) -> bool:
    return cell.then.outcome is not None and (cell.when is not None or cell.then.outcome != cell.label)


def _legend_line(cell: Cell) -> str:
    label, then = text(cell.label), _concluded(cell.then)
    if cell.when is None or cell.otherwise is None:
        return f"- **{label}**: {then[0]}. *{then[1]}*"
    otherwise = _concluded(cell.otherwise)
    condition = _condition_line(cell.when)
    return f"- **{label}**: {then[0]} if {condition} (*{then[1]}*), else {otherwise[0]} (*{otherwise[1]}*)"


def _concluded(conclusion: Conclusion) -> tuple[str, str]:
    """An outcome and its reason."""
    return code(conclusion.outcome or ""), _template(conclusion.because)


def _definitions(ruleset: Ruleset) -> Iterator[str]:
    for definition in ruleset.definitions:
        yield f"- `{definition.name}` ({name_of(definition.type)}): {_condition_line(definition.body)}"


def _parameters(ruleset: Ruleset) -> Iterator[str]:
    if not ruleset.parameters:
        return
    yield from ("| parameter | value | in force | meaning | source |", "| --- | --- | --- | --- | --- |")
    for parameter in ruleset.parameters:
        for value in parameter.values:
            shown = " ".join(part for part in (in_words(value.value), _unit(parameter)) if part)
            meaning = text(parameter.meaning or "")
            yield f"| {parameter.name} | {text(shown)} | {value.period} | {meaning} | {parameter.source or ''} |"


def _unit(parameter: Parameter) -> str:
    return parameter.unit or ("(a calendar of holidays)" if isinstance(parameter.type, Calendar) else "")


def _readings(ruleset: Ruleset) -> Iterator[str]:
    for reading in ruleset.readings:
        yield f"- **{reading.name}**{' (fixed)' if reading.fixed else ''}: {text(reading.question)}"
        for choice in reading.choices:
            mark = " (taken)" if choice.name == reading.choice else ""
            yield f"  - `{choice.name}`{mark}: {text(choice.argument)}"


def _facts(ruleset: Ruleset) -> Iterator[str]:
    yield from ("| fact | type | needed | meaning |", "| --- | --- | --- | --- |")
    for path, member in members_below(ruleset.facts.type):
        yield f"| {path} | {text(_type(member.type))} | {'yes' if member.required else ''} | {text(member.description)} |"


def members_below(record: Record, prefix: str = "") -> Iterator[tuple[str, Member]]:
    """Every member of a record, and of the records and lists of records in it, with its path."""
    for member in record.members:
        yield prefix + member.name, member
        kind = innermost(member.type)
        if isinstance(kind, Record):
            yield from members_below(kind, f"{prefix}{member.name}.")


def _type(kind: Type) -> str:
    match kind:
        case Text(values=values) if values is not None:
            return ", ".join(values)
        case Number(places=0, low=low, high=high):
            return f"integer, {low} to {high}"
        case Number(places=places):
            return f"decimal, {places} places"
        case _:
            return name_of(kind)


def _sources(ruleset: Ruleset) -> Iterator[str]:
    for source in ruleset.sources:
        edition = f" ({text(source.edition)})" if source.edition else ""
        yield f"- `{source.id}`: {link(source.title, source.url)}{edition}"


def _graph(ruleset: Ruleset) -> Iterator[str]:
    """Which facts, definitions and decisions go into which, as a Mermaid drawing."""
    yield from ("```mermaid", "flowchart LR")
    graph = graph_of(ruleset)
    shown = {"fact", "parameter", "reading", "definition", "decision"}
    used = {mention for found in graph.values() for mention in found if mention.kind in shown} | set(graph)
    for mention in sorted(used):
        yield f"  {_node(mention)}{_shape(mention)}"
    for target, found in graph.items():
        yield from (f"  {_node(mention)} --> {_node(target)}" for mention in sorted(found) if mention.kind in shown)
    yield "```"


def _node(mention: Mention) -> str:
    return f"{mention.kind}_{mention.name}"


def _shape(mention: Mention) -> str:
    opening, closing = {
        "fact": ("[/", "/]"),
        "parameter": ("([", "])"),
        "reading": ("{{", "}}"),
        "definition": ("[", "]"),
        "decision": ("[[", "]]"),
    }[mention.kind]
    return f'{opening}"{mention.name}"{closing}'


def _template(template: Template) -> str:
    return text("".join(words_of(part) for part in template.parts))


def words_of(part: str | Quoted | Expression) -> str:
    """A part of a sentence as its author wrote it."""
    if isinstance(part, Quoted):
        return part.text
    return part if isinstance(part, str) else f"{{{hole_text(part)}}}"


def hole_text(part: Expression) -> str:
    return part.text.removeprefix("if_known(").removesuffix(")") if part.text.startswith("if_known(") else part.text


def _text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def _anchor(version: str) -> str:
    return "".join(c for c in version.lower().replace(" ", "-") if c.isalnum() or c == "-")
