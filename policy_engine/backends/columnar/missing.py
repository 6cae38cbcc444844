"""The missing facts of an expression as a bit mask: one bit for each path of the schema, set where that fact is missing.

The mask is zero wherever the expression is known. So a strict operation misses whatever its operands miss, and only what may be
known in spite of an unknown operand first tests whether it is (sentences 6 to 8 and 18). Masks are computed for undetermined
rows only. Paths that do not fit into one integer go on in a second and a third: the words of the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.backends.columnar import aggregates
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.plan import ACCOUNTS, ListOffsets
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import asked_of_element, fact_paths
from policy_engine.language.specialize import constant
from policy_engine.language.types import ANYTHING, ListOf, Record, member_of

BITS, FEW = 62, 10
"""The paths in a word, and the most paths for which a table of all sets is made."""
Mask = tuple[pl.Expr, ...] | None
"""The words of a mask, None for what is never unknown."""
NONE = pl.lit(0)


def joint(masks: Iterable[Mask]) -> Mask:
    """The union of masks."""
    found = [mask for mask in masks if mask is not None]
    if not found:
        return None
    result = found[0]
    for mask in found[1:]:
        result = tuple(one | other for one, other in zip(result, mask, strict=True))
    return result


def where(condition: pl.Expr, mask: Mask, otherwise: Mask = None) -> Mask:
    """A mask where a condition holds, else another."""
    if mask is None and otherwise is None:
        return None
    count = len(mask or otherwise or ())
    first, second = mask or (NONE,) * count, otherwise or (NONE,) * count
    return tuple(pl.when(condition).then(one).otherwise(other) for one, other in zip(first, second, strict=True))


@dataclass(slots=True)
class Missing:
    """Writes the masks of one plan, beside its expressions. `part` gives those of other decisions and their values.

    While the mask of a record is written of which a member is asked, `below` is that member, such as `.opened_on`: of an absent
    record the member is missing. For conditions, filters and lists on the way to the record it is "" (sentence 1.1).
    """

    to: Expressions
    part: Callable[[str, str], Mask]
    paths: tuple[str, ...] = field(init=False)
    definitions: dict[tuple[str, str], Mask] = field(default_factory=dict)
    below: str = ""

    def __post_init__(self) -> None:
        self.paths = tuple(dict.fromkeys(fact_paths(self.to.ruleset.facts.type)))

    @property
    def is_tabled(self) -> bool:
        """Whether there are so few paths that a table of all their sets is made."""
        return len(self.paths) <= FEW

    @property
    def dtype(self) -> pl.DataType:
        """The type of a word."""
        return pl.UInt16() if self.is_tabled else pl.Int64()

    def bit(self, path: str) -> Mask:
        """The mask of one path."""
        word, place = divmod(self.paths.index(path), BITS)
        words = -(-len(self.paths) // BITS)
        return tuple(pl.lit(1 << place if index == word else 0, dtype=self.dtype) for index in range(words))

    @contextmanager
    def asking(self, below: str) -> Iterator[None]:
        """Write for a record of which a member is asked, or as "" for a value as a whole."""
        outer, self.below = self.below, below
        yield
        self.below = outer

    def on_the_way(self, node: tree.Node) -> Mask:
        """The mask of a condition on the way to a value."""
        with self.asking(""):
            return self.mask(node)

    def mask(self, node: tree.Node) -> Mask:
        """The mask of an expression, in the domain at hand."""
        if not node.optional:
            return None
        return HANDLERS.get(type(node), Missing.strict)(self, node)

    def condition(self, condition: tree.Condition) -> Mask:
        """The mask of a condition."""
        if not tree.is_optional(condition) or constant(condition) is not None:
            return None
        if isinstance(condition, tree.Expression):
            return self.mask(condition.tree)
        return self._junction(self.to.condition(condition), [self.condition(part) for part in condition.conditions])

    def _junction(self, value: pl.Expr, masks: Sequence[Mask]) -> Mask:
        """The union of masks where a value is null: with `and`, `or` and `default` it may be known beside unknown operands."""
        return where(self.to.kept(value).is_null(), joint(masks))

    def named(self, mask: Mask) -> Mask:
        """The words as columns."""
        return None if mask is None else tuple(self.to.kept(word, "mask") for word in mask)

    def at_accounts(self, compute: Callable[[], Mask]) -> Mask:
        """A mask over the accounts, repeated for each row of the domain at hand."""
        mask = self.at_accounts_now(compute)
        return None if mask is None else tuple(self.to.plan.lift(word, ACCOUNTS, self.to.domain) for word in mask)

    # Each handler writes the mask of one kind of node; that of others is what their operands miss.

    def strict(self, node: tree.Node) -> Mask:
        return joint(self.mask(child) for child in tree.children(node))

    def fact(self, node: tree.Fact) -> Mask:
        return self.at_accounts(lambda: where(pl.col(node.name).is_null(), self.bit(f"{node.name}{self.below}")))

    def variable(self, node: tree.Variable) -> Mask:
        offsets = self.to.variables[node.name]
        if not offsets.masks:
            return None
        words = len(self.none())
        first = asked_of_element(node.type).index(self.below) * words
        names = offsets.masks[first : first + words]
        return tuple(self.to.plan.lift(pl.col(name), offsets.domain, self.to.domain) for name in names)

    def member(self, node: tree.MemberOf) -> Mask:
        """Of an absent record the member that was asked for is missing (sentence 1.1)."""
        assert isinstance(node.record.type, Record)
        record = self.to.value(node.record)
        member = member_of(node.record.type, node.name)
        assert member is not None
        own = where(
            record.is_not_null() & record.struct.field(node.name).is_null(),
            self.bit(f"{node.record.type.path}.{node.name}{self.below}"),
        )
        with self.asking(f".{node.name}{self.below}"):
            return joint([self.mask(node.record), None if member.required else own])

    def definition(self, node: tree.Definition) -> Mask:
        key = node.name, self.below
        if key not in self.definitions:
            body = self.to.ruleset.definition(node.name).body
            self.definitions[key] = self.at_accounts_now(lambda: self.condition(body))
        return self.at_accounts(lambda: self.definitions[key])

    def at_accounts_now(self, compute: Callable[[], Mask]) -> Mask:
        """A mask over the accounts."""
        with self.to.inside(ACCOUNTS, {}):
            return self.named(compute())

    def decision_part(self, node: tree.DecisionPart) -> Mask:
        return self.at_accounts(lambda: self.part(node.decision, node.part))

    def junction(self, node: tree.And | tree.Or) -> Mask:
        return self._junction(self.to.value(node), [self.mask(operand) for operand in node.operands])

    def conditional(self, node: tree.Conditional) -> Mask:
        return self._branches(node, self.mask)

    def _branches(self, node: tree.Conditional, mask: Callable[[tree.Node], Mask]) -> Mask:
        """The masks of the condition and of the branch that is taken."""
        if isinstance(node.condition, tree.Literal):
            return mask(node.then if node.condition.value else node.otherwise)
        condition = self.to.kept(self.to.truth(node.condition))
        branches = where(condition, mask(node.then), where(~condition, mask(node.otherwise)))
        return joint([self.on_the_way(node.condition), branches])

    def call(self, node: tree.Call) -> Mask:
        match node.function:
            case "known":
                return None
            case "default":
                return self._junction(self.to.written(node), [self.mask(part) for part in node.arguments])
            case "len":
                return self.list_itself(node.arguments[0])
        return self.strict(node)

    def list_itself(self, node: tree.Node) -> Mask:
        """The mask of a list without those of its elements."""
        if not tree.has_unknown_elements(node):
            return self.mask(node)
        match node:
            case tree.ListLiteral():
                return None
            case tree.Definition(name=name):
                return self.at_accounts(lambda: self.list_itself(self.to.ruleset.list_of(name)))
            case tree.Conditional():
                return self._branches(node, self.list_itself)
            case tree.Call(function="if_known", arguments=arguments):
                return self.list_itself(arguments[0])
        return self.mask(node)

    def contains(self, node: tree.In) -> Mask:
        """The masks of item and list; beside a list that is unknown as a whole, the item is not missing."""
        item = self.mask(node.item)
        if item is not None and node.list.optional and not isinstance(node.list, tree.ListLiteral):
            item = where(self.to.lists.of(node.list).start.is_not_null(), item)
        return self._junction(self.to.value(node), [item, self.mask(node.list)])

    def aggregate(self, node: tree.Aggregate) -> Mask:
        """The mask of the list, and the union of those of the elements that matter."""
        with self.asking(""):
            offsets, source = self._offsets(node.source), self.list_itself(node.source)
        with self.to.inside(offsets.domain, {**self.to.variables, node.variable: offsets}):
            words = self.named(self._element(node))
        if words is None:
            return source
        inside = [aggregates.reduced(self.to, offsets, word != 0, word.bitwise_or(), "mask") for word in words]
        found: Mask = tuple(word.fill_null(0) for word in inside)
        if node.function in ("any", "all"):
            found = where(self.to.named(node).is_null(), found)
        return joint([source, found])

    def _offsets(self, node: tree.Node) -> ListOffsets:
        """The offsets of a list, with the masks of its elements where these may be unknown."""
        if isinstance(node, tree.Definition) and tree.has_unknown_elements(node):
            with self.to.inside(ACCOUNTS, {}):
                offsets = self._with_masks(self.to.lists.of(node), self.to.ruleset.list_of(node.name))
            return self.to.lists.repeated(offsets)
        return self._with_masks(self.to.lists.of(node), node)

    def _with_masks(self, offsets: ListOffsets, node: tree.Node) -> ListOffsets:
        assert isinstance(node.type, ListOf)
        lists = [word for below in asked_of_element(node.type.element) for word in self._lists_below(node, below)]
        if not lists:
            return offsets
        names = [self.to.kept(word, "lists").meta.output_name() for word in lists]
        return replace(offsets, masks=tuple([self._beside(offsets, name) for name in names]))

    def _lists_below(self, node: tree.Node, below: str) -> tuple[pl.Expr, ...]:
        """The masks of a list's elements where a member is asked of each, or as "" the elements themselves."""
        with self.asking(below):
            return self._lists(node) or ()

    def _lists(self, node: tree.Node) -> Mask:
        """The masks of a list's elements as words that are lists; None where no element may be unknown."""
        if not tree.has_unknown_elements(node):
            return None
        match node:
            case tree.ListLiteral(elements=elements):
                masks = [self.mask(element) or self.none() for element in elements]
                return tuple(pl.concat_list(words) for words in zip(*masks, strict=True))
            case tree.Definition(name=name):
                return self.at_accounts(lambda: self._lists(self.to.ruleset.list_of(name)))
            case tree.Conditional():
                return self._lists_of_branches(node)
            case tree.Call(function="if_known", arguments=arguments):
                return self._lists(arguments[0])
        return None

    def _lists_of_branches(self, node: tree.Conditional) -> Mask:
        if isinstance(node.condition, tree.Literal):
            return self._lists(node.then if node.condition.value else node.otherwise)
        condition = self.to.kept(self.to.truth(node.condition))
        then, otherwise = (self._lists(branch) or self._no_lists(branch) for branch in (node.then, node.otherwise))
        return tuple(
            pl.when(condition).then(one).when(~condition).then(other)
            for one, other in zip(then, otherwise, strict=True)
        )

    def _no_lists(self, node: tree.Node) -> tuple[pl.Expr, ...]:
        """Lists of zero masks, one for each element."""
        value = self.to.value(node).cast(pl.List(pl.Null)) if node.type == ANYTHING else self.to.value(node)
        lists = self.to.kept(value, "lists")
        return tuple(lists.list.eval(pl.element().is_null().cast(self.dtype) * 0) for _ in self.none())

    def _beside(self, offsets: ListOffsets, lists: str) -> str:
        """The masks of a column of lists, one for each element, as a column beside them."""
        reads = [(self.to.domain, lists), (offsets.domain, "")]
        explode = partial(pl.Series.explode, empty_as_null=False, keep_nulls=False)
        return self.to.plan.column(offsets.domain, "mask", explode, reads).meta.output_name()

    def none(self) -> tuple[pl.Expr, ...]:
        """The mask where nothing is missing."""
        return (pl.lit(0, dtype=self.dtype),) * -(-len(self.paths) // BITS)

    def _element(self, node: tree.Aggregate) -> Mask:
        """The mask of one element with its filter; zero where the filter is false, or the truth of both together is known."""
        passes = self.on_the_way(node.condition) if node.condition is not None else None
        both = joint([passes, self.mask(node.element)])
        if both is None or node.condition is None:
            return both
        if node.function in ("any", "all"):
            return where(aggregates.quantified_row(self.to, node).is_null(), both)
        kept = self.to.truth(node.condition)
        return where(kept.is_null() | kept, both)


HANDLERS: Mapping[type[tree.Node], Callable[[Missing, Any], Mask]] = MappingProxyType(
    {
        tree.LeftUnknown: lambda missing, node: None,
        tree.Fact: Missing.fact,
        tree.Variable: Missing.variable,
        tree.MemberOf: Missing.member,
        tree.Definition: Missing.definition,
        tree.DecisionPart: Missing.decision_part,
        tree.And: Missing.junction,
        tree.Chain: Missing.junction,
        tree.Or: Missing.junction,
        tree.Conditional: Missing.conditional,
        tree.Call: Missing.call,
        tree.In: Missing.contains,
        tree.Aggregate: Missing.aggregate,
    }
)
