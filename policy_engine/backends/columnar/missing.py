"""The bit masks of missing facts as columns (`backends.missing_facts`). They are computed for undetermined rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import polars as pl

from policy_engine.backends import missing_facts
from policy_engine.backends.columnar import aggregates
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.plan import ACCOUNTS, ListOffsets
from policy_engine.backends.missing_facts import MissingFacts
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import asked_of_element
from policy_engine.language.types import ANYTHING

FEW = 10
"""The most paths for which a table of all sets is made."""
TRUE = pl.lit(True)
Mask: TypeAlias = missing_facts.Mask[pl.Expr]


def is_tabled(paths: Sequence[str]) -> bool:
    """Whether there are so few paths that a table of all their sets is made."""
    return len(paths) <= FEW


@dataclass(slots=True)
class Missing(MissingFacts[pl.Expr]):
    """Writes the masks of one plan, beside its expressions."""

    to: Expressions

    @property
    def dtype(self) -> pl.DataType:
        """The type of a word."""
        return pl.UInt16() if is_tabled(self.paths) else pl.Int64()

    @property
    def true(self) -> pl.Expr:
        """The truth that always holds."""
        return TRUE

    def word(self, bits: int) -> pl.Expr:
        """A word with some bits."""
        return pl.lit(bits, dtype=self.dtype)

    def union(self, one: pl.Expr, other: pl.Expr) -> pl.Expr:
        """The bits of one or the other word."""
        return one | other

    def choose(self, condition: pl.Expr, one: pl.Expr, other: pl.Expr) -> pl.Expr:
        """One word where a condition holds, else the other."""
        return pl.when(condition).then(one).otherwise(other)

    def choose_list(self, condition: pl.Expr, one: pl.Expr, other: pl.Expr) -> pl.Expr:
        """One list of words where a condition holds, the other where it does not."""
        return pl.when(condition).then(one).when(~condition).then(other)

    def is_unknown(self, value: pl.Expr) -> pl.Expr:
        """Whether a value is null."""
        return value.is_null()

    def is_known(self, value: pl.Expr) -> pl.Expr:
        """Whether a value is not null."""
        return value.is_not_null()

    def is_not_true(self, truth: pl.Expr) -> pl.Expr:
        """Whether a truth is false or unknown."""
        return truth.ne_missing(True)

    def equals(self, value: pl.Expr, constant: str | bool) -> pl.Expr:
        """Whether a value is a constant."""
        return value == constant

    def at_accounts(self, compute: Callable[[], Mask]) -> Mask:
        """A mask over the accounts, as columns of them."""
        with self.to.inside(ACCOUNTS, {}):
            return self.named(compute())

    def lifted(self, mask: Mask) -> Mask:
        """A mask over the accounts, repeated for each row of the domain at hand."""
        return None if mask is None else tuple(self.to.plan.lift(word, ACCOUNTS, self.to.domain) for word in mask)

    def fact(self, node: tree.Fact) -> Mask:
        """The mask of a fact, which is read as it is: a list is not put together for it."""
        is_absent = pl.col(node.name).is_null()
        return self.over_accounts(lambda: self.where(is_absent, self.bit(f"{node.name}{self.below}")))

    def variable(self, node: tree.Variable) -> Mask:
        """The mask of the element at hand, which stands beside it."""
        offsets = self.to.variables[node.name]
        if not offsets.masks:
            return None
        first = asked_of_element(node.type).index(self.below) * self.words
        names = offsets.masks[first : first + self.words]
        return tuple(self.to.plan.lift(pl.col(name), offsets.domain, self.to.domain) for name in names)

    def list_is_known(self, node: tree.Node) -> pl.Expr:
        """Whether a list is known as a whole."""
        return self.to.lists.of(node).start.is_not_null()

    @contextmanager
    def inside(self, node: tree.Aggregate) -> Iterator[Callable[[Mask], Mask]]:
        """Write for the elements of an aggregate's list, with their masks beside them."""
        with self.asking(""):
            offsets = self._offsets(node.source)
        with self.to.inside(offsets.domain, {**self.to.variables, node.variable: offsets}):
            yield partial(self._reduced, offsets)

    def _reduced(self, offsets: ListOffsets, words: Sequence[pl.Expr]) -> Mask:
        inside = [aggregates.reduced(self.to, offsets, word != 0, word.bitwise_or(), "mask") for word in words]
        return tuple(word.fill_null(0) for word in inside)

    def quantified(self, node: tree.Aggregate) -> pl.Expr:
        """Filter and condition of one element of `any` or `all`, together."""
        return aggregates.quantified_row(self.to, node)

    def _offsets(self, node: tree.Node) -> ListOffsets:
        """The offsets of a list, with the masks of its elements where these may be unknown."""
        if isinstance(node, tree.Definition) and tree.has_unknown_elements(node):
            with self.to.inside(ACCOUNTS, {}):
                offsets = self._with_masks(self.to.lists.of(node), self.to.ruleset.list_of(node.name))
            return self.to.lists.repeated(offsets)
        return self._with_masks(self.to.lists.of(node), node)

    def _with_masks(self, offsets: ListOffsets, node: tree.Node) -> ListOffsets:
        lists = [word for words in self.of_elements(node).values() for word in words]
        names = [self.to.kept(word, "lists").meta.output_name() for word in lists]
        return replace(offsets, masks=tuple([self._beside(offsets, name) for name in names]))

    def _beside(self, offsets: ListOffsets, lists: str) -> str:
        """The masks of a column of lists, one for each element, as a column beside them."""
        reads = [(self.to.domain, lists), (offsets.domain, "")]
        explode = partial(pl.Series.explode, empty_as_null=False, keep_nulls=False)
        return self.to.plan.column(offsets.domain, "mask", explode, reads).meta.output_name()

    def array(self, words: Sequence[pl.Expr]) -> pl.Expr:
        """A list of words."""
        return pl.concat_list(words)

    def no_lists(self, node: tree.Node) -> tuple[pl.Expr, ...]:
        """Lists of empty words, one for each element of a list."""
        value = self.to.value(node).cast(pl.List(pl.Null)) if node.type == ANYTHING else self.to.value(node)
        lists = self.to.kept(value, "lists")
        return (lists.list.eval(pl.element().is_null().cast(self.dtype) * 0),) * self.words
