"""The digest of a ruleset: equal digests, facts, readings and day give equal answers, byte for byte."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from policy_engine.frontend.nodes import YamlNode, plain
from policy_engine.language import timezones

MEANING = "1"
"""The version of the sentences in `docs/semantics.md`; raised when an answer could change."""


def digest_of(document: YamlNode, schema: str) -> str:
    """The digest of a rule file (not of its comments or layout), its schema, the meaning and the time-zone database."""
    covered = {
        "ruleset": plain(document),
        "schema": json.loads(schema, parse_float=Decimal),
        "meaning": MEANING,
        "timezones": timezones.VERSION,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), default=_exact)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _exact(number: object) -> str:
    return f"{Decimal(str(number)).normalize():f}"
