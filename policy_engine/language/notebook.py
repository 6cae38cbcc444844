"""Answers and explanations as HTML for notebooks: without scripts, colours and style sheets, so that it reads in light and dark.

Everything from facts and rule files is escaped, and characters that turn the direction of a text are spelled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from policy_engine.diagnostics import shown_text
from policy_engine.language.origins import flattened
from policy_engine.language.values import Value, in_words

if TYPE_CHECKING:
    from policy_engine.language.decisions import Decision
    from policy_engine.language.traces import Explanation, Step, Trace

LONGEST = 2_000
"""Characters of a text that are shown."""
MOST_STEPS = 500
"""Steps of a rule, and rules of a decision, that are shown."""
LEFT = "text-align: left; vertical-align: top"


def text_html(text: object) -> str:
    """A text within HTML."""
    return escape(shown_text(str(text), LONGEST))


def table_html(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    """A table of what is said under each heading; what is said is HTML."""
    body = "".join(
        f'<tr><th scope="row" style="{LEFT}">{text_html(name)}</th><td style="{LEFT}">{said}</td></tr>'
        for name, said in rows
    )
    return (
        f'<table><caption style="{LEFT}"><strong>{text_html(caption)}</strong></caption><tbody>{body}</tbody></table>'
    )


def decision_html(decision: Decision) -> str:
    """An answer."""
    return table_html(decision.decision, ((name, text_html(said)) for name, said in _said(decision)))


def _said(decision: Decision) -> Iterator[tuple[str, str]]:
    outcome = decision.outcome
    yield "status", str(decision.status)
    if outcome is not None:
        yield "outcome", outcome if isinstance(outcome, str) else in_words(outcome)
    yield "because", decision.reason
    yield from ((name, in_words(value)) for name, value in decision.values.items() if value is not None)
    lists = {"missing": decision.missing, "rules": decision.rules, "sources": decision.sources}
    yield from ((name, ", ".join(said)) for name, said in lists.items() if said)
    if decision.readings:
        yield "readings", ", ".join(f"{name} = {choice}" for name, choice in decision.readings.items())
    yield "as of", decision.as_of.isoformat()
    ruleset = decision.ruleset
    yield "ruleset", f"{ruleset.id}, version {ruleset.version}, {ruleset.digest[:19]}"


def explanation_html(explanation: Explanation) -> str:
    """An answer, and folded under it how it came about."""
    used = "".join(_folded(f"used: {one.decision.decision}", explanation_html(one)) for one in explanation.trace.used)
    return f"<div>{decision_html(explanation.decision)}{trace_html(explanation.trace)}{used}</div>"


def trace_html(trace: Trace) -> str:
    """The rules of a trace in order, each folded over the steps of its condition; then its values."""
    rules = "".join(
        _folded(f"{rule.id}: {rule.verdict}", _steps(rule.steps), rule.place)
        for rule in islice(trace.rules, MOST_STEPS)
    )
    more = f"<p>and {len(trace.rules) - MOST_STEPS} more rules</p>" if len(trace.rules) > MOST_STEPS else ""
    values = _folded("values", _steps(trace.values)) if trace.values else ""
    return f"<div>{rules}{more}{values}</div>"


def _folded(summary: str, inner: str, note: str = "") -> str:
    small = f" <small>{text_html(note)}</small>" if note else ""
    said = f"{text_html(summary)}{small}"
    return f"<details><summary>{said}</summary>{inner}</details>" if inner else f"<p>{said}</p>"


def _steps(steps: tuple[Step, ...]) -> str:
    lines = list(islice(flattened(steps, 0, set()), MOST_STEPS + 1))
    shown = "".join(_step(depth, step, is_repeated=seen) for depth, step, seen in lines[:MOST_STEPS])
    more = "<p>and more</p>" if len(lines) > MOST_STEPS else ""
    return f'<ul style="list-style: none">{shown}</ul>{more}' if shown else ""


def _step(depth: int, step: Step, *, is_repeated: bool) -> str:
    origin = ": ".join(part for part in (str(step.origin), step.note) if part) + (", as above" if is_repeated else "")
    value: Value = step.value
    said = f"<code>{text_html(step.text)}</code> = {text_html(in_words(value))} <small>({text_html(origin)})</small>"
    return f'<li style="margin-left: {depth * 1.5}em">{said}</li>'
