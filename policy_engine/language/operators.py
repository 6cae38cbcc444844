"""What operators, functions and aggregates make of values, known or not (sentences 4 to 10)."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from types import MappingProxyType
from typing import Any

from policy_engine.language import causes
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.logic import conjunction, disjunction, negation, unknown_of
from policy_engine.language.lookup_tables import LookupTable, TableRow, no_row, row_in_words
from policy_engine.language.rounding import product
from policy_engine.language.traces import Origin, Step
from policy_engine.language.values import RecordValue, Undefined, Unknown, Value, absent_fact, is_unknown, on_the_way

Operator = Callable[..., Value]
Row = tuple[Value, Value]
"""Of an element of a list: whether it passes the filter, and what it gives."""


def strict(meaning: Callable[..., Any]) -> Operator:
    """The meaning over known values; unknown, with its cause, where a value is unknown or there is no result."""

    def over(*values: Value) -> Value:
        for value in values:
            if isinstance(value, Unknown | tuple) and is_unknown(value):
                return unknown_of(values) or value
        try:
            return meaning(*values)  # type: ignore[no-any-return]
        except ZeroDivisionError:
            return Unknown(causes=(causes.ZERO_DENOMINATOR,))
        except Undefined as undefined:
            return Unknown(causes=(str(undefined),))

    return over


def plain_meaning(name: str) -> Callable[..., Any]:
    """What a function of the table does with known values."""
    meaning = FUNCTIONS[name].plain
    assert meaning is not None
    return meaning


def compared(meaning: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison; with a ratio on one side both are compared as fractions, which is exact."""

    def over(left: Any, right: Any) -> bool:
        if isinstance(left, Fraction) or isinstance(right, Fraction):
            return meaning(Fraction(left), Fraction(right))
        return meaning(left, right)

    return over


MIRRORED: Mapping[str, str] = MappingProxyType({"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="})
"""The sign of a comparison whose sides are exchanged."""
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "==": compared(operator.eq),
        "!=": compared(operator.ne),
        "<": compared(operator.lt),
        "<=": compared(operator.le),
        ">": compared(operator.gt),
        ">=": compared(operator.ge),
    }
)
"""What the signs of comparisons say of two known values."""


def quotient(left: int | Decimal, right: int | Decimal) -> Fraction:
    return Fraction(left) / Fraction(right)


def contained(item: Value, elements: Value) -> Value:
    """`in` is the `or` of equalities."""
    if isinstance(elements, Unknown):
        return elements
    assert isinstance(elements, tuple)
    return disjunction([BY_SIGN["=="](item, element) for element in elements])


BY_SIGN: Mapping[str, Operator] = MappingProxyType(
    {
        **{sign: strict(meaning) for sign, meaning in COMPARE.items()},
        "+": strict(operator.add),
        "-": strict(operator.sub),
        "*": strict(product),
        "/": strict(quotient),
        "//": strict(operator.floordiv),
        "%": strict(operator.mod),
        "-x": strict(operator.neg),
    }
)
"""The operators by the signs of the typed tree; `-x` is the number with the other sign."""
SIGNS: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.USub: "-x",
    }
)  # fmt: skip
OPERATORS: Mapping[type[ast.AST], Operator] = MappingProxyType(
    {
        **{kind: BY_SIGN[sign] for kind, sign in SIGNS.items()},
        ast.Not: negation,
        ast.In: contained,
        ast.NotIn: lambda item, elements: negation(contained(item, elements)),
    }
)
"""The operators by the nodes of Python's syntax tree, which the reference walks."""


def left_unknown() -> Step:
    """The branch that says `unknown`."""
    return Step("unknown", Unknown(causes=(causes.LEFT_UNKNOWN,)), Origin.LITERAL)


def member_of_value(record: Value, name: str) -> Value:
    """A record's member; an absent one is missing under the path asked for (sentence 1.1)."""
    if isinstance(record, Unknown):
        absent = frozenset(f"{path}.{name}" for path in record.absent)
        return Unknown((record.missing - record.absent) | absent, record.causes, absent)
    assert isinstance(record, RecordValue)
    return record.members.get(name, absent_fact(f"{record.path}.{name}"))


def looked_up(table: LookupTable, column: str, values: Sequence[Value], row: TableRow | None, *, told: bool) -> Value:
    """What a look-up gives that found a row, or none (sentence 24); a cause names the values of keys where they may be `told`."""
    unknown = unknown_of(values)
    if unknown is not None:
        return unknown
    cells = table.otherwise if row is None else row.cells
    return Unknown(causes=(no_row(table, values, told=told),)) if cells is None else cells[table.place_of(column)]


def lookup_step(text: str, value: Value, table: LookupTable, keys: Sequence[Step], row: TableRow | None) -> Step:
    """The step of a look-up, which says which row was found."""
    note = "" if unknown_of([key.value for key in keys]) is not None else row_in_words(table, row)
    return Step(text, value, Origin.PARAMETER if table.of_parameter else Origin.TABLE, note, tuple(keys))


def aggregated(name: str, rows: Sequence[Row]) -> Value:
    """An aggregate over its rows (sentence 8)."""
    if name == "any":
        return disjunction([conjunction(row) for row in rows])
    if name == "all":
        return conjunction([disjunction((negation(passes), value)) for passes, value in rows])
    unknown = unknown_of([part for row in rows if row[0] is not False for part in _parts(row)])
    return over_known(name, rows) if unknown is None else unknown


def _parts(row: Row) -> Row:
    """A row, of whose filter an unknown one is on the way to the element."""
    passes, value = row
    return (on_the_way(passes) if isinstance(passes, Unknown) else passes), value


def over_known(name: str, rows: Sequence[Row]) -> Value:
    """An aggregate all of whose filters and elements are known."""
    if name == "any":
        return any(passes and value for passes, value in rows)
    if name == "all":
        return all(value or not passes for passes, value in rows)
    if name == "longest_run":
        runs = (len([*run]) for passes, run in groupby(rows, lambda row: row[0]) if passes)
        return max(runs, default=0)
    if name == "last_run":
        run: list[Value] = []
        for passes, value in reversed(rows):
            if not passes:
                break
            run.insert(0, value)
        return tuple(run)
    elements = tuple(value for passes, value in rows if passes)
    aggregate = AGGREGATES[name]
    if aggregate.empty is not None and not elements:
        return Unknown(causes=(aggregate.empty,))
    assert aggregate.plain is not None
    return aggregate.plain(elements)  # type: ignore[no-any-return]


def _default(value: Value, otherwise: Value) -> Value:
    if not is_unknown(value):
        return value
    return (unknown_of([value, otherwise]) or otherwise) if is_unknown(otherwise) else otherwise


def _length(elements: Value) -> Value:
    """`len` counts unknown elements too (sentence 5.1)."""
    assert isinstance(elements, Unknown | tuple)
    return elements if isinstance(elements, Unknown) else len(elements)


LAZY: Mapping[str, Operator] = MappingProxyType(
    {
        "known": lambda value: not is_unknown(value),
        "default": _default,
        "if_known": lambda value: value,
        "len": _length,
    }
)
