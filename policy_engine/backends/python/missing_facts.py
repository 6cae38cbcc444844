"""The function that adds to an undetermined decision the facts that it misses, or, if it misses none, the causes.

It is written and called only where a decision is undetermined. It looks at the rules up to the first true one, and then at each
definition and decision that was asked for on the way, those above before those below, so that each is written once. The
function that decides passes on what it has worked out already, and says up to which rule it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import dropwhile

from policy_engine.backends.equality_switches import Switch, switches
from policy_engine.backends.python.decisions import Exit, write_cells
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.unknown_expressions import Unit, UnknownExpressions
from policy_engine.language import causes
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import Mention, below, fact_paths
from policy_engine.language.rulesets import (
    Conclusion,
    HitPolicy,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
    conclusions_of,
)
from policy_engine.language.specialize import constant
from policy_engine.language.types import ListOf

Values = Sequence[ValueDefinition]

MOST_COMBINATIONS = 1_000
"""Of missing facts, so many are kept at hand."""


def write(to: Expressions, exit_: Exit) -> None:
    """Write the body of the function for an exit."""
    bits = {path: 1 << place for place, path in enumerate(dict.fromkeys(fact_paths(to.ruleset.facts.type)))}

    @lru_cache(MOST_COMBINATIONS)
    def paths(missing: int) -> tuple[str, ...]:
        return tuple(path for path, bit in bits.items() if missing & bit)

    depths = below(to.ruleset, [Mention("decision", exit_.decision)])
    missing = MissingFacts(to, UnknownExpressions(to, bits), depths)
    to.writer.line("missing, causes = 0, []")
    missing.decision(exit_.decision, exit_.rule)
    missing.all_asked()
    missing.end(to.bind_new(paths))


@dataclass(slots=True)
class MissingFacts:
    """Writes what decisions miss, and the definitions and decisions that these ask for."""

    to: Expressions
    unknown: UnknownExpressions
    depths: Mapping[Mention, int]
    written: dict[Unit, str] = field(default_factory=dict)

    def all_asked(self) -> None:
        """Write the units that were asked for; what they ask for in turn lies further down, and comes later."""
        while waiting := [unit for unit in self.unknown.asked if unit not in self.written]:
            unit = max(waiting, key=self._depth)
            self.unknown.causes = self.written[unit] = self.unknown.asked[unit]
            with self.to.writer.block(f"if {self.unknown.causes} is not UNSET:"):
                self._unit(*unit)

    def end(self, paths: str) -> None:
        """Add the missing facts; or else the causes, of the units below before those that stand on them."""
        writer = self.to.writer
        with writer.block("if missing:"):
            writer.line(f"answer._missing, answer._kept = {paths}(missing), (*answer._kept, ())")
            writer.line("return answer")
        found = [f"({causes}, {self._named(*unit)})" for unit, causes in reversed(self.written.items())]
        writer.line(f"answer._kept = (*answer._kept, causes_of(({', '.join([*found, '(causes, None)'])},)))")
        writer.line("return answer")

    def _named(self, kind: str, name: str, _: str) -> str:
        """The text of the name that causes in a unit take: that of a definition which is unknown itself, and not only in part."""
        if kind != "definition":
            return "None"
        if not isinstance(self.to.ruleset.definition(name).type, ListOf):
            return self.to.bind(name)
        return f"{self.to.bind(name)} if {self.to.defined(name)} is None else None"

    def _depth(self, unit: Unit) -> int:
        kind, name, _ = unit
        return self.depths[Mention("decision", name.partition(".")[0]) if kind == "value" else Mention(kind, name)]

    def _unit(self, kind: str, name: str, below: str) -> None:
        if kind == "definition":
            with self.unknown.asking(below):
                self.unknown.condition(self.to.ruleset.definition(name).body)
        elif kind == "decision":
            self.decision(name)
        else:
            self._value(*name.split("."))

    def decision(self, name: str, since: str | None = None) -> None:
        """An undetermined decision: its unknown rules, or where there are none, its unknown values; all before one are false."""
        logic, writer = self.to.ruleset.decision(name), self.to.writer
        unsure = writer.fresh("unsure")
        writer.line(f"{unsure} = False")
        asked, given = partial(self._asked, unsure), partial(self._given, unsure, logic.values)
        with writer.block("while True:"):
            match logic.body:
                case Rules(hit=HitPolicy.COLLECT):
                    applies = [(asked(rule.when), rule.then.values) for rule in logic.body.rules]
                    given("True", ())
                    for code, values in applies:
                        self._given(unsure, (), code, values)
                case Rules():
                    self._first(logic.body, since, asked, given)
                case Matrix():
                    write_cells(self.to, logic.body, asked, given)
                case _:
                    given("True", ())
            writer.line("break")

    def _given(self, unsure: str, own: Values, test: str, values: Values) -> None:
        """The values of the decision, and those beside a rule, where the rule applies and none before it is unknown."""
        optional = [each.expression.tree for each in (*own, *values) if not each.nullable]
        if any(node.optional for node in optional):
            with self.to.writer.block(f"if not {unsure} and {test}:"):
                for node in optional:
                    self.unknown.perhaps(node)

    def _asked(self, unsure: str, condition: tree.Condition) -> str:
        """The name of a condition's value; where that is unknown, so is the decision."""
        code, optional = self.to.condition(condition)
        code = self.to.writer.named(code)
        if optional:
            with self.unknown.where(code):
                self.to.writer.line(f"{unsure} = True")
                self.unknown.condition(condition)
        return code

    def _first(
        self,
        body: Rules,
        since: str | None,
        asked: Callable[[tree.Condition], str],
        given: Callable[[str, Values], None],
    ) -> None:
        """The rules up to the first true one, from the one with an id on."""
        for each in dropwhile(lambda each: since is not None and since not in _ids(each), switches(body.rules)):
            rule = each.rules[0] if isinstance(each, Switch) else each
            if constant(rule.when) is False:
                continue
            test = self._switch(each, asked) if isinstance(each, Switch) else asked(rule.when)
            with self.to.writer.block(f"if {test}:"):
                given("True", rule.then.values)
                self.to.writer.line("break")
        if body.otherwise is not None:
            given("True", body.otherwise.values)

    def _switch(self, switch: Switch, asked: Callable[[tree.Condition], str]) -> str:
        """The test whether one of the rules applies: all are unknown where their subject is."""
        name = asked(tree.Expression(switch.subject.text, switch.subject))
        return f"{name} in {self.to.bind_new(frozenset(switch.cases))}"

    def _value(self, decision: str, name: str) -> None:
        """A value of a decided decision, written `if_known`: the last that a rule gave, or the decision's own."""
        logic, to = self.to.ruleset.decision(decision), self.to
        own = _named(name, logic.values)
        with to.writer.block("while True:"):
            for rule, conclusion in reversed(list(conclusions_of(logic.body))):
                for node in _named(name, conclusion.values):
                    applies = f"{to.bind(rule)} in {to.use(decision)}[0].rules"
                    with to.writer.block(f"if {applies}{self._taken(logic.body, rule, conclusion)}:"):
                        self.unknown.perhaps(node)
                        to.writer.line("break")
            for node in own:
                self.unknown.perhaps(node)
            if not own:
                self.unknown.cause(causes.not_given(f"{to.ruleset.id}.{decision}"))
            to.writer.line("break")

    def _taken(self, body: Rules | Matrix | None, rule: str, conclusion: Conclusion) -> str:
        """The rest of a test: a cell with a condition has two conclusions."""
        cells = [cell for cell in body.cells if cell.id == rule] if isinstance(body, Matrix) else []
        when = cells[0].when if cells else None
        return "" if when is None else f" and {self.to.condition_code(when)} is {conclusion is cells[0].then}"


def _ids(each: Rule | Switch) -> list[str]:
    return [rule.id for rule in each.rules] if isinstance(each, Switch) else [each.id]


def _named(name: str, values: Values) -> list[tree.Node]:
    return [value.expression.tree for value in values if value.name == name]
