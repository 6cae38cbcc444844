"""Aggregates over lists, and `in`, by the offsets of lists: no list is built, and no loop runs (sentences 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar import list_steps, weekdays
from policy_engine.backends.columnar.plan import PARENT, VALUE, Domain, ListOffsets, ListStep, Place
from policy_engine.language import expressions as tree
from policy_engine.language.specialize import exact
from policy_engine.language.types import DATE, ListOf, Number, Ratio, Text, Type
from policy_engine.language.values import Value
from policy_engine.language.weekdays import Week

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions

FEW = 4
"""For up to so many values comparisons are faster than a look-up."""


class Loop(NamedTuple):
    """The generator of an aggregate: the lists it goes over, which elements pass its filter, and what they give.

    `passes` is None without a filter; `unknown` says which elements make the whole unknown, None if none can. `parts` are what an
    element gives, which is one thing but for aggregates that take several in brackets.
    """

    offsets: ListOffsets
    passes: pl.Expr | None
    parts: tuple[pl.Expr, ...]
    unknown: pl.Expr | None

    @property
    def element(self) -> pl.Expr:
        """What an element gives."""
        return self.parts[0]


def value(to: Expressions, node: tree.Aggregate) -> pl.Expr:
    """An aggregate that gives no list, in the domain at hand."""
    if node.function in ("any", "all"):
        return _quantified(to, node)
    loop = loop_of(to, node)
    found = VALUES[node.function](to, node, loop)
    return _unless_unknown(to, loop, found)


def within(to: Expressions, offsets: ListOffsets, variable: str, compute: Callable[[], pl.Expr]) -> pl.Expr:
    """A column of the domain of elements."""
    with to.inside(offsets.domain, {**to.variables, variable: offsets}):
        return to.plan.named(offsets.domain, compute())


def loop_of(to: Expressions, node: tree.Aggregate) -> Loop:
    """The filter and the element of an aggregate, worked out for every element."""
    offsets = to.lists.of(node.source)
    condition = node.condition
    passes = within(to, offsets, node.variable, lambda: to.truth(condition)) if condition is not None else None
    given = node.element.parts if isinstance(node.element, tree.Tuple) else (node.element,)
    parts = tuple(_given(to, offsets, node.variable, part) for part in given)
    lacks = [part.is_null() for part, each in zip(parts, given, strict=True) if each.optional]
    unknown = _unknown(passes, lacks, condition is not None and condition.optional)
    return Loop(offsets, passes, parts, unknown)


def _given(to: Expressions, offsets: ListOffsets, variable: str, node: tree.Node) -> pl.Expr:
    """What each element gives, as a column of the domain of elements."""
    if isinstance(node, tree.Variable) and node.name == variable:
        return offsets.element
    return within(to, offsets, variable, lambda: to.whole(node))


def _unknown(passes: pl.Expr | None, lacks: Sequence[pl.Expr], may_fail: bool) -> pl.Expr | None:
    """Which elements make the whole unknown: their filter is, or they pass and lack what they give."""
    lack = reduce(pl.Expr.__or__, lacks) if lacks else None
    if passes is None:
        return lack
    if not may_fail:
        return None if lack is None else passes & lack
    return passes.is_null() if lack is None else passes.is_null() | (passes & lack).fill_null(False)


def _unless_unknown(to: Expressions, loop: Loop, found: pl.Expr) -> pl.Expr:
    if loop.unknown is None:
        return found
    return pl.when(count(to, loop.offsets, loop.unknown) == 0).then(found)


def count(to: Expressions, offsets: ListOffsets, flag: pl.Expr) -> pl.Expr:
    """How many elements of each list a flag marks, null where the list is unknown."""
    return over_lists(to, offsets, to.plan.named(offsets.domain, flag, "flag"), list_steps.count, "count")


def over_lists(
    to: Expressions, offsets: ListOffsets, elements: pl.Expr, work: Callable[..., pl.Series], stem: str
) -> pl.Expr:
    """A column of the domain at hand from a column of elements and the offsets of each list."""
    return to.plan.column(to.domain, stem, work, [(offsets.domain, elements.meta.output_name()), *bounds(to, offsets)])


def bounds(to: Expressions, offsets: ListOffsets) -> tuple[Place, Place]:
    """The columns of starts and ends."""
    return (to.domain, offsets.start.meta.output_name()), (to.domain, offsets.end.meta.output_name())


def length(offsets: ListOffsets) -> pl.Expr:
    """How many elements each list has."""
    return offsets.end - offsets.start


def _quantified(to: Expressions, node: tree.Aggregate) -> pl.Expr:
    """`any` is the `or` of filter and element, `all` the `and` of no filter or element."""
    offsets, condition = to.lists.of(node.source), node.condition
    optional = node.element.optional or (condition is not None and condition.optional)
    row = within(to, offsets, node.variable, lambda: quantified_row(to, node))
    return quantified(to, offsets, row, decisive=node.function == "any", optional=optional)


def quantified_row(to: Expressions, node: tree.Aggregate) -> pl.Expr:
    """Of one element `filter and element` for `any`, `not filter or element` for `all`."""
    element = to.truth(node.element)
    if node.condition is None:
        return element
    passes = to.truth(node.condition)
    return passes & element if node.function == "any" else ~passes | element


def quantified(to: Expressions, offsets: ListOffsets, row: pl.Expr, *, decisive: bool, optional: bool) -> pl.Expr:
    """The `or` (decisive: true) or the `and` (decisive: false) of a condition over the elements of each list."""
    deciding = count(to, offsets, row if decisive else ~row)
    result = pl.when(deciding > 0).then(pl.lit(decisive))
    if optional:
        open_ = count(to, offsets, row.is_null())
        return (
            result.when(open_ > 0).then(pl.lit(None, dtype=pl.Boolean)).when(deciding == 0).then(pl.lit(not decisive))
        )
    return result.when(deciding == 0).then(pl.lit(not decisive))


def _counted(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    found = length(loop.offsets) if loop.passes is None else count(to, loop.offsets, loop.passes)
    return found.cast(pl.Int64)


def _summed(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    passing = loop.element if loop.passes is None else pl.when(loop.passes).then(loop.element).otherwise(0)
    return over_lists(
        to, loop.offsets, to.plan.named(loop.offsets.domain, passing.cast(pl.Int64)), list_steps.total, "sum"
    )


def _picked(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The first or the last element that passes."""
    position = _position(to, loop.offsets, loop.passes, last=node.function == "last")
    source = to.plan.named(loop.offsets.domain, loop.element).meta.output_name()
    reads = [(loop.offsets.domain, source), (to.domain, position.meta.output_name())]
    return to.plan.column(to.domain, node.function, pl.Series.gather, reads)


def _position(to: Expressions, offsets: ListOffsets, passes: pl.Expr | None, *, last: bool) -> pl.Expr:
    """Where the first or the last element that passes stands."""
    reads = bounds(to, offsets)
    if passes is None:
        return to.plan.column(to.domain, "position", partial(list_steps.edge, last=last), reads, position=True)
    flag = to.plan.named(offsets.domain, passes, "passes").meta.output_name()
    work = partial(list_steps.flagged_edge, last=last)
    return to.plan.column(to.domain, "position", work, [(offsets.domain, flag), *reads], position=True)


def _extreme(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The least or the greatest element that passes."""
    return reduced(to, loop.offsets, loop.passes, getattr(loop.element, node.function)(), node.function)


def _longest_run(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The most elements between two that do not pass."""
    offsets, domain = loop.offsets, loop.offsets.domain
    if loop.passes is None:
        return length(offsets).cast(pl.Int64)
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    broken = to.plan.named(domain, pl.when(~loop.passes).then(place).forward_fill(), "broken")
    start = to.plan.lift(offsets.start, to.domain, domain)
    length_ = to.plan.named(domain, place - pl.max_horizontal(broken, start.cast(pl.Int64) - 1), "run")
    found = reduced(to, offsets, loop.passes, length_.max(), "run")
    return pl.when(offsets.start.is_not_null()).then(found.fill_null(0))


def _covered_days(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The days that lie in some period."""
    found = to.plan.column(to.domain, "days", list_steps.covered_days, _by_row(to, loop))
    return pl.when(loop.offsets.start.is_not_null()).then(found)


def _by_row(to: Expressions, loop: Loop) -> list[Place]:
    """The columns of the lists' starts, and of the elements: which pass, their rows, and their parts."""
    domain, inside = loop.offsets.domain, to.lists.inside(loop.offsets)
    flag = to.plan.named(domain, inside if loop.passes is None else inside & loop.passes, "passes")
    parts = [to.plan.named(domain, part) for part in loop.parts]
    to.plan.number(domain)
    columns = [(domain, column.meta.output_name()) for column in (flag, pl.col(PARENT), *parts)]
    return [bounds(to, loop.offsets)[0], *columns]


def reduced(to: Expressions, offsets: ListOffsets, passes: pl.Expr | None, value_: pl.Expr, stem: str) -> pl.Expr:
    """One value of the elements of each list that pass, null where none does."""
    inside = to.lists.inside(offsets)
    flag = to.plan.named(offsets.domain, inside if passes is None else inside & passes, "passes")
    return pl.when(offsets.start.is_not_null()).then(grouped(to, offsets, flag, value_, stem))


def grouped(to: Expressions, offsets: ListOffsets, flag: pl.Expr, value_: pl.Expr, stem: str) -> pl.Expr:
    """What is made of the elements of each list that a column flags, null where there are none."""
    to.plan.number(offsets.domain)
    roots = dict.fromkeys(value_.meta.root_names())
    reads = [(offsets.domain, name) for name in (PARENT, flag.meta.output_name(), *roots)]
    return to.plan.column(to.domain, stem, partial(list_steps.reduced, value_), [bounds(to, offsets)[0], *reads])


VALUES: dict[str, Callable[[Expressions, tree.Aggregate, Loop], pl.Expr]] = {
    "count": _counted,
    "sum": _summed,
    "first": _picked,
    "last": _picked,
    "min": _extreme,
    "max": _extreme,
    "longest_run": _longest_run,
    "covered_days": _covered_days,
}


def list_of(to: Expressions, node: tree.Aggregate) -> ListOffsets:
    """Lists again: of the same elements, of those that pass, or of what is made of groups of them."""
    loop = loop_of(to, node)
    if node.function not in ("list", "last_run"):
        made = _remade(to, loop, REMADE[node.function])
        return made if loop.unknown is None else to.lists.where(made, count(to, loop.offsets, loop.unknown) == 0)
    column = to.plan.named(loop.offsets.domain, loop.element).meta.output_name()
    if loop.passes is None:
        made = replace(loop.offsets, column=column, masks=())
    elif node.function == "list":
        made = _filtered(to, loop, loop.passes, column)
    else:
        made = _last_run(to, loop, loop.passes, column)
    if loop.unknown is None:
        return made
    return to.lists.where(made, count(to, loop.offsets, loop.unknown) == 0)


def _filtered(to: Expressions, loop: Loop, passes: pl.Expr, column: str) -> ListOffsets:
    """The elements that pass, as a domain; the count of those before the start of a list is its new start."""
    plan, source = to.plan, loop.offsets
    flag = plan.named(source.domain, (passes & to.lists.inside(source)).fill_null(False), "passes")
    domain = Domain(plan.fresh("elements"), to.domain, source.domain)
    name = flag.meta.output_name()
    reads = (source.domain, name), (source.domain, column)
    plan.add(ListStep(reads, ((domain, ""), (domain, column)), lambda *columns: [list_steps.passing(*columns)]))
    parents = (domain, ""), (source.domain, name), (source.domain, PARENT)
    plan.numbering[domain] = ListStep(parents, ((domain, PARENT),), lambda flags, rows: [rows.filter(flags)])
    start, end = plan.fresh_position("start"), plan.fresh_position("end")
    marked = (source.domain, name), *bounds(to, source)
    plan.add(ListStep(marked, ((to.domain, start), (to.domain, end)), list_steps.flagged_before))
    return ListOffsets(domain, column, pl.col(start), pl.col(end))


def _last_run(to: Expressions, loop: Loop, passes: pl.Expr, column: str) -> ListOffsets:
    """The stretch after the last element that does not pass."""
    source = loop.offsets
    breaks = _position(to, source, ~passes, last=True)
    after = pl.when(source.start.is_not_null()).then(pl.coalesce(breaks + 1, source.start))
    start = to.plan.position(to.domain, after.cast(pl.UInt32), "start")
    return ListOffsets(source.domain, column, start, source.end, whole=False)


def taken(to: Expressions, node: tree.Call) -> ListOffsets:
    """The first or the last elements of each list: those on one side of a position."""
    listed, number = node.arguments
    offsets, last = to.lists.taken_whole(listed), node.function == "take_last"
    size = to.value(number).clip(0)
    edge = offsets.end.cast(pl.Int64) - size if last else offsets.start.cast(pl.Int64) + size
    edge = to.plan.lift(to.plan.position(to.domain, edge, "edge"), to.domain, offsets.domain)
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    passes = to.plan.named(offsets.domain, place >= edge if last else place < edge)
    made = _filtered(to, Loop(offsets, None, (offsets.element,), None), passes, offsets.column)
    return to.lists.where(made, size.is_not_null()) if number.optional else made


def _remade(to: Expressions, loop: Loop, work: Callable[..., list_steps.Columns]) -> ListOffsets:
    """Lists of new elements that a step makes of the rows and the parts of those that pass."""
    plan, reads = to.plan, _by_row(to, loop)
    domain = Domain(plan.fresh("elements"), to.domain)
    start, end = plan.fresh_position("start"), plan.fresh_position("end")
    made = (domain, ""), (domain, PARENT), (domain, VALUE), (to.domain, start), (to.domain, end)
    plan.add(ListStep(tuple(reads), made, partial(list_steps.remade, work)))
    return ListOffsets(domain, VALUE, pl.col(start), pl.col(end))


REMADE: dict[str, Callable[..., list_steps.Columns]] = {
    "counts_by": list_steps.counts,
    "sums_by": list_steps.sums,
    "sorted_by": list_steps.by_keys,
}
LISTS = frozenset({"list", "last_run", *REMADE})
"""The aggregates whose lists are made as offsets."""


def contains(to: Expressions, node: tree.In) -> pl.Expr:
    """`item in list`: the `or` of equalities."""
    assert isinstance(node.list.type, ListOf)
    element = node.list.type.element
    if isinstance(node.list, tree.Literal) and isinstance(node.list.value, tuple):
        return _among(to, node, [_literal(node, part, element) for part in node.list.value])
    if isinstance(node.list, tree.ListLiteral):
        return _among(to, node, list(node.list.elements))
    source = to.lists.of(node.list)
    item = to.plan.lift(to.named(node.item), to.domain, source.domain)
    stand_in = tree.Variable(type=element, optional=False, place=node.place, name="")
    row = to.plan.named(source.domain, to.compared("==", (stand_in, source.element), (node.item, item)))
    optional = node.item.optional or tree.has_unknown_elements(node.list)
    return quantified(to, source, row, decisive=True, optional=optional)


def _literal(node: tree.In, part: Value, element: Type) -> tree.Node:
    return tree.Literal(type=element, optional=False, place=node.list.place, value=part)


def _among(to: Expressions, node: tree.In, elements: list[tree.Node]) -> pl.Expr:
    """Among the elements of a list literal; many constants are looked up."""
    if not elements:
        return pl.lit(False)
    item = to.named(node.item)
    constants = [exact(element) for element in elements if isinstance(element, tree.Literal)]
    plain = not isinstance(node.item.type, Number | Ratio) and len(constants) == len(elements)
    if plain and len(elements) > FEW:
        return item.is_in(constants)
    equal = [_equal(to, (node.item, item), element) for element in elements]
    return reduce(pl.Expr.__or__, equal)


def _equal(to: Expressions, item: tuple[tree.Node, pl.Expr], element: tree.Node) -> pl.Expr:
    text = tree.constant_text(element)
    if text is not None and isinstance(item[0].type, Text) and not isinstance(item[0], tree.Literal):
        return to.is_text(item[0], text)
    return to.compared("==", item, (element, to.value(element)))


def business_days(to: Expressions, node: tree.Node, week: Week) -> weekdays.BusinessDays:
    """The business days that holidays among the facts leave: the same closed form as over constant ones."""
    lists = to.lists.column(to.lists.taken_whole(node), DATE)
    element = pl.element()
    indices = pl.when(weekdays.is_weekday(element, week)).then(weekdays.weekdays_before(element, week))
    places = to.lists.exploded(lists.list.eval(indices.drop_nulls()).list.unique().list.sort())
    start = to.plan.lift(places.start, to.domain, places.domain)
    rank = pl.int_range(pl.len(), dtype=pl.Int64) - start.cast(pl.Int64)
    passed = to.plan.named(places.domain, places.element - rank)

    def counted(elements: pl.Expr, key: pl.Expr, compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
        lifted = to.plan.lift(to.kept(key), to.domain, places.domain)
        return count(to, places, compare(elements, lifted)).cast(pl.Int64)

    return weekdays.BusinessDays(
        week,
        lambda key: counted(places.element, key, pl.Expr.__lt__),
        lambda key: counted(passed, key, pl.Expr.__le__),
        places.start.is_not_null(),
    )
