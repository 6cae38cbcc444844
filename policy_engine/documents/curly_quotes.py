"""The quotes of word processors, which YAML and expressions take for letters."""

from __future__ import annotations

import re
from dataclasses import replace

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.documents.nodes import DECIMAL
from policy_engine.documents.quoting import quoted
from policy_engine.source import Authored

DOUBLE, SINGLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb", "\u2018\u2019\u201a\u201b"
CURLY = re.compile(f"[{DOUBLE}{SINGLE}]")
WRAPPED = re.compile(f"[{DOUBLE}]([^{DOUBLE}]*)[{DOUBLE}]|[{SINGLE}]([^{DOUBLE}{SINGLE}]*)[{SINGLE}]", re.DOTALL)
TO_STRAIGHT = str.maketrans({**dict.fromkeys(DOUBLE, '"'), **dict.fromkeys(SINGLE, "'")})


def unwrapped(text: str) -> str | None:
    """What stands between one pair of curly quotes that is around the whole of a text; None where there is no such pair."""
    found = WRAPPED.fullmatch(text.strip())
    return None if found is None else found[1] if found[1] is not None else found[2]


def straight(text: str) -> str:
    """A text with straight quotes in place of curly ones."""
    return text.translate(TO_STRAIGHT)


def read_as_quotes(text: Authored, faults: list[Diagnostic]) -> Authored:
    """A text whose author took curly quotes for quotes, as it was meant, which is reported; any other text as it is."""
    inner = unwrapped(text.value) if text.plain else None
    if inner is None:
        return text
    number = bool(DECIMAL.fullmatch(inner))
    advice = f"write straight ones: `{quoted(inner)}`"
    hint = f"leave them out: `{inner}`, or {advice}" if number else advice
    faults.append(say("curly-quotes", text.span, hint=hint, text=text.value))
    return replace(text, value=inner, plain=number)
