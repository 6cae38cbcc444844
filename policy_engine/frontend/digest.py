"""The digest of a ruleset: with equal digest, facts, readings and day, answers are equal byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from policy_engine.documents.nodes import YamlNode, as_written
from policy_engine.language import timezones
from policy_engine.language.values import Holidays

MEANING = "2"
"""The version of the sentences in `docs/semantics.md`; raised when an answer could change."""

TakenText: TypeAlias = tuple[str, str, str, YamlNode]
"""A part that is taken: its library, the section it stands in, its name, its text."""


def digest_of(
    document: YamlNode,
    schema: str,
    calendars: Iterable[Holidays] = (),
    tables: Sequence[tuple[str, Sequence[Sequence[str]]]] = (),
    taken: Iterable[TakenText] = (),
    words: str | None = None,
) -> str:
    """The digest of all that an answer depends on but facts, readings and day.

    Covered are the rule file and its schema, the rows of `tables` in files of their own, the dates of each named calendar, the
    text of each part that is `taken` from a library, the version of the meaning, that of the time-zone database, and where
    sentences have formats that of the `words` of languages. Of all files the order of all parts counts, and the spelling of
    numbers: missing facts are told in the schema's order, and `4.90` is told as it is written. Comments, layout and the way in
    which a text is quoted do not count, so the line that a trace gives for a rule is no part of the answer.
    """
    covered = [
        ["ruleset", as_written(document)],
        ["schema", _of_json(json.loads(schema, parse_float=_Spelled, parse_int=_Spelled, object_pairs_hook=_Pairs))],
        ["calendars", [[c.name, c.first, c.last, *(day.isoformat() for day in c.dates)] for c in calendars]],
        ["meaning", MEANING],
        ["timezones", timezones.VERSION],
        *([["tables", *tables]] if tables else []),
        *([["words", words]] if words else []),
    ]
    parts = [[library, section, name, as_written(node)] for library, section, name, node in taken]
    covered += [["libraries", parts]] if parts else []
    text = json.dumps(covered, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class _Spelled(str):
    """A number as it is written."""

    __slots__ = ()


class _Pairs(list[tuple[str, object]]):
    """The members of an object in their order."""


def _of_json(value: object) -> object:
    """The same for what a JSON text holds."""
    match value:
        case _Pairs():
            return ["mapping", *([name, _of_json(part)] for name, part in value)]
        case list():
            return ["list", *map(_of_json, value)]
        case str() if not isinstance(value, _Spelled):
            return value
        case _:
            return ["other", str(value)]
