"""Code that finds out why an expression is unknown: which facts it misses, or for what causes it has no value.

Each method writes lines for a part whose value is unknown when they run (sentence 18). Missing facts become bits of the number
`missing`, one for each path of the schema; causes are added to a list. What a definition or a used decision misses is written
once, after all that asks for it: until then the list holds, in the place of its causes, the list that will take them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from policy_engine.backends.python import lookups
from policy_engine.backends.python.aggregates import each_round, names_before_the_loop, read_members
from policy_engine.backends.python.expressions import Expressions
from policy_engine.language import causes
from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.types import Record

Unit = tuple[str, str, str]
"""A definition or a decision by kind and name, and the member that is asked of it, such as `.opened_on`."""


@dataclass(slots=True)
class UnknownExpressions:
    """Writes what the unknown expressions of one function miss.

    `asked` are the units that some line may ask for, with the names of the lists of their causes; `causes` is the name of the
    list for what is being written. `below` is the member that is asked of a record, such as `.opened_on`, while code is written
    for the record. It belongs to the record alone: what conditions, filters and lists miss on the way to it is missing as it is
    (sentence 1.1). `elements` are, for each variable, the list it goes over and the name of its position there.
    """

    to: Expressions
    bits: Mapping[str, int]
    asked: dict[Unit, str] = field(default_factory=dict)
    below: str = ""
    causes: str = "causes"
    elements: dict[str, tuple[tree.Node, str]] = field(default_factory=dict)

    def condition(self, condition: tree.Condition) -> None:
        """A condition that is unknown."""
        if isinstance(condition, tree.Expression):
            self.node(condition.tree)
            return
        unsure = [part for part in condition.conditions if tree.is_optional(part)]
        for part in unsure:
            if len(unsure) == 1:
                self.condition(part)
            else:
                with self.where(self.to.condition_code(part)):
                    self.condition(part)

    def node(self, node: tree.Node) -> None:
        """An expression that is unknown."""
        HANDLERS.get(type(node), UnknownExpressions.operands)(self, node)

    def perhaps(self, node: tree.Node) -> None:
        """An expression that may be unknown as a whole, and then what it misses."""
        if node.optional:
            with self.where(self.to.whole(node)):
                self.node(node)

    def operands(self, node: tree.Node) -> None:
        """A part that is unknown for its operands, or, where these are known, for a cause of its own."""
        unsure = [operand for operand in tree.children(node) if operand.optional]
        own_cause = self._own_cause(node)
        if len(unsure) == 1 and own_cause is None:
            self.node(unsure[0])
            return
        values = [self.to.writer.named(self.to.whole(operand)) for operand in unsure]
        for operand, value in zip(unsure, values, strict=True):
            with self.where(value):
                self.node(operand)
        if own_cause is not None:
            with self.where(*values, known=True):
                self._cause(own_cause())

    def _own_cause(self, node: tree.Node) -> Callable[[], str] | None:
        """What writes the cause for which a part may be unknown though its operands are known; None where there is none."""
        match node:
            case tree.Arithmetic(operator="/" | "//" | "%"):
                return lambda: self.to.bind(causes.ZERO_DENOMINATOR)
            case tree.Call(function=name, arguments=arguments) if FUNCTIONS[name].partial:
                function = FUNCTIONS[name]
                first = self.to.bind_new(function.plain)
                return lambda: (
                    f"cause_of({', '.join([first, *map(self.to.whole, arguments), *self.to.beside(function)])})"
                )
            case tree.Lookup():
                return lookups.cause(self.to, node)
        return None

    def cause(self, text: str) -> None:
        """A part that is unknown for a cause of its own."""
        self._cause(self.to.bind(text))

    def _cause(self, code: str) -> None:
        self.to.writer.line(f"{self.causes}.append({code})")

    @contextmanager
    def where(self, *codes: str, known: bool = False) -> Iterator[None]:
        """A block that is run where values are unknown, or where all of them are known."""
        tests = [f"{self.to.writer.named(code)} is {'not ' if known else ''}None" for code in codes]
        with self.to.writer.block(f"if {' and '.join(tests) or 'True'}:"):
            yield

    @contextmanager
    def asking(self, below: str) -> Iterator[None]:
        """Write for a record of which a member is asked, or, where that is none, for a value as it is."""
        outer, self.below = self.below, below
        yield
        self.below = outer

    def misses(self, path: str) -> None:
        """A fact of a path, or the member that is asked of it, is missing."""
        self.to.writer.line(f"missing |= {self.bits[path + self.below]}")

    def ask(self, kind: str, name: str) -> None:
        """Ask what a definition or a decision misses."""
        unit = kind, name, self.below
        if unit not in self.asked:
            self.asked[unit] = self.to.writer.fresh("asked")
            self.to.writer.guarded.add(self.asked[unit])
        name = self.asked[unit]
        self.to.writer.line(f"if {name} is UNSET: {name} = []")
        self._cause(name)

    # Each handler writes for one kind of node; the others miss what their operands do.

    def decision_part(self, node: tree.DecisionPart) -> None:
        """Another decision misses what its rules do, or where it is decided, what the value does."""
        used, of = self.to.use(node.decision), f"{self.to.ruleset.id}.{node.decision}"
        with self.to.writer.block(f"if {used}[0].status is UNDETERMINED:"):
            self.ask("decision", node.decision)
        with self.to.writer.block(f"if {used}[0].status is GAP:"):
            self.cause(causes.no_rule(of))
        with self.to.writer.block(f"if {used}[0].status is DECIDED:"):
            if node.part == "outcome":
                self.cause(causes.not_given(of))
            else:
                self.ask("value", f"{node.decision}.{node.part}")

    def call(self, node: tree.Call) -> None:
        if node.function != "default":
            self.operands(node)
            return
        for argument in node.arguments:
            self.node(argument)

    def member(self, node: tree.MemberOf) -> None:
        assert isinstance(node.record.type, Record)
        path = f"{node.record.type.path}.{node.name}"
        if not node.record.optional:
            self.misses(path)
            return
        record = self.to.writer.named(self.to.code(node.record))
        with self.where(record, known=True):
            self.misses(path)
        with self.where(record), self.asking(f".{node.name}{self.below}"):
            self.node(node.record)

    def contains(self, node: tree.In) -> None:
        """A list that is itself unknown hides the item; else both the item and single elements may be missing."""
        listed = self.to.writer.named(self.to.code(node.list))
        if tree.list_optional(node.list):
            with self.where(listed):
                self.node(node.list)
        with self.where(listed, known=True):
            self.perhaps(node.item)
            self.perhaps(node.list)

    def conditional(self, node: tree.Conditional) -> None:
        if isinstance(node.condition, tree.Literal):
            self.node(node.then if node.condition.value else node.otherwise)
            return
        condition = self.to.writer.named(self.to.code(node.condition))
        if node.condition.optional:
            with self.where(condition), self.asking(""):
                self.node(node.condition)
        self._one_of({f"{condition} is True": node.then, f"{condition} is False": node.otherwise}, self.node)

    def _one_of(self, branches: Mapping[str, tree.Node], write: Callable[[tree.Node], None]) -> None:
        """Write for those of several nodes that may be unknown, each where its test holds."""
        for test, branch in branches.items():
            if branch.optional:
                with self.to.writer.block(f"if {test}:"):
                    write(branch)

    def aggregate(self, node: tree.Aggregate) -> None:
        """The list itself, or the elements whose filter is not false."""
        names_before_the_loop(self.to, node)
        source = self.to.writer.named(self.to.code(node.source))
        if tree.list_optional(node.source):
            with self.where(source), self.asking(""):
                self.node(node.source)
        with self.where(source, known=True):
            if any(part.optional for part in each_round(node)):
                self._rows(node, source)
            else:
                self.cause(str(AGGREGATES[node.function].empty))

    def _rows(self, node: tree.Aggregate, source: str) -> None:
        """The elements; where none passes, an aggregate may be unknown for that."""
        to, empty = self.to, AGGREGATES[node.function].empty
        index, element, nothing = (to.writer.fresh(stem) for stem in ("i", "e", "nothing"))
        outer, to.variables = to.variables, {**to.variables, node.variable: element}
        self.elements[node.variable] = node.source, index
        to.writer.line(f"{nothing} = True")
        with to.writer.block(f"for {index}, {element} in enumerate({source}):"):
            read_members(to, node, least_uses=1)
            self._row(node, nothing)
        to.variables = outer
        if empty is not None:
            with to.writer.block(f"if {nothing}:"):
                self.cause(empty)

    def _row(self, node: tree.Aggregate, nothing: str) -> None:
        """One element: filter and element are operands like any others, unless one of them decides (8.1)."""
        writer = self.to.writer
        passes = writer.named(self.to.code(node.condition)) if node.condition is not None else "True"
        with writer.block(f"if {passes} is not False:"):
            writer.line(f"{nothing} = False")
            if node.function not in ("any", "all"):
                self._both(node, passes)
                return
            element = writer.named(self.to.code(node.element))
            with writer.block(f"if {element} is not {node.function == 'all'}:"):
                self._both(node, passes)

    def _both(self, node: tree.Aggregate, passes: str) -> None:
        if node.condition is not None and node.condition.optional:
            with self.where(passes), self.asking(""):
                self.node(node.condition)
        self.perhaps(node.element)

    def element(self, source: tree.Node, index: str) -> None:
        """An element of a list that is written out, which is unknown."""
        elements = partial(self.element, index=index)
        match source:
            case tree.ListLiteral(elements=parts):
                self._one_of({f"{index} == {place}": part for place, part in enumerate(parts)}, self.node)
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                chosen = self.to.writer.named(self.to.code(condition))
                self._one_of({f"{chosen} is True": then, f"{chosen} is False": otherwise}, elements)
            case tree.Definition(name=name):
                self.element(self.to.ruleset.list_of(name), index)
            case tree.Call(function="default", arguments=(first, second)):
                known = self.to.writer.named(self.to.whole(first))
                self._one_of({f"{known} is not None": first, f"{known} is None": second}, elements)


HANDLERS: Mapping[type[tree.Node], Callable[[UnknownExpressions, Any], None]] = MappingProxyType(
    {
        tree.Fact: lambda to, node: to.misses(node.name),
        tree.Definition: lambda to, node: to.ask("definition", node.name),
        tree.DecisionPart: UnknownExpressions.decision_part,
        tree.Variable: lambda to, node: to.element(*to.elements[node.name]),
        tree.MemberOf: UnknownExpressions.member,
        tree.In: UnknownExpressions.contains,
        tree.Conditional: UnknownExpressions.conditional,
        tree.Aggregate: UnknownExpressions.aggregate,
        tree.LeftUnknown: lambda to, node: to.cause(causes.LEFT_UNKNOWN),
        tree.Call: UnknownExpressions.call,
    }
)
