"""Reading a mapping by its shape: unknown and missing keys, and the kinds of values, each fault at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeVar

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.frontend.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain_scalar
from policy_engine.frontend.shapes import Shape
from policy_engine.language.rulesets import ALWAYS, Period
from policy_engine.source import Authored, Span

Item = TypeVar("Item")
SNAKE = re.compile(r"[a-z][a-z0-9_]*")
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Fields:
    """The values of a mapping's keys, read once each; faults are added to the list given."""

    def __init__(self, node: MappingNode, shape: Shape, faults: list[Diagnostic]) -> None:
        self.node, self.shape, self.faults = node, shape, faults
        self._refuse_unknown_keys()
        for key in shape.keys:
            if key.required and node.get(key.name) is None:
                faults.append(say("missing-key", self.span, thing=shape.thing, key=key.name, meaning=key.meaning))

    @property
    def span(self) -> Span:
        """The first key's place, which is where a person looks."""
        return self.node.entries[0][0].span if self.node.entries else self.node.span

    def _refuse_unknown_keys(self) -> None:
        for key, value in self.node.entries:
            if key.value in self.shape.names:
                continue
            empty = isinstance(value, ScalarNode) and value.text.value == "" and value.text.plain
            if self.node.flow and empty and re.search(r"[()\[\]<>=+*/ ]", key.value):
                self.faults.append(say("yaml-split", key.span))
            else:
                hint = did_you_mean(key.value, self.shape.names) or f"it has {', '.join(self.shape.names)}"
                self.faults.append(say("unknown-key", key.span, hint=hint, thing=self.shape.thing, key=key.value))

    def wrong(self, key: str, expected: str, node: YamlNode) -> None:
        """Report that a key's value is of the wrong kind."""
        self.faults.append(say("wrong-kind", node.span, key=key, expected=expected))

    def text(self, key: str) -> Authored | None:
        """The text under a key, None where there is none."""
        node = self.node.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and node.text.value.strip():
            return node.text
        self.wrong(key, "a text", node)
        return None

    def words(self, key: str) -> str | None:
        """The text under a key, as plain words."""
        text = self.text(key)
        return None if text is None else text.value.strip()

    def flag(self, key: str) -> bool:
        """Whether a key says true."""
        node = self.node.get(key)
        if node is None:
            return False
        if isinstance(node, ScalarNode) and isinstance(flag := plain_scalar(node.text), bool):
            return flag
        self.wrong(key, "true or false", node)
        return False

    def day(self, key: str) -> date | None:
        """The civil date under a key."""
        text = self.text(key)
        return None if text is None else read_date(text, self.faults)

    def texts(self, key: str) -> tuple[Authored, ...]:
        """A text, or a list of texts."""
        node = self.node.get(key)
        if node is None:
            return ()
        if isinstance(node, ScalarNode):
            return (node.text,)
        return self.list_of(key, self._text_item)

    def _text_item(self, node: YamlNode) -> Authored | None:
        if isinstance(node, ScalarNode):
            return node.text
        self.wrong("an item", "a text", node)
        return None

    def list_of(self, key: str, read: Callable[[YamlNode], Item | None]) -> tuple[Item, ...]:
        """Each item of the list under a key as `read` reads it, without those it could not."""
        node = self.node.get(key)
        if node is None:
            return ()
        if not isinstance(node, SequenceNode):
            self.wrong(key, "a list", node)
            return ()
        return tuple(item for item in map(read, node.items) if item is not None)

    def named(self, key: str, form: re.Pattern[str] = SNAKE) -> Iterator[tuple[Authored, YamlNode]]:
        """The entries under a key; each name must have the form."""
        node = self.node.get(key)
        if node is None:
            return
        if not isinstance(node, MappingNode):
            self.wrong(key, "a mapping of names", node)
            return
        for name, value in node.entries:
            check_name(name, form, self.faults)
            yield name, value

    def period(self, key: str, shape: Shape) -> tuple[Period, str | None]:
        """The half-open period under a key, and the reason given for it."""
        node = self.node.get(key)
        if node is None:
            return ALWAYS, None
        if not isinstance(node, MappingNode):
            self.wrong(key, "{from: a date, until: a date}", node)
            return ALWAYS, None
        fields = Fields(node, shape, self.faults)
        start, end = fields.day("from"), fields.day("until")
        if start is not None and end is not None and end <= start:
            self.faults.append(say("bad-period", node.span, start=start, end=end))
        return Period(start or date.min, end), fields.words("because")


def is_split(node: YamlNode | None) -> bool:
    """Whether a list in brackets holds a piece of an expression, cut at a comma within round brackets."""
    if not isinstance(node, SequenceNode) or not node.flow:
        return False
    texts = [item.text.value for item in node.items if isinstance(item, ScalarNode) and item.text.plain]
    return any(text.count("(") != text.count(")") for text in texts)


def check_name(name: Authored, form: re.Pattern[str], faults: list[Diagnostic]) -> None:
    """Report a name that has not the form."""
    if not form.fullmatch(name.value):
        words = "small letters, digits and underscores" if form is SNAKE else "small letters, digits and hyphens"
        faults.append(say("wrong-name", name.span, name=name.value, form=words))


def read_date(text: Authored, faults: list[Diagnostic]) -> date | None:
    """The civil date that a text says, quoted or not."""
    try:
        if ISO_DATE.fullmatch(text.value):
            return date.fromisoformat(text.value)
    except ValueError:
        pass
    faults.append(say("bad-date", text.span, text=text.value))
    return None
