"""Parsing what a rule file says of calendars: the days of the week on which nobody works."""

from __future__ import annotations

from policy_engine.diagnostics import did_you_mean, say
from policy_engine.documents.nodes import ScalarNode, SequenceNode
from policy_engine.frontend.fields import Fields
from policy_engine.language.weekdays import DAYS


def weekend_of(fields: Fields) -> tuple[int, ...] | None:
    """The days under `weekend`, 1 for Monday, in their order; None where there are none, or what stands there was reported."""
    node = fields.node.get("weekend")
    if node is None:
        return None
    items = node.items if isinstance(node, SequenceNode) else ()
    words = [item.text.value if isinstance(item, ScalarNode) else "" for item in items]
    odd = next((at for at, word in enumerate(words) if word not in DAYS or word in words[:at]), None)
    if odd is None and isinstance(node, SequenceNode) and len(words) < len(DAYS):
        return tuple(sorted(DAYS.index(word) + 1 for word in words))
    span = node.span if odd is None else items[odd].span
    fields.faults.append(
        say("weekend-days", span, hint=None if odd is None else did_you_mean(words[odd].lower(), DAYS))
    )
    return None
