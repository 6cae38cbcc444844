"""Lists in a dialect that has no functions of functions: each aggregate is a sub-select over the elements of a list.

What is aggregated always comes from a table within the sub-select; otherwise the aggregate would belong to the query around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, choose, coalesce, literal, made, variable, where
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.dialects.selects import (
    ELEMENT,
    GIVEN,
    NUMBER,
    PLACE,
    SECOND,
    STAR,
    derived,
    elements,
    gathered,
    local,
    place_in,
    rows,
    running,
    select,
)
from policy_engine.language.types import ANYTHING, Number, Type

NUMBER_KIND = Number(0, 0, 0)


class Relational(Dialect):
    """Aggregates by sub-selects."""

    def place_of(self, name: str) -> Sql:
        return variable(name)

    def bound(self, value: Sql, name: str, body: Sql) -> Sql:
        over = Loop(self.array([value]), name, PLACE, None, (body,), ANYTHING)
        return select([(body, GIVEN)], elements(over)).without((name,))

    def count(self, over: Loop, flag: Sql) -> Sql:
        found = select([(call("COUNT", STAR), NUMBER)], elements(over), passes=flag)
        return where(over.listed.is_known(), found)

    def bits(self, over: Loop, word: Sql) -> Sql:
        words = derived(select([(word, GIVEN)], elements(over)))
        return coalesce(select([(call("BIT_OR", local(GIVEN)), GIVEN)], words), 0)

    def aggregate(self, function: str, over: Loop) -> Sql:
        return where(over.listed.is_known(), AGGREGATES[function](self, over))

    def listed(self, found: Sql, kind: Type) -> Sql:
        """A list that a sub-select gathers, empty where it finds nothing."""
        return coalesce(found, self.array([], kind))

    def emptied(self, listed: Sql) -> Sql:
        """An empty list of the same type."""
        return bracket(listed, made(exp.Slice, literal(1), literal(0)))

    def distinct(self, listed: Sql) -> Sql:
        firsts = [(local(GIVEN), GIVEN), (call("MIN", local(PLACE)), PLACE)]
        groups = derived(select(firsts, rows(whole(listed)), by=GIVEN))
        found = select([(gathered(local(GIVEN), local(PLACE)), GIVEN)], groups)
        return where(listed.is_known(), coalesce(found, self.emptied(listed))).without((ELEMENT, PLACE))

    def taken(self, listed: Sql, number: Sql, *, last: bool) -> Sql:
        place = variable(PLACE)
        passes = place > self.size(listed) - number if last else place <= number
        over = whole(listed)._replace(passes=passes)
        found = select([(gathered(local(GIVEN), local(PLACE)), GIVEN)], rows(over))
        known = listed.is_known() & number.is_known()
        return where(known, coalesce(found, self.emptied(listed))).without((ELEMENT, PLACE))

    # Each of these writes one aggregate over what the elements give that pass.

    def quantity(self, over: Loop) -> Sql:
        return select([(call("COUNT", STAR), NUMBER)], rows(over))

    def sum(self, over: Loop) -> Sql:
        return coalesce(select([(call("SUM", local(GIVEN)).cast("BIGINT"), NUMBER)], rows(over)), 0)

    def extreme(self, over: Loop, function: str) -> Sql:
        return select([(call(function, local(GIVEN)), GIVEN)], rows(over))

    def edge(self, over: Loop, *, last: bool) -> Sql:
        return select([(local(GIVEN), GIVEN)], rows(over), first_by=[local(PLACE)], descending=last)

    def gathered(self, over: Loop) -> Sql:
        return self.listed(select([(gathered(local(GIVEN), local(PLACE)), GIVEN)], rows(over)), over.kind)

    def last_run(self, over: Loop) -> Sql:
        if over.passes is None:
            return self.gathered(over)
        failing = derived(select([(place_in(over), PLACE)], elements(over), passes=~over.passes))
        last = coalesce(select([(call("MAX", local(PLACE)), PLACE)], failing), 0)
        return self.gathered(over._replace(passes=place_in(over) > last))

    def longest_run(self, over: Loop) -> Sql:
        """Elements between two breaks have the same number of breaks before them."""
        if over.passes is None:
            return self.quantity(over)
        fails = choose([(over.passes, 0)], 1)
        flagged = derived(select([(fails, GIVEN), (place_in(over), PLACE)], elements(over)))
        numbered = derived(
            select([(local(GIVEN), GIVEN), (running("SUM", local(GIVEN), [local(PLACE)]), NUMBER)], flagged)
        )
        passing = local(GIVEN).equals(0)
        runs = derived(select([(call("COUNT", STAR), GIVEN)], numbered, passes=passing, by=NUMBER))
        return coalesce(select([(call("MAX", local(GIVEN)), GIVEN)], runs), 0)

    def by_key(self, over: Loop, value: Sql) -> Sql:
        firsts = [(value, SECOND), (call("MIN", local(PLACE)), PLACE)]
        groups = derived(select(firsts, rows(over), by=GIVEN))
        return self.listed(select([(gathered(local(SECOND), local(PLACE)), SECOND)], groups), NUMBER_KIND)

    def sorted_by(self, over: Loop) -> Sql:
        ordered = gathered(local(SECOND), local(GIVEN), local(PLACE))
        return self.listed(select([(ordered, SECOND)], rows(over)), over.kind)

    def covered_days(self, over: Loop) -> Sql:
        keys = [local(GIVEN), local(PLACE)]
        before = running("MAX", local(SECOND), keys, before=True)
        periods = derived(select([(local(GIVEN), GIVEN), (local(SECOND), SECOND), (before, NUMBER)], rows(over)))
        since = call("GREATEST", local(GIVEN), local(NUMBER))
        days = choose([(local(SECOND) > since, self.days_between(since, local(SECOND)))], 0)
        return coalesce(select([(call("SUM", days).cast("BIGINT"), NUMBER)], periods), 0)


def bracket(listed: Sql, place: Sql) -> Sql:
    """What stands at a place of a list, or between two; only a column goes without brackets around it."""
    held = listed if isinstance(listed.node, exp.Column) else made(exp.Paren, this=listed)
    return made(exp.Bracket, this=held, expressions=[place], offset=1)


def whole(listed: Sql) -> Loop:
    """A loop over a list that gives its elements."""
    return Loop(listed, ELEMENT, PLACE, None, (variable(ELEMENT),), ANYTHING)


AGGREGATES: Mapping[str, Callable[[Relational, Loop], Sql]] = MappingProxyType(
    {
        "count": Relational.quantity,
        "sum": Relational.sum,
        "min": lambda lists, over: lists.extreme(over, "MIN"),
        "max": lambda lists, over: lists.extreme(over, "MAX"),
        "first": lambda lists, over: lists.edge(over, last=False),
        "last": lambda lists, over: lists.edge(over, last=True),
        "list": Relational.gathered,
        "last_run": Relational.last_run,
        "longest_run": Relational.longest_run,
        "counts_by": lambda lists, over: lists.by_key(over, call("COUNT", STAR)),
        "sums_by": lambda lists, over: lists.by_key(over, call("SUM", local(SECOND)).cast("BIGINT")),
        "sorted_by": Relational.sorted_by,
        "covered_days": Relational.covered_days,
    }
)
