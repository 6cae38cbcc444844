"""Warnings about a ruleset without errors: what is unused, always true or false, or needless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.lints_of_units import mismatched_units, repeated_numbers
from policy_engine.frontend.names_and_texts import texts_like_names
from policy_engine.frontend.reaching import lint_rules
from policy_engine.language import expressions as tree
from policy_engine.language import mentions
from policy_engine.language.operators import COMPARE, MIRRORED
from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Number, Ratio, Type, innermost, scaled
from policy_engine.language.values import in_words
from policy_engine.language.widths import comparable


def lint(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Every finding of every lint."""
    expressions = mentions.expressions_in(ruleset)
    nodes = [node for expression in expressions for node in tree.walk(expression.tree)]
    constant = list(constant_conditions(nodes))
    yield from constant
    yield from unused(ruleset)
    yield from needless_defaults(nodes)
    yield from too_wide_for_tables(nodes)
    yield from repeated_numbers(ruleset, expressions)
    yield from mismatched_units(ruleset, nodes)
    yield from texts_like_names(ruleset, expressions)
    yield from lint_rules(ruleset, {diagnostic.span for diagnostic in constant})


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
        ("unused-reading", switchable, names["reading"]),
    ):
        yield from (say(code, thing.span, name=thing.name) for thing in things if thing.name not in used)
    cited: set[str | None] = {source for decision in ruleset.decisions for source in decision.sources}
    cited |= {each.source for each in ruleset.readings} | {each.source for each in ruleset.parameters}
    cited |= {check.source for check in ruleset.checks}
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


def needless_defaults(nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """`known` and `default` of a fact that the schema requires."""
    for node in nodes:
        if isinstance(node, tree.Call) and node.function in ("known", "default", "if_known"):
            asked = node.arguments[0]
            if isinstance(asked, tree.Fact) and not asked.optional:
                yield say("needless-default", node.span, name=asked.name, function=node.function)


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
