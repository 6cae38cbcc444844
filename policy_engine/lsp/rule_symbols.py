"""Every place of a rule file where a name stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_engine.documents.nodes import MappingNode, SequenceNode
from policy_engine.frontend.context import PLACEHOLDER, Context, values_written
from policy_engine.frontend.memory import CheckedFile
from policy_engine.frontend.syntax import (
    ConclusionSyntax,
    ConditionSyntax,
    DecisionSyntax,
    GroupSyntax,
    MatrixSyntax,
    Named,
    RulesetSyntax,
    conclusions_written,
)
from policy_engine.language.rulesets import OTHERWISE
from policy_engine.lsp.expression_uses import Names, uses_in
from policy_engine.lsp.symbols import Occurrence, Symbol, span_of
from policy_engine.source import Authored

Found = Iterator[Occurrence]


def names_of(checked: CheckedFile, context: Context) -> Names:
    """Whose the names are that the text of a rule file uses."""
    syntax = checked.syntax
    taken = ((name, syntax.taken_from(name.span)) for name, _ in syntax.named_parts())
    libraries = {name.value: found.library for name, found in taken if found is not None}
    return Names(syntax.id.value, syntax.facts.value, context.scope, libraries)


def rule_occurrences(checked: CheckedFile, context: Context) -> Found:
    """Every name in the text of a rule file; what it takes from libraries has its places in theirs."""
    own = checked.file.syntax
    if own is None:
        return
    names = names_of(checked, context)
    ruleset = own.id.value
    yield Occurrence(Symbol("ruleset", "", ruleset), span_of(own.id), defines=True)
    if own.facts.value:
        yield Occurrence(Symbol("schema", "", own.facts.value), span_of(own.facts))
    for name, kind in own.named_parts():
        yield Occurrence(Symbol(kind, ruleset, name.value), span_of(name), defines=True)
    yield from _sources(own, checked)
    yield from _readings(own, checked)
    for _, body in own.definitions:
        yield from _condition(body, names)
    for check in own.checks:
        yield from _condition(check.expect, names)
    for decision in own.decisions:
        yield from _Decision(decision, names, checked).occurrences()
    yield from _parts_used(own, checked)
    yield from _silenced(checked, names)


def _sources(own: RulesetSyntax, checked: CheckedFile) -> Found:
    """The sources, and where parameters, tables, readings and checks cite them."""
    for source in own.sources:
        place = Authored(source.id, source.span, source.id)
        yield Occurrence(Symbol("source", own.id.value, source.id), span_of(place), defines=True)
    for parts in (own.parameters, own.tables, own.readings, own.checks):
        yield from _cited((part.source for part in parts if part.source is not None), checked)


def _cited(sources: Iterable[Authored], checked: CheckedFile) -> Found:
    libraries = {source.id: source.library for source in checked.syntax.sources if source.library is not None}
    for source in sources:
        owner = libraries.get(source.value, checked.syntax.id.value)
        yield Occurrence(Symbol("source", owner, source.value), span_of(source))


def _readings(own: RulesetSyntax, checked: CheckedFile) -> Found:
    """The choices of readings, and the one that is taken."""
    document = checked.file.node
    readings = document.get("readings") if isinstance(document, MappingNode) else None
    for reading in own.readings:
        owner = f"{own.id.value}/{reading.name.value}"
        node = readings.get(reading.name.value) if isinstance(readings, MappingNode) else None
        choices = node.get("choices") if isinstance(node, MappingNode) else None
        for choice, _ in choices.entries if isinstance(choices, MappingNode) else ():
            yield Occurrence(Symbol("choice", owner, choice.value), span_of(choice), defines=True)
        if not reading.choice.unread:
            yield Occurrence(Symbol("choice", owner, reading.choice.value), span_of(reading.choice))


def _condition(written: ConditionSyntax | None, names: Names) -> Found:
    if isinstance(written, GroupSyntax):
        for part in written.conditions:
            yield from _condition(part, names)
    elif written is not None:
        yield from uses_in(written, names)


class _Decision:
    """The names in one decision."""

    def __init__(self, decision: DecisionSyntax, names: Names, checked: CheckedFile) -> None:
        self.decision, self.names, self.checked = decision, names, checked
        self.owner = f"{names.ruleset}/{decision.name.value}"

    def occurrences(self) -> Found:
        """Every name in the decision, its own first."""
        decision = self.decision
        yield Occurrence(
            Symbol("decision", self.names.ruleset, decision.name.value), span_of(decision.name), defines=True
        )
        yield from (self._outcome(outcome, defines=True) for outcome in decision.outcomes)
        yield from (self._outcome(outcome) for outcome, _ in decision.meanings)
        yield from (Occurrence(self._value(name), span_of(name)) for name, _ in decision.combine)
        yield from self._values(decision.values)
        yield from self._cited(decision.sources, decision.readings)
        yield from self._sentence(decision.because)
        for rule in decision.rules:
            if rule.id.value != OTHERWISE and not rule.id.unread:
                yield Occurrence(Symbol("rule", self.owner, rule.id.value), span_of(rule.id), defines=True)
            yield from _condition(rule.when, self.names)
        for conclusion in conclusions_written(decision):
            yield from self._conclusion(conclusion)
        if decision.matrix is not None:
            yield from self._matrix(decision.matrix)

    def _outcome(self, text: Authored, *, defines: bool = False) -> Occurrence:
        return Occurrence(Symbol("outcome", self.owner, text.value), span_of(text), defines)

    def _value(self, name: Authored) -> Symbol:
        return Symbol("value", self.owner, name.value)

    def _values(self, values: Named) -> Found:
        for name, text in values:
            yield Occurrence(self._value(name), span_of(name), defines=True)
            yield from uses_in(text, self.names)

    def _cited(self, sources: Iterable[Authored], readings: Iterable[Authored]) -> Found:
        yield from _cited(sources, self.checked)
        for reading in readings:
            owner = self.names.libraries.get(reading.value, self.names.ruleset)
            yield Occurrence(Symbol("reading", owner, reading.value), span_of(reading))

    def _conclusion(self, conclusion: ConclusionSyntax) -> Found:
        if conclusion.then is not None:
            yield self._outcome(conclusion.then)
        yield from self._values(conclusion.values)
        yield from self._cited(conclusion.sources, conclusion.readings)
        yield from self._sentence(conclusion.because)

    def _sentence(self, text: Authored | None) -> Found:
        """The names between the braces of a sentence."""
        values = {name.value for name, _ in values_written(self.decision)}
        for found in PLACEHOLDER.finditer(text.value) if text is not None else ():
            name = (found.group(1) or "").partition(":")[0]
            if text is None or not name:
                continue
            start = found.start(1)
            place = text.part(start, start + len(name))
            if name in values:
                yield Occurrence(Symbol("value", self.owner, name), place)
            else:
                yield from uses_in(Authored(name, place, name), self.names)

    def _matrix(self, matrix: MatrixSyntax) -> Found:
        for name in (matrix.rows, matrix.columns):
            yield from uses_in(name, self.names)
        if matrix.value is not None:
            yield Occurrence(self._value(matrix.value), span_of(matrix.value), defines=True)
        legend = {entry.key.value for entry in matrix.legend}
        for entry in matrix.legend:
            yield from _condition(entry.when, self.names)
        for row in matrix.cells:
            yield from self._cited(row.sources, ())
            plain = (cell for cell in row.cells if cell.value not in legend and matrix.value is None)
            yield from map(self._outcome, plain)


def _parts_used(own: RulesetSyntax, checked: CheckedFile) -> Found:
    """The libraries, and the parts that are taken from them."""
    kinds: dict[str, list[str]] = {}
    for name, kind in checked.syntax.named_parts():
        kinds.setdefault(name.value, []).append(kind)
    sources = {source.id for source in checked.syntax.sources if source.library is not None}
    for use in own.uses:
        yield Occurrence(Symbol("ruleset", "", use.library.value), span_of(use.library))
        for part in use.parts:
            found = [*kinds.get(part.value, ()), *(["source"] if part.value in sources else [])]
            yield from (Occurrence(Symbol(kind, use.library.value, part.value), span_of(part)) for kind in found)


def _silenced(checked: CheckedFile, names: Names) -> Found:
    """The names that silences are about, as far as the one namespace has them."""
    document = checked.file.node
    silences = document.get("silence") if isinstance(document, MappingNode) else None
    for item in silences.items if isinstance(silences, SequenceNode) else ():
        name = item.get("name") if isinstance(item, MappingNode) else None
        text = getattr(name, "text", None)
        if isinstance(text, Authored):
            symbol = names.symbol(text.value)
            yield from [Occurrence(symbol, span_of(text))] if symbol is not None else []
