"""The typed tree of an expression: plain data that every back end but the reference reads.

Each node knows its type, whether it may be unknown (`optional`) and where it stands in the rule file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.types import ANYTHING, Type
from policy_engine.language.values import Value
from policy_engine.source import Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node was written: its place in the file, the author's words of it, and its number in its ruleset."""

    span: Span
    text: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes have: a type, whether the value may be unknown, and where it was written.

    Two nodes are equal where they mean the same, wherever they were written.
    """

    type: Type
    optional: bool
    place: Place = field(compare=False, repr=False)

    @property
    def span(self) -> Span:
        """The place in the file."""
        return self.place.span

    @property
    def text(self) -> str:
        """The author's words, on one line."""
        return self.place.text

    @property
    def id(self) -> int:
        """The node's number, which no other node of its ruleset has; the same text gives the same numbers."""
        return self.place.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A value written out."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Literal):
    """The value of a part that readings and parameters make constant; its words are those of the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftUnknown(Node):
    """The branch of a conditional that says `unknown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf(Node):
    """The day the question is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Node):
    """A top-level fact."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Node):
    """A parameter's value on the day."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Node):
    """The choice taken for a reading."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition(Node):
    """The value of a definition."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPart(Node):
    """Another decision's outcome, or one of its values; unknown unless that decision is decided."""

    decision: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Node):
    """The element at hand in a generator."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(Node):
    """The cell of a column in the row that has the values of the `keys`; the last is the day where the table is dated."""

    table: LookupTable
    keys: tuple[Node, ...]
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOf(Node):
    """A record's member."""

    record: Node
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    """Negation."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class And(Node):
    """True where all operands are; false where one is."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(And):
    """`a < b <= c`: the `and` of its links; what stands between two signs is one node, a side of two links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Or(Node):
    """True where one operand is; false where all are."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    """A comparison: `operator` is one of == != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class In(Node):
    """Whether the item equals one of the list's elements."""

    item: Node
    list: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """Arithmetic: `operator` is one of + - * / // %."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Negate(Node):
    """The number with the other sign."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    """`then` where the condition is true, `otherwise` where it is false."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLiteral(Node):
    """A list written out; its elements may be unknown one by one."""

    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuple(Node):
    """Several values of an element, in brackets; unknown where one is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A call of a function of the table."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Node):
    """`function(element for variable in source if condition)`."""

    function: str
    variable: str
    source: Node
    condition: Node | None
    element: Node


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression: its text, line breaks as blanks, for the reference; and its typed tree, for every other back end."""

    text: str
    tree: Node


@dataclass(frozen=True, slots=True)
class Group:
    """A list of conditions: `kind` is all, any or none."""

    kind: str
    conditions: tuple[Condition, ...]
    span: Span = field(compare=False, repr=False)


Condition = Expression | Group


def stand_in(place: Place) -> Node:
    """The node in place of a part that has a fault: of any type, so that the fault is reported once."""
    return Literal(type=ANYTHING, optional=False, place=place, value=False)


PARTS: dict[type[Node], tuple[str, ...]] = {}


def children(node: Node) -> list[Node]:
    """The nodes directly below a node."""
    found: list[Node] = []
    for name in parts_of(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(item for item in value if isinstance(item, Node))
    return found


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with each node directly below it changed; the node itself where none is."""
    parts: dict[str, Node | tuple[object, ...]] = {}
    for name in parts_of(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            parts[name] = change(value)
        elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
            parts[name] = tuple(change(item) if isinstance(item, Node) else item for item in value)
    changed = any(not _same(value, getattr(node, name)) for name, value in parts.items())
    return replace(node, **parts) if changed else node  # type: ignore[arg-type]  # the fields have the names of `parts`


def _same(one: object, other: object) -> bool:
    """Whether two parts are one, or tuples of the same."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(a is b for a, b in zip(one, other, strict=True))
    return one is other


def parts_of(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    if kind not in PARTS:
        PARTS[kind] = tuple(part.name for part in fields(kind) if part.name not in ("type", "optional", "place"))
    return PARTS[kind]


def shown_parts(node: Node) -> tuple[Node, ...]:
    """The parts of a node that a reader sees: of a chain its sides, of `not in` the item and the list."""
    match node:
        case Compare(left=left, right=right):
            return left, right
        case Chain(operands=links):
            return (sides_of(links[0])[0], *(sides_of(link)[1] for link in links))
        case And(operands=operands) | Or(operands=operands):
            return operands
        case Call(arguments=arguments):
            return arguments
        case Not(operand=In(item=item, list=elements) as inner) if inner.text == node.text:
            return item, elements
    return tuple(children(node))


def constant_text(node: Node) -> str | None:
    """The text that a constant is, None where a node is no such one."""
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


def constant_number(node: Node) -> int:
    """The whole number that a constant is; raises `TypeError` where a node is no such one."""
    if isinstance(node, Literal) and isinstance(node.value, int):
        return node.value
    raise TypeError(f"{node.text} is no whole number that is always the same")


def sides_of(link: Node) -> tuple[Node, Node]:
    """The two sides of a comparison, or of a test of membership, such as a link of a chain."""
    match link:
        case Compare(left=left, right=right):
            return left, right
        case In(item=item, list=elements) | Not(operand=In(item=item, list=elements)):
            return item, elements
    raise TypeError(f"{type(link).__name__} has no two sides")


def has_unknown_elements(node: Node) -> bool:
    """Whether single elements of a list may be unknown: only lists written out hold such elements."""
    match node:
        case ListLiteral(elements=elements):
            return any(element.optional for element in elements)
        case Conditional(then=then, otherwise=otherwise):
            return has_unknown_elements(then) or has_unknown_elements(otherwise)
        case Call(arguments=arguments):
            return any(has_unknown_elements(argument) for argument in arguments)
        case Definition(optional=optional):
            return optional
    return False


def list_optional(node: Node) -> bool:
    """Whether a list itself may be unknown, and not only single elements of it."""
    return node.optional and not isinstance(node, ListLiteral)


def walk(node: Node) -> Iterator[Node]:
    """A node and all nodes below it, each once, from the outside in."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(children(here)))


def is_optional(condition: Condition) -> bool:
    """Whether a condition may be unknown."""
    return any(expression.tree.optional for expression in expressions_of(condition))


def expressions_of(condition: Condition) -> Iterator[Expression]:
    """The expressions of a condition, in the order they are written."""
    if isinstance(condition, Expression):
        yield condition
    else:
        for part in condition.conditions:
            yield from expressions_of(part)


def segment(text: str, node: ast.AST) -> str:
    """The text of a part of an expression, which stands on one line."""
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
    if text.isascii():
        return text[start:end]
    return text.encode()[start:end].decode()
