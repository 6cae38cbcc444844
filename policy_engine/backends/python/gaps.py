"""Why a value is unknown: code that looks for missing facts and causes only where the first form found a value unknown.

Each method writes lines for a part whose value is unknown when they run (sentence 18). Missing facts become bits of `gaps`, one
for each path of the schema; causes are added to a list. What definitions and used decisions miss is only asked for there, and
written once, after all that may ask: the list then holds, in the place of their causes, the list that will take these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from policy_engine.backends.python.aggregates import is_variable, names_before_the_loop
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.specialize import constant
from policy_engine.language import causes
from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.types import Record, member_of

Unit = tuple[str, str, str]
"""A definition or a decision by kind and name, and what is asked for below it, such as `.opened_on`."""


@dataclass(slots=True)
class Gaps:
    """Writes what the expressions of one function miss; `asked` are the units that some line may ask for, with the
    names of the lists of their causes; `causes` is the name of the list of what is being written.

    `below` is the member that is asked of a record, such as `.opened_on`, while code is written for the record. It belongs to
    the record alone: what conditions, filters and lists miss on the way to it is missing as it is (sentence 1.1).
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
        unsure = [part for part in condition.conditions if self._may_be_unknown(part)]
        for part in unsure:
            with self._where_unknown(self.to.condition_code(part)) if len(unsure) > 1 else nullcontext():
                self.condition(part)

    def node(self, node: tree.Node) -> None:
        """An expression that is unknown."""
        HANDLERS.get(type(node), Gaps.operands)(self, node)

    def perhaps(self, node: tree.Node) -> None:
        """An expression that may be unknown as a whole, and then what it misses."""
        if self._open(node):
            with self._where_unknown(self.to.whole(node)):
                self.node(node)

    def operands(self, node: tree.Node) -> None:
        """A part that is unknown for its operands: where only one may be, it is."""
        unsure = [operand for operand in tree.children(node) if self._open(operand)]
        if len(unsure) == 1:
            self.node(unsure[0])
            return
        for operand in unsure:
            self.perhaps(operand)

    def _open(self, node: tree.Node) -> bool:
        """Whether an expression may be unknown."""
        return node.optional

    def _may_be_unknown(self, condition: tree.Condition) -> bool:
        return constant(condition) is None and any(part.tree.optional for part in tree.expressions_of(condition))

    def cause(self, text: str) -> None:
        """A part that is unknown for a cause of its own."""
        self._cause(self.to.bind(text))

    def _cause(self, code: str) -> None:
        self.to.writer.line(f"{self.causes}.append({code})")

    def _operands_or(self, operands: Sequence[tree.Node], code: Callable[[Sequence[str]], str]) -> None:
        """A part that is unknown for its operands, or, where all are known, for a cause that a code gives from their values."""
        to = self.to
        values = [to.writer.named(to.whole(operand)) for operand in operands]
        unsure = [at for at, operand in enumerate(operands) if self._open(operand)]
        for at in unsure:
            with to.writer.block(f"if {values[at]} is None:"):
                self.node(operands[at])
        with to.writer.block(f"if {' and '.join(f'{values[at]} is not None' for at in unsure) or 'True'}:"):
            self._cause(code(values))

    @contextmanager
    def _where_unknown(self, code: str) -> Iterator[None]:
        with self.to.writer.block(f"if {self.to.writer.named(code)} is None:"):
            yield

    def _on_the_way(self, node: tree.Node) -> None:
        """What is missing of a condition or a list that another value hangs on."""
        with self.asking(""):
            self.node(node)

    @contextmanager
    def asking(self, below: str) -> Iterator[None]:
        """Write for a record of which a member is asked, or for a value as it is."""
        outer, self.below = self.below, below
        yield
        self.below = outer

    def _misses(self, path: str) -> None:
        self.to.writer.line(f"gaps |= {self.bits[path + self.below]}")

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

    def fact(self, node: tree.Fact) -> None:
        self._misses(node.name)

    def definition(self, node: tree.Definition) -> None:
        self.ask("definition", node.name)

    def decision_part(self, node: tree.DecisionPart) -> None:
        """Another decision misses what its rules do, or where it is decided, what the value does."""
        status, of = f"{self.to.use(node.decision)}[0].status", f"{self.to.ruleset.id}.{node.decision}"
        with self.to.writer.block(f"if {status} is UNDETERMINED:"):
            self.ask("decision", node.decision)
        with self.to.writer.block(f"if {status} is GAP:"):
            self.cause(causes.no_rule(of))
        with self.to.writer.block(f"if {status} is DECIDED:"):
            if node.part == "outcome":
                self.cause(causes.not_given(of))
            else:
                self.ask("value", f"{node.decision}.{node.part}")

    def left_unknown(self, node: tree.LeftUnknown) -> None:
        self.cause(causes.LEFT_UNKNOWN)

    def arithmetic(self, node: tree.Arithmetic) -> None:
        if node.operator in ("/", "//", "%"):
            self._operands_or([node.left, node.right], lambda _: self.to.bind(causes.ZERO_DENOMINATOR))
        else:
            self.operands(node)

    def call(self, node: tree.Call) -> None:
        function = FUNCTIONS[node.function]
        if function.partial:
            first, last = self.to.bind_new(function.plain), ["ZONE"] if function.in_zone else []
            self._operands_or(node.arguments, lambda values: f"cause_of({', '.join([first, *values, *last])})")
        elif node.function == "default":
            for argument in node.arguments:
                self.node(argument)
        else:
            self.operands(node)

    def variable(self, node: tree.Variable) -> None:
        self._element(*self.elements[node.name])

    def member(self, node: tree.MemberOf) -> None:
        assert isinstance(node.record.type, Record)
        assert member_of(node.record.type, node.name) is not None
        if not node.record.optional:
            self._misses(f"{node.record.type.path}.{node.name}")
            return
        record = self.to.writer.named(self.to.code(node.record))
        with self.to.writer.block(f"if {record} is not None:"):
            self._misses(f"{node.record.type.path}.{node.name}")
        with self.to.writer.block(f"if {record} is None:"), self.asking(f".{node.name}{self.below}"):
            self.node(node.record)

    def contains(self, node: tree.In) -> None:
        """A list that is itself unknown hides the item; else both the item and single elements may be missing."""
        writer = self.to.writer
        listed = writer.named(self.to.code(node.list))
        if node.list.optional and not isinstance(node.list, tree.ListLiteral):
            with writer.block(f"if {listed} is None:"):
                self.node(node.list)
        with writer.block(f"if {listed} is not None:"):
            self.perhaps(node.item)
            self.perhaps(node.list)

    def conditional(self, node: tree.Conditional) -> None:
        if isinstance(node.condition, tree.Literal):
            self.node(node.then if node.condition.value else node.otherwise)
            return
        writer = self.to.writer
        condition = writer.named(self.to.code(node.condition))
        if node.condition.optional:
            with writer.block(f"if {condition} is None:"):
                self._on_the_way(node.condition)
        for branch, taken in ((node.then, "True"), (node.otherwise, "False")):
            if branch.optional:
                with writer.block(f"if {condition} is {taken}:"):
                    self.node(branch)

    def aggregate(self, node: tree.Aggregate) -> None:
        """The list itself, or the elements whose filter is not false."""
        writer, to = self.to.writer, self.to
        names_before_the_loop(to, node)
        source = writer.named(to.code(node.source))
        if node.source.optional and not isinstance(node.source, tree.ListLiteral):
            with writer.block(f"if {source} is None:"):
                self._on_the_way(node.source)
        with writer.block(f"if {source} is not None:"):
            if any(self._open(part) for part in (node.condition, node.element) if part is not None):
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
            self._read_members(node)
            self._row(node, nothing)
        to.variables = outer
        if empty is not None:
            with to.writer.block(f"if {nothing}:"):
                self.cause(empty)

    def _read_members(self, node: tree.Aggregate) -> None:
        """Read the members at the top of each round, so that none is left over from the last."""
        for part in (node.condition, node.element):
            for inner in tree.walk(part) if part is not None else ():
                if isinstance(inner, tree.MemberOf) and is_variable(inner.record, node.variable):
                    self.to.code(inner)

    def _row(self, node: tree.Aggregate, nothing: str) -> None:
        """One element: filter and element are operands like any others, unless one of them decides (8.1)."""
        writer = self.to.writer
        passes = writer.named(self.to.code(node.condition)) if node.condition is not None else "True"
        with writer.block(f"if {passes} is not False:"):
            writer.line(f"{nothing} = False")
            if node.function in ("any", "all"):
                self._undecided(node, passes)
            else:
                self._both(node, passes)

    def _undecided(self, node: tree.Aggregate, passes: str) -> None:
        """`any` is decided for an element by a false one, `all` by a true one."""
        element = self.to.writer.named(self.to.code(node.element))
        with self.to.writer.block(f"if {element} is not {node.function == 'all'}:"):
            self._both(node, passes)

    def _both(self, node: tree.Aggregate, passes: str) -> None:
        if node.condition is not None and self._open(node.condition):
            with self.to.writer.block(f"if {passes} is None:"), self.asking(""):
                self.node(node.condition)
        self.perhaps(node.element)

    def _element(self, source: tree.Node, index: str) -> None:
        """An element of a list that is written out, which is unknown."""
        writer = self.to.writer
        match source:
            case tree.ListLiteral(elements=elements):
                for place, element in enumerate(elements):
                    if element.optional:
                        with writer.block(f"if {index} == {place}:"):
                            self.node(element)
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                chosen = writer.named(self.to.code(condition))
                for branch, taken in ((then, "True"), (otherwise, "False")):
                    with writer.block(f"if {chosen} is {taken}:"):
                        self._element(branch, index)
            case tree.Definition(name=name):
                definition = self.to.ruleset.definition(name)
                assert isinstance(definition.body, tree.Expression)
                self._element(definition.body.tree, index)
            case tree.Call(function="default", arguments=(first, second)):
                known = writer.named(self.to.whole(first))
                for branch, test in ((first, "is not None"), (second, "is None")):
                    with writer.block(f"if {known} {test}:"):
                        self._element(branch, index)


HANDLERS: Mapping[type[tree.Node], Callable[[Gaps, Any], None]] = MappingProxyType(
    {
        tree.Fact: Gaps.fact,
        tree.Definition: Gaps.definition,
        tree.DecisionPart: Gaps.decision_part,
        tree.Variable: Gaps.variable,
        tree.MemberOf: Gaps.member,
        tree.In: Gaps.contains,
        tree.Conditional: Gaps.conditional,
        tree.Aggregate: Gaps.aggregate,
        tree.LeftUnknown: Gaps.left_unknown,
        tree.Arithmetic: Gaps.arithmetic,
        tree.Call: Gaps.call,
    }
)
