"""The addresses of AuthZEN, those of tenants included, and what each of them answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.service.authzen.evaluating import Asking
from policy_engine.service.authzen.metadata import ENDPOINTS, TENANT, WELL_KNOWN, address_of, metadata
from policy_engine.service.authzen.requests import members_of
from policy_engine.service.exchanges import Exchange, Step
from policy_engine.service.limits import refuse_long_body
from policy_engine.service.problems import Problem
from policy_engine.service.requests import JSON, require_type
from policy_engine.service.responses import Response, json_response

Begin = Callable[[Exchange], Step]
Answer = Callable[[Asking, dict[str, Any]], Response]


def is_authzen(path: str) -> bool:
    """Whether an address is one of AuthZEN, where what is wrong is told as a text."""
    return path.startswith(("/access/", "/tenants/", WELL_KNOWN))


def _evaluation(asking: Asking, members: dict[str, Any]) -> Response:
    return Response(200, asking.evaluation(members))


def _evaluations(asking: Asking, members: dict[str, Any]) -> Response:
    return Response(200, asking.evaluations(members))


def _search(searched: str, asking: Asking, members: dict[str, Any]) -> Response:
    from policy_engine.service.authzen.searches import found  # noqa: PLC0415 - without a mapping nobody needs Polars

    return json_response(found(asking, searched, members))


def _asked(answer: Answer, call: Exchange) -> Step:
    """What to do with a question: read it whole, then answer it."""
    service = call.service
    asking = _asking(call)
    require_type(call.head, JSON)
    refuse_long_body(call.head.header("content-length"), service.settings.largest_body)
    service.require(call.caller, "decide")
    return call.after_body(lambda body: answer(asking, members_of(body)))


def _asking(call: Exchange) -> Asking:
    """The tenant that is asked; raises `Problem` where there is none."""
    loaded, name = call.service.loaded, call.named.get("tenant", "")
    known = loaded.tenants.tenants if loaded.tenants is not None else {}
    if name in known:
        return Asking(call, loaded, known[name])
    if name:
        raise Problem("not-found", unknown_name("tenant", shown_text(name, 40), [each for each in known if each]))
    told = "it has tenants alone" if known else "the setting `authzen` names the mapping that it needs"
    raise Problem("not-found", f"this service answers no AuthZEN questions here: {told}")


def _metadata(call: Exchange) -> Step:
    _asking(call)
    settings, host = call.service.settings, call.head.header("host") or ""
    public = settings.public_url or address_of(host, is_encrypted=bool(settings.certificate))
    return json_response(metadata(public, TENANT.format(**call.named) if call.named else ""))


ANSWERS: dict[str, Answer] = {
    "access_evaluation_endpoint": _evaluation,
    "access_evaluations_endpoint": _evaluations,
    "search_subject_endpoint": partial(_search, "subject"),
    "search_resource_endpoint": partial(_search, "resource"),
    "search_action_endpoint": partial(_search, "action"),
}


def _addresses() -> Iterator[tuple[str, Begin]]:
    for name, path in ENDPOINTS.items():
        for place in ("", TENANT):
            yield f"{place}{path}", partial(_asked, ANSWERS[name])


QUESTIONS: tuple[tuple[str, Begin], ...] = tuple(_addresses())
"""The addresses to which questions are sent."""
METADATA: tuple[tuple[str, Begin], ...] = ((WELL_KNOWN, _metadata), (f"{WELL_KNOWN}{TENANT}", _metadata))
"""The addresses that are read."""
