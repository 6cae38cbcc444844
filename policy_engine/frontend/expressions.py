"""From an author's text to Python's own syntax tree, or to a diagnostic; nothing is evaluated here.

Length, characters and nesting are limited on the text, before Python's parser sees it, and depth again on the tree.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.source import Authored, Span

LONGEST = 2_000
DEEPEST_BRACKETS = 30
DEEPEST_TREE = 60
QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
LOOSE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
FOREIGN = (
    (re.compile(r"&&"), "write `and`"),
    (re.compile(r"\|\|"), "write `or`"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"<>"), "write `!=`"),
    (re.compile(r"\bAND\b"), "write `and`"),
    (re.compile(r"\bOR\b"), "write `or`"),
    (re.compile(r"\bNOT\b"), "write `not`"),
    (LOOSE_EQUALS, "to compare, write `==`"),
)


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    """An expression's text on one line, its tree, and where it was written."""

    text: str
    tree: ast.expr
    authored: Authored
    offset: int

    def span(self, node: ast.AST) -> Span:
        """Where a part of the tree stands in the file."""
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", len(self.text))
        encoded = self.text.encode()
        first = len(encoded[:start].decode()) + self.offset
        last = len(encoded[:end].decode()) + self.offset
        return self.authored.part(first, last)

    def segment(self, node: ast.AST) -> str:
        """The text of a part of the tree."""
        return ast.get_source_segment(self.text, node) or ""


def one_line(text: str) -> str:
    """An expression on one line: a line break is a blank."""
    return text.replace("\n", " ").replace("\t", " ")


def parse_expression(authored: Authored, faults: list[Diagnostic]) -> ParsedExpression | None:
    """The syntax tree of an expression, or None and what is wrong with it."""
    flat = one_line(authored.value)
    text = flat.strip()
    offset = len(flat) - len(flat.lstrip())
    fault = _text_fault(text, offset, authored)
    if fault is not None:
        faults.append(fault)
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        faults.append(_syntax_fault(text, offset, authored, error))
        return None
    except (ValueError, RecursionError, MemoryError):
        faults.append(say("expression-too-deep", authored.span, limit=DEEPEST_TREE))
        return None
    if _depth(tree) > DEEPEST_TREE:
        faults.append(say("expression-too-deep", authored.span, limit=DEEPEST_TREE))
        return None
    return ParsedExpression(text, tree, authored, offset)


def _text_fault(text: str, offset: int, authored: Authored) -> Diagnostic | None:
    if not text:
        return say("expression-empty", authored.span)
    if len(text) > LONGEST:
        return say("expression-too-long", authored.span, limit=LONGEST)
    bare = QUOTED.sub(lambda quoted: "_" * len(quoted.group()), text)
    for index, character in enumerate(bare):
        if not (character.isascii() and character.isprintable()):
            place = authored.part(index + offset, index + offset + 1)
            return say("expression-character", place, character=f"U+{ord(character):04X} ({character})")
    depth = deepest = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST_BRACKETS:
        return say("expression-too-deep", authored.span, limit=DEEPEST_BRACKETS)
    return None


def _syntax_fault(text: str, offset: int, authored: Authored, error: SyntaxError) -> Diagnostic:
    bare = QUOTED.sub(lambda quoted: "_" * len(quoted.group()), text)
    if authored.plain and authored.tail.lstrip(" ").startswith("#"):
        return say("yaml-comment", authored.span)
    for pattern, advice in FOREIGN:
        found = pattern.search(bare)
        if found:
            place = authored.part(found.start() + offset, found.end() + offset)
            return say("expression-syntax", place, why=f"`{found.group()}` has no meaning here", hint=advice)
    at = min(max((error.offset or 1) - 1, 0), len(text) - 1)
    place = authored.part(at + offset, at + offset + 1)
    opened, closed = sum(map(bare.count, "([{")), sum(map(bare.count, ")]}"))
    if opened != closed:
        side = "closed" if opened > closed else "opened"
        hint = "in a flow map or list YAML cuts at commas: quote the whole expression" if opened > closed else None
        return say("expression-syntax", place, why=f"a bracket is never {side}", hint=hint)
    if bare.count('"') % 2 or bare.count("'") % 2:
        return say("expression-syntax", place, why="a quote is never closed")
    rest = text[at : at + 20].strip()
    why = f"it cannot be read from `{rest}` on" if rest else "it ends too early"
    return say("expression-syntax", place, why=why)


def _depth(tree: ast.AST) -> int:
    """How deep a tree is, without recursion."""
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest
