"""What an undetermined decision misses, and if that is no fact, for what causes: a function of its own, called only then.

The rules are looked at up to the first true one; then what was asked for on the way, those above before those below, so that
each is written once. The function that decides hands over what it has worked out, and says up to which rule it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from policy_engine.backends.python.beforehand import below
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.gaps import Gaps, Unit
from policy_engine.backends.runs import SHORTEST_RUN, equality, runs
from policy_engine.language import causes
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import Mention, fact_paths
from policy_engine.language.rulesets import (
    Conclusion,
    DecisionLogic,
    HitPolicy,
    Matrix,
    Rule,
    Rules,
    Ruleset,
    ValueDefinition,
    conclusions_of,
)
from policy_engine.language.types import ListOf

Values = tuple[ValueDefinition, ...]
Kind = tuple[tree.Condition | None, Values, Values]
"""What cells have in common: a condition, and the values if it is true and if it is false."""


MOST_COMBINATIONS = 1_000
"""Of missing facts, so many are kept at hand."""


class Paths(dict[int, tuple[str, ...]]):
    """The paths of a schema, in its order, that the bits of a number stand for; each number's are found once."""

    def __init__(self, ruleset: Ruleset) -> None:
        super().__init__()
        self.bits = {path: 1 << place for place, path in enumerate(dict.fromkeys(fact_paths(ruleset.facts.type)))}

    def __missing__(self, gaps: int) -> tuple[str, ...]:
        if len(self) >= MOST_COMBINATIONS:
            self.clear()
        self[gaps] = found = tuple(path for path, bit in self.bits.items() if gaps & bit)
        return found


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a function that decides where a decision is undetermined.

    `rule` is the id of the rule that it came to, all before which are false; None where no rule is certain to be false. `given`
    are the names of facts, definitions and used decisions there, each with whether it is set surely or perhaps.
    """

    decision: str
    rule: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)


def write(to: Expressions, site: Site) -> None:
    """Write the body of the function that gives the missing facts of a decision, and the causes where there are none."""
    ruleset = to.ruleset
    paths = Paths(ruleset)
    missing = Missing(Gaps(to, paths.bits), below(ruleset, [Mention("decision", site.decision)]))
    to.writer.line("gaps, causes = 0, []")
    missing.decision(site.decision, site.rule)
    missing.all_asked()
    missing.end(to.bind_new(paths))


@dataclass(slots=True)
class Missing:
    """Writes what decisions miss, and whatever that asks for."""

    gaps: Gaps
    depths: Mapping[Mention, int]
    written: dict[Unit, str] = field(default_factory=dict)

    def all_asked(self) -> None:
        """Write the units that were asked for; what they ask for in turn lies further down, and comes later."""
        while waiting := [unit for unit in self.gaps.asked if unit not in self.written]:
            unit = max(waiting, key=self._depth)
            self.gaps.causes = self.written[unit] = self.gaps.asked[unit]
            with self.gaps.to.writer.block(f"if {self.gaps.causes} is not UNSET:"):
                self._unit(*unit)

    def end(self, paths: str) -> None:
        """Return the missing facts; or else the causes, of the units below before those that stand on them."""
        writer = self.gaps.to.writer
        with writer.block("if gaps:"):
            writer.line(f"return {paths}[gaps], ()")
        found = [f"({causes}, {self._named(*unit)})" for unit, causes in reversed(self.written.items())]
        writer.line(f"return (), causes_of(({', '.join([*found, '(causes, None)'])},))")

    def _named(self, kind: str, name: str, _: str) -> str:
        """The text of the name that causes in a unit take: that of a definition which is unknown itself, and not only in part."""
        to = self.gaps.to
        if kind != "definition":
            return "None"
        definition = to.ruleset.definition(name)
        if not isinstance(definition.type, ListOf):
            return to.bind(name)
        value = to.writer.once(f"def_{name}", lambda: to.condition_code(definition.body))
        return f"{to.bind(name)} if {value} is None else None"

    def _depth(self, unit: Unit) -> int:
        kind, name, _ = unit
        return self.depths[Mention("decision", name.partition(".")[0]) if kind == "value" else Mention(kind, name)]

    def _unit(self, kind: str, name: str, below: str) -> None:
        if kind == "definition":
            with self.gaps.asking(below):
                self.gaps.condition(self.gaps.to.ruleset.definition(name).body)
        elif kind == "decision":
            self.decision(name)
        else:
            self._value(*name.split("."))

    def decision(self, name: str, since: str | None = None) -> None:
        """An undetermined decision: its unknown rules, or where there are none, its unknown values; all before one are false."""
        logic, writer = self._logic(name), self.gaps.to.writer
        unsure = writer.fresh("unsure")
        writer.line(f"{unsure} = False")
        with writer.block("while True:"):
            match logic.body:
                case Rules(hit=HitPolicy.COLLECT):
                    self._collect(logic, logic.body, unsure)
                case Rules():
                    self._first(logic, logic.body, unsure, since)
                case Matrix():
                    self._matrix(logic, logic.body, unsure)
                case _:
                    self._values(logic.values)
            writer.line("break")

    def _logic(self, name: str) -> DecisionLogic:
        return self.gaps.to.ruleset.decision(name)

    def _values(self, values: Sequence[ValueDefinition]) -> None:
        for value in values:
            if not value.nullable:
                self.gaps.perhaps(value.expression.tree)

    def _values_if(self, sure: str, values: Sequence[ValueDefinition]) -> None:
        if any(value.expression.tree.optional and not value.nullable for value in values):
            with self.gaps.to.writer.block(f"if {sure}:"):
                self._values(values)

    def _condition(self, condition: tree.Condition, code: str, unsure: str) -> None:
        """A rule's condition, which makes the decision unsure where it is unknown."""
        with self.gaps.to.writer.block(f"if {code} is None:"):
            self.gaps.to.writer.line(f"{unsure} = True")
            self.gaps.condition(condition)

    def _first(self, logic: DecisionLogic, body: Rules, unsure: str, since: str | None) -> None:
        """The rules up to the first true one."""
        to = self.gaps.to
        for rules in _from(since, list(runs(body.rules))):
            if len(rules) >= SHORTEST_RUN:
                self._run(logic, rules, unsure)
                continue
            code, optional = to.condition(rules[0].when)
            if code == "False":
                continue
            code = to.writer.named(code)
            with to.writer.block(f"if {code}:"):
                self._values_if(f"not {unsure}", (*logic.values, *rules[0].then.values))
                to.writer.line("break")
            if optional:
                self._condition(rules[0].when, code, unsure)
        if body.otherwise is not None:
            self._values_if(f"not {unsure}", (*logic.values, *body.otherwise.values))

    def _run(self, logic: DecisionLogic, rules: Sequence[Rule], unsure: str) -> None:
        """Rules that test one name for equality: all are unknown where it is."""
        to, found = self.gaps.to, [equality(rule) for rule in rules]
        subject = found[0][0] if found[0] else None
        assert subject is not None
        name = to.writer.named(to.code(subject))
        if subject.optional:
            with to.writer.block(f"if {name} is None:"):
                to.writer.line(f"{unsure} = True")
                self.gaps.node(subject)
        known = to.bind_new(frozenset(text for tested in found if tested for text in tested[1]))
        with to.writer.block(f"if {name} in {known}:"):
            self._values_if(f"not {unsure}", logic.values)
            to.writer.line("break")

    def _collect(self, logic: DecisionLogic, body: Rules, unsure: str) -> None:
        """All rules; then the values of the decision and of the rules that apply."""
        to, applies = self.gaps.to, {}
        for rule in body.rules:
            code, optional = to.condition(rule.when)
            applies[rule.id] = to.writer.named(code)
            if optional:
                self._condition(rule.when, applies[rule.id], unsure)
        self._values_if(f"not {unsure}", logic.values)
        for rule in body.rules:
            self._values_if(f"not {unsure} and {applies[rule.id]}", rule.then.values)

    def _matrix(self, logic: DecisionLogic, body: Matrix, unsure: str) -> None:
        """Row and column; where both are known, the condition and the values of the cell."""
        to = self.gaps.to
        axes = [to.writer.named(to.code(axis.tree)) for axis in (body.rows, body.columns)]
        for axis, name in zip((body.rows, body.columns), axes, strict=True):
            if axis.tree.optional:
                self._condition(axis, name, unsure)
        kinds: dict[Kind, int] = {}
        table: dict[object, dict[object, int]] = {}
        for cell in body.cells:
            kind = cell.when, cell.then.values, cell.otherwise.values if cell.otherwise else ()
            table.setdefault(cell.row, {})[cell.column] = kinds.setdefault(kind, len(kinds))
        with to.writer.block(f"if not {unsure}:"):
            found = to.writer.named(f"{to.bind_new(table)}[{axes[0]}][{axes[1]}]")
            for kind, number in kinds.items():
                with to.writer.block(f"if {found} == {number}:"):
                    self._cell(logic, *kind, unsure)

    def _cell(
        self, logic: DecisionLogic, when: tree.Condition | None, then: Values, otherwise: Values, unsure: str
    ) -> None:
        to = self.gaps.to
        if when is None:
            self._values((*logic.values, *then))
            return
        code, optional = to.condition(when)
        code = to.writer.named(code)
        if optional:
            self._condition(when, code, unsure)
        self._values_if(f"{code} is True", (*logic.values, *then))
        self._values_if(f"{code} is False", (*logic.values, *otherwise))

    def _value(self, decision: str, name: str) -> None:
        """A value of a decided decision, written `if_known`: the last that a rule gave, or the decision's own."""
        logic, to = self._logic(decision), self.gaps.to
        with to.writer.block("while True:"):
            for rule, when, taken, conclusion in reversed(list(_conclusions(logic.body))):
                for value in conclusion.values:
                    if value.name == name:
                        asked = f" and {to.condition_code(when)} is {taken}" if when is not None else ""
                        with to.writer.block(f"if {to.bind(rule)} in {to.use(decision)}[0].rules{asked}:"):
                            self.gaps.perhaps(value.expression.tree)
                            to.writer.line("break")
            own = [value.expression.tree for value in logic.values if value.name == name]
            for node in own:
                self.gaps.perhaps(node)
            if not own:
                self.gaps.cause(causes.not_given(f"{to.ruleset.id}.{decision}"))
            to.writer.line("break")


def _from(since: str | None, rules: list[Sequence[Rule]]) -> list[Sequence[Rule]]:
    """The runs of rules from the one with a rule of some id on."""
    places = [place for place, run in enumerate(rules) if since is None or since in [rule.id for rule in run]]
    return rules[places[0] :] if places else []


def _conclusions(body: Rules | Matrix | None) -> Iterator[tuple[str, tree.Condition | None, bool, Conclusion]]:
    """The conclusions of a decision with their rules' ids, and what else must be true or false: a cell may have two."""
    if isinstance(body, Matrix):
        for cell in body.cells:
            yield cell.id, cell.when, True, cell.then
            if cell.otherwise is not None:
                yield cell.id, cell.when, False, cell.otherwise
    else:
        yield from ((rule, None, True, conclusion) for rule, conclusion in conclusions_of(body))
