"""Hints that say exactly what to write, and the edits of files that they come to."""

from __future__ import annotations

import re
from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeAlias

from policy_engine.source import Span

NEUTRAL = re.compile(r"[\w .()+/<>=!*-]")
"""What means the same in every place of a file: plain, in quotes of either kind, in a block, between brackets."""
SHORTEST_WORD = 4
"""In a shorter word one letter tells two words apart, as in `paid_at` and `paid_by`."""
SEPARATORS = re.compile(r"[ _-]")
LINE_END = re.compile("\r\n|\r|\n")
Place: TypeAlias = tuple[int, int]
"""A line and a column, from 1."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """`new` in place of `old`, which begins at a place of a file; lines and columns count from 1, and a line ends in one \\n."""

    path: str
    line: int
    column: int
    old: str
    new: str

    @property
    def start(self) -> Place:
        """Where what is replaced begins."""
        return self.line, self.column

    @property
    def end(self) -> Place:
        """The place behind what is replaced."""
        lines = self.old.count("\n")
        behind = len(self.old) - (self.old.rfind("\n") + 1)
        return self.line + lines, behind + (1 if lines else self.column)

    def to_dict(self) -> dict[str, object]:
        """The edit in JSON types."""
        end_line, end_column = self.end
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "end_line": end_line,
            "end_column": end_column,
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that do together what a hint advises, and a title that says what they do.

    Only what is `sure` may be done without asking. Of the rest a person says whether it was meant.
    """

    title: str
    edits: tuple[Edit, ...]
    sure: bool = True

    def to_dict(self) -> dict[str, object]:
        """The fix in JSON types."""
        return {"title": self.title, "sure": self.sure, "edits": [edit.to_dict() for edit in self.edits]}


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint that says exactly what to write: `new` in place of the marked text, which is `old`, perhaps in quotes.

    Where `old` is all that stands there, quotes included, `new` may be written `as_is`.
    """

    text: str
    old: str
    new: str
    sure: bool = True
    as_is: bool = False

    def __str__(self) -> str:
        return self.text

    def behind(self, before: str) -> Hint:
        """The same, where what is marked begins with other words."""
        return replace(self, old=before + self.old, new=before + self.new)

    def fix(self, span: Span) -> Fix | None:
        """The fix at the place that is marked; None where it marks more, or `new` has signs that its place may not allow."""
        quotes = 0 if self.as_is else span.length - len(self.old)
        allowed = self.as_is or all(NEUTRAL.match(sign) or sign in self.old for sign in self.new)
        if self.old == self.new or quotes not in (0, 2) or not allowed:
            return None
        return replaced(Span(span.path, span.line, span.column + quotes // 2), self.old, self.new, sure=self.sure)


def write(old: str, new: str, *, sure: bool = True, as_is: bool = False) -> Hint:
    """The hint to write a text in place of another."""
    return Hint(f"write `{new}`", old, new, sure, as_is)


Advice: TypeAlias = "str | Hint"
"""What to do about a fault, in words alone or exactly."""


def replaced(at: Span, old: str, new: str, *, sure: bool = True) -> Fix:
    """The fix that writes a text in place of another, which begins at a place."""
    return Fix(_title(old, new), (Edit(at.path, at.line, at.column, old, new),), sure)


def _title(old: str, new: str) -> str:
    if not new:
        return f"leave `{old.strip()}` out"
    if new == f"{old} ":
        return f"write a blank behind `{old}`"
    return f"write `{new.strip()}` in place of `{old}`" if new.strip() else f"write a blank in place of `{old}`"


def is_exact(fix: Fix, texts: Mapping[str, Sequence[str]]) -> bool:
    """Whether all that a fix replaces stands in the files just so; `texts` are their lines."""
    return all(_stands(edit, texts.get(edit.path, ())) for edit in fix.edits)


def _stands(edit: Edit, lines: Sequence[str]) -> bool:
    last, _ = edit.end
    return "\n".join(lines[edit.line - 1 : last]).startswith(edit.old, edit.column - 1)


def together(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes, from the first on, that touch no place which one before them changes; where two are the same, one."""
    taken: list[Fix] = []
    changed: dict[str, list[Edit]] = {}
    for fix in fixes:
        if all(_is_free(edit, changed.get(edit.path, ())) for edit in fix.edits):
            taken.append(fix)
            for edit in fix.edits:
                insort(changed.setdefault(edit.path, []), edit)
    return taken


def _is_free(edit: Edit, changed: Sequence[Edit]) -> bool:
    """Whether an edit touches none of those that are in order."""
    at = bisect(changed, edit)
    before, behind = changed[max(0, at - 1) : at], changed[at : at + 1]
    return all(each.end <= edit.start != each.start for each in before) and all(
        edit.end <= each.start for each in behind
    )


def edits_by_path(edits: Iterable[Edit]) -> Mapping[str, list[Edit]]:
    """The edits of each file."""
    found: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        found[edit.path].append(edit)
    return found


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A file's text with its edits made, its line ends kept; no edits may touch the same place."""
    ends = list(LINE_END.finditer(text))
    starts = [0, *(end.end() for end in ends)]
    line_end = ends[0].group() if ends else "\n"
    parts, done = [], 0
    for edit in sorted(edits):
        start, end = (starts[line - 1] + column - 1 for line, column in (edit.start, edit.end))
        parts += [text[done:start], edit.new.replace("\n", line_end)]
        done = end
    return "".join([*parts, text[done:]])


def is_slip(name: str, meant: str, known: Collection[str]) -> bool:
    """Whether a name can only be a slip of the keyboard for the one meant: a letter too many, missing, wrong, or two swapped.

    Case and the signs between words do not count. Digits, first letters and letters of short words tell names apart, so a
    change of them is no slip. No other known name may be as near.
    """
    if _letters(name) == _letters(meant):
        return True
    return _is_near(name, meant) and not any(_is_near(name, other) for other in known if other != meant)


def _letters(name: str) -> str:
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    return SEPARATORS.split(name.lower())


def _is_near(name: str, meant: str) -> bool:
    """Whether two names have the same words but for one, and that differs by one slip."""
    words, others = _words(name), _words(meant)
    differing = [(word, other) for word, other in zip(words, others, strict=False) if word != other]
    return len(words) == len(others) and len(differing) == 1 and _is_one_slip(*differing[0])


def _is_one_slip(word: str, meant: str) -> bool:
    start = next((at for at, pair in enumerate(zip_longest(word, meant)) if pair[0] != pair[1]), len(word))
    rest, wanted = word[start:], meant[start:]
    wrong, too_many, missing = rest[1:] == wanted[1:], rest[1:] == wanted, rest == wanted[1:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    tells_apart = (
        start == 0 or min(len(word), len(meant)) < SHORTEST_WORD or any(map(str.isdigit, rest[:1] + wanted[:1]))
    )
    return (wrong or too_many or missing or swapped) and not tells_apart
