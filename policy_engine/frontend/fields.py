"""Reading the keys of a YAML mapping by its shape; unknown keys, missing keys and values of the wrong kind are reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TypeVar

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain_scalar
from policy_engine.documents.quoting import open_brackets, unread
from policy_engine.fixes import Advice, Hint, replaced, write
from policy_engine.frontend.comments import lost_words
from policy_engine.frontend.shape_hints import ISO_DATE, as_list, as_mapping, as_names, home_of, meant, separate
from policy_engine.frontend.shapes import TEXTS, Shape
from policy_engine.language import date_texts
from policy_engine.language.rulesets import ALWAYS, Period
from policy_engine.source import Authored, Span

Item = TypeVar("Item")
SNAKE = re.compile(r"[a-z][a-z0-9_]*")
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LISTED = re.compile(r"\w+(?:[\s;|/]+\w+)+")
A_DASH = "each item of the list begins with `- `"
THOUSANDS = re.compile(r"[0-9]{3}(\.[0-9]+)?")
END_OF_NUMBER = re.compile(rf"{THOUSANDS.pattern}|[0-9]{{1,2}}")
BEFORE_IT = "quote the whole expression before it, with this"
LONGEST_NAME = 100
YEAR_FIRST = re.compile("(?P<year>[0-9]{4})([-/.])(?P<month>[0-9]{1,2})\\2(?P<day>[0-9]{1,2})")
DAY_FIRST = re.compile("(?P<day>[0-9]{1,2})\\.(?P<month>[0-9]{1,2})\\.(?P<year>[0-9]{4})")
"""Days whose parts stand in an order that means one day only; with `/` the month may also come first."""


class Fields:
    """The values of a mapping's keys, read once each; faults are added to the list given."""

    def __init__(self, node: MappingNode, shape: Shape, faults: list[Diagnostic]) -> None:
        self.node, self.shape, self.faults = node, shape, faults
        self.meant: set[str] = set()
        """Keys that an unknown one was probably meant to be."""
        self._refuse_unknown_keys()
        for key in shape.keys:
            if key.required and node.get(key.name) is None and key.name not in self.meant:
                faults.append(say("missing-key", self.span, thing=shape.thing, key=key.name, meaning=key.meaning))

    @property
    def readable(self) -> bool:
        """Whether there was a mapping to read; what stands in for another node has no fields."""
        return self.shape is not NOTHING

    @property
    def span(self) -> Span:
        """The first key's place, which is where a person looks."""
        return self.node.entries[0][0].span if self.node.entries else self.node.span

    def _refuse_unknown_keys(self) -> None:
        cut = any(_is_cut(value) for _, value in self.node.entries) if self.node.flow else False
        before: YamlNode | None = None
        for key, value in self.node.entries:
            last, before = before, value
            if key.value in self.shape.names or (self.node.flow and self._refuse_cut_number(last, key)):
                continue
            empty = isinstance(value, ScalarNode) and value.text.value == "" and value.text.plain
            if self.node.flow and empty:
                self._refuse_piece(key, cut)
            else:
                self._refuse_unknown(key)

    def leave_out_unknown_keys(self) -> None:
        """Read nothing of what stands under unknown keys, which were reported."""
        known = tuple(entry for entry in self.node.entries if entry[0].value in self.shape.names)
        self.node = MappingNode(known, self.node.span, self.node.flow)

    def _refuse_cut_number(self, before: YamlNode | None, key: Authored) -> bool:
        """Whether a key is the end of a number such as `1,000`, which is reported."""
        cut = cut_number(before, key)
        self.faults.extend([] if cut is None else [cut])
        return cut is not None

    def _refuse_unknown(self, key: Authored) -> None:
        near = meant(key.value, self.shape)
        hint: Advice = near or home_of(key.value, self.shape) or f"it has {', '.join(self.shape.names)}"
        if near is not None and (near.new in self.meant or self.node.get(near.new) is not None):
            hint = near.text  # it would stand there twice
        self.meant.update([near.new] if near is not None else [])
        self.faults.append(say("unknown-key", key.span, hint=hint, thing=self.shape.thing, key=key.value))

    def _refuse_piece(self, key: Authored, cut: bool) -> None:
        """A key without a value between braces: its colon is not one, or it is a piece of the expression before it."""
        word = re.match(r"[a-z_]+", key.value)
        rest = key.value[word.end() :] if word else ""
        if word and word.group() in self.shape.names and rest[:1] in (":", " ", ""):
            self.meant.add(word.group())
            thing = "a blank is missing after the colon" if rest[:1] == ":" else "a colon is missing"
            fix = replaced(key.span, f"{word.group()}:", f"{word.group()}: ") if rest[:1] == ":" else None
            self.faults.append(say("yaml-syntax", key.span, fix=fix, why=f"{thing} behind `{word.group()}`"))
        elif not cut and re.search(r"[()\[\]<>=+*/ ]", key.value):
            self.faults.append(say("yaml-split", key.span, hint=BEFORE_IT))
        elif not cut:
            self._refuse_unknown(key)

    def wrong(self, what: str, expected: str, node: YamlNode, hint: Advice | None = None) -> None:
        """Report that something is of the wrong kind; the author's words stand in backticks in `what`."""
        self.faults.append(say("wrong-kind", node.span, hint=hint, what=what, expected=expected))

    def text(self, key: str, expected: str = "a text") -> Authored | None:
        """The text under a key, None where there is none."""
        node = self.node.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and (node.text.unread or (node.text.value.strip() and not is_empty(node))):
            return node.text
        comment = lost_words(node.text) if isinstance(node, ScalarNode) else None
        if comment is not None:
            self.faults.append(comment)
        else:
            self.wrong(f"`{key}`", expected, node)
        return None

    def prose(self, key: str) -> Authored | None:
        """The sentence under a key; words of it that became a comment are reported."""
        return whole_text(self.text(key), self.faults)

    def words(self, key: str) -> str | None:
        """The sentence under a key, as plain words."""
        text = self.prose(key)
        return None if text is None else text.value.strip()

    def flag(self, key: str) -> bool:
        """Whether a key says true."""
        node = self.node.get(key)
        if node is None:
            return False
        if isinstance(node, ScalarNode) and isinstance(flag := plain_scalar(node.text), bool):
            return flag
        self.wrong(f"`{key}`", "true or false", node)
        return False

    def day(self, key: str) -> date | None:
        """The civil date under a key."""
        text = self.text(key, "a date, such as 2025-02-28")
        return None if text is None else read_date(text, self.faults)

    def texts(self, key: str) -> tuple[Authored, ...]:
        """A text, or a list of texts."""
        node = self.node.get(key)
        if node is None:
            return ()
        if isinstance(node, ScalarNode):
            return (node.text,)
        return self.list_of(key, partial(text_item, faults=self.faults))

    def list_of(self, key: str, read: Callable[[YamlNode], Item | None]) -> tuple[Item, ...]:
        """Each item of the list under a key as `read` reads it, without those it could not."""
        node = self.node.get(key)
        if node is None:
            return ()
        if not isinstance(node, SequenceNode):
            texts = any(each.name == key and each.form == TEXTS for each in self.shape.keys)
            self.wrong(f"`{key}`", "a list", node, _list_hint(node, texts=texts))
            return ()
        return tuple(item for item in map(read, node.items) if item is not None)

    def named(self, key: str, form: re.Pattern[str] = SNAKE) -> Iterator[tuple[Authored, YamlNode]]:
        """The entries under a key; each name must have the form."""
        node = self.node.get(key)
        if node is None:
            return
        if not isinstance(node, MappingNode):
            self.wrong(f"`{key}`", "a mapping of names", node, as_names(key, node))
            return
        cut = node.flow and any(_is_cut(value) for _, value in node.entries)
        for name, value in node.entries:
            bare = node.flow and isinstance(value, ScalarNode) and value.text.raw == ""
            if bare and not cut and not SNAKE.fullmatch(name.value):
                self.faults.append(say("yaml-split", name.span, hint=BEFORE_IT))
            elif not (bare and cut):
                check_name(name, form, self.faults)
                yield name, value

    def period(self, key: str, shape: Shape) -> tuple[Period, str | None]:
        """The half-open period under a key, and the reason given for it."""
        node = self.node.get(key)
        if node is None:
            return ALWAYS, None
        if not isinstance(node, MappingNode):
            self.wrong(f"`{key}`", "{from: a date, until: a date}", node, _period_hint(key, node))
            return ALWAYS, None
        fields = Fields(node, shape, self.faults)
        start, end = fields.day("from"), fields.day("until")
        if start is not None and end is not None and end <= start:
            self.faults.append(say("bad-period", node.span, start=start, end=end))
        return Period(start or date.min, end), fields.words("because")


NOTHING = Shape("nothing", ())


def _period_hint(key: str, node: YamlNode) -> Advice | None:
    """The period to write in place of its first day."""
    if not isinstance(node, ScalarNode) or not ISO_DATE.fullmatch(node.text.value):
        return None
    period = f"{{from: {node.text.value}}}"
    return Hint(f"write `{key}: {period}`", node.text.raw, period, as_is=True)


def cut_number(before: YamlNode | None, key: Authored) -> Diagnostic | None:
    """The diagnostic for a number such as `1,000` or `4,90`, of which YAML took the end for a key; None for another key."""
    number = before.text.value if isinstance(before, ScalarNode) and before.text.plain else ""
    if not (number.isdigit() and END_OF_NUMBER.fullmatch(key.value)):
        return None
    between = "" if THOUSANDS.fullmatch(key.value) else "."
    text, better = f"{number},{key.value}", f"{number}{between}{key.value}"
    fix = replaced(before.span, text, better, sure=False) if before is not None else None
    return say("number-form", key.span, hint=f"write `{better}`", fix=fix, text=text)


def fields_of(node: YamlNode, shape: Shape, what: str, faults: list[Diagnostic]) -> Fields:
    """The fields of a node that must be a mapping, not `readable` where it is none, which is reported.

    `what` is what it should have been.
    """
    if isinstance(node, MappingNode):
        return Fields(node, shape, faults)
    hint, expected = as_mapping(what.strip("`"), node, shape), f"a mapping with {', '.join(shape.names)}"
    faults.append(say("wrong-kind", node.span, hint=hint, what=what, expected=expected))
    return Fields(MappingNode((), node.span), NOTHING, faults)


def _is_cut(node: YamlNode) -> bool:
    """Whether a text is the beginning of one that YAML cut, and whose end was not found."""
    return isinstance(node, ScalarNode) and node.text.plain and bool(open_brackets(node.text.value))


def _list_hint(node: YamlNode, *, texts: bool) -> Advice | None:
    """The list to write where its items stand without brackets, as keys, or as the keys of its only item without a dash."""
    if isinstance(node, MappingNode) and texts:
        return as_list([key.value for key, _ in node.entries])
    if isinstance(node, MappingNode):
        return None if node.flow else A_DASH
    text = node.text.value.strip() if isinstance(node, ScalarNode) else ""
    items = [item.strip() for item in text.split(",")]
    if len(items) == 1 and LISTED.fullmatch(text):
        items = separate(text) or items
    if not all(items) or not isinstance(node, ScalarNode) or set(text) & set("[]{}()\n"):
        return None
    return Hint(as_list(items), node.text.raw, f"[{', '.join(items)}]", as_is=True)


def is_empty(node: YamlNode) -> bool:
    """Whether nothing stands under a key, or a sign for nothing."""
    return isinstance(node, ScalarNode) and node.text.plain and node.text.value in ("", "~", "null")


def whole_text(text: Authored | None, faults: list[Diagnostic]) -> Authored | None:
    """A text of any words; those that became a comment are reported."""
    lost = lost_words(text) if text is not None else None
    faults.extend([lost] if lost is not None else [])
    return text


def text_item(node: YamlNode, faults: list[Diagnostic]) -> Authored:
    """An item that must be a text; where it is not, that is reported, and a placeholder takes its position."""
    if isinstance(node, ScalarNode):
        return node.text
    faults.append(say("wrong-kind", node.span, what="an item", expected="a text"))
    return unread(node.span)


def check_name(name: Authored, form: re.Pattern[str], faults: list[Diagnostic]) -> None:
    """Report a name that has not the form."""
    if not form.fullmatch(name.value):
        words = "small letters, digits and underscores" if form is SNAKE else "small letters, digits and hyphens"
        better = name_in_form(name.value, form)
        hint = write(name.value, better) if better is not None else None
        faults.append(say("wrong-name", name.span, hint=hint, name=name.value, form=words))


def name_in_form(name: str, form: re.Pattern[str]) -> str | None:
    """The name that was probably meant, in small letters and with the form's own sign between words; None where none is."""
    between = "_" if form is SNAKE else "-"
    better = (
        re.sub(r"[ _.-]+", between, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", between, name.strip())).lower().strip(between)
    )
    return better if form is not ISO_DATE and form.fullmatch(better) and len(name) <= LONGEST_NAME else None


def read_date(text: Authored, faults: list[Diagnostic]) -> date | None:
    """The civil date that a text says, quoted or not."""
    try:
        return date_texts.read_date(text.value)
    except ValueError:
        better = _day_meant(text.value)
        hint = write(text.value, better) if better is not None else None
        faults.append(say("bad-date", text.span, hint=hint, text=text.value))
        return None


def _day_meant(text: str) -> str | None:
    """The day of a text that can mean one only, in the form in which days are written; None for another."""
    found = YEAR_FIRST.fullmatch(text) or DAY_FIRST.fullmatch(text)
    day = "" if found is None else f"{found['year']}-{found['month']:0>2}-{found['day']:0>2}"
    try:
        return date_texts.read_date(day).isoformat()
    except ValueError:
        return None
