"""The names that a test file may use: facts, readings, decisions and their parts, as any version of its ruleset has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.frontend.fields import Fields
from policy_engine.language.mentions import fact_paths
from policy_engine.language.rulesets import Ruleset, conclusions_of
from policy_engine.language.types import Record, Type, innermost
from policy_engine.source import Authored, Span


@dataclass(slots=True)
class DecisionNames:
    """What an expectation may name of a decision."""

    values: dict[str, list[Type]] = field(default_factory=dict)
    outcomes: dict[str, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseNames:
    """The names of all versions of one ruleset; what a name is not goes to `faults`."""

    facts: tuple[Record, ...]
    readings: dict[str, dict[str, None]]
    decisions: dict[str, DecisionNames]
    faults: list[Diagnostic]
    fixed: frozenset[str] = frozenset()
    """Readings that no version lets anybody switch."""

    def fact_names(self) -> list[str]:
        """The names of the facts."""
        return list(dict.fromkeys(member.name for record in self.facts for member in record.members))

    def check_facts(self, node: MappingNode) -> None:
        """Facts, and the members of facts, that no version's schema has."""
        self._check_members(node, list(self.facts), "the schema")

    def _check_members(self, node: MappingNode, records: list[Record], what: str) -> None:
        kinds: dict[str, list[Type]] = {}
        for record in records:
            for member in record.members:
                kinds.setdefault(member.name, []).append(member.type)
        for name, value in node.entries:
            if name.value not in kinds:
                hint = did_you_mean(name.value, kinds)
                self.faults.append(say("unknown-member", name.span, hint=hint, record=what, name=name.value))
                continue
            for below in _mappings(value):
                self._check_members(below, list(_records(kinds[name.value])), f"`{name.value}`")

    def check_reading(self, name: Authored) -> bool:
        """Whether there is a reading of that name."""
        return self._known("unknown-reading", name, self.readings)

    def check_switch(self, name: str, span: Span) -> None:
        """Whether a reading can be switched."""
        if name in self.fixed:
            self.faults.append(say("test-fixed", span, name=name))

    def check_choice(self, reading: str, choice: YamlNode) -> None:
        """Whether the reading has a choice."""
        choices = self.readings.get(reading, {})
        if isinstance(choice, ScalarNode):
            hint = f"it has {', '.join(choices)}"
            self._known("unknown-choice", choice.text, choices, hint)

    def check_readings(self, fields: Fields) -> dict[str, str]:
        """The readings under a key `readings`, each with its choice."""
        switched = {}
        for name, choice in fields.named("readings"):
            if not isinstance(choice, ScalarNode):
                fields.wrong(f"`{name.value}`", "a text", choice)
            elif self.check_reading(name):
                self.check_choice(name.value, choice)
                switched[name.value] = choice.text.value
        return switched

    def check_switched(self, fields: Fields) -> dict[str, str]:
        """The same of a case that switches them: none is fixed."""
        node = fields.node.get("readings")
        for name, _ in node.entries if isinstance(node, MappingNode) else ():
            self.check_switch(name.value, name.span)
        return self.check_readings(fields)

    def check_outcome(self, decision: str, outcome: YamlNode) -> None:
        """Whether the decision can have an outcome, or each of several."""
        names = self.decisions[decision]
        hint = f"it has {', '.join(names.outcomes)}" if names.outcomes else "it is a calculation and has only values"
        for text in _texts(outcome):
            self._known("unknown-outcome", text, names.outcomes, hint)

    def check_rule(self, decision: str, rule: YamlNode) -> None:
        """Whether the decision has a rule, or each of several."""
        for text in _texts(rule):
            self._check_part(decision, text, self.decisions[decision].rules)

    def check_value(self, decision: str, name: Authored) -> None:
        """Whether the decision has a value."""
        self._check_part(decision, name, self.decisions[decision].values)

    def check_source(self, decision: str, source: YamlNode) -> None:
        """Whether the decision cites a source, or each of several."""
        for text in _texts(source):
            self._known("unknown-source", text, self.decisions[decision].sources)

    def check_missing(self, paths: YamlNode) -> None:
        """Whether the schema has the facts that should be missing."""
        known = dict.fromkeys(path for record in self.facts for path in fact_paths(record))
        for text in _texts(paths):
            if text.value not in known:
                hint = did_you_mean(text.value, known)
                self.faults.append(say("unknown-member", text.span, hint=hint, record="the schema", name=text.value))

    def _check_part(self, decision: str, name: Authored, known: Collection[str]) -> None:
        if name.value not in known:
            hint = did_you_mean(name.value, known) or (f"it has {', '.join(known)}" if known else None)
            words = {"decision": decision, "name": name.value}
            self.faults.append(say("unknown-decision-part", name.span, hint=hint, words=words))

    def _known(self, code: str, name: Authored, known: Collection[str], hint: str | None = None) -> bool:
        if name.value not in known:
            self.faults.append(say(code, name.span, hint=did_you_mean(name.value, known) or hint, name=name.value))
        return name.value in known


def case_names(versions: tuple[Ruleset, ...], faults: list[Diagnostic]) -> CaseNames:
    """The names of a ruleset's versions."""
    readings: dict[str, dict[str, None]] = {}
    decisions: dict[str, DecisionNames] = {}
    for version in versions:
        for reading in version.readings:
            readings.setdefault(reading.name, {}).update(dict.fromkeys(choice.name for choice in reading.choices))
        for decision in version.decisions:
            names = decisions.setdefault(decision.name, DecisionNames())
            for name, kind in decision.value_types:
                names.values.setdefault(name, []).append(kind)
            names.outcomes.update(dict.fromkeys(decision.outcomes))
            names.rules.update(dict.fromkeys(name for name, _ in conclusions_of(decision.body)))
            names.sources.update(dict.fromkeys(decision.sources))
    switched = {reading.name for version in versions for reading in version.readings if not reading.fixed}
    facts = tuple(version.facts.type for version in versions)
    return CaseNames(facts, readings, decisions, faults, frozenset(readings.keys() - switched))


def _mappings(node: YamlNode) -> Iterator[MappingNode]:
    """A mapping, or those of a list."""
    if isinstance(node, MappingNode):
        yield node
    elif isinstance(node, SequenceNode):
        yield from (item for item in node.items if isinstance(item, MappingNode))


def _records(kinds: list[Type]) -> Iterator[Record]:
    for kind in kinds:
        inner = innermost(kind)
        if isinstance(inner, Record):
            yield inner


def _texts(node: YamlNode) -> Iterator[Authored]:
    """A text, or those of a list; what stands for nothing is none."""
    if isinstance(node, ScalarNode) and not (node.text.plain and node.text.value in ("", "~", "null")):
        yield node.text
    elif isinstance(node, SequenceNode):
        yield from (item.text for item in node.items if isinstance(item, ScalarNode))
