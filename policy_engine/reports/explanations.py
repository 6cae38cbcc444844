"""An explanation in the words of its reader: a customer, an agent who talks to the customer, or an auditor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from policy_engine.diagnostics import shown_text
from policy_engine.errors import FactsError, Violation
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.mentions import expressions_in, reads_sensitive, sensitive_paths
from policy_engine.language.origins import flattened, noted
from policy_engine.language.rulesets import DecisionLogic, Reading, Ruleset, Source, conclusions_of
from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Verdict
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
    logic = ruleset.decision(explanation.decision.decision.removeprefix(f"{ruleset.id}."))
    match reader:
        case Reader.CUSTOMER:
            sections = _for_customer(explanation.decision, ruleset, logic)
        case Reader.AGENT:
            sections = _for_agent(explanation, ruleset, logic)
        case Reader.AUDITOR:
            sections = _for_auditor(explanation, ruleset, logic)
    return tuple(section for section in sections if section.lines)


def as_text(sections: Iterable[Section]) -> str:
    """Plain text, without line breaks or control characters by which a fact could forge a line."""
    lines: list[str] = []
    for section in sections:
        lines += ["", section.heading] if section.heading else []
        lines += [
            f"{'  ' * (line.depth + bool(section.heading))}{shown_text(line.text, LONGEST)}" for line in section.lines
        ]
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


def _answer(decision: Decision, logic: DecisionLogic, withheld: frozenset[str] = frozenset()) -> str:
    return f"The answer to \u201c{logic.question}\u201d is {outcome_in_words(decision, withheld)}."


def _withheld(ruleset: Ruleset, logic: DecisionLogic, decision: Decision) -> frozenset[str]:
    """The values of a decision that disclose a sensitive fact."""
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
        return ", ".join(f"{name} {value}" for name, value in _spoken_values(decision, withheld))
    outcomes = decision.outcome if isinstance(decision.outcome, tuple) else (decision.outcome,)
    return ", ".join(outcome.replace("_", " ") for outcome in outcomes) or "nothing"


def _spoken_values(decision: Decision, withheld: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The values by their names without underscores, those withheld as a mask."""
    for name, value in decision.values.items():
        yield name.replace("_", " "), MASK if name in withheld else in_words(value)


def _for_customer(decision: Decision, ruleset: Ruleset, logic: DecisionLogic) -> Iterator[Section]:
    """The answer, its reason, and the values beside an outcome, with what discloses a sensitive fact withheld."""
    withheld = _withheld(ruleset, logic, decision)
    reason = "".join(MASK if part.sensitive else part.text for part in decision.said)
    yield Section("", (Line(_answer(decision, logic, withheld)), Line(reason)))
    if decision.status is Status.DECIDED and decision.outcome is not None:
        yield Section("Values", tuple(Line(f"{name}: {value}") for name, value in _spoken_values(decision, withheld)))


def withheld_from_customers(error: FactsError, ruleset: Ruleset) -> FactsError:
    """The error without the values of sensitive facts, for a customer who is to learn why there is no answer."""
    sensitive = tuple(sensitive_paths(ruleset.facts.type))
    return FactsError([_withheld_violation(violation, sensitive) for violation in error.violations])


def _withheld_violation(violation: Violation, sensitive: tuple[str, ...]) -> Violation:
    """A violation without its value where that is a sensitive fact, or holds one."""
    names = [part for part in violation.pointer.split("/")[1:] if not part.isdigit()]
    path = ".".join(names)
    discloses = any(one == path or not path or one.startswith(f"{path}.") for one in sensitive)
    if not discloses or violation.keyword in ("required", "check"):
        return violation
    expected = (
        f"{violation.expected} was expected" if violation.keyword != "additionalProperties" else violation.message
    )
    return replace(violation, value=None, message=f"{MASK}: {expected}")


def _for_agent(explanation: Explanation, ruleset: Ruleset, logic: DecisionLogic) -> Iterator[Section]:
    """The answer, and for each rule that was considered the conditions that decided about it, with their values."""
    decision = explanation.decision
    lines = [Line(_answer(decision, logic)), Line(decision.reason)]
    if decision.missing:
        lines.append(Line(f"Missing: {', '.join(decision.missing)}."))
    yield Section("", tuple(lines))
    considered = [rule for rule in explanation.trace.rules if rule.steps or rule.verdict is Verdict.APPLIES]
    joined = _joined(ruleset)
    yield Section("What decided", tuple(line for rule in considered for line in _rule_in_short(rule, joined)))
    yield Section("Values", tuple(Line(f"{name}: {in_words(value)}") for name, value in decision.values.items()))


def _joined(ruleset: Ruleset) -> frozenset[str]:
    """The text of every condition that is made of conditions: groups, `and`, `or` and `not`."""
    nodes = (node for expression in expressions_in(ruleset) for node in tree.walk(expression.tree))
    return frozenset(node.text for node in nodes if _joins(node)) | {"all", "any", "none"}


def _joins(node: tree.Node) -> bool:
    match node:
        case tree.Chain():
            return False
        case tree.Not(operand=tree.In(text=text)):
            return text != node.text  # `a not in b` is one condition
    return isinstance(node, tree.And | tree.Or | tree.Not)


def _rule_in_short(rule: RuleTrace, joined: frozenset[str]) -> Iterator[Line]:
    yield Line(f"{rule.id} {rule.verdict}" if rule.verdict is not Verdict.UNKNOWN else f"{rule.id} is unknown")
    decisive = dict.fromkeys(text for step in rule.steps for text in _decisive(step, joined))
    yield from (Line(text, 1) for text in decisive)


def _decisive(step: Step, joined: frozenset[str]) -> Iterator[str]:
    """The innermost conditions that made a condition what it is; those that definitions stand for included."""
    joins = isinstance(step.value, bool | Unknown) and (step.origin is Origin.DEFINITION or step.text in joined)
    below = [part for part in step.steps if part.origin is not Origin.LITERAL] if joins else []
    if not below:
        yield _with_values(step)
        return
    same = [part for part in below if _alike(part.value, step.value)]
    for part in same or below:
        yield from _decisive(part, joined)


def _alike(one: object, other: object) -> bool:
    return one is other or (isinstance(one, Unknown) and isinstance(other, Unknown))


def _with_values(step: Step) -> str:
    named = [below for below in step.steps if below.origin is not Origin.LITERAL]
    values = ", ".join(dict.fromkeys(f"{below.text} is {_value(below)}" for below in named))
    return f"{step.text} is {_value(step)}{f' ({values})' if values else ''}"


def _value(step: Step) -> str:
    if not isinstance(step.value, Unknown):
        return in_words(step.value)
    return f"unknown, for {' and '.join(why_unknown(step.value))}"


def why_unknown(value: Unknown) -> list[str]:
    """The facts that are absent, and other causes."""
    return [*(f"{path} is absent" for path in sorted(value.missing)), *value.causes]


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
    yield Section("Values", tuple(Line(f"{name}: {in_words(value)}") for name, value in decision.values.items()))
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
        lines += _whole_steps(rule.steps, 1, seen)
    lines += _whole_steps(explanation.trace.values, 0, seen)
    return tuple(lines)


def _whole_steps(steps: Iterable[Step], depth: int, seen: set[str]) -> Iterator[Line]:
    for at, step, is_repeated in flattened(steps, depth, seen):
        origin = "" if step.origin is Origin.COMPUTED else f" [{step.origin}{f': {step.note}' if step.note else ''}]"
        yield Line(f"{step.text} = {_value(step)}{origin}{', as above' if is_repeated else ''}", at)


def _reading(reading: Reading, decision: Decision) -> Iterator[Line]:
    question = f"{reading.name}: {reading.question}{' (fixed)' if reading.fixed else ''}"
    yield Line(noted(question, reading.library))
    for choice in reading.choices:
        taken = " (taken)" if choice.name == decision.readings[reading.name] else ""
        yield Line(f"{choice.name}{taken}: {choice.argument}", 1)


def _source(source: Source) -> str:
    text = f"{source.id}: {', '.join(part for part in (source.title, source.edition, source.url) if part)}"
    return noted(text, source.library)
