"""Finding text that YAML dropped as a comment and that its author probably meant as text.

In YAML `#` after a blank begins a comment. A comment after an unquoted text is accepted where it has two blanks before `#` and
one after it; anything else is reported, since it may be part of a sentence or an expression.
"""

from __future__ import annotations

import ast
import re
import warnings

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.quoting import quoted
from policy_engine.source import Authored

COMMENT = re.compile(r"\s+#.*")
COMMENT_FORM = re.compile(r"(?:[ ]{2,}|[ ]*\t[ \t]*)#+(?:\s|$)")
LITERAL = re.compile(r'"[^"]*"|\'[^\']*\'')
LONGEST_SHOWN = 60
THE_FORM = "a comment has two blanks before `#` and one behind it"


def without_texts(expression: str) -> str:
    """An expression with a blank form in place of each text that it quotes, and of the same length."""
    return LITERAL.sub(lambda held: "_" * len(held.group()), expression)


def lost_words(text: Authored) -> Diagnostic | None:
    """The diagnostic where words of a sentence became a comment; None where none did, or where it has the form of a comment."""
    lost = _lost(text)
    if lost is None or COMMENT_FORM.match(lost):
        return None
    whole = quoted(f"{text.value}{lost}".strip())
    return _fault(text, lost, f"quote the whole text: `{whole}`; {THE_FORM}")


def lost_condition(text: Authored) -> Diagnostic | None:
    """The same for an expression, which may also have lost the end of a text that it quotes."""
    lost = _lost(text)
    if lost is None:
        return None
    whole = f"{text.value}{lost}"
    if "#" not in without_texts(whole):
        return _fault(text, lost, f"quote the whole expression: `{quoted(whole)}`")
    if COMMENT_FORM.match(lost):
        return None
    words = lost.strip().lstrip("#").strip()
    meant = f"{text.value} {words}".strip()
    if not text.value:
        return _fault(text, lost, f"leave `#` out: `{shown_text(words)}`")
    comment = f"{THE_FORM}: `{shown_text(text.value)}  # {shown_text(words)}`"
    if _is_expression(meant):
        return _fault(text, lost, f"leave `#` out: `{shown_text(' '.join(meant.split()))}`; {comment}")
    return _fault(text, lost, comment)


def comment_inside(expression: str, offset: int, authored: Authored) -> Diagnostic | None:
    """The diagnostic for a `#` inside an expression, which begins at `offset`: Python would ignore what follows it."""
    bare = without_texts(expression)
    at = bare.find("#")
    if at < 0 or "'" in bare[:at] or '"' in bare[:at]:
        return None
    place = authored.part(at + offset, at + offset + 1)
    return say("expression-comment", place, lost=_short(expression[at:]))


def _lost(text: Authored) -> str | None:
    """The comment behind a text without quotes, with the blanks before it."""
    found = COMMENT.match(text.tail) if text.plain and not text.unread else None
    lost = found.group().rstrip() if found else ""
    return lost if lost.strip(" \t#") else None


def _fault(text: Authored, lost: str, hint: str) -> Diagnostic:
    return say("yaml-comment", text.span, hint=hint, lost=_short(lost.strip()))


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_SHOWN else f"{words[:LONGEST_SHOWN]}..."


def _is_expression(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
