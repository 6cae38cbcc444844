"""One explanation for three readers: a customer, an agent who talks to the customer, and an auditor."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from policy_engine.diagnostics import shown_text
from policy_engine.errors import FactsError, Violation
from policy_engine.language.decisions import Decision, Explanation, Origin, RuleTrace, Status, Step, Verdict
from policy_engine.language.mentions import reads_sensitive, sensitive_paths
from policy_engine.language.rulesets import DecisionLogic, Reading, Ruleset, Source, conclusions_of
from policy_engine.language.sentences import Said
from policy_engine.language.values import Unknown, in_words
from policy_engine.reports import markdown

MASK = "(withheld)"
LONGEST = 2_000


class Reader(StrEnum):
    """Whom an explanation is for."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an explanation, indented by `depth`."""

    text: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading; the first section of an explanation has none."""

    heading: str
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, object]:
        """The section in JSON types."""
        return {"heading": self.heading, "lines": [{"depth": line.depth, "text": line.text} for line in self.lines]}


def explained(explanation: Explanation, ruleset: Ruleset, reader: Reader) -> tuple[Section, ...]:
    """An explanation as a reader needs it: two sentences, or what decided, or everything."""
    logic = next(d for d in ruleset.decisions if explanation.decision.decision == f"{ruleset.id}.{d.name}")
    match reader:
        case Reader.CUSTOMER:
            return _telling(_for_customer(explanation.decision, ruleset, logic))
        case Reader.AGENT:
            return _telling(_for_agent(explanation, logic))
        case Reader.AUDITOR:
            return _telling(_for_auditor(explanation, ruleset, logic))


def _telling(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections that have lines."""
    return tuple(section for section in sections if section.lines)


def as_text(sections: Iterable[Section]) -> str:
    """Plain text."""
    lines: list[str] = []
    for section in sections:
        lines += ["", section.heading] if section.heading else []
        lines += [f"{'  ' * (line.depth + bool(section.heading))}{_one_line(line.text)}" for line in section.lines]
    return "\n".join(lines) + "\n"


def as_markdown(sections: Iterable[Section]) -> str:
    """Markdown: a paragraph, then a list under each heading."""
    lines: list[str] = []
    for section in sections:
        if section.heading:
            lines += ["", f"## {section.heading}", ""]
            lines += [f"{'  ' * line.depth}- {markdown.text(line.text)}" for line in section.lines]
        else:
            lines += [markdown.text(line.text) for line in section.lines]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """A text in which no line break or other sign of control, which a fact may hold, can forge a line."""
    return shown_text(text, LONGEST)


def _answer(decision: Decision, logic: DecisionLogic, withheld: frozenset[str] = frozenset()) -> str:
    return f"The answer to \u201c{logic.question}\u201d is {outcome_in_words(decision, withheld)}."


def _withheld(ruleset: Ruleset, logic: DecisionLogic, decision: Decision) -> frozenset[str]:
    """The values of a decision that tell a sensitive fact."""
    own = [value for _, conclusion in conclusions_of(logic.body) for value in conclusion.values]
    values = [value for value in (*logic.values, *own) if value.name in decision.values]
    return frozenset(value.name for value in values if reads_sensitive(ruleset, value.expression))


def outcome_in_words(decision: Decision, withheld: frozenset[str] = frozenset()) -> str:
    """The outcome without underscores; a calculation's values, but for those withheld; or that there is none."""
    if decision.status is Status.UNDETERMINED:
        return "not known yet"
    if decision.status is Status.GAP:
        return "not covered by the rules"
    if decision.outcome is None:
        told = {name: MASK if name in withheld else _shown(value) for name, value in decision.values.items()}
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items())
    outcomes = decision.outcome if isinstance(decision.outcome, tuple) else (decision.outcome,)
    return ", ".join(outcome.replace("_", " ") for outcome in outcomes) or "nothing"


def _masked(reason: tuple[Said, ...]) -> str:
    return "".join(MASK if part.sensitive else part.text for part in reason)


def _for_customer(decision: Decision, ruleset: Ruleset, logic: DecisionLogic) -> Iterator[Section]:
    """The answer, its reason, and the values beside an outcome, but for what tells a sensitive fact."""
    withheld = _withheld(ruleset, logic, decision)
    yield Section("", (Line(_answer(decision, logic, withheld)), Line(_masked(decision.said))))
    if decision.status is Status.DECIDED and decision.outcome is not None:
        told = {name: MASK if name in withheld else _shown(value) for name, value in decision.values.items()}
        yield Section("Values", tuple(Line(f"{name.replace('_', ' ')}: {value}") for name, value in told.items()))


def withheld_from_customers(error: FactsError, ruleset: Ruleset) -> FactsError:
    """The error without the values of sensitive facts, for a customer who is to learn why there is no answer."""
    sensitive = tuple(sensitive_paths(ruleset.facts.type))
    return FactsError([_withheld_violation(violation, sensitive) for violation in error.violations])


def _withheld_violation(violation: Violation, sensitive: tuple[str, ...]) -> Violation:
    """A violation without its value where that is a sensitive fact, or holds one."""
    names = [part for part in violation.pointer.split("/")[1:] if not part.isdigit()]
    path = ".".join(names)
    tells = any(one == path or not path or one.startswith(f"{path}.") for one in sensitive)
    if not tells or violation.keyword in ("required", "check"):
        return violation
    expected = (
        f"{violation.expected} was expected" if violation.keyword != "additionalProperties" else violation.message
    )
    return replace(violation, value=None, message=f"{MASK}: {expected}")


def _for_agent(explanation: Explanation, logic: DecisionLogic) -> Iterator[Section]:
    """The answer, and for each rule that was considered the conditions that decided about it, with their values."""
    decision = explanation.decision
    lines = [Line(_answer(decision, logic)), Line(decision.reason)]
    if decision.missing:
        lines.append(Line(f"Missing: {', '.join(decision.missing)}."))
    yield Section("", tuple(lines))
    considered = [rule for rule in explanation.trace.rules if rule.steps or rule.verdict is Verdict.APPLIES]
    yield Section("What decided", tuple(line for rule in considered for line in _rule_in_short(rule)))
    if decision.values:
        yield Section("Values", tuple(Line(f"{name}: {_shown(value)}") for name, value in decision.values.items()))


def _rule_in_short(rule: RuleTrace) -> Iterator[Line]:
    yield Line(f"{rule.id} {rule.verdict}" if rule.verdict is not Verdict.UNKNOWN else f"{rule.id} is unknown")
    told = dict.fromkeys(text for step in rule.steps for text in _decisive(step))
    yield from (Line(text, 1) for text in told)


def _decisive(step: Step) -> Iterator[str]:
    """The innermost conditions that made a condition what it is; those that definitions stand for included."""
    below = [part for part in step.steps if part.origin is not Origin.LITERAL] if _joins(step) else []
    if not below:
        yield _with_values(step)
        return
    same = [part for part in below if _alike(part.value, step.value)]
    for part in same or below:
        yield from _decisive(part)


def _joins(step: Step) -> bool:
    """Whether a step is a condition made of conditions: a definition, all, any, none, `and`, `or`, `not`."""
    if not isinstance(step.value, bool | Unknown):
        return False
    if step.origin is Origin.DEFINITION or step.text in ("all", "any", "none"):
        return True
    tree = ast.parse(step.text, mode="eval").body if step.steps else None
    return isinstance(tree, ast.BoolOp) or (isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not))


def _alike(one: object, other: object) -> bool:
    return one is other or (isinstance(one, Unknown) and isinstance(other, Unknown))


def _with_values(step: Step) -> str:
    named = [below for below in step.steps if below.origin is not Origin.LITERAL]
    values = ", ".join(dict.fromkeys(f"{below.text} is {_told(below)}" for below in named))
    return f"{step.text} is {_told(step)}{f' ({values})' if values else ''}"


def _told(step: Step) -> str:
    if not isinstance(step.value, Unknown):
        return in_words(step.value)
    why = [*(f"{path} is absent" for path in sorted(step.value.missing)), *step.value.causes]
    return f"unknown, for {' and '.join(why)}"


def _shown(value: object) -> str:
    return "none" if value is None else in_words(value)  # type: ignore[arg-type]  # a decision's values are values


def _for_auditor(explanation: Explanation, ruleset: Ruleset, logic: DecisionLogic) -> Iterator[Section]:
    """Everything: each sub-expression with value and origin, sources, readings with their alternatives, version, digest."""
    decision, seen = explanation.decision, set[str]()
    head = [
        f"{decision.decision}: {outcome_in_words(decision)} ({decision.status})",
        f"question: {logic.question}",
        f"reason: {decision.reason}",
        f"rules: {', '.join(decision.rules) or 'none'}",
        f"missing: {', '.join(decision.missing) or 'none'}",
        f"as of: {decision.as_of} ({ruleset.timezone})",
    ]
    yield Section("", tuple(map(Line, head)))
    if decision.values:
        yield Section("Values", tuple(Line(f"{name}: {_shown(value)}") for name, value in decision.values.items()))
    yield Section("Rules", _whole_rules(explanation, seen))
    for used in explanation.trace.used:
        yield Section(f"Used: {used.decision.decision}, {outcome_in_words(used.decision)}", _whole_rules(used, seen))
    readings = [reading for reading in ruleset.readings if reading.name in decision.readings]
    yield Section("Readings", tuple(line for reading in readings for line in _reading(reading, decision)))
    yield Section("Sources", tuple(Line(_source(s)) for s in ruleset.sources if s.id in decision.sources))
    reference = decision.ruleset
    text = f"{reference.id}, version {reference.version}, {ruleset.period}"
    yield Section("Ruleset", (Line(text), Line(f"digest {reference.digest}")))


def _whole_rules(explanation: Explanation, seen: set[str]) -> tuple[Line, ...]:
    """The rules and then the values with all their steps; what a definition stands for is shown once."""
    lines: list[Line] = []
    for rule in explanation.trace.rules:
        lines.append(Line(f"{rule.id}: {rule.verdict}{f' ({rule.place})' if rule.place else ''}"))
        lines += (line for step in rule.steps for line in _whole_step(step, 1, seen))
    lines += (line for step in explanation.trace.values for line in _whole_step(step, 0, seen))
    return tuple(lines)


def _whole_step(step: Step, depth: int, seen: set[str]) -> Iterator[Line]:
    origin = "" if step.origin is Origin.COMPUTED else f" [{step.origin}{f': {step.note}' if step.note else ''}]"
    known = step.origin is Origin.DEFINITION and step.text in seen
    yield Line(f"{step.text} = {_told(step)}{origin}{', as above' if known else ''}", depth)
    if step.origin is Origin.DEFINITION:
        seen.add(step.text)
    for below in () if known else step.steps:
        if below.origin is not Origin.LITERAL:
            yield from _whole_step(below, depth + 1, seen)


def _reading(reading: Reading, decision: Decision) -> Iterator[Line]:
    yield Line(f"{reading.name}: {reading.question}{' (fixed)' if reading.fixed else ''}")
    for choice in reading.choices:
        taken = " (taken)" if choice.name == decision.readings[reading.name] else ""
        yield Line(f"{choice.name}{taken}: {choice.argument}", 1)


def _source(source: Source) -> str:
    parts = [source.title, source.number, f"updated {source.updated}" if source.updated else None, source.url]
    return f"{source.id}: {', '.join(part for part in parts if part)}"
