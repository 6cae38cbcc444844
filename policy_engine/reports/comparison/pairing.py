"""The conditions and values of two rulesets side by side, part by part, as far as their values may differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from policy_engine.language import expressions as tree
from policy_engine.language.mentions import Mention, depths_of, graph_of, logic_of, mentions_in
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import Specializer
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Text, Time, Type

Written = tree.Node | tree.Group
"""A part of a condition or a value."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition or a value on both sides; where one is None, only the other side has it.

    `parts` are those parts of it of which some may differ. `joined` is all or any where it is their conjunction or disjunction,
    and branch where it is the second or third of them, as the first says. `number` is its own.
    """

    number: int
    old: Written | None
    new: Written | None
    joined: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether each side that has it has one value of it for an account, which can be compared and told."""
        return all(written is None or _is_measured(written) for written in (self.old, self.new))

    @property
    def is_shared(self) -> bool:
        """Whether both sides have it."""
        return self.old is not None and self.new is not None


def words(written: Written) -> str:
    """A part in the author's words; a group by its kind and its parts."""
    if isinstance(written, tree.Group):
        return f"{written.kind} of {'; '.join(words(unwrapped(part)) for part in written.conditions)}"
    return written.text


def unwrapped(condition: tree.Condition) -> Written:
    """The tree of a condition, or the group that it is."""
    return condition.tree if isinstance(condition, tree.Expression) else condition


def as_condition(written: Written) -> tree.Condition:
    """The condition or value that a part is by itself."""
    return written if isinstance(written, tree.Group) else tree.Expression(written.text, written)


def type_of(written: Written) -> Type:
    """The type of a part's value."""
    return Boolean() if isinstance(written, tree.Group) else written.type


def _is_measured(written: Written) -> bool:
    return _is_told(type_of(written)) and not any(_free_variables(as_condition(written)))


def _is_told(kind: Type) -> bool:
    plain = kind.element if isinstance(kind, ListOf) else kind
    return isinstance(plain, Boolean | Number | Text | Date | Instant | Time)


def _free_variables(condition: tree.Condition) -> Iterator[str]:
    """The elements of loops that stand outside these."""
    for expression in tree.expressions_of(condition):
        nodes = list(tree.walk(expression.tree))
        bound = {node.variable for node in nodes if isinstance(node, tree.Aggregate)}
        yield from (node.name for node in nodes if isinstance(node, tree.Variable) and node.name not in bound)


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of one side: `ruleset` as it is in force, `specializer` makes its parts smaller, `small` is all of it so."""

    ruleset: Ruleset
    specializer: Specializer
    small: Ruleset

    def inside(self, written: Written) -> list[Written]:
        """What a part is made of; of a definition what it stands for."""
        match written:
            case tree.Group(conditions=conditions):
                return [unwrapped(condition) for condition in conditions]
            case tree.Definition(name=name):
                return [unwrapped(self.ruleset.definition(name).body)]
            case tree.DecisionPart():
                return []
        return list(tree.children(written))

    def made_small(self, written: Written) -> tree.Condition:
        """A part under the readings and parameters of the side."""
        return self.specializer.condition(as_condition(written))


@dataclass(slots=True)
class Pairing:
    """Pairs the parts of two sides; those that mean the same on both are left out.

    `changed` are the definitions and decisions that may differ. `one_day` where both sides are asked about the same day.
    """

    old: Trees
    new: Trees
    one_day: bool
    changed: frozenset[Mention] = field(init=False)
    found: dict[tuple[int, int], Part | None] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed = frozenset(self._changed())

    def of(self, old: tree.Condition, new: tree.Condition) -> Part | None:
        """A condition or value of both sides; None where it means the same."""
        before, after = unwrapped(old), unwrapped(new)
        return None if self._same(before, after) else self.part(before, after) or self._differing(before, after)

    @property
    def same_clock(self) -> bool:
        """Whether both sides have the same time zone and the same working week, without which nothing surely means the same."""
        old, new = self.old.ruleset, self.new.ruleset
        return (old.timezone, old.weekend, old.facts.zone) == (new.timezone, new.weekend, new.facts.zone)

    def may_differ(self, decision: str) -> bool:
        """Whether a decision of both sides does not mean the same for sure."""
        return not self.same_clock or Mention("decision", decision) in self.changed

    def means_same(self, old: tree.Condition, new: tree.Condition) -> bool:
        """Whether a condition or value means the same on both sides for sure."""
        return self._same(unwrapped(old), unwrapped(new))

    def alone(self, condition: tree.Condition, *, is_old: bool) -> Part:
        """A condition that only one side has."""
        written = unwrapped(condition)
        return self._add(written if is_old else None, None if is_old else written)

    def part(self, old: Written, new: Written) -> Part | None:
        """A part of both sides; None where it means the same, and where it is two numbers or words that tell nothing alone."""
        place = id(old), id(new)
        if place not in self.found:
            is_told = not (isinstance(old, tree.Literal) and isinstance(new, tree.Literal))
            self.found[place] = self._differing(old, new) if is_told and not self._same(old, new) else None
        return self.found[place]

    def _same(self, old: Written, new: Written) -> bool:
        one, other = self.old.made_small(old), self.new.made_small(new)
        if not self.same_clock or one != other or (not self.one_day and _asks_for_day(one)):
            return False
        return not mentions_in([one]) & self.changed

    def _differing(self, old: Written, new: Written) -> Part:
        joined = next((kind for kind in ("all", "any") if kind in (_joined(old), _joined(new))), "")
        if joined and {_joined(old), _joined(new)} <= {joined, ""}:
            operands = (
                trees.inside(each) if _joined(each) == joined else [each]
                for trees, each in ((self.old, old), (self.new, new))
            )
            return self._add(old, new, joined, self._matched(*operands))
        if isinstance(old, tree.Conditional) and isinstance(new, tree.Conditional):
            return self._conditional(old, new)
        return self._add(old, new, "", tuple(self._in_order(old, new)))

    def _matched(self, old: list[Written], new: list[Written]) -> tuple[Part, ...]:
        """The operands of two conjunctions or disjunctions, in the order of the new one, without those that mean the same."""
        one, other = list(old), list(new)
        found: dict[int, Part | None] = {}
        for is_pair in (self._same, _same_words, _same_start, *([_any] if len(old) == len(new) else [])):
            for left, right in _pairs(one, other, is_pair):
                one, other = _without(one, left), _without(other, right)
                found[id(right)] = self.part(left, right)
        found |= {id(each): self._add(None, each) for each in other}
        parts = [*(found[id(each)] for each in new), *(self._add(each, None) for each in one)]
        return tuple(part for part in parts if part is not None)

    def _conditional(self, old: tree.Conditional, new: tree.Conditional) -> Part:
        """Two conditionals: the first part is always there, since it says which of the others counts."""
        condition = self.part(old.condition, new.condition) or self._add(old.condition, new.condition)
        then, otherwise = (
            self.part(one, other) or self._add(one, other)
            for one, other in ((old.then, new.then), (old.otherwise, new.otherwise))
        )
        return self._add(old, new, "branch", (condition, then, otherwise))

    def _in_order(self, old: Written, new: Written) -> Iterator[Part]:
        """The parts of two that are of one shape, or of which one is a definition; a definition's words tell more than others."""
        one, other, is_one_shape = self.old.inside(old), self.new.inside(new), _shape(old) == _shape(new)
        if not is_one_shape:
            one, other = _by_definition(old, one, new, other)
        if len(one) == len(other):
            parts = (self.part(*pair) for pair in zip(one, other, strict=True))
            yield from (part for part in parts if part is not None and (is_one_shape or part.parts))

    def _add(self, old: Written | None, new: Written | None, joined: str = "", parts: Sequence[Part] = ()) -> Part:
        part = Part(next(self.numbers), old, new, joined, tuple(parts))
        self.parts.append(part)
        return part

    def _changed(self) -> Iterator[Mention]:
        """Definitions and decisions that differ, and those that rest on such."""
        old, new = _meanings(self.old.small), _meanings(self.new.small)
        own = {name for name in {**old, **new} if old.get(name) != new.get(name)}
        if not self.one_day:
            own |= {name for name, (conditions, _) in new.items() if any(map(_asks_for_day, conditions))}
        graph = graph_of(self.new.small)
        for mention in depths_of(graph):
            if mention in own or graph[mention] & own:
                own.add(mention)
        yield from own


def _meanings(ruleset: Ruleset) -> dict[Mention, tuple[tuple[tree.Condition, ...], object]]:
    """What each definition and each decision says: its conditions, and the rest of it."""
    found: dict[Mention, tuple[tuple[tree.Condition, ...], object]] = {
        Mention("definition", each.name): ((each.body,), None) for each in ruleset.definitions
    }
    for logic in ruleset.decisions:
        found[Mention("decision", logic.name)] = (tuple(logic_of(logic)), (logic.body, logic.values))
    return found


def _joined(written: Written) -> str:
    match written:
        case tree.Group(kind="none"):
            return ""
        case tree.Group(kind=kind):
            return kind
        case tree.And():
            return "all"
        case tree.Or():
            return "any"
    return ""


def _shape(written: Written) -> tuple[object, ...]:
    """What two parts have in common where their parts can be compared one by one."""
    match written:
        case tree.Group(kind=kind):
            return (kind,)
        case tree.Compare(operator=sign) | tree.Arithmetic(operator=sign):
            return type(written), sign
        case tree.Call(function=name) | tree.Aggregate(function=name):
            return type(written), name
        case tree.Lookup(column=name):
            return type(written), name
    return (type(written), getattr(written, "name", None))


def _by_definition(
    old: Written, in_old: list[Written], new: Written, in_new: list[Written]
) -> tuple[list[Written], list[Written]]:
    """The parts to compare where a side says it by a definition of its own; none where they have nothing in common."""
    is_old, is_new = isinstance(old, tree.Definition), isinstance(new, tree.Definition)
    if not is_old and not is_new:
        return [], [new]
    return in_old if is_old else [old], in_new if is_new else [new]


def _same_words(old: Written, new: Written) -> bool:
    return words(old) == words(new)


def _same_start(old: Written, new: Written) -> bool:
    """Whether two parts are of one kind and begin with the same words, such as comparisons of one fact."""
    first = [next(iter(tree.children(each)), None) for each in (old, new) if not isinstance(each, tree.Group)]
    if len(first) < 2 or None in first or type(old) is not type(new):
        return False
    return first[0].text == first[1].text  # type: ignore[union-attr]  # None is not among them


def _without(parts: list[Written], one: Written) -> list[Written]:
    """The parts without this one; another may be equal to it."""
    return [part for part in parts if part is not one]


def _any(_old: Written, _new: Written) -> bool:
    return True


def _pairs(
    old: list[Written], new: list[Written], is_pair: Callable[[Written, Written], bool]
) -> list[tuple[Written, Written]]:
    """Each of the new parts with the first old one that fits, each once."""
    left, found = list(old), []
    for each in new:
        fits = next((one for one in left if is_pair(one, each)), None)
        if fits is not None:
            left = _without(left, fits)
            found.append((fits, each))
    return found


def _asks_for_day(condition: tree.Condition) -> bool:
    """Whether a condition reads the day of the question itself."""
    nodes = (node for expression in tree.expressions_of(condition) for node in tree.walk(expression.tree))
    return any(isinstance(node, tree.AsOf) for node in nodes)
