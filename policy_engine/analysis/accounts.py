"""What accounts of a table use, item by item, beside what cases try: who comes by an exception, and who by what no case tries."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import chain, groupby
from types import MappingProxyType
from typing import Any

from policy_engine.analysis.coverage import Coverage
from policy_engine.analysis.gaps import Gap
from policy_engine.analysis.items import Item, Items, Kind, ways_of
from policy_engine.analysis.observing import Seen, Sort
from policy_engine.analysis.sites import Fork, Place, Sites
from policy_engine.language import expressions as tree
from policy_engine.language.formulas import Inputs
from policy_engine.language.in_force import in_force
from policy_engine.language.mentions import Mention, facts_reached, graph_of, mentions_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.uses import Use, Uses

LOOKED_AT = (Kind.RULES, Kind.CELLS, Kind.CHECKS, Kind.CONDITIONS, Kind.BRANCHES)
"""The kinds of items that are counted over accounts."""


OF_ACCOUNTS: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.RULES: ("no account comes by {what}", "no case comes by {what}, but {accounts}"),
        Kind.CELLS: ("no account comes by {what}", "no case comes by {what}, but {accounts}"),
        Kind.CHECKS: ("no account breaks this check", "no case breaks this check, but {accounts}"),
        Kind.CONDITIONS: ("`{of}` is {what} for no account", "`{of}` is {what} in no case, but for {accounts}"),
        Kind.BRANCHES: (
            "no account takes the branch `{of}`, {what}",
            "no case takes the branch `{of}`, but {accounts}",
        ),
    }
)
"""What is said of an item that no account uses, and of one that accounts use and no case tries."""


@dataclass(frozen=True, slots=True)
class Used:
    """An item with the accounts that use it, None where there are none, and the number of cases that try it."""

    item: Item
    use: Use | None
    cases: int

    @property
    def remark(self) -> str | None:
        """What there is to say of it: that no account uses it, or no case tries it though accounts use it."""
        unused, untried = OF_ACCOUNTS[self.item.kind]
        if self.use is None:
            return unused.format(what=self.item.what, of=self.item.of)
        told = untried.format(what=self.item.what, of=self.item.of, accounts=in_words(self.use))
        return None if self.cases else told


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a table beside the cases of a ruleset: what they use, and facts and values of which no case tells.

    `untried` has the facts with the values that accounts have and no case; `constant` counts conditions that depend on no fact.
    """

    ruleset: Ruleset
    table: str
    as_of: date
    uses: Uses
    used: tuple[Used, ...]
    untried: tuple[tuple[str, str, Use], ...]
    constant: int

    @property
    def remarks(self) -> Iterator[Gap]:
        """What there is to say beside the lines; of a condition that no account knows, once."""
        for (span, kind, of), group in groupby(self.used, lambda each: (each.item.span, each.item.kind, each.item.of)):
            used = list(group)
            if kind is Kind.CONDITIONS and len(used) > 1 and all(each.use is None for each in used):
                yield Gap(span, f"`{of}` is neither true nor false for any account")
            else:
                yield from (Gap(span, each.remark) for each in used if each.remark is not None)

    @property
    def unfilled(self) -> tuple[str, ...]:
        """The facts that no account has."""
        return tuple(path for path, accounts in self.uses.filled.items() if not accounts)

    @property
    def ways(self) -> tuple[Used, ...]:
        """The rules and cells."""
        return tuple(each for each in self.used if each.item.kind in (Kind.RULES, Kind.CELLS))


def in_words(use: Use) -> str:
    """So many accounts, when they last did, and which is the first of them."""
    accounts = f"{use.accounts:,} {'account' if use.accounts == 1 else 'accounts'}"
    if use.last is not None:
        return f"{accounts}, last on {use.last}"
    return f"{accounts}, first row {use.row}{f' ({use.key})' if use.key is not None else ''}"


def used_items(ruleset: Ruleset, day: date, sites: Sites, uses: Uses, coverage: Coverage) -> tuple[list[Used], int]:
    """The items of a ruleset that are counted over accounts, in the order of the file, and the number of constant conditions.

    Rules that are out of force on the day are left out.
    """
    by_seen = _seen(ruleset, sites, uses)
    by_leaf = _by_leaf(by_seen)
    counted = {sites.conditions[identity].at for identity in uses.inputs if identity in sites.conditions}
    constant = _constant(ruleset, sites)
    forks = {fork.at for fork in sites.forks.values() if _varies(fork, sites, uses, constant)}
    there = {(logic.name, way) for logic in in_force(ruleset, day).decisions for way, _, _ in ways_of(logic)}
    cases = {each.item.key: each.cases for each in coverage.items}
    found, left_out = [], set[Hashable]()
    for item in (each.item for each in Items(ruleset, sites, {}, {}).all() if each.item.kind in LOOKED_AT):
        about: Any = item.key[1]
        if isinstance(about, Seen):
            if item.kind is Kind.CHECKS or about.about[0] in forks or about.about[1:] in there:
                found.append(Used(item, by_seen.get(about), cases.get(item.key, 0)))
        elif about[0] in counted and about[:2] in constant:
            left_out.add(about[:2])
        elif about[0] in counted:
            found.append(Used(item, by_leaf.get(about), cases.get(item.key, 0)))
    return sorted(found, key=lambda each: each.item.span), len(left_out)


def _constant(ruleset: Ruleset, sites: Sites) -> set[Hashable]:
    """The leaves that depend on no fact, but on the day and the readings alone."""
    graph = graph_of(ruleset)
    return {
        (site.at, leaf.number)
        for site in sites.conditions.values()
        for leaf in site.leaves
        if not facts_reached(ruleset, _mentions(site.formula.inputs[leaf.number]), graph)
    }


def _mentions(leaf: tree.Node) -> Iterator[Mention]:
    return chain.from_iterable(map(mentions_of, tree.walk(leaf)))


def _varies(fork: Fork, sites: Sites, uses: Uses, constant: Container[Hashable]) -> bool:
    """Whether accounts were counted at an `if`, which then is in no loop over a list, and its condition depends on facts."""
    site = sites.conditions.get(fork.identity)
    if site is None or fork.identity not in uses.inputs:
        return False
    return any((site.at, leaf.number) not in constant for leaf in site.leaves)


def _seen(ruleset: Ruleset, sites: Sites, uses: Uses) -> dict[Seen, Use]:
    """What accounts use, as what cases are seen to exercise."""
    found = {Seen(Sort.WAY, (ruleset.path, *way)): use for way, use in uses.ways.items()}
    found |= {Seen(Sort.CHECK, (ruleset.path, number)): use for number, use in uses.broken.items()}
    for identity, inputs in uses.inputs.items():
        site = sites.conditions.get(identity)
        for values, use in inputs.items() if site is not None else ():
            assert site is not None
            _add(found, Seen(Sort.INPUTS, (site.at, values)), use)
    for fork in sites.forks.values():
        for values, use in uses.inputs.get(fork.identity, {}).items():
            taken = sites.conditions[fork.identity].formula.value(values)
            if taken is not None:
                _add(found, Seen(Sort.BRANCH, (fork.at, taken)), use)
    return found


def _add(to: dict[Seen, Use], seen: Seen, use: Use) -> None:
    to[seen] = to[seen].merged(use) if seen in to else use


def _by_leaf(seen: Mapping[Seen, Use]) -> dict[Hashable, Use]:
    """The accounts in which a leaf is true, and in which it is false."""
    found: dict[Hashable, list[Use]] = {}
    for (sort, about), use in seen.items():
        if sort is Sort.INPUTS:
            for key in _leaves(*about):
                found.setdefault(key, []).append(use)
    return {key: reduce(Use.merged, each) for key, each in found.items()}


def _leaves(at: Place, inputs: Inputs) -> Iterator[Hashable]:
    return ((at, number, value) for number, value in enumerate(inputs) if value is not None)
