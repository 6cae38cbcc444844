"""Aggregates over lists, and `in`: counts of what passes, positions of what is first or last (sentences 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar import days, lists
from policy_engine.backends.columnar.plan import PARENT, Domain, ListStep, Place, View
from policy_engine.backends.specialize import exact
from policy_engine.language import expressions as tree
from policy_engine.language.types import DATE, ListOf, Number, Ratio, Text, Type
from policy_engine.language.values import Value

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions

FEW = 4
"""Among so many values it is quicker to compare than to look up."""


class Loop(NamedTuple):
    """A generator over a view: which elements pass (None: all), what they give, and which cannot be told (None: none)."""

    view: View
    passes: pl.Expr | None
    element: pl.Expr
    unknown: pl.Expr | None


def value(to: Expressions, node: tree.Aggregate) -> pl.Expr:
    """An aggregate that gives no list, in the domain at hand."""
    if node.function in ("any", "all"):
        return _quantified(to, node)
    loop = loop_of(to, node)
    found = VALUES[node.function](to, node, loop)
    return _unless_unknown(to, loop, found)


def within(to: Expressions, view: View, variable: str, compute: Callable[[], pl.Expr]) -> pl.Expr:
    """A column of a view's domain."""
    with to.inside(view.domain, {**to.variables, variable: view}):
        return to.plan.named(view.domain, compute())


def loop_of(to: Expressions, node: tree.Aggregate) -> Loop:
    """The filter and the element of an aggregate, worked out for every element."""
    view = to.views.of(node.source)
    condition = node.condition
    passes = within(to, view, node.variable, lambda: to.truth(condition)) if condition is not None else None
    bare = isinstance(node.element, tree.Variable) and node.element.name == node.variable
    element = view.element if bare else within(to, view, node.variable, lambda: to.whole(node.element))
    unknown = _unknown(passes, element, condition is not None and condition.optional, node.element.optional)
    return Loop(view, passes, element, unknown)


def _unknown(passes: pl.Expr | None, element: pl.Expr, may_fail: bool, may_lack: bool) -> pl.Expr | None:
    """Which elements make the whole unknown: their filter is, or they pass and are themselves."""
    lacks = element.is_null() if passes is None else passes & element.is_null()
    if may_fail and passes is not None:
        return passes.is_null() | lacks.fill_null(False) if may_lack else passes.is_null()
    return lacks if may_lack else None


def _unless_unknown(to: Expressions, loop: Loop, found: pl.Expr) -> pl.Expr:
    if loop.unknown is None:
        return found
    return pl.when(count(to, loop.view, loop.unknown) == 0).then(found)


def count(to: Expressions, view: View, flag: pl.Expr) -> pl.Expr:
    """How many elements of each list a flag marks, null where the list is unknown."""
    return over_lists(to, view, to.plan.named(view.domain, flag, "flag"), lists.count, "count")


def over_lists(to: Expressions, view: View, elements: pl.Expr, work: Callable[..., pl.Series], stem: str) -> pl.Expr:
    """A column of the domain at hand from a column of elements and the offsets of each list."""
    return to.plan.column(to.domain, stem, work, [(view.domain, elements.meta.output_name()), *bounds(to, view)])


def bounds(to: Expressions, view: View) -> tuple[Place, Place]:
    """The columns that say where each list begins and ends."""
    return (to.domain, view.start.meta.output_name()), (to.domain, view.end.meta.output_name())


def length(view: View) -> pl.Expr:
    """How many elements each list has."""
    return view.end - view.start


def _quantified(to: Expressions, node: tree.Aggregate) -> pl.Expr:
    """`any` is the `or` of filter and element, `all` the `and` of no filter or element."""
    view, condition = to.views.of(node.source), node.condition
    is_any = node.function == "any"

    def row() -> pl.Expr:
        element = to.truth(node.element)
        if condition is None:
            return element
        passes = to.truth(condition)
        return passes & element if is_any else ~passes | element

    optional = node.element.optional or (condition is not None and condition.optional)
    return quantified(to, view, within(to, view, node.variable, row), decisive=is_any, optional=optional)


def quantified(to: Expressions, view: View, row: pl.Expr, *, decisive: bool, optional: bool) -> pl.Expr:
    """The `or` (decisive: true) or the `and` (decisive: false) of a condition over the elements of each list."""
    deciding = count(to, view, row if decisive else ~row)
    result = pl.when(deciding > 0).then(pl.lit(decisive))
    if optional:
        open_ = count(to, view, row.is_null())
        return (
            result.when(open_ > 0).then(pl.lit(None, dtype=pl.Boolean)).when(deciding == 0).then(pl.lit(not decisive))
        )
    return result.when(deciding == 0).then(pl.lit(not decisive))


def _counted(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    found = length(loop.view) if loop.passes is None else count(to, loop.view, loop.passes)
    return found.cast(pl.Int64)


def _summed(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    passing = loop.element if loop.passes is None else pl.when(loop.passes).then(loop.element).otherwise(0)
    return over_lists(to, loop.view, to.plan.named(loop.view.domain, passing.cast(pl.Int64)), lists.total, "sum")


def _picked(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The first or the last element that passes."""
    position = _position(to, loop.view, loop.passes, last=node.function == "last")
    source = to.plan.named(loop.view.domain, loop.element).meta.output_name()
    reads = [(loop.view.domain, source), (to.domain, position.meta.output_name())]
    return to.plan.column(to.domain, node.function, pl.Series.gather, reads)


def _position(to: Expressions, view: View, passes: pl.Expr | None, *, last: bool) -> pl.Expr:
    """Where the first or the last element that passes stands."""
    reads = bounds(to, view)
    if passes is None:
        return to.plan.column(to.domain, "position", partial(lists.edge, last=last), reads, position=True)
    flag = to.plan.named(view.domain, passes, "passes").meta.output_name()
    work = partial(lists.flagged_edge, last=last)
    return to.plan.column(to.domain, "position", work, [(view.domain, flag), *reads], position=True)


def _extreme(to: Expressions, node: tree.Aggregate, loop: Loop) -> pl.Expr:
    """The least or the greatest element that passes."""
    return reduced(to, loop.view, loop.passes, getattr(loop.element, node.function)(), node.function)


def reduced(to: Expressions, view: View, passes: pl.Expr | None, value_: pl.Expr, stem: str) -> pl.Expr:
    """One value of the elements of each list that pass, null where none does."""
    inside = to.views.inside(view)
    flag = to.plan.named(view.domain, inside if passes is None else inside & passes, "passes")
    return pl.when(view.start.is_not_null()).then(grouped(to, view, flag, value_, stem))


def grouped(to: Expressions, view: View, flag: pl.Expr, value_: pl.Expr, stem: str) -> pl.Expr:
    """What is made of the elements of each list that a column flags, null where there are none."""
    to.plan.number(view.domain)
    roots = dict.fromkeys(value_.meta.root_names())
    reads = [(view.domain, name) for name in (PARENT, flag.meta.output_name(), *roots)]
    return to.plan.column(to.domain, stem, partial(lists.reduced, value_), [bounds(to, view)[0], *reads])


VALUES: dict[str, Callable[[Expressions, tree.Aggregate, Loop], pl.Expr]] = {
    "count": _counted,
    "sum": _summed,
    "first": _picked,
    "last": _picked,
    "min": _extreme,
    "max": _extreme,
}


def view(to: Expressions, node: tree.Aggregate) -> View:
    """`list` and `last_run`: again a view, over the same elements or over those that pass."""
    loop = loop_of(to, node)
    column = to.plan.named(loop.view.domain, loop.element).meta.output_name()
    if loop.passes is None:
        made = View(loop.view.domain, column, loop.view.start, loop.view.end, loop.view.whole)
    elif node.function == "list":
        made = _filtered(to, loop, loop.passes, column)
    else:
        made = _last_run(to, loop, loop.passes, column)
    if loop.unknown is None:
        return made
    return to.views.where(made, count(to, loop.view, loop.unknown) == 0)


def _filtered(to: Expressions, loop: Loop, passes: pl.Expr, column: str) -> View:
    """The elements that pass, as a domain; how many pass before a list begins says where it begins there."""
    plan, source = to.plan, loop.view
    flag = plan.named(source.domain, (passes & to.views.inside(source)).fill_null(False), "passes")
    domain = Domain(plan.fresh("elements"), to.domain, source.domain)
    name = flag.meta.output_name()
    reads = (source.domain, name), (source.domain, column)
    plan.add(ListStep(reads, ((domain, ""), (domain, column)), lambda *columns: [lists.passing(*columns)]))
    parents = (domain, ""), (source.domain, name), (source.domain, PARENT)
    plan.numbering[domain] = ListStep(parents, ((domain, PARENT),), lambda flags, rows: [rows.filter(flags)])
    start, end = plan.fresh_position("start"), plan.fresh_position("end")
    marked = (source.domain, name), *bounds(to, source)
    plan.add(ListStep(marked, ((to.domain, start), (to.domain, end)), lists.flagged_before))
    return View(domain, column, pl.col(start), pl.col(end))


def _last_run(to: Expressions, loop: Loop, passes: pl.Expr, column: str) -> View:
    """The stretch after the last element that does not pass."""
    source = loop.view
    breaks = _position(to, source, ~passes, last=True)
    after = pl.when(source.start.is_not_null()).then(pl.coalesce(breaks + 1, source.start))
    start = to.plan.position(to.domain, after.cast(pl.UInt32), "start")
    return View(source.domain, column, start, source.end, whole=False)


def contains(to: Expressions, node: tree.In) -> pl.Expr:
    """`item in list`: the `or` of equalities."""
    assert isinstance(node.list.type, ListOf)
    element = node.list.type.element
    if isinstance(node.list, tree.Literal) and isinstance(node.list.value, tuple):
        return _among(to, node, [_literal(node, part, element) for part in node.list.value])
    if isinstance(node.list, tree.ListLiteral):
        return _among(to, node, list(node.list.elements))
    source = to.views.of(node.list)
    item = to.plan.lift(to.named(node.item), to.domain, source.domain)
    stand_in = tree.Variable(type=element, optional=False, place=node.place, name="")
    row = to.plan.named(source.domain, to.compared("==", (stand_in, source.element), (node.item, item)))
    optional = node.item.optional or tree.has_unknown_elements(node.list)
    return quantified(to, source, row, decisive=True, optional=optional)


def _literal(node: tree.In, part: Value, element: Type) -> tree.Node:
    return tree.Literal(type=element, optional=False, place=node.list.place, value=part)


def _among(to: Expressions, node: tree.In, elements: list[tree.Node]) -> pl.Expr:
    """Among the elements of a list that is written out; many constants are looked up."""
    if not elements:
        return pl.lit(False)
    item = to.named(node.item)
    constants = [exact(element) for element in elements if isinstance(element, tree.Literal)]
    plain = not isinstance(node.item.type, Number | Ratio) and len(constants) == len(elements)
    if plain and len(elements) > FEW:
        return item.is_in(constants)
    equal = [_equal(to, (node.item, item), element) for element in elements]
    result = equal[0]
    for other in equal[1:]:
        result = result | other
    return result


def _equal(to: Expressions, item: tuple[tree.Node, pl.Expr], element: tree.Node) -> pl.Expr:
    text = tree.constant_text(element)
    if text is not None and isinstance(item[0].type, Text) and not isinstance(item[0], tree.Literal):
        return to.is_text(item[0], text)
    return to.compared("==", item, (element, to.value(element)))


def add_business_days(to: Expressions, day: pl.Expr, number: pl.Expr, node: tree.Node) -> pl.Expr:
    """`add_business_days` over holidays that are themselves facts: the same closed form as over constant ones."""
    lists = to.views.column(to.views.taken_whole(node), DATE)
    indices = pl.when(days.is_on_weekday(pl.element())).then(days.weekdays_before(pl.element()))
    places = to.views.exploded(lists.list.eval(indices.drop_nulls()).list.unique().list.sort())
    start = to.plan.lift(places.start, to.domain, places.domain)
    rank = pl.int_range(pl.len(), dtype=pl.Int64) - start.cast(pl.Int64)
    passed = to.plan.named(places.domain, places.element - rank)

    def counted(elements: pl.Expr, key: pl.Expr, compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
        lifted = to.plan.lift(to.kept(key), to.domain, places.domain)
        return count(to, places, compare(elements, lifted)).cast(pl.Int64)

    result = days.business_day(
        day,
        number,
        lambda key: counted(places.element, key, pl.Expr.__lt__),
        lambda key: counted(passed, key, pl.Expr.__le__),
    )
    return pl.when(places.start.is_not_null()).then(result)
