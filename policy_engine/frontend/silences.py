"""Warnings that an author has answered in the file, with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_engine.diagnostics import Diagnostic, Severity, say
from policy_engine.frontend.syntax import SilenceSyntax


def silenced(faults: Iterable[Diagnostic], silences: Iterable[SilenceSyntax]) -> Iterator[Diagnostic]:
    """The faults without the warnings that some silence answers; a silence that answers none is a fault itself.

    A silence holds for its own file, and for the schema of its facts.
    """
    told = list(faults)
    used: set[SilenceSyntax] = set()
    for fault in told:
        answers = [silence for silence in silences if _answers(silence, fault)]
        used.update(answers)
        if not answers:
            yield fault
    if not any(fault.severity is Severity.ERROR for fault in told):
        yield from (say("unused-silence", silence.code.span) for silence in silences if silence not in used)


def _answers(silence: SilenceSyntax, fault: Diagnostic) -> bool:
    here = fault.span.path == silence.code.span.path or fault.span.path.endswith(".schema.json")
    named = silence.name is None or f"`{silence.name}`" in fault.message
    return fault.severity is Severity.WARNING and fault.code == silence.code.value and here and named
