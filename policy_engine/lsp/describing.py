"""What names, functions and keys mean, in Markdown for an editor: type and unit, meaning, where a name comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from policy_engine.frontend.context import Context, dated_values, parameter_type
from policy_engine.frontend.lookups import SIGNATURE, VALUE_ON
from policy_engine.frontend.shapes import Key
from policy_engine.frontend.syntax import ConditionSyntax, GroupSyntax, ParameterSyntax, ReadingSyntax, TableSyntax
from policy_engine.language.expressions import Expression
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, Function
from policy_engine.language.rulesets import ParameterValue, Period
from policy_engine.language.types import ListOf, Logged, Member, Number, Text, Type, name_of
from policy_engine.language.values import in_words
from policy_engine.source import Authored

MOST_VALUES = 12
"""So many values of a closed set, a parameter or a list are written out."""
LONGEST_VALUE = 200
VALUE_ON_MEANING = "the value of a parameter or a look-up on another day"


@dataclass(frozen=True, slots=True)
class Described:
    """What something is: on one line, and what else there is to say, a paragraph each."""

    summary: str
    paragraphs: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The paragraphs, in Markdown."""
        return "\n\n".join(paragraph for paragraph in self.paragraphs if paragraph)


def type_in_words(kind: Type, unit: str | None = None) -> str:
    """A type with its unit and its bounds: `integer of days, 0 to 90`."""
    of = f" of {unit}" if unit else ""
    match kind:
        case Number(places=places, low=low, high=high) if high - low < 10**15:
            ends = [str(Decimal(end).scaleb(-places)) if places else str(end) for end in (low, high)]
            return f"{name_of(kind)}{of}, {ends[0]} to {ends[1]}" if low != high else f"{name_of(kind)}{of}"
        case ListOf(most=int() as most):
            return f"{name_of(kind)}{of}, at most {most}"
    return f"{name_of(kind)}{of}"


def closed_set(kind: Type) -> str:
    """The values of a closed set, in a sentence; empty for any other type."""
    values = kind.values if isinstance(kind, Text) else None
    if not values or len(values) < 2:
        return ""
    more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
    return f"One of {', '.join(f'`{value}`' for value in values[:MOST_VALUES])}{more}."


LOGGED: Mapping[Logged, str] = MappingProxyType(
    {Logged.DIGEST: "The decision log keeps a keyed digest of it.", Logged.DROP: "The decision log does not keep it."}
)
LOGGED_ELEMENTS: Mapping[Logged, str] = MappingProxyType(
    {
        Logged.DIGEST: "The decision log keeps a keyed digest of each element.",
        Logged.DROP: "The decision log does not keep its elements.",
    }
)


def of_fact(member: Member, where: str) -> Described:
    """A fact, or a member of one; `where` says of what."""
    absent = "" if member.required else ", may be absent"
    summary = f"{type_in_words(member.type, member.unit)}{absent}"
    ordered = f"In the order of `{member.ordered_by}`." if member.ordered_by else ""
    sensitive = "Sensitive: reports and explanations for customers withhold it." if member.sensitive else ""
    logged = LOGGED.get(member.log, LOGGED_ELEMENTS.get(member.log_elements, ""))
    told = (member.description, closed_set(member.type), ordered, sensitive, logged, f"A fact of {where}.")
    return Described(summary, told)


@dataclass(frozen=True, slots=True)
class Named:
    """A name of the one namespace: what it is, and what there is to say of it."""

    name: str
    kind: str
    described: Described


def described_names(context: Context) -> Iterator[Named]:
    """Every name that the text of a rule file can use: facts, then parameters, tables, definitions and readings."""
    scope, syntax = context.scope, context.syntax
    schema = f"the schema `{syntax.facts.value}`"
    yield from (Named(member.name, "fact", of_fact(member, schema)) for member in scope.facts.members)
    for parameter in syntax.parameters:
        if parameter.name.value in scope.parameters:
            yield Named(parameter.name.value, "parameter", _of_parameter(context, parameter))
    for written in syntax.tables:
        if written.name.value in scope.tables:
            yield Named(written.name.value, "table", _of_table(context, written))
    for name, body in syntax.definitions:
        if name.value in scope.definitions:
            yield Named(name.value, "definition", _of_definition(context, name, body))
    for reading in syntax.readings:
        if reading.name.value in scope.readings:
            yield Named(reading.name.value, "reading", _of_reading(context, reading))


def _of_parameter(context: Context, parameter: ParameterSyntax) -> Described:
    kind = parameter_type(parameter)
    source = f"By the source `{parameter.source.value}`." if parameter.source is not None else ""
    values = _values(dated_values(parameter, kind))
    about = (values, parameter.meaning or "", source, _from(context, "A parameter", parameter.name))
    return Described(type_in_words(kind, parameter.unit), about)


def _values(values: tuple[ParameterValue, ...]) -> str:
    """The value of a parameter, or the latest ones with their periods."""
    if len(values) == 1 and values[0].period == Period():
        return f"Value: `{_shown(values[0])}`"
    return "\n".join(f"- `{_shown(each)}` {each.period}" for each in values[-MOST_VALUES:])


def _shown(value: ParameterValue) -> str:
    text = in_words(value.value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _from(context: Context, what: str, name: Authored) -> str:
    """What a name is, and of which library, where it is not the file's own."""
    library = context.library(name.span)
    return f"{what}." if library is None else f"{what} of the library `{library}`."


def _of_definition(context: Context, name: Authored, written: ConditionSyntax) -> Described:
    body, (kind, optional) = context.definition(name.value)
    unit = context.units.of(body.tree) if isinstance(body, Expression) and isinstance(kind, Number) else None
    summary = f"{type_in_words(kind, unit.words if unit is not None else None)}{', may be unknown' if optional else ''}"
    text = "\n".join(["```yaml", *_lines(written), "```"])
    return Described(summary, (text, closed_set(kind), _from(context, "A definition", name)))


def _lines(written: ConditionSyntax) -> list[str]:
    """A condition as its author wrote it, each expression on one line."""
    if not isinstance(written, GroupSyntax):
        return [" ".join(written.value.split())]
    found = [f"{written.kind}:"]
    for part in written.conditions:
        first, *rest = _lines(part)
        found += [f"  - {first}", *(f"    {line}" for line in rest)]
    return found


def _of_reading(context: Context, reading: ReadingSyntax) -> Described:
    choices = "\n".join(f"- `{each.name}`: {each.argument}" for each in reading.choices)
    fixed = ", fixed" if reading.fixed else ""
    about = (reading.question, choices, _from(context, "A reading", reading.name))
    return Described(f"reading, `{reading.choice.value}` is taken{fixed}", about)


def _of_table(context: Context, written: TableSyntax) -> Described:
    table, origin = written.table, _from(context, "A look-up table", written.name)
    if table is None:
        return Described("look-up table", (origin,))
    columns = "\n".join(f"- `{each.name}`: {type_in_words(each.type, each.unit)}" for each in table.columns)
    about = (table.meaning or "", f"{len(table.rows)} rows. Columns:\n\n{columns}", origin)
    return Described(f"look-up table: {table.asked}", about)


def of_decision(context: Context, name: str) -> Described | None:
    """A decision: its question, its outcomes and its values."""
    decision = next((each for each in context.syntax.decisions if each.name.value == name), None)
    if decision is None:
        return None
    outcomes = ", ".join(f"`{outcome.value}`" for outcome in decision.outcomes)
    parts = context.parts_of(decision) or {}
    values = "\n".join(f"- `{part}`: {type_in_words(kind)}" for part, (kind, _) in parts.items() if part != "outcome")
    return Described("decision", (decision.question, f"Outcomes: {outcomes}" if outcomes else "", values))


def of_function(name: str) -> Described | None:
    """A function or an aggregate of the language, None where there is none of that name."""
    if name == VALUE_ON:
        return Described(SIGNATURE, (VALUE_ON_MEANING,))
    found = FUNCTIONS.get(name) or AGGREGATES.get(name)
    if found is None:
        return None
    signature = found.signature if isinstance(found, Function) else f"{name}(e for x in list if condition)"
    facts = ", ".join(f"`{fact}` is `{json.dumps(value)}`" for fact, value in found.example.facts.items())
    where = f", where {facts}" if facts else ""
    example = f"For example, `{found.example.expression}` is `{json.dumps(found.example.gives)}`{where}."
    return Described(signature, (found.meaning, example))


def of_key(key: Key) -> Described:
    """A key of the file format."""
    needed = "required" if key.required else "a key"
    beside = f"Goes with {', '.join(f'`{name}`' for name in key.needs)}." if key.needs else ""
    return Described(needed, (key.meaning, beside))
