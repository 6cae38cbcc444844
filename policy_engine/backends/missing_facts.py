"""The missing facts of an expression as a bit mask: one bit for each path of the schema, set where that fact is missing.

The mask is empty wherever the expression is known. So a strict operation misses whatever its operands miss, and only what may be
known in spite of an unknown operand first tests whether it is (sentences 6 to 8 and 18). Paths that do not fit into one integer
go on in a second and a third: the words of the mask.

The walk over the tree is the same in every back end that writes expressions; a class of each says how these are made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

from policy_engine.language import expressions as tree
from policy_engine.language.mentions import asked_of_element, fact_paths
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import constant
from policy_engine.language.types import ListOf, Record, member_of

BITS = 62
"""The paths in a word."""


class Written(Protocol):
    """An expression as a back end writes it; of truths also `and`, `or` and `not`."""

    def __and__(self, other: Self, /) -> Self: ...
    def __or__(self, other: Self, /) -> Self: ...
    def __invert__(self) -> Self: ...


W = TypeVar("W", bound=Written)
Mask: TypeAlias = tuple[W, ...] | None
"""The words of a mask, None for what is never unknown."""


class Writer(Protocol[W]):
    """What writes the expressions beside which masks are written."""

    @property
    def ruleset(self) -> Ruleset:
        """The ruleset that is written."""
        ...

    def value(self, node: tree.Node, /) -> W:
        """An expression."""
        ...

    def truth(self, node: tree.Node, /) -> W:
        """An operand of logic."""
        ...

    def condition(self, condition: tree.Condition, /) -> W:
        """A condition."""
        ...

    def kept(self, value: W, stem: str, /) -> W:
        """A column for an expression, so that it is worked out once."""
        ...


@dataclass(slots=True)
class MissingFacts(ABC, Generic[W]):
    """Writes the masks of expressions. `part` gives those of other decisions and their values.

    While the mask of a record is written of which a member is asked, `below` is that member, such as `.opened_on`: of an absent
    record the member is missing. For conditions, filters and lists on the way to the record it is "" (sentence 1.1).
    """

    to: Writer[W]
    part: Callable[[str, str], Mask[W]]
    paths: tuple[str, ...] = field(init=False)
    definitions: dict[tuple[str, str], Mask[W]] = field(default_factory=dict)
    below: str = ""

    def __post_init__(self) -> None:
        self.paths = tuple(dict.fromkeys(fact_paths(self.to.ruleset.facts.type)))

    @property
    def words(self) -> int:
        """How many words a mask has."""
        return -(-len(self.paths) // BITS)

    def bit(self, path: str) -> Mask[W]:
        """The mask of one path."""
        word, place = divmod(self.paths.index(path), BITS)
        return tuple(self.word(1 << place if index == word else 0) for index in range(self.words))

    # What each back end writes in its own way

    @property
    @abstractmethod
    def true(self) -> W:
        """The truth that always holds."""

    @abstractmethod
    def word(self, bits: int) -> W:
        """A word with some bits."""

    @abstractmethod
    def union(self, one: W, other: W) -> W:
        """The bits of one or the other word."""

    @abstractmethod
    def choose(self, condition: W, one: W, other: W) -> W:
        """One word where a condition holds, else the other."""

    @abstractmethod
    def choose_list(self, condition: W, one: W, other: W) -> W:
        """One list of words where a condition holds, the other where it does not, null where it is unknown."""

    @abstractmethod
    def is_unknown(self, value: W) -> W:
        """Whether a value is null."""

    @abstractmethod
    def is_known(self, value: W) -> W:
        """Whether a value is not null."""

    @abstractmethod
    def is_not_true(self, truth: W) -> W:
        """Whether a truth is false or unknown."""

    @abstractmethod
    def equals(self, value: W, constant: str | bool) -> W:
        """Whether a value is a constant."""

    @abstractmethod
    def at_accounts(self, compute: Callable[[], Mask[W]]) -> Mask[W]:
        """A mask over the accounts, as columns of them."""

    @abstractmethod
    def lifted(self, mask: Mask[W]) -> Mask[W]:
        """A mask over the accounts where the expression at hand stands."""

    @abstractmethod
    def variable(self, node: tree.Variable) -> Mask[W]:
        """The mask of the element at hand."""

    @abstractmethod
    def list_is_known(self, node: tree.Node) -> W:
        """Whether a list is known as a whole."""

    @abstractmethod
    def inside(self, node: tree.Aggregate) -> AbstractContextManager[Callable[[Mask[W]], Mask[W]]]:
        """Write for the elements of an aggregate's list; gives what makes one mask of those of all elements."""

    @abstractmethod
    def quantified(self, node: tree.Aggregate) -> W:
        """Filter and condition of one element of `any` or `all`, together."""

    @abstractmethod
    def array(self, words: Sequence[W]) -> W:
        """A list of words."""

    @abstractmethod
    def no_lists(self, node: tree.Node) -> tuple[W, ...]:
        """Lists of empty words, one for each element of a list."""

    # Masks

    @property
    def empty(self) -> W:
        """A word without any bit."""
        return self.word(0)

    def joint(self, masks: Iterable[Mask[W]]) -> Mask[W]:
        """The union of masks."""
        found = [mask for mask in masks if mask is not None]
        if not found:
            return None
        result = found[0]
        for mask in found[1:]:
            result = tuple(self.union(one, other) for one, other in zip(result, mask, strict=True))
        return result

    def where(self, condition: W, mask: Mask[W], otherwise: Mask[W] = None) -> Mask[W]:
        """A mask where a condition holds, else another."""
        if mask is None and otherwise is None:
            return None
        if condition is self.true:
            return mask
        count = len(mask or otherwise or ())
        first, second = mask or (self.empty,) * count, otherwise or (self.empty,) * count
        return tuple(self.choose(condition, one, other) for one, other in zip(first, second, strict=True))

    def named(self, mask: Mask[W]) -> Mask[W]:
        """The words as columns."""
        return None if mask is None else tuple(self.to.kept(word, "missing") for word in mask)

    # The walk

    @contextmanager
    def asking(self, below: str) -> Iterator[None]:
        """Write for a record of which a member is asked, or as "" for a value as a whole."""
        outer, self.below = self.below, below
        yield
        self.below = outer

    def on_the_way(self, node: tree.Node) -> Mask[W]:
        """The mask of a condition on the way to a value."""
        with self.asking(""):
            return self.mask(node)

    def mask(self, node: tree.Node) -> Mask[W]:
        """The mask of an expression."""
        if not node.optional:
            return None
        return HANDLERS.get(type(node), MissingFacts.strict)(self, node)

    def condition(self, condition: tree.Condition) -> Mask[W]:
        """The mask of a condition."""
        if not tree.is_optional(condition) or constant(condition) is not None:
            return None
        if isinstance(condition, tree.Expression):
            return self.mask(condition.tree)
        return self.unless_known(self.to.condition(condition), [self.condition(part) for part in condition.conditions])

    def unless_known(self, value: W, masks: Sequence[Mask[W]]) -> Mask[W]:
        """The union of masks where a value is null: with `and`, `or` and `default` it may be known beside unknown operands."""
        return self.where(self.is_unknown(self.to.kept(value, "value")), self.joint(masks))

    def over_accounts(self, compute: Callable[[], Mask[W]]) -> Mask[W]:
        """A mask that is worked out over the accounts, where the expression at hand stands."""
        return self.lifted(self.at_accounts(compute))

    def strict(self, node: tree.Node) -> Mask[W]:
        return self.joint(self.mask(child) for child in tree.children(node))

    def fact(self, node: tree.Fact) -> Mask[W]:
        return self.where(self.is_unknown(self.to.value(node)), self.bit(f"{node.name}{self.below}"))

    def member(self, node: tree.MemberOf) -> Mask[W]:
        """Of an absent record the member that was asked for is missing (sentence 1.1)."""
        with self.asking(f".{node.name}{self.below}"):
            record = self.mask(node.record)
        return self.joint([record, self._own_member(node)])

    def _own_member(self, node: tree.MemberOf) -> Mask[W]:
        """The mask of a member that is absent from a record that is there."""
        assert isinstance(node.record.type, Record)
        member = member_of(node.record.type, node.name)
        assert member is not None
        if member.required:
            return None
        absent = self.is_known(self.to.value(node.record)) & self.is_unknown(self.to.value(node))
        return self.where(absent, self.bit(f"{node.record.type.path}.{node.name}{self.below}"))

    def definition(self, node: tree.Definition) -> Mask[W]:
        key = node.name, self.below
        if key not in self.definitions:
            body = self.to.ruleset.definition(node.name).body
            self.definitions[key] = self.at_accounts(lambda: self.condition(body))
        return self.lifted(self.definitions[key])

    def decision_part(self, node: tree.DecisionPart) -> Mask[W]:
        return self.over_accounts(lambda: self.part(node.decision, node.part))

    def junction(self, node: tree.And | tree.Or) -> Mask[W]:
        return self.unless_known(self.to.value(node), [self.mask(operand) for operand in node.operands])

    def conditional(self, node: tree.Conditional) -> Mask[W]:
        return self._branches(node, self.mask)

    def _branches(self, node: tree.Conditional, mask: Callable[[tree.Node], Mask[W]]) -> Mask[W]:
        """The masks of the condition and of the branch that is taken."""
        if isinstance(node.condition, tree.Literal):
            return mask(node.then if node.condition.value else node.otherwise)
        condition, where = self.to.kept(self.to.truth(node.condition), "condition"), self.where
        branches = where(condition, mask(node.then), where(~condition, mask(node.otherwise)))
        return self.joint([self.on_the_way(node.condition), branches])

    def call(self, node: tree.Call) -> Mask[W]:
        match node.function:
            case "known":
                return None
            case "default":
                return self.unless_known(self.to.value(node), [self.mask(part) for part in node.arguments])
            case "len":
                return self.list_itself(node.arguments[0])
        return self.strict(node)

    def list_itself(self, node: tree.Node) -> Mask[W]:
        """The mask of a list without those of its elements."""
        if not tree.has_unknown_elements(node):
            return self.mask(node)
        match node:
            case tree.ListLiteral():
                return None
            case tree.Definition(name=name):
                return self.over_accounts(lambda: self.list_itself(self.to.ruleset.list_of(name)))
            case tree.Conditional():
                return self._branches(node, self.list_itself)
            case tree.Call(function="if_known", arguments=arguments):
                return self.list_itself(arguments[0])
        return self.mask(node)

    def contains(self, node: tree.In) -> Mask[W]:
        """The masks of item and list; beside a list that is unknown as a whole, the item is not missing."""
        item = self.mask(node.item)
        if item is not None and node.list.optional and not isinstance(node.list, tree.ListLiteral):
            item = self.where(self.list_is_known(node.list), item)
        return self.unless_known(self.to.value(node), [item, self.mask(node.list)])

    def aggregate(self, node: tree.Aggregate) -> Mask[W]:
        """The mask of the list, and the union of those of the elements that matter."""
        with self.asking(""):
            source = self.list_itself(node.source)
        with self.inside(node) as reduced:
            element = self.named(self._element(node))
        if element is None:
            return source
        found = reduced(element)
        if node.function in ("any", "all"):
            found = self.where(self.is_unknown(self.to.kept(self.to.value(node), "value")), found)
        return self.joint([source, found])

    def _element(self, node: tree.Aggregate) -> Mask[W]:
        """The mask of one element with its filter; empty where the filter is false, or the truth of both together is known."""
        passes = self.on_the_way(node.condition) if node.condition is not None else None
        both = self.joint([passes, self.mask(node.element)])
        if both is None or node.condition is None:
            return both
        if node.function in ("any", "all"):
            return self.where(self.is_unknown(self.quantified(node)), both)
        kept = self.to.truth(node.condition)
        return self.where(self.is_unknown(kept) | kept, both)

    def of_elements(self, node: tree.Node) -> Mapping[str, tuple[W, ...]]:
        """The masks of a list's elements, as lists, by what is asked of each; none where no element may be unknown."""
        if not tree.has_unknown_elements(node):
            return {}
        assert isinstance(node.type, ListOf)
        found = {}
        for below in asked_of_element(node.type.element):
            with self.asking(below):
                found[below] = self._lists_or_none(node)
        return found

    def _lists_or_none(self, node: tree.Node) -> tuple[W, ...]:
        return self._lists(node) or self.no_lists(node)

    def _lists(self, node: tree.Node) -> Mask[W]:
        """The masks of a list's elements as words that are lists; None where no element may be unknown."""
        if not tree.has_unknown_elements(node):
            return None
        match node:
            case tree.ListLiteral(elements=elements):
                masks = [self.mask(element) or (self.empty,) * self.words for element in elements]
                return tuple(self.array(words) for words in zip(*masks, strict=True))
            case tree.Definition(name=name):
                return self.over_accounts(lambda: self._lists(self.to.ruleset.list_of(name)))
            case tree.Conditional():
                return self._lists_of_branches(node)
            case tree.Call(function="if_known", arguments=arguments):
                return self._lists(arguments[0])
        return None

    def _lists_of_branches(self, node: tree.Conditional) -> Mask[W]:
        if isinstance(node.condition, tree.Literal):
            return self._lists(node.then if node.condition.value else node.otherwise)
        condition = self.to.kept(self.to.truth(node.condition), "condition")
        branches = zip(self._lists_or_none(node.then), self._lists_or_none(node.otherwise), strict=True)
        return tuple(self.choose_list(condition, one, other) for one, other in branches)


HANDLERS: Mapping[type[tree.Node], Callable[[MissingFacts[Any], Any], Mask[Any]]] = MappingProxyType(
    {
        tree.LeftUnknown: lambda missing, node: None,
        tree.Fact: lambda missing, node: missing.fact(node),
        tree.Variable: lambda missing, node: missing.variable(node),
        tree.MemberOf: MissingFacts.member,
        tree.Definition: MissingFacts.definition,
        tree.DecisionPart: MissingFacts.decision_part,
        tree.And: MissingFacts.junction,
        tree.Chain: MissingFacts.junction,
        tree.Or: MissingFacts.junction,
        tree.Conditional: MissingFacts.conditional,
        tree.Call: MissingFacts.call,
        tree.In: MissingFacts.contains,
        tree.Aggregate: MissingFacts.aggregate,
    }
)
