"""What a schema offers and no version of any ruleset over it takes up: facts never read, values never mentioned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.lints import mentioned
from policy_engine.language import expressions as tree
from policy_engine.language import mentions
from policy_engine.language.rulesets import FactsSchema, Matrix, Ruleset
from policy_engine.language.types import Record, Text, Type, innermost, member_of, record_in
from policy_engine.source import Span

FEWEST_MENTIONED = 3
"""Rules that mention so many values, and more than they leave out, go through them one by one."""


@dataclass(frozen=True, slots=True)
class SchemaUse:
    """A schema, and the rulesets of the load."""

    facts: FactsSchema
    loaded: list[Ruleset]

    @property
    def rulesets(self) -> list[Ruleset]:
        """The rulesets whose facts these are."""
        return [ruleset for ruleset in self.loaded if ruleset.facts.name == self.facts.name]


def lint_schema(use: SchemaUse) -> Iterator[Diagnostic]:
    """Every finding about a schema."""
    if use.rulesets:
        yield from _unread_facts(use)
        yield from _unmentioned_values(use)


def _unread_facts(use: SchemaUse) -> Iterator[Diagnostic]:
    read = frozenset[str]().union(*(_facts_read(ruleset) for ruleset in use.rulesets))
    excused = _excused(use.facts.type)
    for fact in mentions.fact_paths(use.facts.type):
        if fact not in read and fact not in excused:
            yield say("unused-fact", _place(use.facts.type, fact), name=fact, schema=use.facts.name)


def _facts_read(ruleset: Ruleset) -> frozenset[str]:
    """Paths of the schema that a ruleset reads, sentences included."""
    names = mentioned(ruleset)
    return frozenset(names["fact"] | names["member"])


def _unmentioned_values(use: SchemaUse) -> Iterator[Diagnostic]:
    """Values of an enum that are in no comparison and no matrix, where the rules go through the others one by one."""
    told: dict[str, set[str]] = {}
    for ruleset in use.rulesets:
        for path, texts in _texts_mentioned(ruleset):
            told.setdefault(path, set()).update(texts)
    for path, kind in _closed_texts(use.facts.type):
        here = [value for value in kind.values or () if value in told.get(path, ())]
        loose = [value for value in kind.values or () if value not in here]
        if len(here) >= FEWEST_MENTIONED and len(here) > len(loose):
            yield from (
                say("unmentioned-value", _place(use.facts.type, path), value=value, name=path) for value in loose
            )


def _texts_mentioned(ruleset: Ruleset) -> Iterator[tuple[str, Iterable[str]]]:
    nodes = (node for expression in mentions.expressions_in(ruleset) for node in tree.walk(expression.tree))
    for node in nodes:
        match node:
            case (
                tree.Compare(left=one, right=tree.Literal(value=str(text)))
                | tree.Compare(left=tree.Literal(value=str(text)), right=one)
            ):
                yield _path_of(one), (text,)
            case tree.In(item=one, list=tree.ListLiteral(elements=elements)):
                yield (
                    _path_of(one),
                    [e.value for e in elements if isinstance(e, tree.Literal) and isinstance(e.value, str)],
                )
    for decision in ruleset.decisions:
        if isinstance(decision.body, Matrix):
            yield _path_of(decision.body.rows.tree), map(str, decision.body.row_values)
            yield _path_of(decision.body.columns.tree), map(str, decision.body.column_values)


def _path_of(node: tree.Node) -> str:
    """The schema path a node reads, "" where it is not plainly one."""
    match node:
        case tree.Fact(name=name):
            return name
        case tree.MemberOf(record=record, name=name) if isinstance(record.type, Record):
            return f"{record.type.path}.{name}"
    return ""


def _closed_texts(record: Record, prefix: str = "") -> Iterator[tuple[str, Text]]:
    for member in record.members:
        kind = innermost(member.type)
        if isinstance(kind, Text) and kind.values is not None:
            yield prefix + member.name, kind
        below = record_in(member.type)
        if below is not None:
            yield from _closed_texts(below, f"{prefix}{member.name}.")


def _place(record: Record, fact: str) -> Span:
    """Where a schema speaks of a property."""
    name, _, below = fact.partition(".")
    member = member_of(record, name)
    assert member is not None, "a path of the schema"
    inner = record_in(member.type)
    return _place(inner, below) if below and inner is not None else member.span


def _excused(record: Record, prefix: str = "") -> set[str]:
    """Keys, what only reports show with all that is around and below it, and the members that lists are ordered by."""
    excused = set()
    for member in record.members:
        if member.key or member.report or _shows_below(member.type):
            excused.add(prefix + member.name)
        below = record_in(member.type)
        if member.ordered_by:
            excused.add(f"{prefix}{member.name}.{member.ordered_by}")
        if below is not None and member.report:
            excused.update(mentions.fact_paths(below, f"{prefix}{member.name}."))
        elif below is not None:
            excused |= _excused(below, f"{prefix}{member.name}.")
    return excused


def _shows_below(kind: Type) -> bool:
    """Whether reports show a member of a record, or of what is in it."""
    record = record_in(kind)
    return record is not None and any(m.report or _shows_below(m.type) for m in record.members)
