"""What names, functions and keys mean, in Markdown for an editor: type and unit, meaning, where a name comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from policy_engine.frontend.context import Context, dated_values, parameter_type
from policy_engine.frontend.lookups import SIGNATURE, VALUE_ON
from policy_engine.frontend.shapes import Key
from policy_engine.frontend.syntax import ConditionSyntax, GroupSyntax, ParameterSyntax
from policy_engine.language.expressions import Expression
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, Function
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.rulesets import ParameterValue, Period
from policy_engine.language.types import ListOf, Member, Number, Text, Type, name_of
from policy_engine.language.values import in_words

MOST_VALUES = 12
"""So many values of a closed set, a parameter or a list are written out."""
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


def of_fact(member: Member, where: str) -> Described:
    """A fact, or a member of one; `where` says of what."""
    absent = "" if member.required else ", may be absent"
    summary = f"{type_in_words(member.type, member.unit)}{absent}"
    ordered = f"In the order of `{member.ordered_by}`." if member.ordered_by else ""
    sensitive = "Sensitive: reports and explanations for customers withhold it." if member.sensitive else ""
    return Described(summary, (member.description, closed_set(member.type), ordered, sensitive, f"A fact of {where}."))


def of_name(context: Context, name: str) -> Described | None:
    """What a name of the one namespace is; None where there is no such name."""
    member = next((member for member in context.scope.facts.members if member.name == name), None)
    if member is not None:
        return of_fact(member, f"the schema `{context.syntax.facts.value}`")
    kind = context.scope.kind_of(name)
    return None if kind is None else NAMED[kind](context, name)


def _of_parameter(context: Context, name: str) -> Described:
    parameter = next(each for each in context.syntax.parameters if each.name.value == name)
    kind = parameter_type(parameter)
    source = f"By the source `{parameter.source.value}`." if parameter.source is not None else ""
    about = (parameter.meaning or "", source, _parameter_from(context, parameter))
    return Described(type_in_words(kind, parameter.unit), (_values(dated_values(parameter, kind)), *about))


def _values(values: tuple[ParameterValue, ...]) -> str:
    """The value of a parameter, or the latest ones with their periods."""
    if len(values) == 1 and values[0].period == Period():
        return f"Value: `{_shown(values[0])}`"
    told = [f"- `{_shown(each)}` {each.period}" for each in values[-MOST_VALUES:]]
    return "\n".join(told)


def _shown(value: ParameterValue) -> str:
    text = in_words(value.value)
    return text if len(text) < 200 else f"{text[:200]}..."


def _parameter_from(context: Context, parameter: ParameterSyntax) -> str:
    return f"A parameter{_library(context, parameter.name.value)}."


def _library(context: Context, name: str) -> str:
    """From which library a part comes; empty where it is the file's own."""
    place = next(part.span for part, _ in context.syntax.named_parts() if part.value == name)
    library = context.library(place)
    return f" of the library `{library}`" if library is not None else ""


def _of_definition(context: Context, name: str) -> Described:
    body, (kind, optional) = context.definition(name)
    written = next(written for part, written in context.syntax.definitions if part.value == name)
    unit = context.units.of(body.tree) if isinstance(body, Expression) and isinstance(kind, Number) else None
    unknown = ", may be unknown" if optional else ""
    summary = f"{type_in_words(kind, unit.words if unit is not None else None)}{unknown}"
    text = f"```yaml\n{_condition(written)}\n```"
    return Described(summary, (text, closed_set(kind), f"A definition{_library(context, name)}."))


def _condition(written: ConditionSyntax, indent: str = "") -> str:
    """A condition as its author wrote it."""
    if not isinstance(written, GroupSyntax):
        return f"{indent}{' '.join(written.value.split())}"
    parts = [_condition(part, f"{indent}  - ").replace("-   - ", "-   ") for part in written.conditions]
    return "\n".join([f"{indent}{written.kind}:", *parts])


def _of_reading(context: Context, name: str) -> Described:
    reading = next(each for each in context.syntax.readings if each.name.value == name)
    choices = [f"- `{each.name}`: {each.argument}" for each in reading.choices]
    fixed = ", fixed" if reading.fixed else ""
    about = (reading.question, "\n".join(choices), f"A reading{_library(context, name)}.")
    return Described(f"reading, `{reading.choice.value}` is taken{fixed}", about)


def _of_table(context: Context, name: str) -> Described:
    table = context.scope.tables[name]
    if table is None:
        return Described("look-up table")
    return Described(f"look-up table: {table.asked}", (table.meaning or "", _columns(table), "A look-up table."))


def _columns(table: LookupTable) -> str:
    columns = "\n".join(f"- `{column.name}`: {type_in_words(column.type, column.unit)}" for column in table.columns)
    return f"{len(table.rows)} rows. Columns:\n\n{columns}"


NAMED: Mapping[str, Callable[[Context, str], Described]] = MappingProxyType(
    {"parameter": _of_parameter, "definition": _of_definition, "reading": _of_reading, "table": _of_table}
)


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
