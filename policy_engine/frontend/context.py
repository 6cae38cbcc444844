"""The state of one rule file under check: its scope, its faults, and the checking of its expressions and sentences.

Definitions and values of decisions are type-checked when they are first referred to, so they may be written in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from functools import cache, partial, reduce
from typing import Any

from policy_engine.diagnostics import Diagnostic, nearest, say, say_unknown
from policy_engine.frontend.expressions import parse_expression
from policy_engine.frontend.fields import KEBAB
from policy_engine.frontend.formats import FormatSyntax, checked_language, format_of, is_form
from policy_engine.frontend.hints import of_placeholder
from policy_engine.frontend.parameters import misread_parameters
from policy_engine.frontend.scope import Known, Scope
from policy_engine.frontend.syntax import (
    ConditionSyntax,
    ConstantValue,
    DecisionSyntax,
    GroupSyntax,
    Named,
    ParameterSyntax,
    RulesetSyntax,
    TakenSyntax,
)
from policy_engine.frontend.typing import Typer
from policy_engine.language import expressions as tree
from policy_engine.language.combining import Combination
from policy_engine.language.formats import ENGLISH, WORDS, Format, words_in
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.rulesets import FactsSchema, Formatted, Parameter, ParameterValue, Period, Template, by_day
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    CALENDAR,
    DATE,
    TIME,
    Anything,
    Boolean,
    ListOf,
    Number,
    Text,
    Type,
    fits,
    innermost,
    join,
    number_of,
    with_article,
)
from policy_engine.language.units import Units, units_by
from policy_engine.language.values import Holidays, normalized
from policy_engine.source import Authored, Span

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
DOUBLED = re.compile(r"\{\{ *([a-z][a-z0-9_.]*) *\}\}")
LONGEST_SENTENCE = 4_000
PLACEHOLDER_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
PENDING: Known = (ANYTHING, True)
"""The type of what is being typed already, or is too deep in a chain of definitions: both are reported by the checker."""

LONGEST_CHAIN = 100
"""The longest chain of definitions and decisions that refer to one another."""


@dataclass(slots=True)
class Context:
    """One rule file under check; what is wrong goes to `faults`.

    `scope` is what the file's own text can name, `scopes` what the text of each library's file can, by its path. `tables` are
    those that either can.
    """

    syntax: RulesetSyntax
    faults: list[Diagnostic]
    scope: Scope
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    tables: Mapping[str, LookupTable | None] = field(default_factory=dict)
    bodies: dict[str, tuple[tree.Condition, Known]] = field(default_factory=dict)
    values: dict[str, Mapping[str, Known]] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    ids: dict[str, list[str]] = field(default_factory=dict)
    """The sources that each file can cite."""
    language: str = ENGLISH
    units: Units = field(init=False)

    def __post_init__(self) -> None:
        parameters = {parameter.name.value: parameter.unit for parameter in self.syntax.parameters}
        self.units = units_by(parameters, lambda name: self.definition(name)[0], self.scope.facts)

    def say(self, code: str, span: Span, **words: Any) -> None:
        """Report a fault."""
        self.faults.append(say(code, span, **words))

    def expression(self, text: Authored) -> tree.Expression:
        """One checked expression of any type."""
        if text.unread:
            return nothing(text.span)
        parsed = parse_expression(text, self.faults)
        if parsed is None:
            return nothing(text.span)
        typer = Typer(parsed, self.scopes.get(text.span.path, self.scope), self.faults)
        return tree.Expression(parsed.text, typer.plain_value(typer.infer(parsed.tree), parsed.tree))

    def condition(self, syntax: ConditionSyntax) -> tree.Condition:
        """A checked condition."""
        if isinstance(syntax, GroupSyntax):
            return tree.Group(syntax.kind, tuple(map(self.condition, syntax.conditions)), syntax.span)
        checked = self.expression(syntax)
        if not isinstance(checked.tree.type, Boolean | Anything):
            words = {"expected": "true or false", "found": with_article(checked.tree.type)}
            self.say("wrong-type", syntax.span, words=words, what="a condition")
        return checked

    def definition(self, name: str) -> tuple[tree.Condition, Known]:
        """A definition's body, its type, and whether it may be unknown."""
        if name in self.bodies:
            return self.bodies[name]
        if name in self.pending or len(self.pending) > LONGEST_CHAIN:
            return nothing(self.syntax.span), PENDING
        self.pending.add(name)
        syntax = next(body for definition, body in self.syntax.definitions if definition.value == name)
        body = self.condition(syntax) if isinstance(syntax, GroupSyntax) else self.expression(syntax)
        self.pending.discard(name)
        self.bodies[name] = body, known(body)
        return self.bodies[name]

    def definition_type(self, name: str) -> Known:
        """A definition's type, and whether it may be unknown."""
        return self.definition(name)[1]

    def parts_of(self, decision: DecisionSyntax) -> Mapping[str, Known] | None:
        """What other decisions can ask of a decision: its outcome, and its values; each may be unknown.

        None where a part of the decision could not be read.
        """
        name = decision.name.value
        if decision.broken or name in self.values:
            return None if decision.broken else self.values[name]
        outcomes = Text(tuple(outcome.value for outcome in decision.outcomes))
        parts: dict[str, Known] = {}
        if decision.outcomes:
            parts["outcome"] = ListOf(outcomes, len(decision.outcomes)) if decision.collects else outcomes, True
        written = values_written(decision)
        if f"decisions.{name}" in self.pending or len(self.pending) > LONGEST_CHAIN:
            return parts | {value.value: PENDING for value, _ in written}
        self.pending.add(f"decisions.{name}")
        for value, text in written:
            kind = self.expression(text).tree.type
            before = parts.get(value.value, PENDING)[0]
            parts[value.value] = join(before, kind) or ANYTHING, True
        parts |= self._matrix_value(decision)
        parts |= {name: (combined_type(decision, name, kind), True) for name, (kind, _) in parts.items()}
        self.pending.discard(f"decisions.{name}")
        self.values[name] = parts
        return parts

    def _matrix_value(self, decision: DecisionSyntax) -> Mapping[str, Known]:
        if decision.matrix is None or decision.matrix.value is None:
            return {}
        written = (cell for row in decision.matrix.cells for cell in row.cells)
        cells = (literal_cell(cell) for cell in written if not cell.plain or self.scope.kind_of(cell.value) is None)
        return {decision.matrix.value.value: (_common_type(self.expression(cell).tree.type for cell in cells), True)}

    def template(self, text: Authored, values: Mapping[str, Authored]) -> Template:
        """A sentence whose placeholders name values of the decision, or anything that an expression could name."""
        if len(text.value) > LONGEST_SENTENCE:
            expected = f"of at most {LONGEST_SENTENCE} characters"
            self.say("wrong-kind", text.span, what="a sentence", expected=expected)
            return Template(())
        parts: list[str | tree.Expression | Formatted] = []
        end = 0
        sentence = " ".join(text.value.split())
        for found, written in zip(PLACEHOLDER.finditer(sentence), PLACEHOLDER.finditer(text.value), strict=True):
            parts.append(sentence[end : found.start()])
            end = found.end()
            if found.group() in ("{{", "}}"):
                parts.append(found.group()[0])
            elif found.group(1) is None:
                self.say("template-brace", text.part(*written.span()))
            else:
                parts.append(self._placeholder(text, written, found.group(1), values))
        parts.append(sentence[end:])
        self._doubled_braces(text, values)
        return Template(tuple(part for part in parts if part != ""))

    def _doubled_braces(self, text: Authored, values: Mapping[str, Authored]) -> None:
        """Report names between two braces, as other languages have them."""
        for found in DOUBLED.finditer(text.value):
            name = found[1]
            if name in values or self.scope.kind_of(name.split(".")[0]) is not None:
                self.say("template-doubled", text.part(*found.span()), name=name)

    def _placeholder(
        self, text: Authored, written: re.Match[str], words: str, values: Mapping[str, Authored]
    ) -> tree.Expression | Formatted:
        """What stands between two braces: a name, and after a colon the format of its value."""
        name, colon, form = words.partition(":")
        if not PLACEHOLDER_NAME.fullmatch(name) or (colon and not is_form(form)):
            place = text.part(*written.span(1))
            self.say("template-hole", place, hint=of_placeholder(words, self.scope), text=words)
            return nothing(place)
        start, end = written.span(1)
        place = text.part(start, start + len(name))
        found = self.expression(values[name] if name in values else Authored(name, place, name))
        if not colon:
            return found if words_in(self.language) == WORDS[ENGLISH] else Formatted(found, Format("", self.language))
        written_form = FormatSyntax(name, form, text.part(start + len(name) + 1, end))
        format_, fault = format_of(written_form, found.tree, self.language, self.units)
        self.faults.extend([fault] if fault else [])
        return Formatted(found, format_)

    def cite(self, found: Authored | None) -> str | None:
        """The id of a source, reported where there is no such source."""
        if found is None:
            return None
        known_ids = self.source_ids(found.span)
        near = nearest(found.value, known_ids)
        reported = "sources" in self.syntax.lost or (near is not None and not KEBAB.fullmatch(near))
        if found.value not in known_ids and not reported:
            self.faults.append(say_unknown("unknown-source", found, known_ids, self.scope.elsewhere(found.value)))
        return found.value

    def library(self, place: Span) -> str | None:
        """The name of the library in whose file a place lies."""
        taken = self.syntax.taken_from(place)
        return None if taken is None else taken.library

    def source_ids(self, at: Span) -> list[str]:
        """The ids of the sources that can be cited at a place."""
        if at.path not in self.ids:
            sources = self.syntax.sources
            self.ids[at.path] = [source.id for source in sources if self.syntax.may_name(source.id, source.span, at)]
        return self.ids[at.path]

    def sources(self, cited: Iterable[Authored]) -> tuple[str, ...]:
        """The ids of some sources."""
        return tuple(source for found in cited if (source := self.cite(found)) is not None)


def literal_cell(label: Authored) -> Authored:
    """The cell of a table of amounts as an expression: a number stays one, all else is text."""
    if label.unread:
        return label
    number = label.plain and label.value.replace(".", "", 1).replace("-", "", 1).isdigit()
    return label if number else Authored(f'"{label.value}"', label.span)


def combined_type(decision: DecisionSyntax, name: str, element: Type) -> Type:
    """The type that a value of a decision has once its rules combine it; `ANYTHING` where its type does not go with that."""
    word = next((word.value for given, word in decision.combine if given.value == name), None)
    if not decision.collects or word not in tuple(Combination):
        return element
    givers = sum(given.value == name for rule in decision.rules for given, _ in rule.conclusion.values)
    return Combination(word).type_of(element, givers) or ANYTHING


def values_written(decision: DecisionSyntax) -> Named:
    """Every value that a decision, its rules or the entries of its legend that some cell uses write, in file order."""
    written = list(decision.values)
    for rule in decision.rules:
        written += rule.conclusion.values
    if decision.otherwise is not None:
        written += decision.otherwise.values
    if decision.matrix is not None:
        used = {cell.value for row in decision.matrix.cells for cell in row.cells}
        for entry in decision.matrix.legend:
            written += entry.then.values if entry.key.value in used else ()
    return tuple(written)


def context_of(
    syntax: RulesetSyntax, facts: FactsSchema, faults: list[Diagnostic], elsewhere: Callable[[str], str | None]
) -> Context:
    """The context of a rule file: every name, before anything is typed."""
    definitions: dict[str, Callable[[], Known]] = {}
    decisions: dict[str, Callable[[], Mapping[str, Known] | None]] = {}
    parameters = {parameter.name.value: parameter_type(parameter) for parameter in syntax.parameters}
    readings = {reading.name.value: tuple(choice.name for choice in reading.choices) for reading in syntax.readings}
    lost = not syntax.lost.isdisjoint(("parameters", "tables", "definitions", "readings"))
    misread = misread_parameters(syntax.parameters)
    tables: dict[str, LookupTable | None] = {}
    scope = Scope(
        facts.type,
        parameters,
        readings,
        definitions,
        decisions,
        tables,
        _tables_by_day(syntax),
        lost,
        misread,
        elsewhere,
    )
    language, fault = checked_language(syntax.language)
    faults.extend([fault] if fault else [])
    context = Context(syntax, faults, scope, tables=tables, language=language)
    for written in syntax.tables:
        context.cite(written.source)
        tables[written.name.value] = written.table
    for name, _ in syntax.definitions:
        definitions[name.value] = partial(context.definition_type, name.value)
    for decision in syntax.decisions:
        decisions[decision.name.value] = partial(context.parts_of, decision)
    named = {name.value for name, _ in syntax.named_parts() if syntax.may_name(name.value, name.span, syntax.span)}
    context.scope = scope.only(named.__contains__) if syntax.taken else scope
    context.scopes = {taken.path: _within_library(scope, taken) for taken in syntax.taken}
    return context


def _tables_by_day(syntax: RulesetSyntax) -> Callable[[str], LookupTable]:
    """What gives the values of a parameter by the day, as one and the same table each time."""
    written = {parameter.name.value: parameter for parameter in syntax.parameters}

    @cache
    def table(name: str) -> LookupTable:
        parameter = written[name]
        kind = parameter_type(parameter)
        source = parameter.source.value if parameter.source is not None else None
        values, span, taken = dated_values(parameter, kind), parameter.name.span, syntax.taken_from(parameter.name.span)
        library = None if taken is None else taken.library
        return by_day(Parameter(name, kind, values, parameter.unit, source, None, span, library))

    return table


def dated_values(parameter: ParameterSyntax, kind: Type) -> tuple[ParameterValue, ...]:
    """A parameter's values, each with the period from its day up to that of the next."""
    dated = sorted(parameter.values, key=lambda entry: entry[0] or date.min)
    ends = [*(day for day, _ in dated[1:]), None][: len(dated)]
    return tuple(
        ParameterValue(Period(day or date.min, end), normalized(value, kind))
        for (day, value), end in zip(dated, ends, strict=True)
    )


def _within_library(scope: Scope, taken: TakenSyntax) -> Scope:
    """What the text of a library can name: the facts of its schema, and its own parts."""
    members = tuple(member for member in scope.facts.members if member.name in taken.facts)
    own = scope.only(taken.places.__contains__)
    return replace(own, facts=replace(scope.facts, members=members), decisions={}, open=False)


def known(body: tree.Condition) -> Known:
    """The type of a body, and whether it may be unknown."""
    if isinstance(body, tree.Expression):
        return body.tree.type, body.tree.optional
    return BOOLEAN, any(expression.tree.optional for expression in tree.expressions_of(body))


def nothing(span: Span) -> tree.Expression:
    """The stand-in for an expression that could not be read."""
    return tree.Expression("", tree.Literal(type=ANYTHING, optional=True, place=tree.Place(span, "", -1), value=False))


def parameter_type(parameter: ParameterSyntax) -> Type:
    """The narrowest type of all of a parameter's values; `ANYTHING` where they have none in common, or it is too long."""
    kind = joined_type(parameter)
    return kind if fits_all(kind) else ANYTHING


def joined_type(parameter: ParameterSyntax) -> Type:
    """The narrowest type of all of a parameter's values, however long; `ANYTHING` where they have none in common."""
    return _common_type(constant_type(value) for _, value in parameter.values)


def _common_type(kinds: Iterable[Type]) -> Type:
    """The narrowest type that holds all; a clash is reported elsewhere, and here forgets what came before it."""
    start: Type = ANYTHING
    return reduce(lambda left, right: join(left, right) or ANYTHING, kinds, start)


def fits_all(kind: Type) -> bool:
    """Whether the numbers of a type, or of its elements, have few enough digits."""
    inner = innermost(kind)
    return not isinstance(inner, Number) or fits(inner)


def constant_type(value: ConstantValue) -> Type:
    match value:
        case bool():
            return BOOLEAN
        case int() | Decimal():
            return number_of(value)
        case str():
            return Text((value,))
        case date():
            return DATE
        case time():
            return TIME
        case Holidays():
            return CALENDAR
        case _:
            return ListOf(_common_type(map(constant_type, value)), len(value))
