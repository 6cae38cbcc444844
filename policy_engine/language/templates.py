"""Reasons as their authors wrote them."""

from __future__ import annotations

from policy_engine.language.expressions import Expression
from policy_engine.language.rulesets import Formatted, Quoted, Template


def words_of(part: str | Quoted | Expression | Formatted) -> tuple[str, bool]:
    """A part of a reason as its author wrote it, and whether it is a placeholder; a plural reads `day/days`."""
    if isinstance(part, Formatted):
        plural = part.format.name == "plural"
        return ("/".join(part.format.arguments), False) if plural else words_of(part.expression)
    if isinstance(part, Expression):
        written = part.text
        return (written[len("if_known(") :].removesuffix(")") if written.startswith("if_known(") else written), True
    return (part.text if isinstance(part, Quoted) else part), False


def as_written(template: Template) -> str:
    """A reason with its placeholders in braces."""
    parts = map(words_of, template.parts)
    return "".join(f"{{{words}}}" if is_placeholder else words for words, is_placeholder in parts)
