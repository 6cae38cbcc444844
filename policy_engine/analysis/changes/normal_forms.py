"""Normal forms of conditions, by which two that mean the same are found equal however they are written.

Places, types and layout have no part in them, nor the order of what stands under `and`, `or` or in a list after `in`, the side
on which a comparison was begun, brackets, or the name of a generator's variable. Nothing is proved: two conditions whose forms
differ may be true of the same facts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.lookup_tables import LookupTable, Range
from policy_engine.language.mentions import Mention, depths_of, graph_of
from policy_engine.language.operators import MIRRORED
from policy_engine.language.rulesets import Formatted, Parameter, Quoted, Ruleset, Template
from policy_engine.language.types import Number, Type, innermost
from policy_engine.language.values import Holidays, Value

JOINED = {"all": "and", "any": "or", "none": "or"}


@dataclass(slots=True)
class Numbering:
    """Gives each form a number, the same to equal forms.

    `operands` are the parts of those that are an `and` or an `or`, `elements` those of lists that are written out.
    """

    numbers: dict[Hashable, int] = field(default_factory=dict)
    operands: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)
    elements: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def number(self, *form: Hashable) -> int:
        """The number of a form."""
        return self.numbers.setdefault(form, len(self.numbers))

    def joined(self, kind: str, parts: Iterable[int]) -> int:
        """The number of the `and` or `or` of parts; one within another of the same kind is no part of its own."""
        flat = frozenset[int]().union(*(self.operands.get((kind, part), {part}) for part in parts))
        if len(flat) == 1:
            return next(iter(flat))
        made = self.number(kind, *sorted(flat))
        self.operands[kind, made] = flat
        return made

    def listed(self, elements: Iterable[int]) -> int:
        """The number of a list that is written out."""
        found = tuple(elements)
        made = self.number("list", *found)
        self.elements[made] = found
        return made

    def in_list(self, item: int, sought: int) -> int:
        """The number of the question whether an item is in a list, for which the order of its elements does not count."""
        elements = self.elements.get(sought)
        return self.number("in", item, sought) if elements is None else self.number("among", item, *sorted({*elements}))


@dataclass(slots=True)
class NormalForms:
    """The numbers of the normal forms of one ruleset's parts; two rulesets are compared under one `numbering`.

    A definition, parameter or look-up table in `named` is a name in them. Any other counts as what it stands for, so that giving
    a part another name, or none, changes no form.
    """

    ruleset: Ruleset
    named: frozenset[Mention]
    numbering: Numbering
    definitions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for mention in depths_of(graph_of(self.ruleset)):  # those below first, so that no chain of them leads deep
            if mention.kind == "definition":
                body = self.condition(self.ruleset.definition(mention.name).body)
                shared = mention in self.named
                self.definitions[mention.name] = self._number("definition", mention.name) if shared else body

    def condition(self, condition: Condition, scope: tuple[str, ...] = ()) -> int:
        """The number of a condition."""
        if isinstance(condition, Expression):
            return self.node(condition.tree, scope)
        parts = [self.condition(part, scope) for part in condition.conditions]
        joined = self.numbering.joined(JOINED[condition.kind], parts)
        return self._number("Not", joined) if condition.kind == "none" else joined

    def template(self, template: Template | None) -> tuple[Hashable, ...] | None:
        """The form of a reason: its words, constant ones too, and what its placeholders stand for."""
        return None if template is None else tuple(map(self._part, template.parts))

    def node(self, node: tree.Node, scope: tuple[str, ...] = ()) -> int:
        """The number of a node; `scope` are the variables of the generators around it, the outermost first."""
        match node:
            case tree.Literal(value=value):
                return self.value(value)
            case tree.And(operands=operands) | tree.Or(operands=operands):
                kind = "and" if isinstance(node, tree.And) else "or"
                return self.numbering.joined(kind, self._all(operands, scope))
            case tree.Compare():
                return self._compared(node, scope)
            case tree.In(item=item, list=elements):
                return self.numbering.in_list(self.node(item, scope), self.node(elements, scope))
            case tree.ListLiteral(elements=parts):
                return self.numbering.listed(self._all(parts, scope))
            case tree.Aggregate():
                return self._aggregate(node, scope)
        return self._name(node, scope)

    def _name(self, node: tree.Node, scope: tuple[str, ...]) -> int:
        """The number of a name, or of what is built of its parts and no more."""
        match node:
            case tree.Definition(name=name):
                return self.definitions[name]
            case tree.Parameter(name=name):
                return self.parameter(self.ruleset.parameter(name))
            case tree.Lookup(table=table, keys=keys, column=column):
                return self._number("lookup", self._asked(table), *self._all(keys, scope), column)
            case tree.Variable(name=name):
                return self._number("variable", scope[::-1].index(name))
        fields = (self._field(getattr(node, name), scope) for name in tree.parts_of(type(node)))
        return self._number(type(node).__name__, *fields)

    def value(self, value: Value) -> int:
        """The number of a constant."""
        match value:
            case bool():
                return self._number("boolean", value)
            case int() | Decimal() | Fraction():
                return self._number("number", Fraction(value))
            case tuple():
                return self.numbering.listed(map(self.value, value))
            case Holidays():
                return self._number("calendar", value.first, value.last, value.dates, value.weekend)
        return self._number(type(value).__name__, value)

    def parameter(self, parameter: Parameter) -> int:
        """The number of a parameter; of one that is always the same, that of its value."""
        if Mention("parameter", parameter.name) in self.named:
            return self._number("parameter", parameter.name)
        values = [(each.period.start, self.value(each.value)) for each in parameter.values]
        changes = [each for at, each in enumerate(values) if not at or values[at - 1][1] != each[1]]
        return changes[0][1] if len(changes) == 1 else self._number("values", *changes)

    def row(self, table: LookupTable, cells: Iterable[Value]) -> int:
        """The number of a row's cells, whatever the order of the columns."""
        named = zip((column.name for column in table.columns), map(self.value, cells), strict=True)
        return self._number("cells", *sorted(named))

    def key(self, key: Value | Range) -> int:
        """The number of a key of a row."""
        if isinstance(key, Range):
            return self._number("range", *(None if end is None else self.value(end) for end in key))
        return self.value(key)

    def _number(self, *form: Hashable) -> int:
        return self.numbering.number(*form)

    def _all(self, nodes: Iterable[tree.Node], scope: tuple[str, ...]) -> list[int]:
        return [self.node(node, scope) for node in nodes]

    def _field(self, value: object, scope: tuple[str, ...]) -> Hashable:
        if isinstance(value, tree.Node):
            return self.node(value, scope)
        return tuple(self._field(part, scope) for part in value) if isinstance(value, tuple) else str(value)

    def _aggregate(self, node: tree.Aggregate, scope: tuple[str, ...]) -> int:
        inner = (*scope, node.variable)
        condition = None if node.condition is None else self.node(node.condition, inner)
        parts = self.node(node.source, scope), condition, self.node(node.element, inner)
        return self._number("aggregate", node.function, *parts)

    def _compared(self, node: tree.Compare, scope: tuple[str, ...]) -> int:
        left, right, sign = self.node(node.left, scope), self.node(node.right, scope), node.operator
        if sign in (">", ">=") or (sign in ("==", "!=") and right < left):
            left, right, sign = right, left, MIRRORED[sign]
        return self._number(sign, left, right)

    def _asked(self, table: LookupTable) -> int:
        """The number of a table, or of the dated parameter that is asked as one."""
        kind = "parameter" if table.of_parameter else "table"
        if Mention(kind, table.name) in self.named:
            return self._number(kind, table.name)
        rows = sorted((*map(self.key, row.keys), self.row(table, row.cells)) for row in table.rows)
        return self._number("rows", *rows, None if table.otherwise is None else self.row(table, table.otherwise))

    def _part(self, part: str | Quoted | Expression | Formatted) -> Hashable:
        match part:
            case Expression(tree=node):
                return self.node(node), places_of(node.type)
            case Formatted(expression=expression, format=written):
                return self._part(expression), written
            case Quoted(text=text):
                return text
        return part


def places_of(kind: Type) -> int:
    """The decimal places of a number, or of the numbers of a list; 0 of anything else."""
    inner = innermost(kind)
    return inner.places if isinstance(inner, Number) else 0
