"""Lists as offsets: where in a domain of elements the list of each row starts and ends (sentences 5.1 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from policy_engine.backends.columnar import aggregates, list_steps
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.plan import ACCOUNTS, PARENT, VALUE, Domain, ListOffsets, ListStep, literal
from policy_engine.language import expressions as tree
from policy_engine.language.types import ListOf, Record, Type, member_of

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions


@dataclass(slots=True)
class ListColumns:
    """Writes the offsets of the lists of one plan; those of facts, definitions and decisions are written once."""

    to: Expressions
    kept: dict[tuple[str, str], ListOffsets] = field(default_factory=dict)

    def of(self, node: tree.Node) -> ListOffsets:
        """The offsets of a list, for the rows of the domain at hand."""
        if isinstance(node, tree.Literal):
            return self.exploded(self.to.constant(node.value, node.type))
        match node:
            case tree.Fact(name=name):
                return self._kept(("fact", name), lambda: self.exploded(pl.col(name), self._order(node)))
            case tree.Definition(name=name):
                return self.definition(name)
            case tree.DecisionPart(decision=decision, part=part):
                return self._kept((decision, part), lambda: self.exploded(self.to.value(node)))
            case tree.MemberOf():
                return self.exploded(self.to.member(node), self._order(node))
            case tree.ListLiteral(elements=elements):
                return self._list_literal(node, elements)
            case tree.Call(function="if_known", arguments=arguments):
                return self.of(arguments[0])
            case tree.Call(function="take" | "take_last"):
                return aggregates.taken(self.to, node)
            case tree.Aggregate(function=function) if function in aggregates.LISTS:
                return aggregates.list_of(self.to, node)
        return self.exploded(self.to.written(node))

    def definition(self, name: str) -> ListOffsets:
        """The offsets of a definition that is a list."""
        return self._kept(("definition", name), lambda: self.of(self.to.ruleset.list_of(name)))

    def _kept(self, key: tuple[str, str], compute: Callable[[], ListOffsets]) -> ListOffsets:
        """The offsets of lists of the accounts, written once, and repeated where they are used inside a loop."""
        to = self.to
        if key not in self.kept:
            with to.inside(ACCOUNTS, {}):
                self.kept[key] = compute()
        return self.repeated(self.kept[key])

    def _order(self, node: tree.Fact | tree.MemberOf) -> str | None:
        record = self.to.ruleset.facts.type if isinstance(node, tree.Fact) else node.record.type
        assert isinstance(record, Record)
        member = member_of(record, node.name)
        return member.ordered_by if member is not None else None

    def _list_literal(self, node: tree.ListLiteral, elements: tuple[tree.Node, ...]) -> ListOffsets:
        assert isinstance(node.type, ListOf)
        element = node.type.element
        if not elements:
            return self.exploded(self.to.constant((), node.type))
        return self.exploded(pl.concat_list([self.to.scaled(part, element) for part in elements]))

    def exploded(self, column_of_lists: pl.Expr, ordered_by: str | None = None) -> ListOffsets:
        """The offsets of a column of lists."""
        plan, outer = self.to.plan, self.to.domain
        column = plan.named(outer, column_of_lists, "lists")
        domain = Domain(plan.fresh("elements"), outer)
        start, end = plan.fresh_position("start"), plan.fresh_position("end")
        makes = (domain, VALUE), (outer, start), (outer, end)
        work = partial(list_steps.exploded, ordered_by=ordered_by)
        plan.add(ListStep(((outer, column.meta.output_name()),), ((domain, ""), *makes), work))
        offsets = (domain, ""), (outer, start), (outer, end)
        plan.numbering[domain] = ListStep(offsets, ((domain, PARENT),), lambda *bounds: [list_steps.rows_of(*bounds)])
        return ListOffsets(domain, VALUE, pl.col(start), pl.col(end))

    def repeated(self, offsets: ListOffsets) -> ListOffsets:
        """Lists of an outer domain for the rows of the domain at hand: each row gets elements of its own."""
        plan, outer = self.to.plan, self.to.domain
        assert offsets.domain.parent is not None
        if offsets.domain.parent == outer:
            return offsets
        bounds = [
            plan.lift(bound, offsets.domain.parent, outer).meta.output_name() for bound in (offsets.start, offsets.end)
        ]
        domain = Domain(plan.fresh("elements"), outer)
        start, end = plan.fresh_position("start"), plan.fresh_position("end")
        columns = (offsets.column, *offsets.masks)
        reads = [*((outer, bound) for bound in bounds), *((offsets.domain, name) for name in columns)]
        made = (domain, ""), (domain, PARENT), *((domain, name) for name in columns), (outer, start), (outer, end)
        plan.add(ListStep(tuple(reads), made, list_steps.repeated))
        return ListOffsets(domain, offsets.column, pl.col(start), pl.col(end), masks=offsets.masks)

    def taken_whole(self, node: tree.Node) -> ListOffsets:
        """The offsets of a list that is unknown as a whole where an element is."""
        offsets = self.of(node)
        if not tree.has_unknown_elements(node):
            return offsets
        unknown = aggregates.count(self.to, offsets, offsets.element.is_null())
        return self.where(offsets, unknown == 0)

    def where(self, offsets: ListOffsets, known: pl.Expr) -> ListOffsets:
        """The same lists, unknown where a condition does not hold."""
        start = self.to.plan.position(self.to.domain, pl.when(known).then(offsets.start), "start")
        return replace(offsets, start=start)

    def inside(self, offsets: ListOffsets) -> pl.Expr:
        """Of the elements of a domain, those that belong to a list."""
        if offsets.whole:
            return pl.lit(True)
        start = self.to.plan.lift(offsets.start, self.to.domain, offsets.domain)
        return start <= pl.int_range(pl.len(), dtype=pl.UInt32)

    def column(self, offsets: ListOffsets, element: Type) -> pl.Expr:
        """The lists themselves, as a column."""
        return self.gathered(offsets, pl.col(offsets.column), pl.List(dtype_or_null(element)))

    def gathered(self, offsets: ListOffsets, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """The elements of each list, or what is made of them, as a column of lists."""
        to = self.to
        passes = to.plan.named(offsets.domain, self.inside(offsets), "passes")
        found = aggregates.grouped(to, offsets, passes, value, "list")
        empty = literal(pl.Series([[]], dtype=dtype))
        some = pl.when(offsets.start < offsets.end).then(found).when(offsets.start == offsets.end).then(empty)
        return some.cast(dtype)
