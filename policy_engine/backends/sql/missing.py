"""Missing facts as bit masks (sentence 18): one bit for each path of the schema, 62 in a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from policy_engine.backends.sql.build import Sql, choose, literal
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.lists import Around
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import asked_of_element, fact_paths
from policy_engine.language.specialize import constant
from policy_engine.language.types import ANYTHING, ListOf, Number, Record, member_of

BITS = 62
"""The paths in a word."""
Mask = tuple[Sql, ...] | None
"""The words of a mask, None for what is never unknown."""
WORD = Number(0, 0, 2**BITS)
NO_BITS = literal(0)


def joint(masks: Iterable[Mask]) -> Mask:
    """The union of masks."""
    found = [mask for mask in masks if mask is not None]
    if not found:
        return None
    result = found[0]
    for mask in found[1:]:
        result = tuple(_union(one, other) for one, other in zip(result, mask, strict=True))
    return result


def _union(one: Sql, other: Sql) -> Sql:
    if one.node == other.node or _is_empty(other):
        return one
    return other if _is_empty(one) else one.with_bits(other)


def _is_empty(word: Sql) -> bool:
    return word.number == 0


def masked(condition: Sql, mask: Mask, otherwise: Mask = None) -> Mask:
    """A mask where a condition holds, else another."""
    if mask is None and otherwise is None:
        return None
    count = len(mask or otherwise or ())
    first, second = mask or (NO_BITS,) * count, otherwise or (NO_BITS,) * count
    return tuple(
        NO_BITS if _is_empty(one) and _is_empty(other) else choose([(condition, one)], other)
        for one, other in zip(first, second, strict=True)
    )


@dataclass(slots=True)
class Missing:
    """Writes the masks of one query, beside its expressions. `part` gives those of other decisions and their values.

    While the mask of a record is written of which a member is asked, `below` is that member, such as `.opened_on`: of an absent
    record the member is missing. For conditions, filters and lists on the way to the record it is "" (sentence 1.1).
    """

    to: Expressions
    part: Callable[[str, str], Mask]
    paths: tuple[str, ...] = field(init=False)
    definitions: dict[tuple[str, str], Mask] = field(default_factory=dict)
    elements: dict[str, Mapping[str, tuple[Sql, ...]]] = field(default_factory=dict)
    below: str = ""

    def __post_init__(self) -> None:
        self.paths = tuple(dict.fromkeys(fact_paths(self.to.ruleset.facts.type)))

    @property
    def words(self) -> int:
        """How many words a mask has."""
        return -(-len(self.paths) // BITS)

    def bit(self, path: str) -> Mask:
        """The mask of one path."""
        word, place = divmod(self.paths.index(path), BITS)
        return tuple(literal(1 << place) if index == word else NO_BITS for index in range(self.words))

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
        """The mask of an expression."""
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

    def _junction(self, value: Sql, masks: Sequence[Mask]) -> Mask:
        """The union of masks where a value is null: with `and`, `or` and `default` it may be known beside unknown operands."""
        return masked(self.to.kept(value).is_unknown(), joint(masks))

    def named(self, mask: Mask) -> Mask:
        """The words as columns."""
        return (
            None if mask is None else tuple(word if _is_empty(word) else self.to.kept(word, "missing") for word in mask)
        )

    def at_accounts(self, compute: Callable[[], Mask]) -> Mask:
        """A mask over the accounts."""
        outer, self.elements = self.elements, {}
        with self.to.lists.outside():
            found = self.named(compute())
        self.elements = outer
        return found

    # Each handler writes the mask of one kind of node; that of others is what their operands miss.

    def strict(self, node: tree.Node) -> Mask:
        return joint(self.mask(child) for child in tree.children(node))

    def fact(self, node: tree.Fact) -> Mask:
        return masked(self.to.value(node).is_unknown(), self.bit(f"{node.name}{self.below}"))

    def variable(self, node: tree.Variable) -> Mask:
        lists = self.elements.get(node.name, {}).get(self.below)
        if lists is None:
            return None
        place = self.to.dialect.place_of(self.to.lists.around[node.name].place)
        return tuple(word if _is_empty(word) else self.to.dialect.item(word, place) for word in lists)

    def member(self, node: tree.MemberOf) -> Mask:
        """Of an absent record the member that was asked for is missing (sentence 1.1)."""
        assert isinstance(node.record.type, Record)
        member = member_of(node.record.type, node.name)
        assert member is not None
        own: Mask = None
        if not member.required:
            absent = self.to.value(node.record).is_known() & self.to.value(node).is_unknown()
            own = masked(absent, self.bit(f"{node.record.type.path}.{node.name}{self.below}"))
        with self.asking(f".{node.name}{self.below}"):
            return joint([self.mask(node.record), own])

    def definition(self, node: tree.Definition) -> Mask:
        key = node.name, self.below
        if key not in self.definitions:
            body = self.to.ruleset.definition(node.name).body
            self.definitions[key] = self.at_accounts(lambda: self.condition(body))
        return self.definitions[key]

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
        condition = self.to.kept(self.to.truth(node.condition), "condition")
        branches = masked(condition, mask(node.then), masked(~condition, mask(node.otherwise)))
        return joint([self.on_the_way(node.condition), branches])

    def call(self, node: tree.Call) -> Mask:
        match node.function:
            case "known":
                return None
            case "default":
                return self._junction(self.to.value(node), [self.mask(part) for part in node.arguments])
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
            item = masked(self.to.value(node.list).is_known(), item)
        return self._junction(self.to.value(node), [item, self.mask(node.list)])

    def aggregate(self, node: tree.Aggregate) -> Mask:
        """The mask of the list, and the union of those of the elements that matter."""
        lists = self.to.lists
        loop = lists.entered(node.variable, self.to.kept(self.to.value(node.source), "listed"))
        with self.asking(""):
            source, masks = self.list_itself(node.source), self._of_elements(node.source)
        outer, self.elements = self.elements, {**self.elements, node.variable: masks}
        with lists.inside(node.variable, loop):
            words = self._element(node)
        self.elements = outer
        if words is None:
            return source
        found: Mask = tuple(NO_BITS if _is_empty(word) else self._bits(loop, word) for word in words)
        if node.function in ("any", "all"):
            found = masked(self.to.kept(self.to.value(node)).is_unknown(), found)
        return joint([source, found])

    def _bits(self, loop: Around, word: Sql) -> Sql:
        over = Loop(loop.listed, loop.element, loop.place, None, (word,), WORD)
        return self.to.kept(self.to.dialect.bits(over, word).without(over.variables), "missing")

    def _of_elements(self, node: tree.Node) -> Mapping[str, tuple[Sql, ...]]:
        """The masks of a list's elements, as lists, by what is asked of each; none where no element may be unknown."""
        if not tree.has_unknown_elements(node):
            return {}
        assert isinstance(node.type, ListOf)
        found = {}
        for below in asked_of_element(node.type.element):
            with self.asking(below):
                found[below] = self._lists(node) or self._no_lists(node)
        return found

    def _lists(self, node: tree.Node) -> Mask:
        """The masks of a list's elements as words that are lists; None where no element may be unknown."""
        if not tree.has_unknown_elements(node):
            return None
        match node:
            case tree.ListLiteral(elements=elements):
                masks = [self.mask(element) or (NO_BITS,) * self.words for element in elements]
                return tuple(
                    self.to.kept(self.to.dialect.array(words, WORD), "missing") for words in zip(*masks, strict=True)
                )
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
        condition = self.to.kept(self.to.truth(node.condition), "condition")
        then, otherwise = (self._lists(branch) or self._no_lists(branch) for branch in (node.then, node.otherwise))
        return tuple(
            choose([(condition, one), (~condition, other)]) for one, other in zip(then, otherwise, strict=True)
        )

    def _no_lists(self, node: tree.Node) -> tuple[Sql, ...]:
        """Lists of empty masks, one for each element."""
        if node.type == ANYTHING:
            return (self.to.dialect.nothing(ListOf(WORD)),) * self.words
        listed = self.to.kept(self.to.value(node), "listed")
        return (self.to.lists.mapped(listed, WORD, lambda element: NO_BITS.cast("BIGINT")),) * self.words

    def _element(self, node: tree.Aggregate) -> Mask:
        """The mask of one element with its filter; empty where the filter is false, or the truth of both together is known."""
        passes = self.on_the_way(node.condition) if node.condition is not None else None
        both = joint([passes, self.mask(node.element)])
        if both is None or node.condition is None:
            return both
        if node.function in ("any", "all"):
            return masked(self.to.lists.row(node).is_unknown(), both)
        kept = self.to.truth(node.condition)
        return masked(kept.is_unknown() | kept, both)


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
