"""The bit masks of missing facts as columns of a query (`backends.missing_facts`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from policy_engine.backends import missing_facts
from policy_engine.backends.missing_facts import BITS, MissingFacts
from policy_engine.backends.sql.build import TRUE, Sql, choose, literal
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.lists import Around
from policy_engine.language import expressions as tree
from policy_engine.language.types import ANYTHING, ListOf, Number

Mask: TypeAlias = missing_facts.Mask[Sql]
WORD = Number(0, 0, 2**BITS)


@dataclass(slots=True)
class Missing(MissingFacts[Sql]):
    """Writes the masks of one query, beside its expressions; `elements` are those of the loops around, as lists."""

    to: Expressions
    elements: dict[str, Mapping[str, tuple[Sql, ...]]] = field(default_factory=dict)

    @property
    def true(self) -> Sql:
        """The truth that always holds."""
        return TRUE

    def word(self, bits: int) -> Sql:
        """A word with some bits."""
        return literal(bits)

    def union(self, one: Sql, other: Sql) -> Sql:
        """The bits of one or the other word."""
        if one.node == other.node or _is_empty(other):
            return one
        return other if _is_empty(one) else one.with_bits(other)

    def choose(self, condition: Sql, one: Sql, other: Sql) -> Sql:
        """One word where a condition holds, else the other."""
        return self.empty if _is_empty(one) and _is_empty(other) else choose([(condition, one)], other)

    def choose_list(self, condition: Sql, one: Sql, other: Sql) -> Sql:
        """One list of words where a condition holds, the other where it does not."""
        return choose([(condition, one), (~condition, other)])

    def is_unknown(self, value: Sql) -> Sql:
        """Whether a value is null."""
        return value.is_unknown()

    def is_known(self, value: Sql) -> Sql:
        """Whether a value is not null."""
        return value.is_known()

    def is_not_true(self, truth: Sql) -> Sql:
        """Whether a truth is false or unknown."""
        return choose([(truth, literal(False))], True)

    def equals(self, value: Sql, constant: str | bool) -> Sql:
        """Whether a value is a constant."""
        return value.equals(constant)

    def at_accounts(self, compute: Callable[[], Mask]) -> Mask:
        """A mask over the accounts, as columns of them."""
        outer, self.elements = self.elements, {}
        with self.to.lists.outside():
            found = self.named(compute())
        self.elements = outer
        return found

    def lifted(self, mask: Mask) -> Mask:
        """A mask over the accounts, which can be read inside loops as it is."""
        return mask

    def variable(self, node: tree.Variable) -> Mask:
        """The mask of the element at hand, which stands in its place in a list of masks."""
        lists = self.elements.get(node.name, {}).get(self.below)
        if lists is None:
            return None
        place = self.to.dialect.place_of(self.to.lists.around[node.name].place)
        return tuple(word if _is_empty(word) else self.to.dialect.item(word, place) for word in lists)

    def list_is_known(self, node: tree.Node) -> Sql:
        """Whether a list is known as a whole."""
        return self.to.value(node).is_known()

    @contextmanager
    def inside(self, node: tree.Aggregate) -> Iterator[Callable[[Mask], Mask]]:
        """Write for the elements of an aggregate's list."""
        lists = self.to.lists
        loop = lists.entered(node.variable, self.to.kept(self.to.value(node.source), "listed"))
        with self.asking(""):
            masks = self.of_elements(node.source)
        outer, self.elements = self.elements, {**self.elements, node.variable: masks}
        with lists.inside(node.variable, loop):
            yield partial(self._reduced, loop)
        self.elements = outer

    def _reduced(self, loop: Around, words: Sequence[Sql]) -> Mask:
        return tuple(word if _is_empty(word) else self._bits(loop, word) for word in words)

    def _bits(self, loop: Around, word: Sql) -> Sql:
        over = Loop(loop.listed, loop.element, loop.place, None, (word,), WORD)
        return self.to.kept(self.to.dialect.bits(over, word).without(over.variables), "missing")

    def quantified(self, node: tree.Aggregate) -> Sql:
        """Filter and condition of one element of `any` or `all`, together."""
        return self.to.lists.row(node)

    def array(self, words: Sequence[Sql]) -> Sql:
        """A list of words."""
        return self.to.kept(self.to.dialect.array(words, WORD), "missing")

    def no_lists(self, node: tree.Node) -> tuple[Sql, ...]:
        """Lists of empty words, one for each element of a list."""
        if node.type == ANYTHING:
            return (self.to.dialect.nothing(ListOf(WORD)),) * self.words
        listed = self.to.kept(self.to.value(node), "listed")
        return (self.to.lists.mapped(listed, WORD, lambda element: literal(0).cast("BIGINT")),) * self.words


def _is_empty(word: Sql) -> bool:
    return word.number == 0
