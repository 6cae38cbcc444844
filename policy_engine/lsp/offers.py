"""What is offered at a caret: a text to write there, what it is, and what it means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policy_engine.frontend.shapes import Key
from policy_engine.lsp.describing import Described, Named, of_key

NOTHING = Described("")


@dataclass(frozen=True, slots=True)
class Offer:
    """A text that may stand at a caret, in place of the last `over` characters before it.

    `label` is what a list shows, `kind` what it is: fact, parameter, definition, reading, table, decision, function, key, value,
    word and so on. `first` are those that fit better than others.
    """

    label: str
    kind: str
    described: Described = NOTHING
    insert: str = ""
    over: int = 0
    first: bool = False

    @property
    def text(self) -> str:
        """What is written."""
        return self.insert or self.label


def of_names(names: Iterable[Named]) -> list[Offer]:
    """Names of the one namespace."""
    return [Offer(each.name, each.kind, each.described) for each in names]


def of_words(words: Iterable[str], kind: str, summary: str = "") -> list[Offer]:
    """Words of one kind."""
    return [Offer(word, kind, Described(summary)) for word in words]


def of_keys(keys: Iterable[Key]) -> list[Offer]:
    """Keys of the file format, with the colon behind them."""
    return [Offer(key.name, "key", of_key(key), f"{key.name}: ") for key in keys]


def over(offers: Iterable[Offer], written: str) -> list[Offer]:
    """The same in place of what is already written of them."""
    return [replace(offer, over=len(written)) for offer in offers]
