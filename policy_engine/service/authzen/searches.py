"""Searches: what is permitted, page by page. A search is no decision, so nothing of it is counted as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from policy_engine.errors import FactsError, NotInForce
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.authzen.evaluating import Asking, permits
from policy_engine.service.authzen.pages import part_of
from policy_engine.service.authzen.permissions import ACTION, RESOURCE, SUBJECT, Entities
from policy_engine.service.authzen.requests import entities_of, page_of
from policy_engine.service.authzen.searching import permitted_ids
from policy_engine.service.authzen.tenants import SIDES, Granted


def found(asking: Asking, searched: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a search for subjects, resources or actions; raises `Problem`."""
    page, entities = page_of(members), entities_of(members, searched)
    results = list(dict.fromkeys(_results(asking, searched, entities)))
    part = part_of(results, page, members, asking.call.head.path, asking.call.service.token_key)
    _remember(asking, searched, entities, part.results)
    told = list(map(_shown(searched, entities), part.results))
    return {"results": told} if part.page is None else {"page": part.page, "results": told}


def _results(asking: Asking, searched: str, entities: Entities) -> Iterator[str]:
    """The ids, or names of actions, that are permitted; none of a ruleset that is not in force."""
    for granted in asking.tenant.about(entities):
        try:
            yield from _permitted(asking, granted, searched, entities)
        except NotInForce:
            continue


def _permitted(asking: Asking, granted: Granted, searched: str, entities: Entities) -> Iterator[str]:
    ruleset, day = asking.in_force(granted.permission.ruleset)
    if searched != ACTION:
        if entities[ACTION]["name"] in granted.permission.actions:
            yield from permitted_ids(granted, searched, entities, ruleset, day)
    elif all(granted.is_known(side, entities, ruleset) for side in SIDES):
        asked = ({**entities, ACTION: {"name": name}} for name in granted.permission.actions)
        yield from (each[ACTION]["name"] for each in asked if _is_permitted(asking, granted, each, ruleset, day))


def _is_permitted(asking: Asking, granted: Granted, entities: Entities, ruleset: Ruleset, day: date) -> bool:
    try:
        decision = asking.loaded.engine.decide(granted.permission.decision, granted.facts(entities, ruleset), as_of=day)
    except FactsError:
        return False
    return permits(granted.permission, decision)


def _remember(asking: Asking, searched: str, entities: Entities, results: Sequence[str]) -> None:
    """With a decision log, make a record of what is told: one for all permissions, under the name of the first."""
    call, granted = asking.call, next(iter(asking.tenant.about(entities)), None)
    log = call.service.log
    if log is None or granted is None:
        return
    from policy_engine.decision_log.recording import Searched  # noqa: PLC0415 - without a decision log nobody pays for it

    try:
        ruleset, day = asking.in_force(granted.permission.ruleset)
    except NotInForce:
        return
    others = {side: _named(side, entity) for side, entity in entities.items() if side in (SUBJECT, RESOURCE, ACTION)}
    told = Searched(granted.permission.decision, day, {**others, "searched": searched}, results)
    call.service.keep(call.records, lambda: log.searched(told, ruleset, call.caller.name))


def _named(side: str, entity: Mapping[str, Any]) -> dict[str, Any]:
    """An entity by its name, or by its type and id, without its properties, which may be facts."""
    return {name: entity[name] for name in (("name",) if side == ACTION else ("type", "id")) if name in entity}


def _shown(searched: str, entities: Entities) -> Callable[[str], dict[str, str]]:
    """What is told of a result: the name of an action, or the type and id of another entity."""
    if searched == ACTION:
        return lambda name: {"name": name}
    type_ = entities[searched]["type"]
    return lambda id_: {"type": type_, "id": id_}
