"""Expressions that are not finished: what stands around a caret, and the types of the parts that can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policy_engine.diagnostics import Diagnostic
from policy_engine.frontend.expressions import parse_expression
from policy_engine.frontend.scope import Known, Scope
from policy_engine.frontend.typing import Typer
from policy_engine.language.types import Anything, ListOf, Text, Type
from policy_engine.source import Authored, Span

WORD = re.compile(r"\w*$")
COMPARED = re.compile(r"(==|!=|\bnot\s+in|\bin)\s*$")
FOR = re.compile(r"\bfor\s+([a-z]\w*)\s+in\s+")
NOWHERE = Span("")
OPENED, CLOSED = "([", ")]"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An expression up to a caret.

    `word` is the name or the text that is being written, `quote` the quote that a text began with; `owner` is what stands before
    the dot behind which a member is being written, `compared` the operand that a text would be compared with.
    """

    word: str
    quote: str = ""
    owner: str | None = None
    compared: str | None = None


def unfinished(before: str) -> Unfinished:
    """What is being written at the end of a text."""
    quote, start = _open_quote(before)
    if quote:
        return Unfinished(before[start + 1 :], quote, compared=_compared(before[:start]))
    word = WORD.search(before)
    assert word is not None
    rest = before[: word.start()]
    if rest.endswith("."):
        return Unfinished(word.group(), owner=operand_before(rest[:-1]))
    return Unfinished(word.group(), compared=_compared(rest))


def _open_quote(text: str) -> tuple[str, int]:
    """The quote that is open at the end of a text, and where it stands; nothing where none is."""
    quote, start = "", 0
    for index, sign in enumerate(text):
        if quote == sign:
            quote = ""
        elif not quote and sign in "'\"":
            quote, start = sign, index
    return quote, start


def _compared(before: str) -> str | None:
    """The operand on the other side of `==`, `!=` or `in`, a list that was begun behind it passed over."""
    before = before.rstrip()
    if before.endswith(("[", ",")):
        opening = _opening(before)
        before = before[:opening].rstrip() if opening is not None and before[opening] == "[" else ""
    sign = COMPARED.search(before)
    return operand_before(before[: sign.start()]) or None if sign is not None else None


def _opening(text: str) -> int | None:
    """Where the bracket stands that is open at the end of a text."""
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        depth += (text[index] in CLOSED) - (text[index] in OPENED)
        if depth < 0:
            return index
    return None


def operand_before(text: str) -> str:
    """The name, member, call or look-up that a text ends with; empty where it ends with none."""
    text = text.rstrip()
    at = len(text)
    while at > 0 and (text[at - 1] in CLOSED or text[at - 1] == "." or text[at - 1].isalnum() or text[at - 1] == "_"):
        if text[at - 1] in CLOSED:
            opening = _opening(text[: at - 1])
            if opening is None:
                break
            at = opening
        else:
            at -= 1
    return text[at:]


def type_of(text: str, scope: Scope, variables: Mapping[str, Known]) -> Type | None:
    """The type of an expression, None where it has none."""
    faults: list[Diagnostic] = []
    parsed = parse_expression(Authored(text, NOWHERE, text), faults) if text else None
    if parsed is None:
        return None
    kind = Typer(parsed, scope, faults, dict(variables)).infer(parsed.tree).type
    return None if isinstance(kind, Anything) else kind


def closed_values(text: str | None, scope: Scope, variables: Mapping[str, Known]) -> tuple[str, ...]:
    """The values of the closed set that an operand comes from; of a list, those of its elements."""
    kind = type_of(text, scope, variables) if text else None
    kind = kind.element if isinstance(kind, ListOf) else kind
    return (kind.values or ()) if isinstance(kind, Text) else ()


def variables_at(text: str, caret: int, scope: Scope) -> dict[str, Known]:
    """The variables of the generators around a caret, each with the type of its elements."""
    found: dict[str, Known] = {}
    for generator in FOR.finditer(text):
        opening = _opening(text[: generator.start()])
        end = _closing(text, generator.end())
        if opening is None or not opening < caret <= end or generator.start() < caret < generator.end():
            continue
        source = re.split(r"\s+if\s+", text[generator.end() : end], maxsplit=1)[0]
        kind = type_of(source.strip(), scope, found)
        if isinstance(kind, ListOf):
            found[generator[1]] = kind.element, False
    return found


def _closing(text: str, start: int) -> int:
    """Where the bracket around a place is closed; the end of the text where it is not."""
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] in OPENED) - (text[index] in CLOSED)
        if depth < 0:
            return index
    return len(text)
