"""Diagnostics, answers and traces as text for a terminal, without control characters from files."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from policy_engine.diagnostics import Diagnostic, Severity, shown_text
from policy_engine.language.decisions import Decision
from policy_engine.language.origins import flattened, noted
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.traces import Explanation, Origin, Step, Verdict
from policy_engine.language.values import Unknown, in_words
from policy_engine.reports.explanations import why_unknown

STYLES = {
    Verdict.APPLIES: "green",
    Verdict.WOULD_APPLY: "dim",
    Verdict.UNKNOWN: "yellow",
    Verdict.DOES_NOT_APPLY: "dim",
    Verdict.NOT_REACHED: "dim",
}
LONGEST_VALUE = 120
WIDE = 200
LONGEST_LINE = 2_000


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is, without markup or highlighting; wide where there is no screen."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = WIDE
    return made


def safe(text: str, style: str = "", limit: int = LONGEST_LINE) -> Text:
    """Text fit for a terminal."""
    return Text(shown_text(text, limit=limit), style=style)


def diagnostic_line(diagnostic: Diagnostic) -> str:
    """A diagnostic on one line."""
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    return shown_text(
        f"{diagnostic.span}: {diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}{hint}", LONGEST_LINE
    )


def diagnostic_text(diagnostic: Diagnostic) -> Text:
    """A diagnostic with its marked line, its hint, and the other places it is about."""
    colour = "bold red" if diagnostic.severity is Severity.ERROR else "bold yellow"
    text = Text.assemble(
        safe(f"{diagnostic.span}: "),
        (f"{diagnostic.severity}[{diagnostic.code}]", colour),
        ": ",
        safe(diagnostic.message),
        "\n",
    )
    if diagnostic.excerpt is not None:
        text.append(_marked(diagnostic))
    gutter = " " * len(str(diagnostic.span.line))
    for related in diagnostic.related:
        text.append_text(safe(f"{gutter} = see: {related.span}: {related.label}")).append("\n")
    if diagnostic.hint:
        text.append(f"{gutter} = help: ", "bold").append_text(safe(diagnostic.hint)).append("\n")
    return text


def _marked(diagnostic: Diagnostic) -> str:
    """The line, with the place under it marked; long lines are cut around the mark."""
    number, line = str(diagnostic.span.line), diagnostic.excerpt or ""
    start = max(0, diagnostic.span.column - 80)
    shown = shown_text(line[start : start + 160], limit=400)
    column = diagnostic.span.column - 1 - start
    length = max(1, min(diagnostic.span.length, len(shown) - column))
    gutter = " " * len(number)
    return f"{gutter} |\n{number} | {shown}\n{gutter} | {' ' * column}{'^' * length}\n"


def answer_text(decision: Decision, ruleset: Ruleset) -> Text:
    """An answer with its reason, values, sources and readings."""
    text = Text.assemble(
        (decision.decision, "bold"),
        ": ",
        safe(_outcome(decision), "bold green" if decision.status == "decided" else "bold yellow"),
        "\n",
    )
    for label, detail in _details(decision, ruleset):
        text.append(f"  {label:<9} ", "dim").append_text(safe(detail)).append("\n")
    return text


def _outcome(decision: Decision) -> str:
    outcomes = decision.outcome if isinstance(decision.outcome, tuple) else ()
    if decision.status != "decided":
        return f"{decision.status}, surely {', '.join(outcomes)}" if outcomes else str(decision.status)
    if decision.outcome is None:
        return ", ".join(f"{name} = {in_words(value)}" for name, value in decision.values.items()) or "decided"
    return decision.outcome if isinstance(decision.outcome, str) else ", ".join(outcomes) or "nothing"


def _details(decision: Decision, ruleset: Ruleset) -> Iterable[tuple[str, str]]:
    yield "because", decision.reason
    if decision.missing:
        yield "missing", ", ".join(decision.missing)
    if decision.rules:
        yield "rule", ", ".join(decision.rules)
    for name, value in decision.values.items():
        yield "value", f"{name} = {in_words(value)}"
    for source in ruleset.sources:
        if source.id in decision.sources:
            yield "source", noted(f"{source.title}{f' ({source.edition})' if source.edition else ''}", source.library)
    for reading in ruleset.readings:
        if reading.name in decision.readings:
            others = ", ".join(c.name for c in reading.choices if c.name != decision.readings[reading.name])
            choice = f"{decision.readings[reading.name]} ({'fixed; ' if reading.fixed else ''}or {others})"
            yield "reading", noted(f"{reading.name} = {choice}: {reading.question}", reading.library)
    yield "as of", f"{decision.as_of} ({ruleset.timezone})"
    yield "ruleset", f"{decision.ruleset.id}, version {decision.ruleset.version}, {decision.ruleset.digest[:19]}"


def explanation_tree(explanation: Explanation) -> Tree:
    """The rules of a decision in order, each with the steps of its condition; then its values, then the decisions it used.

    What a definition stands for is shown where it is first used.
    """
    tree, seen = Tree(Text("how it was decided", "bold")), set[str]()
    _add_trace(tree, explanation, seen)
    for used in explanation.trace.used:
        _add_trace(tree.add(safe(f"{used.decision.decision}: {_outcome(used.decision)}", "bold")), used, seen)
    return tree


def _add_trace(tree: Tree, explanation: Explanation, seen: set[str]) -> None:
    for rule in explanation.trace.rules:
        verdict = (str(rule.verdict), STYLES[rule.verdict])
        branch = tree.add(Text.assemble(safe(rule.id, "bold"), "  ", verdict, "  ", safe(rule.place, "dim")))
        _add_steps(branch, rule.steps, seen)
    _add_steps(tree, explanation.trace.values, seen)


def _add_steps(tree: Tree, steps: Iterable[Step], seen: set[str]) -> None:
    branches = [tree]
    for depth, step, is_repeated in flattened((one for one in steps if one.origin is not Origin.LITERAL), 0, seen):
        origin = "" if step.origin is Origin.COMPUTED else f"  {step.origin}{f': {step.note}' if step.note else ''}"
        origin += ", as above" if is_repeated else ""
        label = Text.assemble(safe(step.text), " = ", _step_value(step), safe(origin, "dim"))
        branches[depth + 1 :] = [branches[depth].add(label)]


def _step_value(step: Step) -> Text:
    if not isinstance(step.value, Unknown):
        words = in_words(step.value)
        return safe(words if len(words) <= LONGEST_VALUE else f"{words[:LONGEST_VALUE]}...", "cyan")
    return safe(f"unknown ({'; '.join(why_unknown(step.value))})", "yellow")
