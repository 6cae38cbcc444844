"""Type checking of look-ups, such as `vat[country].rate`, and of `value_on`, which asks for the value on another day."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from policy_engine.diagnostics import did_you_mean
from policy_engine.frontend import hints
from policy_engine.language import expressions as tree
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.rulesets import VALUE
from policy_engine.language.types import DATE, Anything, Calendar, Date, ListOf, Number, Type, comparable, with_article

if TYPE_CHECKING:
    from policy_engine.frontend.typing import Typer

VALUE_ON = "value_on"
SIGNATURE = f"{VALUE_ON}(x, date)"


def is_table(typer: Typer, node: ast.expr) -> bool:
    """Whether a name before brackets is that of a look-up table, or at least of nothing else."""
    if not isinstance(node, ast.Name):
        return False
    return node.id in typer.scope.tables or (typer.scope.kind_of(node.id) is None and node.id not in typer.variables)


def lookup(typer: Typer, node: ast.Attribute, held: ast.Subscript) -> tree.Node:
    """The typed tree of `table[key].column`."""
    asked = _asked(typer, node, held)
    if asked is None:
        return tree.stand_in(typer.place(node))
    table, keys = asked
    if table.dated:
        keys = (*keys, tree.AsOf(type=DATE, optional=False, place=replace(typer.place(node), text="as_of")))
    return _made(typer, node, table, keys, node.attr)


def bare_lookup(typer: Typer, node: ast.Subscript) -> tree.Node:
    """Report brackets without a column behind them, or behind what is no table."""
    if not is_table(typer, node.value):
        hint = hints.of_table(typer, node) or "use `first`, `last` or a generator"
        return typer.fault("expression-not-allowed", node, what="a subscript", hint=hint)
    assert isinstance(node.value, ast.Name)
    table = typer.scope.tables.get(node.value.id)
    if table is None:
        return _unknown_table(typer, node.value)
    hint = f"write `{typer.parsed.segment(node)}.{table.columns[0].name}`"
    what = f"`{typer.parsed.segment(node)}` without a column"
    return typer.fault("expression-not-allowed", node, what=what, hint=hint)


def value_on(typer: Typer, node: ast.Call) -> tree.Node:
    """The typed tree of `value_on(x, day)`, where x is a look-up or a parameter."""
    if len(node.args) != 2 or node.keywords:
        why = "arguments have no names" if node.keywords else f"it takes 2, and is given {len(node.args)}"
        return typer.fault("wrong-arguments", node, signature=SIGNATURE, why=why)
    asked, side = node.args
    day = typer.plain_value(typer.infer(side), side)
    if not isinstance(day.type, Date | Anything):
        return typer.wrong_type(side, f"`date` of `{VALUE_ON}`", "a date", day.type)
    match asked:
        case ast.Attribute(value=ast.Subscript() as held) if is_table(typer, held.value):
            found = _asked(typer, asked, held)
            column = asked.attr
        case ast.Name(id=name) if typer.scope.kind_of(name) == "parameter":
            found, column = _parameter(typer, asked), VALUE
        case _:
            typer.infer(asked)
            expected = "a parameter, or a cell of a look-up table"
            found_ = f"`{typer.parsed.segment(asked)}`"
            return typer.wrong_type(asked, f"`x` of `{VALUE_ON}`", expected, found_)
    if found is None or isinstance(day.type, Anything):
        return tree.stand_in(typer.place(node))
    table, keys = found
    if not table.days:
        text = typer.parsed.segment(asked)
        return typer.fault("not-dated", asked, hint=f"write `{text}` by itself", name=table.name)
    return _made(typer, node, table, (*keys, day), column)


def _parameter(typer: Typer, node: ast.Name) -> tuple[LookupTable, tuple[tree.Node, ...]] | None:
    kind = typer.scope.parameters[node.id]
    if isinstance(kind, Calendar | ListOf):
        typer.wrong_type(node, f"`x` of `{VALUE_ON}`", "a parameter with single values", kind)
        return None
    return None if isinstance(kind, Anything) else (typer.scope.by_day(node.id), ())


def _asked(typer: Typer, node: ast.Attribute, held: ast.Subscript) -> tuple[LookupTable, tuple[tree.Node, ...]] | None:
    """The table of a look-up and its keys, as they are written; None where something is wrong with it, which is reported."""
    assert isinstance(held.value, ast.Name)
    sides = held.slice.elts if isinstance(held.slice, ast.Tuple) else [held.slice]
    keys = tuple(typer.plain_value(typer.infer(side), side) for side in sides)
    name = held.value.id
    table = typer.scope.tables.get(name)
    if table is None:
        if name not in typer.scope.tables:
            _unknown_table(typer, held.value)
        return None
    if len(keys) != len(table.asked_keys):
        why = f"it takes {_count(len(table.asked_keys))}, and is given {len(keys)}"
        typer.fault("wrong-arguments", held, signature=table.asked, why=why)
        return None
    fitting = [_check_key(typer, table, at, keys[at], sides[at]) for at in range(len(keys))]
    if node.attr not in [column.name for column in table.columns]:
        names = [column.name for column in table.columns]
        hint = did_you_mean(node.attr, names) or f"it has {', '.join(names)}"
        place = typer.last_name(node)
        typer.fault_at("unknown-column", place, hint=hint, table=name, name=node.attr)
        return None
    return (table, keys) if all(fitting) and not any(isinstance(key.type, Anything) for key in keys) else None


def _check_key(typer: Typer, table: LookupTable, at: int, found: tree.Node, side: ast.expr) -> bool:
    """Whether what is asked for may be a value of a key; it is reported where it may not."""
    key = table.keys[at]
    fits = isinstance(found.type, Number | Anything) if key.ranged else comparable(key.type, found.type)
    if not fits:
        expected = "a number" if isinstance(key.type, Number) else with_article(key.type)
        words = {"what": f"the key `{key.name}` of `{table.name}`", "expected": expected, "found": found.type}
        hint = f"its keys are `{table.asked}`" if len(table.asked_keys) > 1 else None
        typer.type_fault("wrong-type", side, found, hint=hint, **words)
    return fits


def _made(typer: Typer, node: ast.expr, table: LookupTable, keys: tuple[tree.Node, ...], column: str) -> tree.Node:
    kind: Type = table.column(column).type
    optional = table.otherwise is None or any(key.optional for key in keys)
    return tree.Lookup(type=kind, optional=optional, place=typer.place(node), table=table, keys=keys, column=column)


def _unknown_table(typer: Typer, node: ast.Name) -> tree.Node:
    if typer.scope.open:
        return tree.stand_in(typer.place(node))
    hint = did_you_mean(node.id, typer.scope.tables) or typer.scope.elsewhere(node.id)
    return typer.fault("unknown-table", node, hint=hint, name=node.id)


def _count(keys: int) -> str:
    return "1 key" if keys == 1 else f"{keys} keys"
