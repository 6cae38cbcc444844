"""What coverage counts in a ruleset: items of several kinds, each with its place, and with the number of cases that try it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from policy_engine.analysis.observing import ELSE, Seen, Sort
from policy_engine.analysis.sites import Boundary, Leaf, Place, Site, Sites
from policy_engine.language.formulas import Inputs
from policy_engine.language.lookup_tables import row_in_words
from policy_engine.language.mentions import Mention, graph_of, reached
from policy_engine.language.rulesets import OTHERWISE, DecisionLogic, Matrix, Period, Rules, Ruleset, conclusions_of
from policy_engine.source import Span


class Kind(StrEnum):
    """The kinds of items, as they are told."""

    RULES = "rules"
    CELLS = "matrix cells"
    VALUES = "values"
    CHECKS = "checks broken"
    CONDITIONS = "conditions both ways"
    DECIDING = "conditions that decide alone"
    BRANCHES = "branches"
    READINGS = "readings switched"
    PERIODS = "periods"
    ROWS = "table rows"
    BOUNDARIES = "sides of boundaries"
    DAYS = "days around changes"


TOLD: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.RULES: "no case comes by {what}",
        Kind.CELLS: "no case comes by {what}",
        Kind.VALUES: "no decided case has {what}",
        Kind.CHECKS: "no case breaks this check",
        Kind.CONDITIONS: "`{of}` is {what} in no case that comes here",
        Kind.DECIDING: "no two cases show that `{of}` decides alone",
        Kind.BRANCHES: "no case takes the branch `{of}`, {what}",
        Kind.READINGS: "no case switches {what}",
        Kind.PERIODS: "no case depends on {what}",
        Kind.ROWS: "no case finds {what}",
        Kind.BOUNDARIES: "no case stands {what} `{of}`",
        Kind.DAYS: "no case depends on {what}",
    }
)
"""What is said of an item that no case tries."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that tests are to try: `what`, and of which condition or branch, in its author's words.

    `owner` is the version of a ruleset, or the library, that has it. Items of one key are one, such as those of a library that
    several rulesets take.
    """

    kind: Kind
    owner: str
    span: Span
    what: str
    of: str
    key: tuple[object, ...]

    @property
    def message(self) -> str:
        """What is said of it where no case tries it."""
        return TOLD[self.kind].format(what=self.what, of=self.of)


@dataclass(frozen=True, slots=True)
class Counted:
    """An item with the number of cases that try it; of one that two cases show together it is 1."""

    item: Item
    cases: int


Cases = Mapping[Seen, int]
"""How many cases were seen to exercise each thing."""
Found = Iterator[Counted]


@dataclass(slots=True)
class Items:
    """The items of a version of a ruleset, counted by what its cases exercise; `libraries` has their names by their files."""

    ruleset: Ruleset
    sites: Sites
    cases: Cases
    libraries: Mapping[str, str]

    def all(self) -> Iterator[Counted]:
        """The items of every kind."""
        parts: Sequence[Callable[[], Found]] = (
            self._ways, self._values, self._checks, self._conditions, self._branches, self._readings, self._periods, self._rows,
            self._boundaries,
        )  # fmt: skip
        for part in parts:
            yield from part()

    def _counted(self, kind: Kind, span: Span, what: str, of: str, key: Hashable, cases: int) -> Counted:
        return Counted(Item(kind, self._owner(span), span, what, of, (kind, key)), cases)

    def _seen(self, kind: Kind, span: Span, what: str, of: str, seen: Seen) -> Counted:
        """An item that is tried by those cases which were seen to exercise one thing."""
        return self._counted(kind, span, what, of, seen, self.cases.get(seen, 0))

    def _owner(self, span: Span) -> str:
        return self.libraries.get(span.path, f"{self.ruleset.id} {self.ruleset.version}")

    def _ways(self) -> Found:
        """The rules, and the branches of cells; tried where they decide an answer."""
        for logic in self.ruleset.decisions:
            kind = Kind.CELLS if isinstance(logic.body, Matrix) else Kind.RULES
            for name, span, outcome in ways_of(logic):
                what = f"{logic.name}: {name}{f' -> {outcome}' if outcome else ''}"
                yield self._seen(kind, span, what, "", Seen(Sort.WAY, (self.ruleset.path, logic.name, name)))

    def _values(self) -> Found:
        """The values of decisions; tried where a decided answer has them."""
        for logic in self.ruleset.decisions:
            given = [value for _, conclusion in conclusions_of(logic.body) for value in conclusion.values]
            places = {value.name: value.expression.tree.span for value in reversed([*logic.values, *given])}
            for name, _ in logic.value_types:
                seen = Seen(Sort.VALUE, (self.ruleset.path, logic.name, name))
                yield self._seen(Kind.VALUES, places.get(name, logic.span), f"{logic.name}.{name}", "", seen)

    def _checks(self) -> Found:
        """The checks; tried where the facts of some case break them."""
        for number, check in enumerate(self.ruleset.checks):
            seen = Seen(Sort.CHECK, (self.ruleset.path, number))
            yield self._seen(Kind.CHECKS, check.span, check.because, "", seen)

    def _readings(self) -> Found:
        """The choices that readings can be switched to; tried where a decided answer rests on them."""
        for reading in self.ruleset.readings:
            for choice in reading.choices if not reading.fixed else ():
                if choice.name != reading.choice:
                    seen = Seen(Sort.CHOICE, (reading.span, choice.name))
                    yield self._seen(Kind.READINGS, reading.span, f"{reading.name}={choice.name}", "", seen)

    def _branches(self) -> Found:
        """The branches of conditional expressions; tried where some case takes them."""
        for fork in dict.fromkeys(self.sites.forks.values()):
            for taken in (True, False):
                what, branch = f"where `{fork.condition}` is {str(taken).lower()}", fork.branches[0 if taken else 1]
                yield self._seen(Kind.BRANCHES, fork.span, what, branch, Seen(Sort.BRANCH, (fork.at, taken)))

    def _boundaries(self) -> Found:
        """Below, at and above each comparison; tried where a case that depends on it stands there."""
        for boundary in dict.fromkeys(self.sites.boundaries.values()):
            for distance in sorted(boundary.distances):
                what, seen = _side(boundary, distance), Seen(Sort.DISTANCE, (boundary.at, distance))
                yield self._seen(Kind.BOUNDARIES, boundary.span, what, boundary.text, seen)

    def _conditions(self) -> Found:
        """The leaves of conditions, true and false, and deciding alone."""
        seen = inputs_seen(self.cases)
        for site in dict.fromkeys(self.sites.conditions.values()):
            for leaf in site.leaves:
                yield from self._leaf(site, leaf, seen.get(site.at, {}))

    def _leaf(self, site: Site, leaf: Leaf, seen: Mapping[Inputs, int]) -> Found:
        for value in (True, False):
            cases = sum(count for inputs, count in seen.items() if inputs[leaf.number] is value)
            key = site.at, leaf.number, value
            yield self._counted(Kind.CONDITIONS, leaf.span, str(value).lower(), leaf.text, key, cases)
        shown = int(site.formula.shown(leaf.number, seen))
        yield self._counted(Kind.DECIDING, leaf.span, "alone", leaf.text, (site.at, leaf.number), shown)

    def _rows(self) -> Found:
        """The rows of look-up tables, and what holds where there is none; tried where an answer depends on a look-up there."""
        for table in self.ruleset.tables:
            for row in (*table.rows, *((None,) if table.otherwise is not None else ())):
                span, place = (table.row_span(row), (row.line, row.column)) if row else (table.span, None)
                what = f"{table.name}: {row_in_words(table, row)}"
                yield self._seen(Kind.ROWS, span, what, "", Seen(Sort.ROW, (table.path, table.name, place)))

    def _periods(self) -> Found:
        """The stretches of days between which a parameter or a rule changes.

        Those of a parameter are tried where a case depends on its value, those of a rule where a case asks what its decision
        takes part in.
        """
        for parameter in self.ruleset.parameters:
            days = [value.period.start for value in parameter.values]
            yield from self._changes(parameter.name, parameter.span, days, self._used(parameter.span))
        graph = graph_of(self.ruleset)
        below = {each.name: reached([Mention("decision", each.name)], graph) for each in self.ruleset.decisions}
        for logic in self.ruleset.decisions:
            asked = self._asked({name for name, found in below.items() if Mention("decision", logic.name) in found})
            for rule in logic.body.rules if isinstance(logic.body, Rules) else ():
                days = [day for day in (rule.period.start, rule.period.end) if day is not None]
                yield from self._changes(rule.id, rule.span, days, asked)

    def _used(self, parameter: Span) -> Counter[date]:
        """The days on whose value of a parameter cases depend, with their number."""
        found = Counter[date]()
        for (sort, about), count in self.cases.items():
            if sort is Sort.PARAMETER_DAY and about[0] == parameter:
                found[about[1]] += count
        return found

    def _asked(self, decisions: set[str]) -> Counter[date]:
        """The days on which some decisions are asked for, with the number of questions."""
        found = Counter[date]()
        for (sort, about), count in self.cases.items():
            if sort is Sort.DAY and about[0] == self.ruleset.path and about[1] in decisions:
                found[about[2]] += count
        return found

    def _changes(self, name: str, span: Span, days: Sequence[date], tried: Counter[date]) -> Found:
        """The stretches between changes on some days, and the days around each."""
        inner = [day for day in days if day > self.ruleset.period.start and day in self.ruleset.period]
        yield from self._stretches(name, span, inner, tried)
        yield from self._ends(name, span, inner, tried)

    def _stretches(self, name: str, span: Span, days: Sequence[date], tried: Counter[date]) -> Found:
        ends = [self.ruleset.period.start, *days]
        for start, end in zip(ends, [*days, self.ruleset.period.end], strict=True) if days else ():
            period = Period(start, end)
            cases = sum(count for day, count in tried.items() if day in period)
            yield self._counted(Kind.PERIODS, span, f"{name} {period}", "", (span, name, start), cases)

    def _ends(self, name: str, span: Span, days: Sequence[date], tried: Counter[date]) -> Found:
        """The days on both sides of each change."""
        for day in days:
            for on, which in ((day - timedelta(1), "the day before"), (day, "the day on which")):
                what = f"{name} on {on}, {which} it changes"
                yield self._counted(Kind.DAYS, span, what, "", (span, name, on), tried[on])


def inputs_seen(cases: Cases) -> Mapping[Place, Mapping[Inputs, int]]:
    """For each condition the values of its inputs that were seen."""
    found: dict[Place, dict[Inputs, int]] = {}
    for (sort, about), count in cases.items():
        if sort is Sort.INPUTS:
            found.setdefault(about[0], {})[about[1]] = count
    return found


def ways_of(logic: DecisionLogic) -> Iterator[tuple[str, Span, str | None]]:
    """The rules of a decision, or the branches of its cells, by their reason codes: the place and the outcome of each."""
    if isinstance(logic.body, Matrix):
        for cell in logic.body.cells:
            yield cell.id, cell.span, cell.then.outcome
            if cell.otherwise is not None:
                yield f"{cell.id}{ELSE}", cell.span, cell.otherwise.outcome
    elif logic.body is not None:
        yield from ((rule.id, rule.span, rule.then.outcome) for rule in logic.body.rules)
        if logic.body.otherwise is not None:
            yield OTHERWISE, logic.span, logic.body.otherwise.outcome


def _side(boundary: Boundary, distance: int) -> str:
    near = "just " if boundary.places is not None else ""
    return "at" if distance == 0 else f"{near}{'above' if distance > 0 else 'below'}"
