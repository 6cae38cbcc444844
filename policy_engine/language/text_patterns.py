"""The patterns of schemas: one engine matches them wherever facts are validated, in time that is linear in the text.

The engine is Rust's `regex`, and patterns have the form of ECMAScript: `.` matches no end of a line, and `$` only the end of
the text. Polars does not know that form, and not every release of jsonschema-rs all of it, so dots are written out for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)
END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
ANY_ON_A_LINE, THE_SAME_IN_ECMASCRIPT = r"[^\n\r\x{2028}\x{2029}]", r"[^\n\r\u2028\u2029]"


@cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """The check whether a pattern is found in a text; raises `ValueError` where the engine cannot build the pattern."""
    from jsonschema_rs import Draft202012Validator, RegexOptions  # noqa: PLC0415 - only texts with a pattern need it

    return Draft202012Validator({"pattern": for_validators(pattern)}, pattern_options=RegexOptions()).is_valid


def for_columns(pattern: str) -> str:
    """The pattern as the engine reads it without ECMAScript's form."""
    return _with_dots(pattern, ANY_ON_A_LINE)


def for_validators(pattern: str) -> str:
    """The pattern as every release of jsonschema-rs reads it alike."""
    return _with_dots(pattern, THE_SAME_IN_ECMASCRIPT)


def _with_dots(pattern: str, written: str) -> str:
    return TOKEN.sub(lambda token: written if token.group() == "." else token.group(), pattern)


def with_end(pattern: str, end: str) -> str:
    """The pattern with another sign for the end of the text."""
    return END.sub(lambda token: end if token.group() == "$" else token.group(), pattern)
