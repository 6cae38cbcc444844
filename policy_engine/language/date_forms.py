"""Forms in which files write dates, instants and times, such as %d.%m.%Y, and what makes of them the texts of facts.

Patterns mean the same to Python and to Polars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import permutations, product
from types import MappingProxyType

from policy_engine.language.date_texts import EXPECTED, LOCAL_FORMAT, PATTERNS

PART = re.compile("%(.)")
BETWEEN = re.compile("[^%A-Za-z0-9]*[TZ]?[^%A-Za-z0-9]*")
"""What may stand beside the parts of a form: signs, and the letters of ISO 8601."""
NEEDED = MappingProxyType({"date": "Ymd", "date-time": "YmdMz", LOCAL_FORMAT: "YmdM", "time": "M"})
"""For each format the parts that a form must have. Those of instants and times also have %H, or %I with %p."""
OTHERS = MappingProxyType({"date": "HIMSfp", "date-time": "HISfp", LOCAL_FORMAT: "HISfpz", "time": "HISfp"})
DIGITS = MappingProxyType(
    {
        "Y": "[0-9]{4}",
        **dict.fromkeys("mdHIMS", "[0-9]{2}"),
        "f": "[0-9]{1,6}",
        "p": "[AaPp][Mm]",
        "z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})",
    }
)
SHORT = MappingProxyType({**DIGITS, **dict.fromkeys("mdHI", "[0-9]{1,2}")})
"""The parts where signs set them apart: some may have one digit."""
MIDNIGHT = MappingProxyType({"H": "0{1,2}", "I": "12", "M": "00", "S": "00", "f": "0{1,9}", "p": "(?:AM|am)"})
"""The parts of a time of day in a form of dates: only midnight is taken."""
READ: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "date": date.fromisoformat,
        **dict.fromkeys(("date-time", LOCAL_FORMAT), datetime.fromisoformat),
        "time": time.fromisoformat,
    }
)


@dataclass(frozen=True, slots=True)
class DateForm:
    """How dates, instants or times are written: the pattern of a whole text, and what makes it ISO 8601.

    Each of the `replacements` is a pattern, and what stands in place of all that it matches. `expected` says it in a message.
    """

    pattern: str
    replacements: tuple[tuple[str, str], ...]
    expected: str

    def iso(self, text: str) -> str:
        """A text of this form in ISO 8601; raises `ValueError` for any other text."""
        return rewritten(text, self.pattern, self.replacements)


def rewritten(text: str, pattern: str, replacements: Sequence[tuple[str, str]]) -> str:
    """A text of a pattern after its replacements, which name groups as Polars does; raises `ValueError` for any other text."""
    if not re.fullmatch(pattern, text):
        raise ValueError(text)
    for part, replacement in replacements:
        text = re.sub(part, re.sub(r"\$\{(\w)\}", r"\\g<\1>", replacement), text)
    return text


TO_ISO = ((r"([- ])([0-9])\b", "${1}0${2}"), ("([+-][0-9]{2})([0-9]{2})$", "${1}:${2}"))
"""What follows the order of the parts: missing zeros, and the colon of an offset."""
REST = "(:[0-9:.]+)"
"""Of a time of day what stands behind its hour."""
OF_TWELVE = (
    (f" 12{REST}[Aa][Mm]", " 00${1}"),
    (f" (0[1-9]|1[01]){REST}[Aa][Mm]", " ${1}${2}"),
    (f" 12{REST}[Pp][Mm]", " 12${1}"),
    *((f" {hour:02}{REST}[Pp][Mm]", f" {hour + 12}${{1}}") for hour in range(1, 12)),
)
"""Hours from 1 to 12 as those from 0 to 23; others keep their letters, so that they are none."""


@lru_cache(maxsize=64)
def written_as(name: str, form: str | None) -> DateForm | None:
    """How texts of a format of JSON Schema are written in a form, as in ISO 8601 without one; None where the form is none.

    A form of dates names a day, and perhaps a time of day, which must be midnight. One of instants names a day, hours, minutes
    and an offset, which only a local time may lack, and perhaps seconds; one of times hours, minutes and perhaps seconds.
    """
    if form is None:
        return DateForm(PATTERNS[name].strip("^$"), (), EXPECTED[name])
    parts = PART.findall(form)
    if not _is_form(name, form, parts):
        return None
    fixed = MIDNIGHT if name == "date" else {}
    pattern = _pattern(form, {**SHORT, **fixed}, {**DIGITS, **fixed})
    half = OF_TWELVE if "p" in parts else ()
    day, hour = "${Y}-${m}-${d}", f" {_time(parts)}" + ("" if "z" not in parts else "${z}")
    match name:
        case "date":
            at_midnight = " at midnight" if len(parts) > len(NEEDED[name]) else ""
            return DateForm(pattern, ((f"^{pattern}$", day), *TO_ISO), f"a date written as {form}{at_midnight}")
        case "time":
            replacements = ((f"^{pattern}$", hour), *TO_ISO, *half, ("^ ", ""))
            return DateForm(pattern, replacements, f"a time of day written as {form}")
    replacements = ((f"^{pattern}$", day + hour), *TO_ISO, *half, (" ", "T"))
    return DateForm(pattern, replacements, f"an instant written as {form}")


def _is_form(name: str, form: str, parts: Sequence[str]) -> bool:
    """Whether a form has the parts that are needed, perhaps others, each once, and only signs between them."""
    has = set(parts)
    if len(has) != len(parts) or not set(NEEDED[name]) <= has <= {*NEEDED[name], *OTHERS[name]}:
        return False
    if name != "date" and (has & set("HIp") not in ({"H"}, {"I", "p"}) or ("f" in has and "S" not in has)):
        return False
    return all(map(BETWEEN.fullmatch, PART.split(form)[::2]))


def _pattern(form: str, short: Mapping[str, str], digits: Mapping[str, str]) -> str:
    """The pattern of a form. A part side by side with another has all its digits; else two dates could be read in one text."""
    parts, between = PART.findall(form), PART.split(form)[::2]
    found = re.escape(between[0])
    for at, part in enumerate(parts):
        apart = (at == 0 or between[at]) and (at + 1 == len(parts) or between[at + 1] or parts[at + 1] == "p")
        found += f"(?P<{part}>{(short if apart else digits)[part]})" + re.escape(between[at + 1])
    return found


def _time(parts: Sequence[str]) -> str:
    """A time of day by its parts; the letters of half days stand last."""
    seconds = ("${S}" if "S" in parts else "00") + (".${f}" if "f" in parts else "")
    return f"${{{'I' if 'I' in parts else 'H'}}}:${{M}}:{seconds}" + ("${p}" if "p" in parts else "")


def read_in_two_ways(name: str, forms: Sequence[str]) -> tuple[str, str, str] | None:
    """Two of some forms, and a text that they read differently; None where no text of the moments tried is.

    Every day of two years is tried, at several times of day, with and without zeros. The digits of the first year are a month
    and a day as well.
    """
    for first, second in permutations(forms, 2):
        for text in _texts(name, first):
            other = _read(name, second, text)
            if other is not None and _read(name, first, text) not in (None, other):
                return first, second, text
    return None


STEP = timedelta(days=1, hours=1, minutes=7, seconds=11)


def _texts(name: str, form: str) -> Iterator[str]:
    for at, year in product(range(366), (1011, 2012)):
        moment = datetime(year, 1, 1) + at * STEP  # noqa: DTZ001 - what a form writes has no time zone
        if name == "date":
            moment = moment.replace(hour=0, minute=0, second=0)
        hour = moment.hour % 12 or 12
        numbers = {"Y": year, "m": moment.month, "d": moment.day, "H": moment.hour, "I": hour}
        others = {"M": f"{moment:%M}", "S": f"{moment:%S}", "f": "5", "p": f"{moment:%p}", "z": "+01:00"}
        for width in (1, 2):
            written = {**{part: f"{number:0{width}}" for part, number in numbers.items()}, **others}
            yield PART.sub(lambda part: written[part[1]], form)  # noqa: B023 - called at once


def _read(name: str, form: str, text: str) -> object:
    """What a form makes of a text, None where it cannot read it."""
    written = written_as(name, form)
    try:
        return READ[name](written.iso(text)) if written else None
    except ValueError:
        return None
