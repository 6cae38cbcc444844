"""The dependency graph of a ruleset: which names conditions and decisions mention, directly and through definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from policy_engine.language.expressions import (
    Condition,
    DecisionPart,
    Definition,
    Expression,
    Fact,
    Lookup,
    MemberOf,
    Node,
    Parameter,
    Reading,
    expressions_of,
    walk,
)
from policy_engine.language.rulesets import (
    DecisionLogic,
    Formatted,
    Ruleset,
    Template,
    ValueDefinition,
    conclusions_of,
    conditions_of,
)
from policy_engine.language.types import Record, Type, members_below, record_in


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A name of a kind: fact, member, parameter, table, reading, definition or decision."""

    kind: str
    name: str


def mentions_in(conditions: Iterable[Condition]) -> frozenset[Mention]:
    """What conditions mention directly."""
    return frozenset(
        mention
        for condition in conditions
        for expression in expressions_of(condition)
        for node in walk(expression.tree)
        for mention in mentions_of(node)
    )


def mentions_of(node: Node) -> Iterator[Mention]:
    """What a node itself mentions."""
    match node:
        case Fact(name=name):
            yield Mention("fact", name)
        case Parameter(name=name):
            yield Mention("parameter", name)
        case Reading(name=name):
            yield Mention("reading", name)
        case Definition(name=name):
            yield Mention("definition", name)
        case DecisionPart(decision=decision):
            yield Mention("decision", decision)
        case Lookup(table=table):
            yield Mention("parameter" if table.of_parameter else "table", table.name)
        case MemberOf(record=record, name=name) if isinstance(record.type, Record):
            yield Mention("member", f"{record.type.path}.{name}")


def value_expressions(values: Iterable[ValueDefinition]) -> Iterator[Expression]:
    """The expressions of values."""
    return (value.expression for value in values)


def template_expressions(template: Template | None) -> Iterator[Expression]:
    """The expressions in a sentence."""
    for part in template.parts if template else ():
        if isinstance(part, Formatted):
            yield part.expression
        elif isinstance(part, Expression):
            yield part


def logic_of(decision: DecisionLogic) -> Iterator[Condition]:
    """What decides a decision: its conditions and its values, but not its sentences."""
    yield from value_expressions(decision.values)
    yield from conditions_of(decision.body)
    for _, conclusion in conclusions_of(decision.body):
        yield from value_expressions(conclusion.values)


def wording_of(decision: DecisionLogic) -> Iterator[Expression]:
    """The expressions in a decision's sentences."""
    yield from template_expressions(decision.because)
    for _, conclusion in conclusions_of(decision.body):
        yield from template_expressions(conclusion.because)


def expressions_in(ruleset: Ruleset) -> list[Expression]:
    """The expressions of every condition and value, but not of sentences, each once."""
    conditions = [each.body for each in ruleset.definitions] + [check.expect for check in ruleset.checks]
    conditions += (condition for decision in ruleset.decisions for condition in logic_of(decision))
    return list({each.tree.span: each for condition in conditions for each in expressions_of(condition)}.values())


def graph_of(ruleset: Ruleset) -> dict[Mention, frozenset[Mention]]:
    """What each definition and each decision mentions directly."""
    graph = {Mention("definition", d.name): mentions_in([d.body]) for d in ruleset.definitions}
    return graph | {Mention("decision", d.name): mentions_in(logic_of(d)) for d in ruleset.decisions}


def depths_of(graph: dict[Mention, frozenset[Mention]]) -> dict[Mention, int]:
    """How many definitions and decisions stand one on another below each, itself counted; in order, those below first.

    What depends on itself, or on such a one, is left out.
    """
    below = {mention: [other for other in found if other in graph] for mention, found in graph.items()}
    above: dict[Mention, list[Mention]] = {mention: [] for mention in graph}
    for mention, found in below.items():
        for other in found:
            above[other].append(mention)
    open_ = {mention: len(found) for mention, found in below.items()}
    ready = [mention for mention, count in open_.items() if not count]
    depths: dict[Mention, int] = {}
    for mention in ready:
        depths[mention] = 1 + max((depths[other] for other in below[mention]), default=0)
        for user in above[mention]:
            open_[user] -= 1
            if not open_[user]:
                ready.append(user)
    return depths


def reached(start: Iterable[Mention], graph: dict[Mention, frozenset[Mention]]) -> frozenset[Mention]:
    """All that is mentioned from a start on, through definitions and decisions."""
    found: set[Mention] = set()
    waiting = list(start)
    while waiting:
        mention = waiting.pop()
        if mention not in found:
            found.add(mention)
            waiting.extend(graph.get(mention, ()))
    return frozenset(found)


def facts_reached(ruleset: Ruleset, start: Iterable[Mention], graph: dict[Mention, frozenset[Mention]]) -> list[str]:
    """The facts that are mentioned from a start on, through definitions and decisions, in the order of the schema."""
    found = reached(start, graph)
    return [member.name for member in ruleset.facts.type.members if Mention("fact", member.name) in found]


def below(ruleset: Ruleset, start: Iterable[Mention]) -> dict[Mention, int]:
    """The definitions and decisions that a start stands on, its own included, with their depths, those below first."""
    graph = graph_of(ruleset)
    wanted = reached(start, graph)
    return {mention: depth for mention, depth in depths_of(graph).items() if mention in wanted}


def sensitive_paths(record: Record) -> list[str]:
    """Every path that the schema marks `x-sensitive`, and all below it."""
    found: list[str] = []
    for path, member in members_below(record):
        if member.sensitive or path.startswith(tuple(f"{above}." for above in found)):
            found.append(path)
    return found


def reads_sensitive(ruleset: Ruleset, expression: Expression) -> bool:
    """Whether an expression depends on a sensitive fact, directly or through definitions and decisions."""
    return sensitivity_of(ruleset)(expression)


def sensitivity_of(ruleset: Ruleset) -> Callable[[Expression], bool]:
    """A function that tells of many expressions whether they depend on a sensitive fact."""
    return depends_on(ruleset, sensitive_paths(ruleset.facts.type))


def depends_on(ruleset: Ruleset, paths: Iterable[str]) -> Callable[[Expression], bool]:
    """A function that tells of many expressions whether they depend on one of these facts, or are records that hold one."""
    wanted = frozenset(paths)
    if not wanted:
        return lambda _: False
    graph = graph_of(ruleset)

    def depends(expression: Expression) -> bool:
        whole = record_in(expression.tree.type)
        if whole is not None and any(path.startswith(f"{whole.path}.") for path in wanted):
            return True
        found = reached(mentions_in([expression]), graph)
        return any(mention.kind in ("fact", "member") and mention.name in wanted for mention in found)

    return depends


def sensitivity_of_wording(ruleset: Ruleset) -> Callable[[Expression], bool]:
    """The same of what sentences name, also once the ruleset is specialized and its expressions no longer say what they read."""
    written = {part.text: part for logic in ruleset.decisions for part in wording_of(logic)}
    is_sensitive = sensitivity_of(ruleset)
    return lambda part: is_sensitive(written.get(part.text, part))


def withheld_tables(ruleset: Ruleset) -> frozenset[str]:
    """The look-up tables into whose keys, somewhere, a sensitive fact may go."""
    if not sensitive_paths(ruleset.facts.type):
        return frozenset()
    told = [part for decision in ruleset.decisions for part in wording_of(decision)]
    asked = [(each, list(_tables_in(each))) for each in (*expressions_in(ruleset), *told)]
    is_sensitive = sensitivity_of(ruleset)
    return frozenset(name for each, names in asked if names and is_sensitive(each) for name in names)


def _tables_in(expression: Expression) -> Iterator[str]:
    return (node.table.name for node in walk(expression.tree) if isinstance(node, Lookup))


def fact_paths(record: Record) -> list[str]:
    """Every path of a schema in schema order, parents before their members."""
    return [path for path, _ in members_below(record)]


def asked_of_element(kind: Type) -> tuple[str, ...]:
    """What may be asked of an element of a list: "" is the element itself, and of a record each member at any depth."""
    return ("", *(f".{path}" for path in fact_paths(kind))) if isinstance(kind, Record) else ("",)
