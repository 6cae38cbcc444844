"""Warnings about a schema: facts that no ruleset over it reads, and values of enums that no rule mentions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.lints import mentioned
from policy_engine.language import expressions as tree
from policy_engine.language import mentions
from policy_engine.language.rulesets import FactsSchema, Matrix, Ruleset
from policy_engine.language.types import Member, Text, innermost, members_below

FEWEST_MENTIONED = 3
"""Rules that mention so many values, and more than they leave out, go through them one by one."""


def lint_schema(facts: FactsSchema, loaded: Iterable[Ruleset]) -> Iterator[Diagnostic]:
    """Every finding about a schema over which there is a ruleset among those loaded."""
    rulesets = [ruleset for ruleset in loaded if ruleset.facts.name == facts.name]
    if rulesets:
        yield from _unread_facts(facts, rulesets)
        yield from _unmentioned_values(facts, rulesets)


def _unread_facts(facts: FactsSchema, rulesets: list[Ruleset]) -> Iterator[Diagnostic]:
    names = [mentioned(ruleset) for ruleset in rulesets]
    read = {path for found in names for path in (*found["fact"], *found["member"])}
    members = dict(members_below(facts.type))
    excused = _excused(members)
    for path, member in members.items():
        if path not in read and path not in excused:
            yield say("unused-fact", member.span, name=path, schema=facts.name)


def _unmentioned_values(facts: FactsSchema, rulesets: list[Ruleset]) -> Iterator[Diagnostic]:
    """Values of an enum that are in no comparison and no matrix, where the rules go through the others one by one."""
    told: dict[str, set[str]] = {}
    for ruleset in rulesets:
        for path, texts in _texts_mentioned(ruleset):
            told.setdefault(path, set()).update(texts)
    for path, member in members_below(facts.type):
        kind = innermost(member.type)
        values = (kind.values or ()) if isinstance(kind, Text) else ()
        loose = [value for value in values if value not in told.get(path, ())]
        mentioned_here = len(values) - len(loose)
        if mentioned_here >= FEWEST_MENTIONED and mentioned_here > len(loose):
            yield from (say("unmentioned-value", member.span, value=value, name=path) for value in loose)


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
    return next((each.name for each in mentions.mentions_of(node) if each.kind in ("fact", "member")), "")


def _excused(members: Mapping[str, Member]) -> set[str]:
    """Keys, what only reports show with all that is around and below it, and the members that lists are ordered by."""
    excused = {f"{path}.{member.ordered_by}" for path, member in members.items() if member.ordered_by}
    shown = [path for path, member in members.items() if member.report]
    for path, member in members.items():
        around = any(f"{each}.".startswith(f"{path}.") or path.startswith(f"{each}.") for each in shown)
        excused |= {path} if member.key or around else set()
    return excused
