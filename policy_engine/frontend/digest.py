"""The digest of a ruleset: equal digests, facts, readings and day give equal answers, byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

from policy_engine.frontend.nodes import YamlNode, plain
from policy_engine.language import timezones
from policy_engine.language.values import Holidays

MEANING = "2"
"""The version of the sentences in `docs/semantics.md`; raised when an answer could change."""


def digest_of(document: YamlNode, schema: str, calendars: Iterable[Holidays] = ()) -> str:
    """The digest of all that an answer depends on but facts, readings and day.

    Covered are the rule file (not its comments or layout), its schema, the dates of each named calendar, the version of the
    meaning and that of the time-zone database.
    """
    covered = {
        "ruleset": plain(document),
        "schema": json.loads(schema, parse_float=Decimal),
        "calendars": {c.name: [c.first, c.last, *(day.isoformat() for day in c.dates)] for c in calendars},
        "meaning": MEANING,
        "timezones": timezones.VERSION,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), default=_exact)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _exact(number: object) -> str:
    return f"{Decimal(str(number)).normalize():f}"
