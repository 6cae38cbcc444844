"""Facts of a caller in JSON types (sentences 1 to 3 of the meaning), with limits on depth, number of values and digits.

Facts may come from strangers, so no method of their values is run but those of mappings and sequences, and what is shared or
holds itself cannot keep the reader busy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any

from policy_engine.diagnostics import shown_text
from policy_engine.errors import Violation
from policy_engine.facts.foreign import Refused, members_of, moment_text, plain_value, time_text
from policy_engine.language.types import ListOf, Record, Type, with_article

DEEPEST = 64
MOST_VALUES = 100_000
MOST_UNFIT = 100
DIGITS = 40
LARGEST: int = 10**DIGITS
TOO_LARGE = "this is a number too large, too small or too long to be meant"
Json = Any
"""Facts in JSON types, numbers exact: dict, list, str, bool, int, Decimal."""


class StopReading(Exception):  # noqa: N818 - not an error: reading stops, and what was found is told
    """There is no point in reading on."""


def to_json_types(facts: object, kind: Record | None = None) -> tuple[Json, list[Violation]]:
    """A caller's facts in JSON types, members that are null left out, and what no JSON could say.

    Floats become the decimal that their shortest form writes; dates and instants of Python become their text. Where the type of
    the facts is given, values of other libraries are taken as what it says, and refused by its words.
    """
    reader = FactsReader()
    if members_of(facts) is None:
        reader.refuse("", _kind(facts), "an object", f"facts are an object, not {_kind(facts)}")
        return None, reader.found
    try:
        return reader.value(facts, "", 0, kind), reader.found
    except StopReading:
        return None, reader.found


def is_plain(facts: object) -> bool:
    """Whether facts are dictionaries, lists, texts and numbers of Python and of nobody's else, as read from JSON."""
    waiting, met = [facts], 0
    while waiting and met <= MOST_VALUES:
        value = waiting.pop()
        met += 1
        if type(value) is dict:
            waiting += [*value, *value.values()]
        elif type(value) is list:
            waiting += value
        elif type(value) not in (str, int, float, bool, type(None)):
            return False
    return not waiting


@dataclass(slots=True)
class FactsReader:
    """One reading of facts: how many values were met, and what is unfit."""

    met: int = 0
    found: list[Violation] = field(default_factory=list)

    def value(self, value: object, pointer: str, depth: int, kind: Type | None = None) -> Json:
        """A value in JSON types; None where it is none, which is told."""
        self.met += 1
        if self.met > MOST_VALUES:
            words = f"there are more than {MOST_VALUES} values"
            self.refuse("", "more values than facts have", f"at most {MOST_VALUES} values", words)
            raise StopReading
        if depth > DEEPEST:
            words = f"facts are nested more than {DEEPEST} levels deep"
            return self.refuse(pointer, _kind(value), f"at most {DEEPEST} levels", words)
        if isinstance(value, Enum):  # before texts and numbers, for some enumerations are these too
            return self.foreign(value, pointer, depth, kind)
        match value:
            case bool() | None:
                return value
            case int() | float() | Decimal():
                return self.number(value, pointer)
            case str():
                return self.text(value, pointer)
            case Mapping():
                return self.members(value, pointer, depth, kind)
            case list() | tuple():
                below = kind.element if isinstance(kind, ListOf) else None
                return [self.value(item, f"{pointer}/{index}", depth + 1, below) for index, item in enumerate(value)]
        return self.foreign(value, pointer, depth, kind)

    def foreign(self, value: object, pointer: str, depth: int, kind: Type | None) -> Json:
        """A value that JSON has no form for, where it is clear as what it is meant."""
        members = members_of(value)
        if members is not None:
            return self.members(members, pointer, depth, kind)
        try:
            if isinstance(value, date):
                return moment_text(value, kind)
            if isinstance(value, time):
                return time_text(value)
            return self.value(plain_value(value, kind), pointer, depth + 1, kind)
        except Refused as refused:
            asked = kind if isinstance(value, date | time) else None
            what = "a JSON value" if asked is None else with_article(asked)
            words = f"{_kind(value)} is not {what}; {refused}"
            return self.refuse(pointer, type(value).__name__, what, words, "type" if asked is None else "format")

    def members(self, value: Mapping[object, object], pointer: str, depth: int, kind: Type | None) -> Json:
        """An object without the members that are null."""
        types = {member.name: member.type for member in kind.members} if isinstance(kind, Record) else {}
        members = {}
        for name, member in value.items():
            if not isinstance(name, str):
                words = f"a name is a text, and {_kind(name)} is none"
                self.refuse(pointer, _kind(name), "names that are texts", words)
            elif member is not None:
                members[str.__str__(name)] = self.value(
                    member, f"{pointer}/{escaped(name)}", depth + 1, types.get(name)
                )
        return members

    def number(self, value: float | Decimal, pointer: str) -> Json:
        """An integer, or an exact decimal."""
        if isinstance(value, int):
            whole = int.__int__(value)
            return whole if -LARGEST < whole < LARGEST else self.refuse(pointer, "a number", _OF_DIGITS, TOO_LARGE)
        exact = Decimal(float.__repr__(value)) if isinstance(value, float) else value
        if not exact.is_finite():
            return self.refuse(pointer, str(exact), "a number", "NaN and infinities are not numbers")
        if not -DIGITS < exact.adjusted() < DIGITS or len(exact.as_tuple().digits) > 2 * DIGITS:
            return self.refuse(pointer, "a number", _OF_DIGITS, TOO_LARGE)
        return int(exact) if exact == exact.to_integral_value() else exact

    def text(self, value: str, pointer: str) -> Json:
        """A text of whole characters."""
        try:
            str.encode(value)
        except UnicodeEncodeError:
            shown = str.encode(value, "utf-8", "backslashreplace").decode()
            words = "the text holds half a character (a lone surrogate)"
            return self.refuse(pointer, shown_text(shown), "a text of whole characters", words)
        return str.__str__(value)

    def refuse(self, pointer: str, value: str, expected: str, message: str, keyword: str = "type") -> None:
        """Note what is unfit; after many there is no point in reading on."""
        self.found.append(Violation(pointer, value, keyword, expected, message))
        if len(self.found) >= MOST_UNFIT:
            raise StopReading


_OF_DIGITS = f"a number of at most {DIGITS} digits"


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), f"a Python {type(value).__name__}")


LONG = 100
"""Characters of a name that might be cut where it is shown."""


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer."""
    if len(name) < LONG and name.isascii() and name.isidentifier():
        return str.__str__(name)
    return shown_text(str.__str__(name)).replace("~", "~0").replace("/", "~1")
