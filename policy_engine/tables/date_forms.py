"""Forms of dates and instants in cells, such as %d.%m.%Y: which there are, and the pattern that each becomes."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

PART = re.compile("%(.)")
BETWEEN = re.compile("[^%A-Za-z0-9]*[TZ]?[^%A-Za-z0-9]*")
"""What may stand beside the parts: signs, and the letters of ISO 8601."""
DAY_PARTS, MOMENT_PARTS = "Ymd", "YmdHMz"
"""The parts that a date must have, and an instant."""
SHORT = MappingProxyType({"d": "[0-9]{1,2}", "m": "[0-9]{1,2}", "H": "[0-9]{1,2}"})
"""Parts that may have one digit where signs set them apart."""
WHOLE = MappingProxyType(
    {"Y": "[0-9]{4}", **dict.fromkeys("mdHMS", "[0-9]{2}"), "f": "[0-9]{1,6}", "z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})"}
)
"""The parts of a form, each with all its digits."""
MIDNIGHT = MappingProxyType({"H": "0{1,2}", "I": "12", "M": "00", "S": "00", "f": "0{1,9}", "p": "(?:AM|am)"})
"""The parts of a time of day in the form of a date, which has none: only midnight is taken."""


def is_date_form(form: str) -> bool:
    """Whether a text is a form of dates: a day, perhaps with a time of day, which must be midnight."""
    return _pattern(form, DAY_PARTS) is not None


def is_instant_form(form: str) -> bool:
    """Whether a text is a form of instants: a day, hours, minutes and an offset, perhaps seconds."""
    return _pattern(form, MOMENT_PARTS) is not None


def has_time(form: str) -> bool:
    """Whether a form of dates has a time of day."""
    return len(PART.findall(form)) > len(DAY_PARTS)


def date_pattern(form: str) -> str:
    """The pattern of a whole cell in a form of dates, its parts named Y, m and d."""
    found = _pattern(form, DAY_PARTS)
    assert found is not None, form
    return found


def instant_pattern(form: str) -> str:
    """The pattern of a whole cell in a form of instants, its parts named Y, m, d, H, M, z, and S and f where they are written."""
    found = _pattern(form, MOMENT_PARTS)
    assert found is not None, form
    return found


@lru_cache(maxsize=64)
def _pattern(form: str, needed: str) -> str | None:
    """The pattern of a form that has the parts that are needed, and perhaps others; None where it is no form.

    A part that stands side by side with another must have all its digits; otherwise two dates could be read in one cell.
    """
    parts, between = PART.findall(form), PART.split(form)[::2]
    fixed = MIDNIGHT if needed == DAY_PARTS else {}
    known = {*needed, *(fixed or WHOLE)}
    if len(set(parts)) != len(parts) or not {*needed} <= {*parts} <= known or not all(map(BETWEEN.fullmatch, between)):
        return None
    found = re.escape(between[0])
    for at, part in enumerate(parts):
        apart = (at == 0 or between[at]) and (at + 1 == len(parts) or between[at + 1])
        digits = SHORT.get(part, WHOLE.get(part, "")) if apart else WHOLE.get(part, "")
        found += fixed.get(part) or f"(?P<{part}>{digits})"
        found += re.escape(between[at + 1])
    return found
