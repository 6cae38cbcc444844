"""The only maker of SQL nodes: expressions as values with Python's operators, every operand in the brackets that it needs.

sqlglot writes no brackets of its own. One node may stand in several expressions here; it is copied when a query is put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, reduce
from typing import Any, TypeAlias

from sqlglot import exp

NOTHING: frozenset[str] = frozenset()
ATOMS = (exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Func, exp.Paren, exp.Array, exp.Bracket, exp.Subquery)
BIND = exp.Placeholder | exp.Parameter
LOOSE = (exp.And, exp.Or, exp.Not)


@dataclass(frozen=True, slots=True, eq=False)
class Sql:
    """An expression, the columns of the query that it reads, and the variables of loops around it.

    `size` is about how many nodes it has when it is written out.
    """

    node: Any
    columns: frozenset[str] = NOTHING
    variables: frozenset[str] = NOTHING
    size: int = 1

    @property
    def is_atom(self) -> bool:
        """Whether it is a column, a variable or a constant: nothing to be worked out."""
        node = self.node.this if isinstance(self.node, exp.Cast) and not self.columns else self.node
        return isinstance(node, exp.Column | exp.Literal | exp.Boolean | exp.Null | BIND) or self.number is not None

    @property
    def number(self) -> int | None:
        """The constant whole number that it is, None where it is no such."""
        node = self.node.this if isinstance(self.node, exp.Cast) else self.node
        sign, node = (-1, node.this) if isinstance(node, exp.Neg) else (1, node)
        is_number = isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()
        return sign * int(node.this) if is_number else None

    @property
    def is_plain_number(self) -> bool:
        """Whether it is a number written out, without a type."""
        return self.number is not None and not isinstance(self.node, exp.Cast)

    @property
    def is_empty_array(self) -> bool:
        """Whether it is an array without elements, written out."""
        node = self.node.this if isinstance(self.node, exp.Cast) else self.node
        return isinstance(node, exp.Array) and not node.expressions

    def __add__(self, other: Operand) -> Sql:
        return _arithmetic(exp.Add, self, other)

    def __sub__(self, other: Operand) -> Sql:
        return _arithmetic(exp.Sub, self, other)

    def __mul__(self, other: Operand) -> Sql:
        """Of two plain constants their product, since engines multiply those in 32 bits."""
        second = literal(other)
        if self.is_plain_number and second.is_plain_number:
            return literal((self.number or 0) * (second.number or 0))
        return _arithmetic(exp.Mul, self, second)

    def remainder(self, other: Operand) -> Sql:
        """What is left by division towards zero."""
        return _arithmetic(exp.Mod, self, other)

    def divided(self, other: Operand) -> Sql:
        """The sign `/`, which means something else in each dialect."""
        return made(exp.Div, tight(self), tight(literal(other)), typed=True, safe=False)

    def halved(self, other: Operand) -> Sql:
        """The sign for whole division of DuckDB and Spark."""
        return _arithmetic(exp.IntDiv, self, other)

    def __and__(self, other: Sql) -> Sql:
        return _logical(exp.And, self, other, neutral=True)

    def __or__(self, other: Sql) -> Sql:
        return _logical(exp.Or, self, other, neutral=False)

    def __invert__(self) -> Sql:
        if isinstance(self.node, exp.Boolean):
            return literal(not self.node.this)
        return made(exp.Not, this=tight(self))

    def __neg__(self) -> Sql:
        return made(exp.Neg, this=tight(self))

    def __lt__(self, other: Operand) -> Sql:
        return self.compared("<", other)

    def __le__(self, other: Operand) -> Sql:
        return self.compared("<=", other)

    def __gt__(self, other: Operand) -> Sql:
        return self.compared(">", other)

    def __ge__(self, other: Operand) -> Sql:
        return self.compared(">=", other)

    def equals(self, other: Operand) -> Sql:
        """Equality; unknown where a side is."""
        return self.compared("==", other)

    def compared(self, sign: str, other: Operand) -> Sql:
        """A comparison; unknown where a side is."""
        return made(SIGNS[sign], _summed(self), _summed(literal(other)))

    def between(self, low: Operand, high: Operand) -> Sql:
        """Whether it lies in a range, ends included."""
        return made(exp.Between, this=_summed(self), low=_summed(literal(low)), high=_summed(literal(high)))

    def among(self, others: Sequence[Operand]) -> Sql:
        """Whether it equals one of several; unknown where none is equal and something is unknown."""
        return made(exp.In, this=_summed(self), expressions=[literal(other) for other in others])

    def is_unknown(self) -> Sql:
        """Whether it is null."""
        return made(exp.Is, _summed(self), Sql(exp.Null()))

    def is_known(self) -> Sql:
        """Whether it is not null."""
        return made(exp.Is, _summed(self), Sql(exp.Not(this=exp.Null())))

    def bits(self, other: Operand) -> Sql:
        """The bits of both."""
        return _arithmetic(exp.BitwiseAnd, self, other)

    def with_bits(self, other: Operand) -> Sql:
        """The bits of one or the other."""
        return _arithmetic(exp.BitwiseOr, self, other)

    def cast(self, kind: str) -> Sql:
        """It as another type."""
        return replace(self, node=exp.Cast(this=self.node, to=type_of(kind)))

    def without(self, variables: Iterable[str]) -> Sql:
        """It outside the loop that has these variables."""
        return replace(self, variables=self.variables - {*variables})


@cache
def type_of(kind: str) -> Any:
    """A type by its name."""
    return exp.DataType.build(kind)


Operand: TypeAlias = Sql | int | Decimal | str | bool | date
SIGNS: dict[str, type[exp.Expression]] = {
    "==": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip


def literal(value: Operand) -> Sql:
    """A constant as it is written; anything that is SQL already stays."""
    match value:
        case Sql():
            return value
        case bool():
            return Sql(exp.Boolean(this=value))
        case int():
            number = exp.Literal.number(abs(value))
            return Sql(exp.Neg(this=number) if value < 0 else number)
        case Decimal():
            places = exp.Literal.number(f"{abs(value):f}")
            return Sql(exp.Neg(this=places) if value < 0 else places)
        case date():
            return literal(value.isoformat()).cast("DATE")
    return Sql(exp.Literal.string(value))


def null(kind: str | None = None) -> Sql:
    """The unknown, of a type."""
    return Sql(exp.Null()) if kind is None else Sql(exp.Null()).cast(kind)


TRUE, FALSE = literal(True), literal(False)


def identifier(name: str) -> exp.Identifier:
    """A name in quotes, whatever is in it."""
    return exp.to_identifier(name, quoted=True)


def column(name: str) -> Sql:
    """A column of the query."""
    return Sql(exp.Column(this=identifier(name)), columns=frozenset({name}))


def variable(name: str) -> Sql:
    """A variable of a loop."""
    return Sql(exp.Column(this=identifier(name)), variables=frozenset({name}))


def call(name: str, *arguments: Operand) -> Sql:
    """A call of a function by its name in the dialect."""
    parts = [literal(argument) for argument in arguments]
    node = exp.Anonymous(this=name, expressions=[part.node for part in parts])
    return _with_reads(node, parts)


def loop(names: Sequence[str], body: Sql) -> Sql:
    """A function of the variables of a loop, for functions that take such."""
    node = exp.Lambda(this=tight(body).node, expressions=[identifier(name) for name in names])
    return replace(body, node=node).without(names)


def choose(branches: Iterable[tuple[Sql, Operand]], last: Operand | None = None) -> Sql:
    """What stands beside the first condition that holds, else the last; an unknown condition does not hold."""
    parts, end = [], None if last is None else literal(last)
    for condition, value in branches:
        if truth_of(condition) is True:
            end = literal(value)
            break
        if truth_of(condition) is None:
            parts.append((condition, literal(value)))
    if not parts:
        return end or null()
    ifs = [exp.If(this=condition.node, true=value.node) for condition, value in parts]
    node = exp.Case(ifs=ifs, default=end.node if end else None)
    return _with_reads(node, [part for pair in parts for part in pair] + ([end] if end else []))


def where(condition: Sql, value: Operand) -> Sql:
    """A value where a condition holds, else unknown."""
    return choose([(condition, value)])


def coalesce(*parts: Operand) -> Sql:
    """The first that is known."""
    first, *rest = (literal(part) for part in parts)
    return made(exp.Coalesce, this=first, expressions=rest)


def nonzero(value: Operand) -> Sql:
    """A number, unknown where it is zero."""
    sql = literal(value)
    if sql.number is not None:
        return sql if sql.number else null("BIGINT")
    return made(exp.Nullif, this=sql, expression=literal(0))


def all_of(parts: Sequence[Sql]) -> Sql:
    """The `and` of several."""
    return reduce(Sql.__and__, parts) if parts else TRUE


def any_of(parts: Sequence[Sql]) -> Sql:
    """The `or` of several."""
    return reduce(Sql.__or__, parts) if parts else FALSE


def made(kind: type[exp.Expression], *sides: Sql, **parts: Any) -> Sql:
    """A node of some kind: of two sides, or of named parts."""
    named = {**dict(zip(("this", "expression"), sides, strict=False)), **parts}
    reads = [part for value in named.values() for part in (value if isinstance(value, list) else [value])]
    return _with_reads(
        kind(**{name: _plain(part) for name, part in named.items()}), [read for read in reads if isinstance(read, Sql)]
    )


def _plain(part: Any) -> Any:
    if isinstance(part, list):
        return [_plain(each) for each in part]
    return part.node if isinstance(part, Sql) else part


def _with_reads(node: exp.Expression, parts: Iterable[Sql]) -> Sql:
    columns, variables, size = NOTHING, NOTHING, 1
    for part in parts:
        columns |= part.columns
        variables |= part.variables
        size += part.size
    return Sql(node, columns, variables, size)


def _arithmetic(kind: type[exp.Expression], left: Sql, right: Operand) -> Sql:
    return made(kind, tight(left), tight(literal(right)))


def truth_of(sql: Sql) -> bool | None:
    """The truth that a condition always has, None where it may have either."""
    return bool(sql.node.this) if isinstance(sql.node, exp.Boolean) else None


def _logical(kind: type[exp.Expression], left: Sql, right: Sql, *, neutral: bool) -> Sql:
    for one, other in ((left, right), (right, left)):
        truth = truth_of(one)
        if truth is not None:
            return other if truth is neutral else one
    return made(kind, _joined(kind, left), _joined(kind, right))


def _joined(kind: type[exp.Expression], operand: Sql) -> Sql:
    """An operand of logic: in brackets where it is logic of another kind."""
    return tight(operand) if isinstance(operand.node, LOOSE) and not isinstance(operand.node, kind) else operand


def _summed(operand: Sql) -> Sql:
    """An operand of a comparison: arithmetic binds more tightly, all else that is no atom gets brackets."""
    return operand if isinstance(operand.node, exp.Add | exp.Sub | exp.Mul | exp.Neg) else tight(operand)


def tight(operand: Sql) -> Sql:
    """An operand that stays together whatever stands beside it."""
    is_closed = isinstance(operand.node, exp.Dot) or (
        isinstance(operand.node, ATOMS) and not isinstance(operand.node, exp.Binary)
    )
    return operand if is_closed else replace(operand, node=exp.Paren(this=operand.node))
