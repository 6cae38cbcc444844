"""Warnings about look-up tables: what nothing asks for, values that have no row, and rows that nothing can ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from math import prod
from typing import Any, NamedTuple

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.language import expressions as tree
from policy_engine.language import mentions
from policy_engine.language.lookup_indexes import Branch, Pieces, gaps_of, index_in_units
from policy_engine.language.lookup_tables import Key, LookupTable, TableRow, shown
from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import Period, Ruleset
from policy_engine.language.types import Boolean, Number, Text, Type

MOST_GAPS = 3
"""So many gaps are told."""
MOST_COMBINATIONS = 10_000
"""Of closed sets of keys so many combinations are looked for among the rows."""
Lookups = Mapping[LookupTable, Sequence[tree.Lookup]]


def lint_tables(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Every finding about look-up tables."""
    lookups = _lookups(ruleset)
    for table in ruleset.tables:
        if table in lookups:
            asked = {node.column for node in lookups[table]}
            for column in table.columns:
                if column.name not in asked:
                    yield say("unused-column", column.span, name=column.name, table=table.name)
            yield from _gap(ruleset, table, lookups[table])
            yield from _foreign_rows(ruleset, table, lookups[table])


def _lookups(ruleset: Ruleset) -> Lookups:
    """The look-ups of each table, also in definitions that nothing uses and in sentences."""
    told = (part for decision in ruleset.decisions for part in mentions.wording_of(decision))
    found: dict[LookupTable, list[tree.Lookup]] = defaultdict(list)
    for expression in (*mentions.expressions_in(ruleset), *told):
        for node in tree.walk(expression.tree):
            if isinstance(node, tree.Lookup):
                found[node.table].append(node)
    return found


def _foreign_rows(ruleset: Ruleset, table: LookupTable, lookups: Sequence[tree.Lookup]) -> Iterator[Diagnostic]:
    """The first row with a text that none of the closed sets has by which the table is asked."""
    for at, key in enumerate(table.keys):
        asked = [node.keys[at] for node in lookups]
        closed = [node.type.values if isinstance(node.type, Text) else None for node in asked]
        if key.ranged or None in closed or not any(_reads_facts(ruleset, node) for node in asked):
            continue
        known = {value for values in closed for value in values or ()}
        foreign = [row for row in table.rows if row.keys[at] not in known]
        if foreign:
            value = foreign[0].keys[at]
            more = f"; so it is with {len(foreign) - 1} more" if len(foreign) > 1 else ""
            better = _swapped(table, at, foreign, lookups) or did_you_mean(value, known)
            told = better or f"it is one of {', '.join(sorted(known))}"
            words = {"value": value, "name": key.name, "table": table.name}
            yield say("row-not-a-value", table.row_span(foreign[0]), hint=f"{told}{more}", words=words)


def _swapped(table: LookupTable, at: int, rows: Sequence[TableRow], lookups: Sequence[tree.Lookup]) -> str | None:
    """What to write where a key is asked for at the place of another: one whose closed set has what the rows have."""
    kinds = [node.keys[place].type for node in lookups for place in range(len(table.asked_keys)) if place != at]
    sets = [kind.values for kind in kinds if isinstance(kind, Text) and kind.values is not None]
    is_swapped = any(all(row.keys[at] in values for row in rows) for values in sets)
    return f"the keys are asked for in this order: `{table.asked}`" if is_swapped else None


def _reads_facts(ruleset: Ruleset, node: tree.Node) -> bool:
    """Whether a part depends on facts: a parameter or a text that is written out asks for a single row."""
    if any(isinstance(part, tree.Variable) for part in tree.walk(node)):
        return True
    found = mentions.reached(mentions.mentions_in([tree.Expression("", node)]), mentions.graph_of(ruleset))
    return any(mention.kind == "fact" for mention in found)


def _gap(ruleset: Ruleset, table: LookupTable, lookups: Iterable[tree.Lookup]) -> Iterator[Diagnostic]:
    """The first values that can be asked for and have no row, and how many others there are."""
    if table.otherwise is None:
        distinct = {tuple((key.type, isinstance(key, tree.AsOf)) for key in node.keys): node for node in lookups}
        gaps = list(dict.fromkeys(gap for node in distinct.values() for gap in _gaps(ruleset, node)))
        if gaps:
            shown_gaps = (
                gaps if len(gaps) <= MOST_GAPS else [*gaps[: MOST_GAPS - 1], f"{len(gaps) - MOST_GAPS + 1} more"]
            )
            asked = "; ".join(shown_gaps[:-1]) + ("; and " if shown_gaps[:-1] else "") + shown_gaps[-1]
            yield say("table-gap", table.span, table=table.name, asked=asked)


class _Asked(NamedTuple):
    """What is asked of a range key: its least and its greatest value, in units, and how one is shown."""

    low: Any
    high: Any
    key: Key
    kind: Type

    def words(self, value: Any) -> str:
        """A value as messages show it."""
        if isinstance(self.kind, Number):
            return f"{self.key.name} {shown(number_of_units(value, self.kind.places))}"
        return f"the day {value}"


def _gaps(ruleset: Ruleset, node: tree.Lookup) -> Iterator[str]:
    """The first values of each gap that one look-up can ask for, in words."""
    table, kinds = node.table, [key.type for key in node.keys]
    index = index_in_units(table, kinds)
    ranged = [_domain(ruleset, node, at) for at, key in enumerate(table.keys) if key.ranged]
    exact = [key for key in table.keys if not key.ranged]
    asked = [kind for kind, key in zip(kinds, table.keys, strict=True) if not key.ranged]
    for values in _combinations(asked) or (index.groups if ranged else ()):
        words = [f"{key.name} {shown(_seen(v, kind))}" for key, kind, v in zip(exact, asked, values, strict=True)]
        for gap in _gaps_in(index.groups[values], ranged) if values in index.groups else [()]:
            yield " and ".join([*words, *gap])


def _seen(value: Any, kind: Type) -> Any:
    return number_of_units(value, kind.places) if isinstance(kind, Number) else value


def _combinations(kinds: Sequence[Type]) -> list[tuple[Any, ...]]:
    """The combinations of values of closed sets, none where a set is open or they are too many."""
    closed = [_closed(kind) for kind in kinds]
    return list(product(*closed)) if closed and 0 < prod(map(len, closed)) <= MOST_COMBINATIONS else []


def _closed(kind: Type) -> tuple[Any, ...]:
    if isinstance(kind, Boolean):
        return (False, True)
    return (kind.values or ()) if isinstance(kind, Text) else ()


def _domain(ruleset: Ruleset, node: tree.Lookup, at: int) -> _Asked:
    """What a look-up can ask of a range key: the numbers of its type, or the days of the ruleset's period."""
    key, kind = node.table.keys[at], node.keys[at].type
    if isinstance(kind, Number):
        return _Asked(kind.low, kind.high, key, kind)
    if isinstance(node.keys[at], tree.AsOf):
        return _Asked(ruleset.period.start, _last_day(ruleset.period), key, kind)
    days = node.table.days or (date.min,)
    return _Asked(days[0], max(days[-1], date(1, 1, 2)) - timedelta(1), key, kind)


def _last_day(period: Period) -> date:
    return date.max if period.end is None else period.end - timedelta(1)


def _gaps_in(branch: Branch | None, asked: Sequence[_Asked]) -> Iterator[tuple[str, ...]]:
    """The first values of each gap below a branch, in words."""
    if not isinstance(branch, Pieces):
        return
    first, *rest = asked
    for gap in gaps_of(branch, first.low, first.high):
        yield (first.words(gap),)
    ends = zip([first.low, *branch.starts], [*branch.starts, None], branch.parts, strict=True)
    for start, end, part in ends if rest else ():
        if start <= first.high and (end is None or end > first.low):
            yield from ((first.words(max(start, first.low)), *below) for below in _gaps_in(part, rest))
