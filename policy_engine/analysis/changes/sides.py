"""What comparisons of two rulesets stand on: both sides with their normal forms, and how a change is told and applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from policy_engine.analysis.changes.normal_forms import NormalForms, Numbering
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import (
    Mention,
    expressions_in,
    graph_of,
    logic_of,
    mentions_in,
    reached,
    wording_of,
)
from policy_engine.language.rule_changes import Effect, Kind, RuleChange, Wording
from policy_engine.language.rulesets import Ruleset, conclusions_of
from policy_engine.source import Span

Part = TypeVar("Part")
Path = tuple[tuple[str, ...], ...]
"""The way from a ruleset to a part: at each step a field, and of several parts the name of one."""
FEW = 3
"""Of many parts so many are named."""


class Patch(NamedTuple):
    """How the old ruleset gets a part of the new one: where it stands, and what comes there."""

    path: Path
    part: Any


class Found(NamedTuple):
    """A change, and how it is made to the old ruleset alone; None where it cannot be."""

    change: RuleChange
    patch: Patch | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """Two rulesets, their normal forms, and what the answers and the reasons of either rest on."""

    old: Ruleset
    new: Ruleset
    old_forms: NormalForms
    new_forms: NormalForms
    answering: frozenset[Mention]
    telling: frozenset[Mention]
    ordered: frozenset[str]
    """The parameters of which the order of a list can count: those that stand elsewhere than after `in`."""

    def change(
        self,
        kind: Kind,
        name: str,
        effect: Effect,
        message: str,
        old: Wording | None = None,
        new: Wording | None = None,
    ) -> RuleChange:
        """A change of the ruleset."""
        return RuleChange(self.new.id, kind, name, effect, message, old, new)

    def effect_of(self, kind: str, name: str) -> Effect:
        """What a change of a named part can alter: nothing, where neither answers nor reasons rest on it."""
        mention = Mention(kind, name)
        if mention in self.answering:
            return Effect.ANSWER
        return Effect.REASON if mention in self.telling else Effect.NOTHING


def sides_of(old: Ruleset, new: Ruleset) -> Sides:
    """Two rulesets that are compared."""
    shared, numbering = _names(old) & _names(new), Numbering()
    return Sides(
        old,
        new,
        NormalForms(old, shared, numbering),
        NormalForms(new, shared, numbering),
        answering=_answering(old) | _answering(new),
        telling=_telling(old) | _telling(new),
        ordered=_in_order(old) | _in_order(new),
    )


def _names(ruleset: Ruleset) -> frozenset[Mention]:
    """The parts that are names in normal forms where both sides have them."""
    return frozenset(
        Mention(kind, part.name)
        for kind, parts in (
            ("definition", ruleset.definitions),
            ("parameter", ruleset.parameters),
            ("table", ruleset.tables),
        )
        for part in parts
    )


def _answering(ruleset: Ruleset) -> frozenset[Mention]:
    """What answers rest on, and whether facts are valid."""
    conditions = [check.expect for check in ruleset.checks]
    conditions += (condition for decision in ruleset.decisions for condition in logic_of(decision))
    return reached(mentions_in(conditions), graph_of(ruleset))


def _telling(ruleset: Ruleset) -> frozenset[Mention]:
    """What reasons rest on, and the readings and sources that are named with an answer."""
    wording = mentions_in(expression for decision in ruleset.decisions for expression in wording_of(decision))
    return reached(wording, graph_of(ruleset)) | frozenset(_cited(ruleset))


def _cited(ruleset: Ruleset) -> Iterator[Mention]:
    for decision in ruleset.decisions:
        conclusions = [conclusion for _, conclusion in conclusions_of(decision.body)]
        for readings in (decision.own_readings, *(conclusion.readings for conclusion in conclusions)):
            yield from (Mention("reading", name) for name in readings)
        yield from (Mention("source", name) for name in decision.sources)


def _in_order(ruleset: Ruleset) -> frozenset[str]:
    """The parameters that an expression names elsewhere than after `in`."""
    told = (expression for decision in ruleset.decisions for expression in wording_of(decision))
    nodes = [node for expression in (*expressions_in(ruleset), *told) for node in tree.walk(expression.tree)]
    sought = {id(node.list) for node in nodes if isinstance(node, tree.In)}
    asked = [node.table.name for node in nodes if isinstance(node, tree.Lookup) and node.table.of_parameter]
    return frozenset([*asked, *(n.name for n in nodes if isinstance(n, tree.Parameter) and id(n) not in sought)])


def paired(
    old: Iterable[Part], new: Iterable[Part], name_of: Callable[[Part], str]
) -> Iterator[tuple[str, Part | None, Part | None]]:
    """The parts of both sides by their names, None where one side has none: those of the old side first."""
    before, after = ({name_of(part): part for part in parts} for parts in (old, new))
    for name in dict.fromkeys([*before, *after]):
        yield name, before.get(name), after.get(name)


def with_part(whole: Any, path: Path, part: Any) -> Any:
    """A ruleset, or a part of one, with another part in a place."""
    if not path:
        return part
    (name, *key), rest = path[0], path[1:]
    below = getattr(whole, name)
    if key:
        made: Any = tuple(with_part(one, rest, part) if key_of(one) == key[0] else one for one in below)
    else:
        made = with_part(below, rest, part)
    return replace(whole, **{name: made})


def key_of(part: Any) -> str:
    """The name of a part among others, or its id."""
    return str(part.name if hasattr(part, "name") else part.id)


# How it is told

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "title": "title",
        "question": "question",
        "meaning": "meaning",
        "unit": "unit",
        "period_because": "reason for the period",
        "because": "reason",
        "number": "number",
        "updated": "edition",
        "url": "address",
        "source": "source",
        "library": "library",
    }
)
"""Fields that hold a text for people, and what they are called."""


def text_changes(
    sides: Sides, kind: Kind, name: str, what: str, parts: tuple[Any, Any], effects: Mapping[str, Effect]
) -> Iterator[Found]:
    """The changes of texts of a part, which is called `what` in sentences; `effects` names the fields."""
    for field, effect in effects.items():
        old, new = (getattr(part, field) for part in parts)
        if old != new:
            message = f"The {TEXTS[field]} of {what} is {_given(new)}; it was {_given(old)}."
            told = [wording(str(text or ""), part) for text, part in zip((old, new), parts, strict=True)]
            yield Found(sides.change(kind, name, effect, message, *told))


def one_sided(
    sides: Sides, kind: Kind, name: str, effect: Effect, what: str, words: str, parts: tuple[Any, Any]
) -> RuleChange:
    """A part that only one side has, the other being None; `words` are what it says."""
    message = f"{sentence(what)} is new: {words}." if parts[0] is None else f"{sentence(what)} is gone: {words}."
    return sides.change(
        kind, name, effect, message, *(None if part is None else wording(words, part) for part in parts)
    )


def sentence(words: str) -> str:
    """Words at the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def _given(text: object) -> str:
    return "not given" if text is None else f'"{text}"'


def quoted(words: object) -> str:
    """Words of an author as messages show them."""
    return f"`{words}`"


def few(parts: Iterable[str], apart: str = ", ") -> str:
    """The first of some parts and the number of the others, in words.

    >>> few(["a", "b"]), few("abcde"), few("abcde", "; ")
    ('a and b', 'a, b, c and 2 more', 'a; b; c; and 2 more')
    """
    named = list(parts)
    shown = named if len(named) <= FEW + 1 else [*named[:FEW], f"{len(named) - FEW} more"]
    if len(shown) < 2 or (apart != ", " and shown == named):
        return apart.join(shown)
    return f"{apart.join(shown[:-1])}{'' if apart == ', ' else apart.rstrip()} and {shown[-1]}"


def decimals(places: int) -> str:
    """So many decimal places, in words."""
    return f"{places} decimal place{'' if places == 1 else 's'}"


def wording(words: str, part: Any) -> Wording:
    """Words of a part, where it stands."""
    return Wording(words, getattr(part, "span", Span("")))
