"""The names that a test file may use: facts, readings, decisions and their parts, as any version of its ruleset has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from policy_engine.diagnostics import Diagnostic, say, say_unknown
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

    def is_value(self, decision: str) -> bool:
        """Whether an answer is one value, under the decision's own name: that of a definition of a library, or a calculation."""
        return not self.outcomes and list(self.values) == [decision]


@dataclass(frozen=True, slots=True)
class CaseNames:
    """The names of all versions of one ruleset; what a name is not goes to `faults`."""

    facts: tuple[Record, ...]
    readings: dict[str, dict[str, None]]
    decisions: dict[str, DecisionNames]
    faults: list[Diagnostic]
    fixed: frozenset[str] = frozenset()
    """Readings that no version lets anybody switch."""

    def is_value(self, decision: str) -> bool:
        """Whether the answer of a decision is one value, under the decision's own name."""
        return decision in self.decisions and self.decisions[decision].is_value(decision)

    def fact_names(self) -> list[str]:
        """The names of the facts."""
        return list(dict.fromkeys(member.name for record in self.facts for member in record.members))

    def check_facts(self, node: MappingNode) -> None:
        """Facts, and the members of facts, that no version's schema has."""
        self._check_members(node, self.facts, "the schema")

    def check(
        self, code: str, name: Authored, known: Collection[str], hint: str | None = None, **words: object
    ) -> bool:
        """Whether a name is among those known, which is reported where it is not."""
        if name.value not in known:
            self.faults.append(say_unknown(code, name, known, hint, **words))
        return name.value in known

    def _check_members(self, node: MappingNode, records: Iterable[Record], what: str) -> None:
        kinds: dict[str, list[Type]] = {}
        for record in records:
            for member in record.members:
                kinds.setdefault(member.name, []).append(innermost(member.type))
        for name, value in node.entries:
            if self.check("unknown-member", name, kinds, record=what):
                inner = [kind for kind in kinds[name.value] if isinstance(kind, Record)]
                for below in _mappings(value):
                    self._check_members(below, inner, f"`{name.value}`")

    def check_switch(self, name: str, span: Span) -> None:
        """Whether a reading can be switched."""
        if name in self.fixed:
            self.faults.append(say("test-fixed", span, name=name))

    def check_choice(self, reading: str, choice: YamlNode) -> None:
        """Whether the reading has a choice."""
        choices = self.readings.get(reading, {})
        if isinstance(choice, ScalarNode):
            self.check("unknown-choice", choice.text, choices, f"it has {', '.join(choices)}")

    def check_readings(self, fields: Fields) -> dict[str, str]:
        """The readings under a key `readings`, each with its choice."""
        switched = {}
        for name, choice in fields.named("readings"):
            if not isinstance(choice, ScalarNode):
                fields.wrong(f"`{name.value}`", "a text", choice)
            elif self.check("unknown-reading", name, self.readings):
                self.check_choice(name.value, choice)
                switched[name.value] = choice.text.value
        return switched

    def check_switched(self, fields: Fields) -> dict[str, str]:
        """The same of a case that switches them: none is fixed."""
        node = fields.node.get("readings")
        for name, _ in node.entries if isinstance(node, MappingNode) else ():
            self.check_switch(name.value, name.span)
        return self.check_readings(fields)

    def check_part(self, decision: str, part: str, node: YamlNode) -> None:
        """The names under a part of an expectation, one or several: outcomes, rules, sources, or missing facts."""
        names = self.decisions[decision]
        for text in _texts(node):
            match part:
                case "outcome":
                    has = f"it has {', '.join(names.outcomes)}"
                    hint = has if names.outcomes else "it is a calculation and has only values"
                    self.check("unknown-outcome", text, names.outcomes, hint)
                case "rule" | "rules":
                    self._check_named(decision, text, names.rules)
                case "sources":
                    self.check("unknown-source", text, names.sources)
                case "missing":
                    paths = [path for record in self.facts for path in fact_paths(record)]
                    self.check("unknown-member", text, paths, record="the schema")

    def check_value(self, decision: str, name: Authored) -> None:
        """Whether the decision has a value."""
        self._check_named(decision, name, self.decisions[decision].values)

    def _check_named(self, decision: str, name: Authored, known: Collection[str]) -> None:
        hint = f"it has {', '.join(known)}" if known else None
        self.check("unknown-decision-part", name, known, hint, decision=decision)


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


def _texts(node: YamlNode) -> Iterator[Authored]:
    """A text, or the texts of a list; null and nothing are left out."""
    if isinstance(node, ScalarNode) and not (node.text.plain and node.text.value in ("", "~", "null")):
        yield node.text
    elif isinstance(node, SequenceNode):
        yield from (item.text for item in node.items if isinstance(item, ScalarNode))
