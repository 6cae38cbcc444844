"""A ruleset as a page of Markdown: its questions, rules, matrices, sources, readings, and a graph of what uses what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.lookup_tables import VALID, Key, key_range
from policy_engine.language.mentions import Mention, graph_of
from policy_engine.language.origins import from_library, noted
from policy_engine.language.rulesets import (
    ALWAYS,
    Cell,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rules,
    Ruleset,
)
from policy_engine.language.templates import as_written
from policy_engine.language.types import Member, Number, Record, Text, Type, innermost, name_of
from policy_engine.language.values import Holidays, in_words
from policy_engine.language.weekdays import DAYS, SATURDAY_AND_SUNDAY
from policy_engine.reports.markdown import code, link, text

GENERATED = "<!-- Written by `policy rules docs`; change the rule file, not this page. -->"
MOST_ROWS = 200
"""Of a look-up table so many rows are shown; a list of all places of a country would hide the rules."""
WORDS = {"all": "all of", "any": "at least one of", "none": "none of"}


def page_of(versions: Sequence[Ruleset]) -> str:
    """The page of a ruleset: its newest version first, then the earlier ones."""
    newest = versions[-1]
    lines = [GENERATED, f"# {newest.id}", "", f"{text(newest.title)}.", ""]
    if len(versions) > 1:
        links = (f"- [{text(v.version)}](#version-{_anchor(v.version)}), {v.period}" for v in reversed(versions))
        lines += ["Versions:", "", *links, ""]
    for version in reversed(versions):
        lines += _version(version)
    return "\n".join(lines).rstrip() + "\n"


def index_of(rulebook: Iterable[Sequence[Ruleset]]) -> str:
    """The list of all rulesets with their questions."""
    lines = [GENERATED, "# The rulebook", "", "| ruleset | question | versions |", "| --- | --- | --- |"]
    for versions in rulebook:
        newest = versions[-1]
        periods = "<br>".join(f"{text(v.version)}: {v.period}" for v in reversed(versions))
        first = f"[{newest.id}]({newest.id}.md)", periods
        for decision in newest.decisions:
            lines.append(f"| {first[0]} | {text(decision.question)} (`{decision.name}`) | {first[1]} |")
            first = "", ""
    return "\n".join(lines) + "\n"


def _version(ruleset: Ruleset) -> list[str]:
    checks = [f"- {_condition_line(check.expect)}: {text(check.because)}" for check in ruleset.checks]
    return [
        f"## Version {text(ruleset.version)}",
        "",
        f"In force {ruleset.period}, in the time zone {ruleset.timezone}.",
        *([f"The weekend is {_weekend(ruleset.weekend)}."] if ruleset.weekend != SATURDAY_AND_SUNDAY else ()),
        *([text(ruleset.period_because)] if ruleset.period_because else ()),
        "",
        *(line for decision in ruleset.decisions for line in _decision(decision)),
        *_section("Definitions", _definitions(ruleset)),
        *_section("Parameters", _parameters(ruleset)),
        *_section("Look-up tables", _tables(ruleset)),
        *_section("Readings", _readings(ruleset)),
        *_section("Checks", checks),
        *_section("Facts", _facts(ruleset)),
        *_section("Sources", _sources(ruleset)),
        *_section("How it hangs together", _graph(ruleset)),
    ]


def _weekend(weekend: Sequence[int]) -> str:
    return " and ".join(DAYS[day - 1].capitalize() for day in weekend) or "no day"


def _section(title: str, body: Iterable[str]) -> list[str]:
    lines = list(body)
    return [f"### {title}", "", *lines, ""] if lines else []


def _decision(decision: DecisionLogic) -> Iterator[str]:
    yield from (f"### {decision.name}", "", text(decision.question), "")
    if decision.outcomes:
        named = ", ".join(code(outcome) for outcome in decision.outcomes)
        yield from (f"{'Lists all that apply of' if decision.collects else 'One of'}: {named}.", "")
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
    if body.combine:
        ways = ", ".join(f"`{name}` by {combination}" for name, combination in body.combine)
        yield from (f"Values of several rules become one: {ways}.", "")


def _conclusion(conclusion: Conclusion) -> Iterator[str]:
    if conclusion.because.parts:
        yield f"- *{text(as_written(conclusion.because))}*"
    for value in conclusion.values:
        yield f"- gives `{value.name}`: {code(value.expression.text)}"
    cited = {"source": conclusion.sources, "reading": conclusion.readings}
    if line := "; ".join(f"{what}: {', '.join(names)}" for what, names in cited.items() if names):
        yield f"- {line}"


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
    columns = [text(shown_value(value)) for value in matrix.column_values]
    yield f"| {text(matrix.rows.text)} \\ {text(matrix.columns.text)} | {' | '.join(columns)} | source |"
    yield "| --- " * (len(columns) + 2) + "|"
    for row in matrix.row_values:
        cells = [cell for cell in matrix.cells if cell.row == row]
        sources = dict.fromkeys(source for cell in cells for source in cell.then.sources)
        yield f"| {text(shown_value(row))} | {' | '.join(text(cell.label) for cell in cells)} | {', '.join(sources)} |"
    yield ""
    named = [cell for cell in matrix.cells if cell.then.outcome is not None]
    legend = dict.fromkeys(_legend_line(cell) for cell in named if cell.when or cell.then.outcome != cell.label)
    yield from (*legend, "") if legend else ()


def _legend_line(cell: Cell) -> str:
    label, (outcome, reason) = text(cell.label), _concluded(cell.then)
    if cell.when is None or cell.otherwise is None:
        return f"- **{label}**: {outcome}. *{reason}*"
    condition, otherwise = _condition_line(cell.when), _concluded(cell.otherwise)
    return f"- **{label}**: {outcome} if {condition} (*{reason}*), else {otherwise[0]} (*{otherwise[1]}*)"


def _concluded(conclusion: Conclusion) -> tuple[str, str]:
    """An outcome and its reason."""
    return code(conclusion.outcome or ""), text(as_written(conclusion.because))


def _definitions(ruleset: Ruleset) -> Iterator[str]:
    for definition in ruleset.definitions:
        kind = ", ".join([name_of(definition.type), *from_library(definition.library)])
        yield f"- `{definition.name}` ({kind}): {_condition_line(definition.body)}"


def _parameters(ruleset: Ruleset) -> Iterator[str]:
    if not ruleset.parameters:
        return
    yield from ("| parameter | value | in force | meaning | source |", "| --- | --- | --- | --- | --- |")
    for parameter in ruleset.parameters:
        for value in parameter.values:
            unit = parameter.unit or (_of_calendar(value.value) if isinstance(value.value, Holidays) else "")
            shown = " ".join(part for part in (in_words(value.value), unit) if part)
            meaning, name = text(parameter.meaning or ""), noted(parameter.name, parameter.library)
            yield f"| {name} | {text(shown)} | {value.period} | {meaning} | {parameter.source or ''} |"


def _tables(ruleset: Ruleset) -> Iterator[str]:
    """Each look-up table with its first rows."""
    for table in ruleset.tables:
        told = [
            text(table.meaning or ""),
            f"source: {table.source}" if table.source else "",
            *from_library(table.library),
        ]
        yield from (f"**{table.name}**{''.join(f', {part}' for part in told if part)}", "")
        units = [f" ({column.unit})" if column.unit else "" for column in table.columns]
        named = [f"{column.name}{unit}" for column, unit in zip(table.columns, units, strict=True)]
        yield f"| {' | '.join([*(_key_heading(key) for key in table.keys), *map(text, named)])} |"
        yield "| --- " * (len(table.keys) + len(table.columns)) + "|"
        for row in table.rows[:MOST_ROWS]:
            keys = [text(key_range(key, value)) for key, value in zip(table.keys, row.keys, strict=True)]
            yield f"| {' | '.join([*keys, *(text(in_words(cell)) for cell in row.cells)])} |"
        if table.otherwise is not None:
            cells = [text(in_words(cell)) for cell in table.otherwise]
            yield f"| {' | '.join(['otherwise', *[''] * (len(table.keys) - 1), *cells])} |"
        more = len(table.rows) - MOST_ROWS
        yield from ("", f"And {more} more rows.") if more > 0 else ()
        yield ""


def _key_heading(key: Key) -> str:
    return "in force" if key is VALID else key.name


def _of_calendar(holidays: Holidays) -> str:
    """What a calendar is, with the days by which it differs from those of its name."""
    changes = (("with", holidays.added), ("without", holidays.removed))
    told = [f"{word} {day} ({reason})" for word, days in changes for day, reason in days]
    weekend = [] if holidays.weekend is None else [f"the weekend is {_weekend(holidays.weekend)}"]
    return f"({'; '.join(['a calendar of holidays', *told, *weekend])})"


def _readings(ruleset: Ruleset) -> Iterator[str]:
    for reading in ruleset.readings:
        name = noted(f"**{reading.name}**{' (fixed)' if reading.fixed else ''}", reading.library)
        yield f"- {name}: {text(reading.question)}"
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
        yield noted(f"- `{source.id}`: {link(source.title, source.url)}{edition}", source.library)


SHAPES = {
    "fact": ("[/", "/]"),
    "parameter": ("([", "])"),
    "table": ("[(", ")]"),
    "reading": ("{{", "}}"),
    "definition": ("[", "]"),
    "decision": ("[[", "]]"),
}
"""The kinds of names that the graph shows, each with its shape in Mermaid."""


def _graph(ruleset: Ruleset) -> Iterator[str]:
    """Which facts, definitions and decisions go into which, as a Mermaid drawing."""
    yield from ("```mermaid", "flowchart LR")
    graph = {
        target: [one for one in sorted(found) if one.kind in SHAPES] for target, found in graph_of(ruleset).items()
    }
    for mention in sorted({*graph, *chain.from_iterable(graph.values())}):
        opening, closing = SHAPES[mention.kind]
        yield f'  {_node(mention)}{opening}"{mention.name}"{closing}'
    for target, found in graph.items():
        yield from (f"  {_node(mention)} --> {_node(target)}" for mention in found)
    yield "```"


def _node(mention: Mention) -> str:
    return f"{mention.kind}_{mention.name}"


def shown_value(value: str | bool) -> str:
    """A value of a closed set."""
    return str(value).lower() if isinstance(value, bool) else value


def _anchor(version: str) -> str:
    return "".join(c for c in version.lower().replace(" ", "-") if c.isalnum() or c == "-")
