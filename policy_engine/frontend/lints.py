"""Warnings about rulesets without errors, and their schemas: what is unused, unmentioned, needless, always true or false."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, timedelta

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.fixes import Hint
from policy_engine.frontend.lints_of_tables import lint_tables
from policy_engine.frontend.lints_of_units import mismatched_units, multiplied_percentages, repeated_numbers
from policy_engine.frontend.names_and_texts import texts_like_names
from policy_engine.frontend.reaching import lint_rules
from policy_engine.language import expressions as tree
from policy_engine.language import mentions
from policy_engine.language.operators import COMPARE, MIRRORED
from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import FactsSchema, Matrix, Ruleset
from policy_engine.language.types import BOOLEAN, Member, Number, Ratio, Text, Type, innermost, members_below, scaled
from policy_engine.language.values import Holidays, in_words
from policy_engine.language.widths import comparable

FEWEST_MENTIONED = 3
"""Rules that mention so many values, and more than they leave out, go through them one by one."""


def lint(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Every finding of every lint."""
    expressions = mentions.expressions_in(ruleset)
    nodes = [node for expression in expressions for node in tree.walk(expression.tree)]
    constant = list(constant_conditions(nodes))
    yield from constant
    yield from unused(ruleset)
    yield from needless_defaults(nodes)
    yield from counted_conditions(nodes)
    yield from too_wide_for_tables(nodes)
    yield from repeated_numbers(ruleset, expressions)
    yield from mismatched_units(ruleset, nodes)
    yield from multiplied_percentages(ruleset, nodes)
    yield from lint_tables(ruleset)
    yield from texts_like_names(ruleset, expressions)
    if ruleset.decisions:  # a library has none, and its parameters need no value on every day
        yield from short_calendars(ruleset)
        yield from lint_rules(ruleset, {diagnostic.span for diagnostic in constant})


def short_calendars(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Calendars whose years do not cover the ruleset's period, as far as that has a beginning and an end."""
    start, end = ruleset.period.start, ruleset.period.end
    for parameter in ruleset.parameters:
        for calendar in (dated.value for dated in parameter.values if isinstance(dated.value, Holidays)):
            begins_late = start != date.min and calendar.first > start.year
            ends_early = end is not None and calendar.last < (end - timedelta(1)).year
            if begins_late or ends_early:
                words = {"first": calendar.first, "last": calendar.last, "period": ruleset.period}
                yield say("calendar-period", parameter.span, name=parameter.name, words=words)


def mentioned(ruleset: Ruleset) -> Mapping[str, Set[str]]:
    """The names of each kind that a check or a decision, its sentences included, mentions, through definitions."""
    asked = [*(check.expect for check in ruleset.checks)]
    for decision in ruleset.decisions:
        asked += (*mentions.logic_of(decision), *mentions.wording_of(decision))
    names: dict[str, set[str]] = defaultdict(set)
    for mention in mentions.reached(mentions.mentions_in(asked), mentions.graph_of(ruleset)):
        names[mention.kind].add(mention.name)
    return names


def unused(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Definitions and parameters that nothing uses, switchable readings without effect, and sources that nothing cites."""
    names = mentioned(ruleset)
    switchable = [reading for reading in ruleset.readings if not reading.fixed]
    for code, things, used in (
        ("unused-definition", ruleset.definitions, names["definition"]),
        ("unused-parameter", ruleset.parameters, names["parameter"]),
        ("unused-table", ruleset.tables, names["table"]),
        ("unused-reading", switchable, names["reading"]),
    ):
        yield from (say(code, thing.span, name=thing.name) for thing in things if thing.name not in used)
    cited: set[str | None] = {source for decision in ruleset.decisions for source in decision.sources}
    cited |= {each.source for each in ruleset.readings} | {each.source for each in ruleset.parameters}
    cited |= {check.source for check in ruleset.checks} | {table.source for table in ruleset.tables}
    yield from (
        say("unused-source", source.span, name=source.id) for source in ruleset.sources if source.id not in cited
    )


def constant_conditions(nodes: Sequence[tree.Node]) -> Iterator[Diagnostic]:
    """Comparisons that the bounds of the schema make always true, or always false."""
    chains = {node.span: node.text for node in nodes if isinstance(node, tree.Chain)}
    for node in nodes:
        match node:
            case tree.Compare(left=tree.Node(type=Number() as left), right=tree.Node(type=Number() as right)):
                truth = _constant_truth(node.operator, left, right)
                if truth is not None and mentions.mentions_in([tree.Expression("", node)]):
                    text = " ".join(chains.get(node.span, node.text).split())
                    why = f"{_range(left)} against {_range(right)}"
                    yield say("constant-condition", node.span, text=text, truth=str(truth).lower(), why=why)


def _constant_truth(operator: str, left: Number, right: Number) -> bool | None:
    """The truth of a comparison where the ranges of its sides leave only one."""
    if operator in (">", ">="):
        return _constant_truth(MIRRORED[operator], right, left)
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    if operator in ("==", "!="):
        return operator == "!=" if left.high < right.low or left.low > right.high else None
    return COMPARE[operator](left.high, right.low) or (None if COMPARE[operator](left.low, right.high) else False)


def _range(kind: Number) -> str:
    low, high = (in_words(number_of_units(units, kind.places)) for units in (kind.low, kind.high))
    return low if low == high else f"{low} to {high}"


def counted_conditions(nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """Conditions that stand where an element is counted, and so decide nothing."""
    for node in nodes:
        match node:
            case tree.Aggregate(function="count" | "longest_run" as function, element=element, variable=variable) if (
                element.type == BOOLEAN
            ):
                tests = [each.text for each in (node.condition, element) if each is not None]
                words = f"{function}({variable} for {variable} in {node.source.text} if {' and '.join(tests)})"
                yield say(
                    "counted-condition", element.span, hint=f"write `{words}`", function=function, text=element.text
                )


def needless_defaults(nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """`known` and `default` of a fact that the schema requires."""
    for node in nodes:
        if isinstance(node, tree.Call) and node.function in ("known", "default", "if_known"):
            asked = node.arguments[0]
            if isinstance(asked, tree.Fact) and not asked.optional:
                guess = Hint("", node.text, asked.text, sure=False)  # the schema may come to let it be absent
                fix = None if node.function == "known" else guess.fix(node.span)
                yield say("needless-default", node.span, fix=fix, name=asked.name, function=node.function)


def too_wide_for_tables(nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """Ratios that a single question answers, and no report over tables can."""
    for node in nodes:
        match node:
            case tree.Compare(left=left, right=right) if not _fits_tables(left.type, right.type):
                yield say("too-wide-for-tables", node.span)
            case tree.In(item=item, list=listed) if not _fits_tables(item.type, innermost(listed.type)):
                yield say("too-wide-for-tables", node.span)


def _fits_tables(left: Type, right: Type) -> bool:
    """Whether a comparison fits; one of plain numbers always does."""
    kinds = isinstance(left, Number | Ratio) and isinstance(right, Number | Ratio)
    if not kinds or (isinstance(left, Number) and isinstance(right, Number)):
        return True
    return comparable(left, right)  # type: ignore[arg-type]  # both are, as was just asked


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
        excused |= {path} if member.key or member.account or around else set()
    return excused
