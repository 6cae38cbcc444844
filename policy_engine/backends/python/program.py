"""Compiling: one function for each decision and one for all of a ruleset, readable in tracebacks and debuggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from itertools import chain
from types import MappingProxyType
from typing import Any

from policy_engine.backends.contract import Answers
from policy_engine.backends.python import missing_facts, recorder, runtime
from policy_engine.backends.python.answers import own_values
from policy_engine.backends.python.decisions import DecisionWriter, Exit
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.reading import read_all
from policy_engine.backends.python.recorder import Recording
from policy_engine.backends.python.tracebacks import Source, file_name
from policy_engine.backends.python.writer import TooManyRepeats, Writer
from policy_engine.language.decisions import Decision, Ruling, Status
from policy_engine.language.expressions import Expression
from policy_engine.language.in_force import in_force
from policy_engine.language.mentions import (
    Mention,
    below,
    expressions_in,
    mentions_in,
    sensitivity_of_wording,
    wording_of,
)
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.language.rulings import Applied, ruling_of, sentences_of
from policy_engine.language.sentences import sentence_of
from policy_engine.language.specialize import constant, specialize
from policy_engine.language.timezones import zone

Recorder = tuple[tuple[int, ...], Callable[[Any, date], tuple[Any, ...]]]
"""A function that records, and the keys of what it gives."""
ALL, CHECKS = "*", "checks"
"""What functions are of that are of no single decision."""

DECIDE_OF, MISSING_OF = ("facts", "as_of"), ("answer", "facts", "as_of")
"""What the functions that decide, and those that say what is missing, are given first."""

MOST_REPEATS = 300
"""Of lines that work out what may have been worked out already; past so many, definitions are hoisted to the top.

A definition is written where it is first needed. Where each of a chain of definitions is used twice, that doubles the code at
each link of the chain (2^n).
"""

MOST_RULINGS = 20_000
"""Rules that are collected come to as many rulings as they have combinations; past so many, those made are forgotten."""


@dataclass(slots=True)
class Program:
    """A ruleset under chosen readings on a stretch of days; its functions are written when first called for.

    `decide(name)` is a function of a day and of facts in JSON types for which `checks` gives true. What it raises over such facts
    is a fault of its own, but for `NotPlain`: a number that JSON Schema and Python read differently. `unfolded` gives the ruleset
    that is recorded; it is made when a decision is first explained. `is_valid` tells whether facts fit the schema, and may raise
    `ValueError` for what is no JSON. `forms` is for whoever makes traces, to keep what they share.
    """

    ruleset: Ruleset
    specialized: Ruleset
    choices: Mapping[str, str]
    unfolded: Callable[[], Ruleset]
    is_valid: Callable[[object], bool] | None = None
    forms: dict[int, Any] = field(default_factory=dict)
    functions: dict[tuple[str, str], Any] = field(default_factory=dict)
    rulings: dict[object, Ruling] = field(default_factory=dict)
    exits: int = 0
    is_sensitive: Callable[[Expression], bool] = field(init=False)

    def __post_init__(self) -> None:
        self.is_sensitive = sensitivity_of_wording(self.ruleset)

    def decide(self, name: str) -> Callable[[Any, date], Decision]:
        """The function of one decision."""
        return self._made("decide", name, partial(self._write, name=name, returns=True))

    def decide_all(self) -> Callable[[Any, date], dict[str, Decision]]:
        """The function that gives every decision by name."""
        return self._made("decide", ALL, self._all)

    def checks(self) -> Callable[[Any, date], bool]:
        """The function that tells whether facts are a dictionary, valid where that is asked, and true to all checks.

        It reads every date, and raises `NotPlain` where there is no such day, a number is too large, or facts are no JSON.
        """
        return self._made("hold", CHECKS, self._checks)

    def missing(self, name: str) -> Callable[[Decision, Any, date], Decision]:
        """The function that adds to an undetermined decision what it misses, or the causes where that is nothing."""
        return self._made("missing", name, partial(missing_facts.write, exit_=Exit(name)), MISSING_OF)

    def record(self, name: str, facts: Mapping[str, Any], as_of: date) -> Recording:
        """A decision with the values of its nodes, and of those of the decisions it uses, over valid facts in JSON types."""
        copied = runtime.copied(facts)
        decide, recorders = self.functions.get(("record", name)) or self._recording(name)
        return Recording(copied, decide(copied, as_of), [(keys, record(copied, as_of)) for keys, record in recorders])

    def source(self, name: str | None = None) -> str:
        """The text of a decision's function, or of the one for all."""
        to = self._written(name or ALL, partial(self._write, name=name, returns=True) if name else self._all)
        return _text(f"decide_{name or 'all'}", to.writer)

    def _all(self, to: Expressions) -> None:
        results = {logic.name: to.use(logic.name) for logic in self.specialized.decisions}
        to.writer.line("answers = {}")
        for name, held in results.items():
            logic = self.specialized.decision(name)
            codes = {value: f"{held}[1][{at}]" for at, (value, _) in enumerate(logic.value_types)}
            values = own_values(to, logic, codes)
            to.writer.line(f"answers[{to.bind(name)}] = answer = answered({held}[0], {values}, as_of, (), {held}[2])")
            with to.writer.block(f"if {held}[0].status is UNDETERMINED:"):
                to.writer.line(f"{self._undetermined_at(to, Exit(name))}(answer, facts, as_of)")
        to.writer.line("return answers")

    def _checks(self, to: Expressions) -> None:
        valid = "" if self.is_valid is None else f" or not {to.bind_new(self.is_valid)}(facts)"
        to.writer.line("try:")
        to.writer.depth += 1
        with to.writer.block(f"if facts.__class__ is not dict{valid}:"):
            to.writer.line("return False")
        told = chain.from_iterable(map(wording_of, self.ruleset.decisions))
        asked = {each.name for each in mentions_in([*expressions_in(self.ruleset), *told]) if each.kind == "fact"}
        read_all(to, "facts", self.specialized.facts.type, asked)
        to.writer.depth -= 1
        to.writer.line("except ValueError as error:")
        to.writer.line("    raise NotPlain from error")
        for check in self.specialized.checks:
            code, _ = to.condition(check.expect)
            with to.writer.block(f"if {code} is False:"):
                to.writer.line("return False")
        to.writer.line("return True")

    def _ruling(self, logic: DecisionLogic, status: Status, applied: Applied) -> Ruling:
        """The constant part of the answer that rules lead to, made once for all functions."""
        key = (logic.name, status, *((rule, id(conclusion)) for rule, conclusion in applied))
        if key not in self.rulings:
            if len(self.rulings) >= MOST_RULINGS:
                self.rulings.clear()
            ruleset, choices = self.ruleset, self.choices
            sentences = (sentence_of(each, self.is_sensitive) for each in sentences_of(logic, status, applied))
            self.rulings[key] = ruling_of(ruleset, choices, logic, status, applied, sentences)
        return self.rulings[key]

    def _undetermined_at(self, to: Expressions, exit_: Exit) -> str:
        """The name of the function that ends an undetermined decision at an exit; it is written when first called."""

        def first(*parts: Any) -> Decision:
            to.constants[name] = end = self._missing_at(exit_)
            return end(*parts)

        name = to.bind_new(first)
        return name

    def _missing_at(self, exit_: Exit) -> Callable[..., Decision]:
        """The function that adds what an undetermined decision misses, told what was worked out already at an exit."""
        if exit_ == Exit(exit_.decision):
            return self.missing(exit_.decision)
        to = self._written(exit_.decision, partial(missing_facts.write, exit_=exit_), exit_.given)
        self.exits += 1
        to.writer.guarded.difference_update(exit_.given)
        return self._compiled(f"missing_{exit_.decision}_{self.exits}", to, (*MISSING_OF, *exit_.given))

    def _recording(self, name: str) -> tuple[Callable[[Any, date], Decision], Sequence[Recorder]]:
        """The function that decides, and those that record the decision and the ones it uses."""
        used = below(self.unfolded(), [Mention("decision", name)])
        made = self.decide(name), [self._recorder(each.name) for each in used if each.kind == "decision"]
        self.functions["record", name] = made
        return made

    def _recorder(self, name: str) -> Recorder:
        recorded: dict[str, int] = {}
        unfolded = self.unfolded()
        to = Expressions(unfolded, Writer(), lambda used: self._used(to, used, told=False), recorded=recorded)
        _hoist(to, below(unfolded, [Mention("decision", name)]), name)
        recorder.write(to, unfolded.decision(name))
        to.writer.guarded.update(recorded)
        return tuple(recorded.values()), self._compiled(f"record_{name}", to)

    def _used(self, to: Expressions, name: str, *, told: bool) -> str:
        """The result of another decision, worked out once."""
        held = f"decision_{name}"

        def compute() -> str:
            recorded, to.recorded = to.recorded, None
            self._write(to, name, returns=False, told=told)
            to.recorded = recorded
            return held

        return to.writer.once(held, compute)

    def _write(self, to: Expressions, name: str, *, returns: bool, told: bool = True) -> None:
        logic = self.specialized.decision(name)
        DecisionWriter(to, logic, self._ruling, self._undetermined_at, f"decision_{name}", returns, told).write()

    def _made(
        self, kind: str, name: str, write: Callable[[Expressions], None], parameters: Sequence[str] = DECIDE_OF
    ) -> Callable[..., Any]:
        """A function of a kind, written when first called for."""
        if (kind, name) not in self.functions:
            to = self._written(name, write)
            self.functions[kind, name] = self._compiled(f"{kind}_{name.replace(ALL, 'all')}", to, parameters)
        made: Callable[..., Any] = self.functions[kind, name]
        return made

    def _written(
        self, name: str, write: Callable[[Expressions], None], given: Mapping[str, str] = MappingProxyType({})
    ) -> Expressions:
        """What is written of a decision, of all of them, or of the checks."""
        to = self._begun(name, given, MOST_REPEATS)
        try:
            write(to)
        except (TooManyRepeats, RecursionError):
            to = self._begun(name, given)
            _hoist(to, below(self.specialized, self._asked_by(name)), name)
            write(to)
        return to

    def _begun(self, name: str, given: Mapping[str, str], most_repeats: int | None = None) -> Expressions:
        writer = Writer(state=dict(given), most_repeats=most_repeats)
        to = Expressions(self.specialized, writer, lambda used: self._used(to, used, told=name == ALL))
        return to

    def _asked_by(self, name: str) -> Iterable[Mention]:
        """What the function of a decision, of all of them, or of the checks asks for itself."""
        ruleset = self.specialized
        if name == CHECKS:
            return mentions_in(check.expect for check in ruleset.checks)
        asked = [logic for logic in ruleset.decisions if name in (logic.name, ALL)]
        said = mentions_in(expression for logic in asked for expression in wording_of(logic))
        return [*(Mention("decision", logic.name) for logic in asked), *said]

    def _compiled(self, name: str, to: Expressions, parameters: Sequence[str] = DECIDE_OF) -> Callable[..., Any]:
        ruleset, text, known = self.specialized, _text(name, to.writer, parameters), to.constants
        filename = file_name(f"{ruleset.id}.{name}, version {ruleset.version}, {ruleset.digest[7:15]}")
        known.update(runtime.NAMES, ZONE=zone(ruleset.timezone), WEEK=ruleset.week)
        known.update(__name__=name, __loader__=Source(text))
        exec(compile(text, filename, "exec"), known)
        made: Callable[..., Any] = known[name]
        return made


def back_end(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    decide = prepare(ruleset, readings, as_of).decide_all()
    return lambda facts: [
        {name: decision.to_dict() for name, decision in decide(each, as_of).items()} for each in facts
    ]


def prepare(
    ruleset: Ruleset, readings: Mapping[str, str], as_of: date, is_valid: Callable[[object], bool] | None = None
) -> Program:
    """The program of a ruleset under readings, for the stretch of days around a day on which its parameters are the same.

    `is_valid` is what `Program.checks` validates facts with, if at all. Raises `UnknownReading`.
    """
    choices, ruleset = choices_of(ruleset, readings), in_force(ruleset, as_of)
    unfolded = cache(partial(specialize, ruleset, choices, as_of, fold=False))
    return Program(ruleset, specialize(ruleset, choices, as_of), choices, unfolded, is_valid)


def _hoist(to: Expressions, mentions: Iterable[Mention], asking: str) -> None:
    """Work out definitions, and the decisions that are used by the one that is asking, before anything that needs them."""
    for mention in mentions:
        if mention.kind == "decision" and mention.name != asking:
            to.use(mention.name)
        elif mention.kind == "definition" and constant(to.ruleset.definition(mention.name).body) is None:
            to.defined(mention.name)


def _text(name: str, writer: Writer, parameters: Sequence[str] = DECIDE_OF) -> str:
    head = f"def {name}({', '.join(parameters)}):"
    unset = [f"    {guarded} = UNSET" for guarded in sorted(writer.guarded)]
    return "\n".join([head, *unset, *writer.lines]) + "\n"
