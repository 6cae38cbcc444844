"""What Schemathesis does not know by itself: how a body of JSON Lines is sent, and what null means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import schemathesis
from schemathesis import GenerationMode


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def sent(context: object, value: object) -> bytes:
    """A body as it is; any bytes may be sent, for each line of them has an answer of its own."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def filter_case(context: object, case: schemathesis.Case[Any]) -> bool:
    """Whether a case is tried: none that must be refused and has a fact that is null.

    A fact that is null counts as absent, also under a name that there is not, which the description does not say.
    """
    must_be_refused = case.meta is not None and case.meta.generation.mode is GenerationMode.NEGATIVE
    facts = case.body.get("facts") if isinstance(case.body, Mapping) else None
    return not (must_be_refused and _holds_null(facts))


def _holds_null(facts: object) -> bool:
    if isinstance(facts, Mapping):
        return any(member is None or _holds_null(member) for member in facts.values())
    return isinstance(facts, list) and any(map(_holds_null, facts))
