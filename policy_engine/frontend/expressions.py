"""Parsing expressions with Python's parser, which gives a syntax tree or a diagnostic; nothing is evaluated.

Length, characters and nesting of brackets are limited before the text is parsed, the depth of the tree afterwards.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from itertools import accumulate

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.quoting import CURLY, TO_STRAIGHT
from policy_engine.fixes import Edit, Fix, Hint, replaced
from policy_engine.frontend import hints
from policy_engine.frontend.comments import comment_inside, lost_condition, without_texts
from policy_engine.language.expressions import segment
from policy_engine.source import Authored, Span

LONGEST = 2_000
DEEPEST_BRACKETS = 30
DEEPEST_TREE = 60
TYPED = {
    "\u2265": "`>=`", "\u2264": "`<=`", "\u2260": "`!=`", "\u00d7": "`*`", "\u00b7": "`*`", "\u00f7": "`/`",
    "\u2212": "`-`", "\u2013": "`-`", "\u2014": "`-`", "\u2010": "`-`", "\u2011": "`-`",
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000", "a blank"),
}  # fmt: skip
"""What a word processor makes of what was typed, and what to type."""
UNSEEN = {"\u00a0": "a no-break blank", "\u202f": "a no-break blank", "\u200b": "a blank of no width"}
WRONG_NUMBER = re.compile(r"(?<![\w.])(?:0[0-9]+|[0-9]+[A-Za-z_]\w*)(?:\.\w*)?(?![\w.])")


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

    def other_operator(self, left: ast.expr, right: ast.expr, old: str, new: str) -> Fix | None:
        """The fix that writes an operator in place of what matches a pattern between two parts; None where several do."""
        encoded = self.text.encode()
        start, end = len(encoded[: left.end_col_offset].decode()), len(encoded[: right.col_offset].decode())
        found = list(re.finditer(old, self.text[start:end]))
        if len(found) != 1:
            return None
        first = start + self.offset
        return replaced(self.authored.part(first + found[0].start(), first + found[0].end()), found[0].group(), new)

    def quoted(self, name: ast.Name) -> Fix | None:
        """The fix that writes a name in quotes; None where YAML would take these for its own."""
        if self.authored.plain and name.col_offset == 0:
            return None
        mark = inner_quotes(self.authored)
        return replaced(self.span(name), name.id, f"{mark}{name.id}{mark}")

    def last_name(self, node: ast.Attribute) -> Span:
        """Where the name behind the last dot stands."""
        end = len(self.text.encode()[: node.end_col_offset].decode()) + self.offset
        return self.authored.part(end - len(node.attr), end)

    def segment(self, node: ast.AST) -> str:
        """The text of a part of the tree."""
        return segment(self.text, node)


def parse_expression(authored: Authored, faults: list[Diagnostic]) -> ParsedExpression | None:
    """The syntax tree of an expression, or None and what is wrong with it."""
    flat = authored.value.replace("\n", " ").replace("\t", " ")  # on one line
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
        return lost_condition(authored) or say("expression-empty", authored.span)
    if len(text) > LONGEST:
        return say("expression-too-long", authored.span, limit=LONGEST)
    comment = lost_condition(authored) or comment_inside(text, offset, authored)
    if comment is not None:
        return comment
    bare = without_texts(text)
    for index, character in enumerate(bare):
        if not (character.isascii() and character.isprintable()):
            return _character_fault(text, index, offset, authored)
    depths = accumulate((character in "([{") - (character in ")]}") for character in bare)
    if max(depths) > DEEPEST_BRACKETS:
        return say("expression-too-deep", authored.span, limit=DEEPEST_BRACKETS)
    return None


def _character_fault(text: str, index: int, offset: int, authored: Authored) -> Diagnostic:
    character, place = text[index], authored.part(index + offset, index + offset + 1)
    code = f"U+{ord(character):04X}"
    name = UNSEEN.get(character, character if character.isprintable() else "")
    hint, fix = None, None
    if character in TYPED:
        hint = f"write {TYPED[character]}"
        fix = replaced(place, character, TYPED[character].strip("`") if "`" in TYPED[character] else " ")
    if CURLY.match(character):
        hint = f"write straight quotes: `{shown_text(text.translate(TO_STRAIGHT))}`"
        fix = _straightened(text, offset, authored)
    return say("expression-character", place, hint=hint, fix=fix, character=f"{code} ({name})" if name else code)


def _straightened(text: str, offset: int, authored: Authored) -> Fix | None:
    """The fix that writes straight quotes for all curly ones, such as may stand where the expression does."""
    mark = inner_quotes(authored)
    curly = [at for at, sign in enumerate(without_texts(text)) if CURLY.match(sign)]
    if mark in text or (authored.plain and 0 in curly):
        return None
    places = [(at, authored.part(at + offset, at + offset + 1)) for at in curly]
    return Fix("write straight quotes", tuple(Edit(p.path, p.line, p.column, text[at], mark) for at, p in places))


def inner_quotes(authored: Authored) -> str:
    """The quotes that a text inside an expression may have, by those that the expression itself stands in."""
    return "'" if authored.raw.startswith('"') else '"'


def _syntax_fault(text: str, offset: int, authored: Authored, error: SyntaxError) -> Diagnostic:
    bare = without_texts(text)
    phrase = hints.phrase(text, bare)
    if phrase is not None:
        (start, end), (first, last) = phrase.mark, phrase.whole
        place, whole = authored.part(start + offset, end + offset), authored.part(first + offset, last + offset)
        starts = authored.plain and first == 0 and (phrase.new or "").startswith(('"', "'"))
        exact = phrase.new is not None and not starts  # with a quote, which YAML would take for its own
        fix = Hint(phrase.hint, text[first:last], phrase.new or "").fix(whole) if exact else None
        why = f"`{text[start:end]}` has no meaning here"
        return say("expression-syntax", place, why=why, hint=phrase.hint, fix=fix)
    number = WRONG_NUMBER.search(bare)
    if number is not None:
        return say("number-form", authored.part(number.start() + offset, number.end() + offset), text=number.group())
    at = min((error.offset or len(text)) - 1, len(text) - 1)
    return _unreadable(text, bare, authored.part(at + offset, at + offset + 1), at if error.offset else len(text))


def _unreadable(text: str, bare: str, place: Span, at: int) -> Diagnostic:
    """What cannot be read from a place on."""
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
