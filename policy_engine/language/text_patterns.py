"""The patterns of schemas: one engine matches them wherever facts are validated, in time that is linear in the text.

The engine is Rust's `regex`. jsonschema-rs uses it in the form that ECMAScript gives to patterns: `.` matches no end of a line,
and `$` only the end of the text. Polars has the same engine without that form, so a pattern for columns is rewritten first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)
END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
ANY_ON_A_LINE = r"[^\n\r\x{2028}\x{2029}]"


@cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """The check whether a pattern is found in a text; raises `ValueError` where the engine cannot build the pattern."""
    from jsonschema_rs import Draft202012Validator, RegexOptions  # noqa: PLC0415 - only texts with a pattern need it

    return Draft202012Validator({"pattern": pattern}, pattern_options=RegexOptions()).is_valid


def for_columns(pattern: str) -> str:
    """The pattern as the engine reads it without ECMAScript's form."""
    return TOKEN.sub(lambda token: ANY_ON_A_LINE if token.group() == "." else token.group(), pattern)


def with_end(pattern: str, end: str) -> str:
    """The pattern with another sign for the end of the text."""
    return END.sub(lambda token: end if token.group() == "$" else token.group(), pattern)
