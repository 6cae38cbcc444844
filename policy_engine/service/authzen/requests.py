"""From the bodies of AuthZEN requests to subjects, actions and resources. Members that nobody knows are left unread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.diagnostics import shown_text
from policy_engine.facts.plain import DEEPEST
from policy_engine.service.authzen.permissions import ACTION, CONTEXT, ENTITIES, RESOURCE, SUBJECT, Entities
from policy_engine.service.problems import Problem
from policy_engine.service.requests import read_object

NEEDED: Mapping[str, tuple[str, ...]] = {SUBJECT: ("type", "id"), ACTION: ("name",), RESOURCE: ("type", "id")}
"""The texts that entities must have."""
EXAMPLE = '{"subject": {"type": "user", "id": "alice"}, "action": {...}, "resource": {...}}'
SEMANTICS = EXECUTE_ALL, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT = (
    "execute_all",
    "deny_on_first_deny",
    "permit_on_first_permit",
)
MOST_EVALUATIONS = 1_000
"""Evaluations of one request; nobody else is answered while they are."""
LARGEST_LIMIT = 1_000_000_000
HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the results is asked for: so many at most, None where it is not said, and behind those of a token."""

    limit: int | None = None
    token: str = ""


def members_of(body: bytes) -> dict[str, Any]:
    """The members of a request; raises `Problem`, also for halves of characters and for what is nested too deep."""
    members = read_object(body, example=EXAMPLE)
    if body.count(b"{") + body.count(b"[") > DEEPEST and _is_deep(members):
        raise Problem("not-json", f"the body is nested more than {DEEPEST} levels deep")
    if b"\\u" in body and not _is_whole(members):
        raise Problem("not-json", "the body: a text holds half a character (a lone surrogate)")
    return members


def _is_deep(value: Any) -> bool:
    """Whether more objects and lists lie in one another than facts may have."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [part for each in level for part in _parts(each)]
    return bool(level)


def _is_whole(value: Any) -> bool:
    """Whether no text holds half a character."""
    names = value if isinstance(value, dict) else [value] if isinstance(value, str) else ()
    return not any(map(HALF.search, names)) and all(map(_is_whole, _parts(value)))


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def entities_of(members: Mapping[str, Any], searched: str = "") -> Entities:
    """The entities of a request; raises `Problem`. Of the one that is searched only its type is read, of an action nothing."""
    needed = {name: parts for name, parts in NEEDED.items() if name != searched}
    found = {name: _entity(members, name, parts) for name, parts in needed.items()}
    if searched in (SUBJECT, RESOURCE):
        found[searched] = {"type": _entity(members, searched, ("type",))["type"]}
    context = members.get(CONTEXT)
    return {**found, CONTEXT: {} if context is None else _object(context, CONTEXT)}


def _entity(members: Mapping[str, Any], name: str, texts: Sequence[str]) -> Mapping[str, Any]:
    if members.get(name) is None:
        raise _wrong(f"`{name}` is missing")
    entity = _object(members[name], name)
    for part in texts:
        if not isinstance(entity.get(part), str):
            raise _wrong(f"`{name}.{part}` {'must be a text' if part in entity else 'is missing'}")
    properties = entity.get("properties")
    return {**entity, "properties": {} if properties is None else _object(properties, f"{name}.properties")}


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(f"`{name}` must be an object")
    return value


def evaluations_of(members: Mapping[str, Any]) -> list[Any]:
    """The evaluations of a request as they stand there, none where it is a single one; raises `Problem`."""
    given = members.get("evaluations")
    if given is None:
        return []
    if not isinstance(given, list):
        raise _wrong("`evaluations` must be a list")
    if len(given) > MOST_EVALUATIONS:
        raise _wrong(f"a request has at most {MOST_EVALUATIONS} evaluations, not {len(given)}")
    return given


def with_defaults(item: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation whose own entities replace the request's, each as a whole.

    Only the texts without which an entity is none are taken from there, as the certification of AuthZEN asks.
    """
    own = _object(item, "an evaluation")
    return {name: _with_default(name, own.get(name), defaults.get(name)) for name in ENTITIES}


def _with_default(name: str, own: Any, default: Any) -> Any:
    if own is None:
        return default
    if not isinstance(own, dict) or not isinstance(default, dict):
        return own
    needed = {part: default[part] for part in NEEDED.get(name, ()) if part in default}
    return {**needed, **own}


def semantic_of(members: Mapping[str, Any]) -> str:
    """How evaluations are carried out: one of `SEMANTICS`; raises `Problem`."""
    options = members.get("options")
    given = None if options is None else _object(options, "options").get("evaluations_semantic")
    if given is not None and given not in SEMANTICS:
        raise _wrong(
            f"`options.evaluations_semantic`: `{shown_text(str(given), 40)}` is none of {', '.join(SEMANTICS)}"
        )
    return given or EXECUTE_ALL


def page_of(members: Mapping[str, Any]) -> Page | None:
    """The page of results that is asked for, None where nothing is said of pages; raises `Problem`."""
    if members.get("page") is None:
        return None
    page = _object(members["page"], "page")
    limit, token = page.get("limit"), page.get("token")
    if limit is not None and not _is_limit(limit):
        raise _wrong(f"`page.limit` must be a whole number from 0 to {LARGEST_LIMIT}")
    if token is not None and not isinstance(token, str):
        raise _wrong("`page.token` must be the text that an answer has as `next_token`")
    if page.get("properties") is not None:
        _object(page["properties"], "page.properties")
    return Page(None if limit is None else int(limit), token or "")


def _is_limit(value: Any) -> bool:
    return type(value) in (int, Decimal) and 0 <= value <= LARGEST_LIMIT and value % 1 == 0


def _wrong(detail: str) -> Problem:
    return Problem("invalid-question", detail)
