"""Evaluations: whether a subject may do something with a resource. Everything but the outcome that permits is a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.errors import FactsError, NotInForce
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.authzen import requests
from policy_engine.service.authzen.messages import status_of
from policy_engine.service.authzen.permissions import ACTION, RESOURCE, SUBJECT, Entities, Permission
from policy_engine.service.exchanges import Exchange
from policy_engine.service.loaded import Loaded
from policy_engine.service.problems import Problem, json_bytes, problem_of
from policy_engine.service.requests import Question

if TYPE_CHECKING:
    from policy_engine.service.authzen.tenants import Granted, Tenant


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Whether something is permitted, and the whole answer as JSON."""

    is_permitted: bool
    answer: bytes


@dataclass(frozen=True, slots=True)
class Asking:
    """A request to a tenant, answered throughout by the rules and tables that were there when it came."""

    call: Exchange
    loaded: Loaded
    tenant: Tenant

    def evaluation(self, members: Mapping[str, Any]) -> bytes:
        """The answer to one evaluation; raises `Problem`."""
        return self._evaluated(requests.entities_of(members)).answer

    def evaluations(self, members: Mapping[str, Any]) -> bytes:
        """The answers to several, in their order, up to the one that settles them; raises `Problem`."""
        items = requests.evaluations_of(members)
        if not items:
            return self.evaluation(members)
        semantic = requests.semantic_of(members)
        last = {requests.DENY_ON_FIRST_DENY: False, requests.PERMIT_ON_FIRST_PERMIT: True}.get(semantic)
        answers = _until(last, (self._item(item, members) for item in items))
        return b'{"evaluations":[%b]}' % b",".join(answers)

    def _item(self, item: Any, defaults: Mapping[str, Any]) -> Evaluation:
        """One of several: what is wrong with it is no fault of the others."""
        try:
            return self.call.tried(lambda: self._of_item(item, defaults))
        except Problem as problem:
            self.call.service.counts.problem(problem.kind.name)
            error = {"status": status_of(problem), "message": problem.detail}
            return _refused({"reason": problem.detail, "error": error})

    def _of_item(self, item: Any, defaults: Mapping[str, Any]) -> Evaluation:
        return self._evaluated(requests.entities_of(requests.with_defaults(item, defaults)))

    def _evaluated(self, entities: Entities) -> Evaluation:
        granted = list(self.tenant.about(entities))
        action = entities[ACTION]["name"]
        found = next((each for each in granted if action in each.permission.actions), None)
        if found is None:
            return _refused({"reason": _unknown(entities, granted)})
        return self._decided(found, entities)

    def _decided(self, granted: Granted, entities: Entities) -> Evaluation:
        permission = granted.permission
        try:
            ruleset, day = self.in_force(permission.ruleset)
            question = Question(permission.ruleset, permission.name, granted.facts(entities, ruleset), day)
            call = self.call
            decision = call.service.decided(question, self.loaded, call.caller, call.records)
        except (FactsError, NotInForce) as error:
            return self._undecided(error)
        is_permitted = permits(permission, decision)
        return Evaluation(is_permitted, _answer(is_permitted, decision.to_json()))

    def _undecided(self, error: FactsError | NotInForce) -> Evaluation:
        """The refusal where the facts are invalid, or no version of the ruleset is in force."""
        problem = problem_of(error)
        self.call.service.counts.problem(problem.kind.name)
        reason = f"the facts are invalid: {error}" if isinstance(error, FactsError) else str(error)
        return _refused({"reason": reason, **problem.members})

    def in_force(self, ruleset: str) -> tuple[Ruleset, date]:
        """The version of a ruleset that is in force today, and the day; raises `NotInForce`."""
        day = self.call.service.clock.day(self.loaded.timezone(ruleset))
        return self.loaded.engine.ruleset(ruleset, day), day


def permits(permission: Permission, decision: Decision) -> bool:
    """Whether a decision permits: it is decided, and its outcome is the one that the permission names."""
    return decision.status is Status.DECIDED and decision.outcome == permission.allow


def _until(last: bool | None, found: Iterable[Evaluation]) -> Iterator[bytes]:
    """The answers up to the first that permits, or refuses, as `last` says; all where it is None."""
    for each in found:
        yield each.answer
        if each.is_permitted is last:
            return


def _unknown(entities: Entities, granted: Sequence[Granted]) -> str:
    """Why no permission answers a request."""
    subject, resource = (shown_text(entities[side]["type"], 40) for side in (SUBJECT, RESOURCE))
    if not granted:
        return f"no permission is about what a `{subject}` may do with a `{resource}`"
    actions = [action for each in granted for action in each.permission.actions]
    named = shown_text(entities[ACTION]["name"], 40) or "(empty)"
    return unknown_name(f"action of a `{subject}` on a `{resource}`", named, actions)


def _refused(context: Mapping[str, object]) -> Evaluation:
    return Evaluation(is_permitted=False, answer=_answer(False, json_bytes(context)))


def _answer(is_permitted: bool, context: bytes) -> bytes:
    return b'{"decision":%b,"context":%b}' % (b"true" if is_permitted else b"false", context)
