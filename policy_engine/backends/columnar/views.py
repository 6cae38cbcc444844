"""Lists as views: where the elements of each row's list lie (sentences 5.1 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from policy_engine.backends.columnar import aggregates, lists
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.plan import ACCOUNTS, PARENT, VALUE, Domain, ListStep, View, spread
from policy_engine.language import expressions as tree
from policy_engine.language.types import ListOf, Record, Type, member_of

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions


@dataclass(slots=True)
class Views:
    """The lists of one plan; those of facts, definitions and decisions are laid out once."""

    to: Expressions
    kept: dict[tuple[str, str], View] = field(default_factory=dict)

    def of(self, node: tree.Node) -> View:
        """The view of a list, for the rows of the domain at hand."""
        if isinstance(node, tree.Literal):
            return self.exploded(self.to.constant(node.value, node.type))
        match node:
            case tree.Fact(name=name):
                return self._kept(("fact", name), lambda: self.exploded(pl.col(name), self._order(node)))
            case tree.Definition(name=name):
                return self._kept(("definition", name), lambda: self.of(self._body(name)))
            case tree.DecisionPart(decision=decision, part=part):
                return self._kept((decision, part), lambda: self.exploded(self.to.value(node)))
            case tree.MemberOf():
                return self.exploded(self.to.member(node), self._order(node))
            case tree.ListLiteral(elements=elements):
                return self._written_out(node, elements)
            case tree.Call(function="if_known", arguments=arguments):
                return self.of(arguments[0])
            case tree.Aggregate(function="list" | "last_run"):
                return aggregates.view(self.to, node)
        return self.exploded(self.to.written(node))

    def _kept(self, key: tuple[str, str], compute: Callable[[], View]) -> View:
        """A view that belongs to the accounts, laid out once, and spread where it is asked for inside a loop."""
        to = self.to
        if key not in self.kept:
            with to.inside(ACCOUNTS, {}):
                self.kept[key] = compute()
        return self.spread(self.kept[key])

    def _body(self, name: str) -> tree.Node:
        body = self.to.ruleset.definition(name).body
        assert isinstance(body, tree.Expression)
        return body.tree

    def _order(self, node: tree.Fact | tree.MemberOf) -> str | None:
        record = self.to.ruleset.facts.type if isinstance(node, tree.Fact) else node.record.type
        assert isinstance(record, Record)
        member = member_of(record, node.name)
        return member.ordered_by if member is not None else None

    def _written_out(self, node: tree.ListLiteral, elements: tuple[tree.Node, ...]) -> View:
        assert isinstance(node.type, ListOf)
        element = node.type.element
        if not elements:
            return self.exploded(self.to.constant((), node.type))
        return self.exploded(pl.concat_list([self.to.scaled(part, element) for part in elements]))

    def exploded(self, column_of_lists: pl.Expr, ordered_by: str | None = None) -> View:
        """The view of a column of lists."""
        plan, outer = self.to.plan, self.to.domain
        column = plan.named(outer, column_of_lists, "lists")
        domain = Domain(plan.fresh("elements"), outer)
        start, end = plan.fresh_position("start"), plan.fresh_position("end")
        makes = (domain, VALUE), (outer, start), (outer, end)
        work = partial(lists.exploded, ordered_by=ordered_by)
        plan.add(ListStep(((outer, column.meta.output_name()),), ((domain, ""), *makes), work))
        offsets = (domain, ""), (outer, start), (outer, end)
        plan.numbering[domain] = ListStep(offsets, ((domain, PARENT),), lambda *bounds: [lists.rows_of(*bounds)])
        return View(domain, VALUE, pl.col(start), pl.col(end))

    def spread(self, view: View) -> View:
        """A view of an outer domain for the rows of the domain at hand: each row gets elements of its own."""
        plan, outer = self.to.plan, self.to.domain
        assert view.domain.parent is not None
        if view.domain.parent == outer:
            return view
        bounds = [plan.lift(bound, view.domain.parent, outer).meta.output_name() for bound in (view.start, view.end)]
        domain = Domain(plan.fresh("elements"), outer)
        start, end = plan.fresh_position("start"), plan.fresh_position("end")
        columns = (view.column, *view.masks)
        reads = [*((outer, bound) for bound in bounds), *((view.domain, name) for name in columns)]
        made = (domain, ""), (domain, PARENT), *((domain, name) for name in columns), (outer, start), (outer, end)
        plan.add(ListStep(tuple(reads), made, lists.repeated))
        return View(domain, view.column, pl.col(start), pl.col(end), masks=view.masks)

    def taken_whole(self, node: tree.Node) -> View:
        """The view of a list that is unknown as a whole where an element is."""
        view = self.of(node)
        if not tree.has_unknown_elements(node):
            return view
        unknown = aggregates.count(self.to, view, view.element.is_null())
        return self.where(view, unknown == 0)

    def where(self, view: View, known: pl.Expr) -> View:
        """The lists of a view, unknown where a condition does not hold."""
        start = self.to.plan.position(self.to.domain, pl.when(known).then(view.start), "start")
        return View(view.domain, view.column, start, view.end, view.whole, view.masks)

    def inside(self, view: View) -> pl.Expr:
        """Of the elements of a view's domain, those that belong to a list."""
        if view.whole:
            return pl.lit(True)
        start = self.to.plan.lift(view.start, self.to.domain, view.domain)
        return start <= pl.int_range(pl.len(), dtype=pl.UInt32)

    def column(self, view: View, element: Type) -> pl.Expr:
        """The lists themselves, as a column."""
        return self.gathered(view, pl.col(view.column), pl.List(dtype_or_null(element)))

    def gathered(self, view: View, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """The elements of each list, or what is made of them, as a column of lists."""
        to = self.to
        passes = to.plan.named(view.domain, self.inside(view), "passes")
        found = aggregates.grouped(to, view, passes, value, "list")
        empty = spread(pl.Series([[]], dtype=dtype))
        some = pl.when(view.start < view.end).then(found).when(view.start == view.end).then(empty)
        return some.cast(dtype)
