"""Texts between brackets and quotes of YAML, up to a place where they may still be open."""

from __future__ import annotations

from dataclasses import dataclass, field

QUOTES = ("'", '"')
OPENING = ("{", "[", *QUOTES)
"""How a value begins that goes on until it is closed."""


@dataclass(slots=True)
class Level:
    """An open bracket: whether it is that of a list, its items so far, and of a mapping the keys so far and the key at hand."""

    is_list: bool
    items: int = 0
    keys: set[str] = field(default_factory=set)
    key: str | None = None


@dataclass(slots=True)
class Flow:
    """What is open at the end of a text: brackets, from the outside in, and a quote. `text` is what was written last."""

    levels: list[Level] = field(default_factory=list)
    text: str = ""
    quote: str = ""
    begun: bool = False
    """Whether a key or a value has begun, so that quotes and brackets are signs as any other."""

    @property
    def is_open(self) -> bool:
        """Whether a bracket or a quote is open."""
        return bool(self.levels or self.quote)

    @property
    def awaits_key(self) -> bool:
        """Whether a colon would end a key."""
        return bool(self.levels) and not self.levels[-1].is_list and self.levels[-1].key is None

    def open(self, sign: str) -> None:
        """A bracket is opened."""
        self.levels.append(Level(is_list=sign == "["))
        self.text = ""

    def close(self) -> None:
        """The innermost bracket is closed."""
        self.levels.pop()
        self.text, self.begun = "", True

    def end_item(self) -> None:
        """A comma: another item follows, or another key."""
        level = self.levels[-1]
        level.items, level.key = level.items + 1, None
        self.text, self.begun = "", False

    def end_key(self) -> None:
        """A colon: what was written is a key."""
        level = self.levels[-1]
        level.key = self.text.strip()
        level.keys.add(level.key)
        self.text, self.begun = "", False

    def write(self, sign: str) -> None:
        """A sign of a key or a value; blanks before it do not count."""
        self.begun = self.begun or bool(sign.strip())
        self.text += sign if self.begun else ""


def scan(text: str) -> Flow:
    """What is open at the end of a text that begins with a bracket or a quote."""
    found, at = Flow(), 0
    while at < len(text):
        at = _step(text, at, found)
    return found


def _step(text: str, at: int, found: Flow) -> int:
    """Read the sign at a place, or a whole text in quotes; the place behind it."""
    sign = text[at]
    if sign in QUOTES and not found.begun:
        found.begun = True
        return _quoted(text, at, found)
    if sign in "{[" and not found.begun:
        found.open(sign)
    elif sign in "}]" and found.levels:
        found.close()
    elif sign == "," and found.levels:
        found.end_item()
    elif sign == ":" and found.awaits_key and not text[at + 1 : at + 2].strip():
        found.end_key()
    else:
        found.write(sign)
    return at + 1


def _quoted(text: str, at: int, found: Flow) -> int:
    """Read a text in quotes from its first quote on; the place behind it, or the end where it is open."""
    quote = found.quote = text[at]
    found.text = ""
    at += 1
    while at < len(text):
        if text[at] == quote and not (quote == "'" and text.startswith("''", at)):
            found.quote = ""
            return at + 1
        if text[at] == quote or (quote == '"' and text[at] == "\\"):
            at += 1  # the sign behind it is meant
        found.text += text[at : at + 1]
        at += 1
    return at
