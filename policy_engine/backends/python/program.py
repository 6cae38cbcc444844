"""Compiling: one function for each decision and one for all of a ruleset, readable in tracebacks and debuggers."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from policy_engine.backends.python import runtime
from policy_engine.backends.python.constants import Settled, stretch
from policy_engine.backends.python.decisions import DecisionWriter
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.reading import read_all
from policy_engine.backends.python.writer import Writer
from policy_engine.language import dates
from policy_engine.language.decisions import Decision, Late, Status
from policy_engine.language.rounding import rounded_units
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.timezones import zone

LateFor = Callable[[str], Late]
"""For a decision's name, what tells its reason and missing facts when somebody asks."""

NAMES: Mapping[str, Any] = {
    "Decision": Decision,
    "DECIDED": Status.DECIDED,
    "Fraction": Fraction,
    "UNSET": runtime.UNSET,
    "to_date": date.fromisoformat,
    "to_instant": runtime.to_instant,
    "to_integer": runtime.to_integer,
    "to_units": runtime.to_units,
    "whole": runtime.whole,
    "contained": runtime.contained,
    "quotient": runtime.quotient,
    "rounded_units": rounded_units,
    "add_days": runtime.add_days,
    "add_months": runtime.add_months,
    "add_years": runtime.add_years,
    "add_weekdays": runtime.add_weekdays,
    "add_business_days": runtime.add_business_days,
    "date_of": runtime.date_of,
    "weekdays_between": dates.weekdays_between,
    "last_of_month": dates.last_of_month,
}


@dataclass(slots=True)
class Program:
    """A ruleset under chosen readings on a stretch of days; its functions are written when first called for.

    `decide(name)` is a function of valid facts in JSON types and a day. Facts that JSON could not have held (Python dates, say)
    make it raise `TypeError`, `ValueError` or `KeyError`.
    """

    settled: Settled
    late_for: LateFor
    functions: dict[str, Callable[[Any, date], Any]] = field(default_factory=dict)

    def decide(self, name: str) -> Callable[[Any, date], Decision]:
        """The function of one decision."""
        if name not in self.functions:
            self.functions[name] = self._compile(name, *self._one(name))
        return self.functions[name]

    def decide_all(self) -> Callable[[Any, date], dict[str, Decision]]:
        """The function that gives every decision by name."""
        if "*" not in self.functions:
            self.functions["*"] = self._compile("all", *self._all())
        return self.functions["*"]

    def checks(self) -> Callable[[Any, date], bool]:
        """The function that tells whether no check of the ruleset is false; raises `ValueError` where there is no such day."""
        if "?" not in self.functions:
            self.functions["?"] = self._compile("checks", *self._checks())
        return self.functions["?"]

    def source(self, name: str | None = None) -> str:
        """The text of a decision's function, or of the one for all."""
        writer, _ = self._all() if name is None else self._one(name)
        return _text(name or "all", writer)

    def _one(self, name: str) -> tuple[Writer, dict[str, Any]]:
        writer, to = self._start()
        self._write(to, name, returns=True)
        return writer, to.constants

    def _all(self) -> tuple[Writer, dict[str, Any]]:
        writer, to = self._start()
        results = {logic.name: to.use(logic.name) for logic in self.settled.ruleset.decisions}
        pairs = (f"{name!r}: Decision({held}[0], {held}[1], as_of, facts)" for name, held in results.items())
        writer.line(f"return {{{', '.join(pairs)}}}")
        return writer, to.constants

    def _checks(self) -> tuple[Writer, dict[str, Any]]:
        writer, to = self._start()
        read_all(to, "facts", self.settled.ruleset.facts.type)
        for check in self.settled.ruleset.checks:
            code, _ = to.condition(check.expect)
            with writer.block(f"if {code} is False:"):
                writer.line("return False")
        writer.line("return True")
        return writer, to.constants

    def _start(self) -> tuple[Writer, Expressions]:
        writer = Writer()
        to = Expressions(self.settled, writer, {}, lambda name: name)
        to.use = lambda name: self._used(to, name)
        return writer, to

    def _used(self, to: Expressions, name: str) -> str:
        """The result of another decision, worked out once."""
        held = f"decision_{name}"

        def compute() -> str:
            self._write(to, name, returns=False)
            return held

        return to.writer.once(held, compute)

    def _write(self, to: Expressions, name: str, *, returns: bool) -> None:
        logic = next(decision for decision in self.settled.ruleset.decisions if decision.name == name)
        DecisionWriter(to, logic, self.late_for(name), f"decision_{name}", returns).write()

    def _compile(self, name: str, writer: Writer, constants: dict[str, Any]) -> Callable[[Any, date], Any]:
        text = _text(name, writer)
        ruleset = self.settled.ruleset
        filename = f"<{ruleset.id}.{name}, version {ruleset.version}, {ruleset.digest[7:15]}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        names: dict[str, Any] = {**NAMES, **constants, "ZONE": zone(ruleset.timezone)}
        exec(compile(text, filename, "exec"), names)
        made: Callable[[Any, date], Any] = names[f"decide_{name}"]
        return made


def prepare(ruleset: Ruleset, choices: Mapping[str, str], as_of: date, late_for: LateFor) -> Program:
    """The program of a ruleset under readings, for the stretch of days around a day on which its parameters are the same."""
    _, parameters = stretch(ruleset, as_of)
    return Program(Settled(ruleset, choices, parameters, as_of), late_for)


def _text(name: str, writer: Writer) -> str:
    head = [f"def decide_{name}(facts, as_of):"]
    head += [f"    {guarded} = UNSET" for guarded in sorted(writer.guarded)]
    return "\n".join([*head, *writer.lines]) + "\n"
