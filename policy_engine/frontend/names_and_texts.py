"""Warnings where a name is read as a text, or a quoted text as a name, and the author may have meant the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.fields import SNAKE
from policy_engine.frontend.scope import Scope
from policy_engine.frontend.syntax import DecisionSyntax, RulesetSyntax, conclusions_written
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Text
from policy_engine.source import Authored

NAMED = (tree.Fact, tree.Parameter, tree.Reading, tree.Definition, tree.DecisionPart, tree.MemberOf, tree.Variable)
Loose = tuple[Authored, str]
"""A text without quotes, and why no name can stand there."""


def names_as_texts(syntax: RulesetSyntax, scope: Scope) -> Iterator[Diagnostic]:
    """Outcomes, cells and values of parameters that are read as texts, and are names as well; quotes say that a text is meant."""
    for decision in syntax.decisions:
        for cell in _literal_cells(decision):
            kind = scope.kind_of(cell.value) if cell.plain and not cell.unread else None
            if kind is not None:
                yield say("name-in-cell", cell.span, name=cell.value, kind=kind)
    for text, instead in _loose_texts(syntax):
        kind = scope.kind_of(text.value) if text.plain and not text.unread else None
        if kind is not None:
            hint = f'if the text is meant, quote it: `"{text.value}"`; {instead}'
            yield say("name-as-text", text.span, hint=hint, name=text.value, kind=kind)


def _loose_texts(syntax: RulesetSyntax) -> Iterator[Loose]:
    for parameter in syntax.parameters:
        yield from ((text, "a parameter cannot name another thing: write its value") for text in parameter.texts)
    for decision in syntax.decisions:
        yield from ((outcome, "an outcome is never a name") for outcome in decision.outcomes)


def _literal_cells(decision: DecisionSyntax) -> Iterator[Authored]:
    """The cells of a table of amounts that no entry of its legend explains."""
    matrix = decision.matrix
    if matrix is not None and matrix.value is not None:
        explained = {entry.key.value for entry in matrix.legend}
        yield from (cell for row in matrix.cells for cell in row.cells if cell.value not in explained)


def quoted_names(syntax: RulesetSyntax, scope: Scope) -> Iterator[Diagnostic]:
    """Values and definitions that are one name between quotes: YAML takes these quotes, and a name is left."""
    for text in _expressions(syntax):
        name = text.value.strip()
        kind = scope.kind_of(name) if not text.plain and SNAKE.fullmatch(name) else None
        if kind is not None:
            hint = f"write `{name}` if the {kind} is meant, and `'\"{name}\"'` for the text"
            yield say("text-as-name", text.span, hint=hint, name=name, kind=kind)


def _expressions(syntax: RulesetSyntax) -> Iterator[Authored]:
    yield from (body for _, body in syntax.definitions if isinstance(body, Authored))
    for decision in syntax.decisions:
        for values in (decision.values, *(conclusion.values for conclusion in conclusions_written(decision))):
            yield from (text for _, text in values)


def texts_like_names(ruleset: Ruleset, expressions: Iterable[tree.Expression]) -> Iterator[Diagnostic]:
    """Texts within expressions that are the name of something that holds a text, unless what is named there has that text.

    A value that is a text and nothing else was quoted twice, so a text is meant.
    """
    kinds = _names_of_texts(ruleset)
    for expression in expressions if kinds else ():
        nodes = [] if isinstance(expression.tree, tree.Literal) else list(tree.walk(expression.tree))
        closed = (node.type.values or () for node in nodes if isinstance(node, NAMED) and isinstance(node.type, Text))
        expected = {value for values in closed for value in values}
        for node in nodes:
            text = node.value if isinstance(node, tree.Literal) else None
            if isinstance(text, str) and text in kinds and text not in expected:
                hint = f"write `{text}` without quotes if the {kinds[text]} is meant"
                yield say("name-as-text", node.span, hint=hint, name=text, kind=kinds[text])


def _names_of_texts(ruleset: Ruleset) -> Mapping[str, str]:
    """Parameters, definitions and readings that hold a text, each with its kind."""
    return {
        **{p.name: "parameter" for p in ruleset.parameters if isinstance(p.type, Text)},
        **{d.name: "definition" for d in ruleset.definitions if isinstance(d.type, Text)},
        **{reading.name: "reading" for reading in ruleset.readings},
    }
