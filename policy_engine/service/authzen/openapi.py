"""The addresses of AuthZEN described in OpenAPI, with an example of the permissions that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from policy_engine.service.authzen.metadata import ENDPOINTS, TENANT, WELL_KNOWN, metadata
from policy_engine.service.authzen.requests import MOST_EVALUATIONS, SEMANTICS
from policy_engine.service.fact_schemas import or_null

if TYPE_CHECKING:
    from policy_engine.service.authzen.tenants import Tenant, Tenants

Json = dict[str, Any]
TAG = {"name": "authzen", "description": "AuthZEN Authorization API 1.0"}
REFUSALS: Mapping[str, str] = {
    "400": "The request is not as it must be",
    "401": "Who asks is not known",
    "403": "The caller may not ask this",
    "404": "There is no such tenant",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "421": "The service has another name",
    "429": "The caller asks too often",
    "500": "The service itself is at fault",
}
OF_METADATA = ("400", "404", "500")
TEXT: Json = {"type": "string"}
ANY: Json = {"type": "object"}


def _object(needed: Mapping[str, Json], optional: Mapping[str, Json]) -> Json:
    """An object that may have further members, which nobody reads; what may be absent may be null."""
    members = {**needed, **{name: or_null(part) for name, part in optional.items()}}
    return {"type": "object", "properties": members, "required": list(needed)}


NAMED = _object({"type": TEXT, "id": TEXT}, {"properties": ANY})
OF_TYPE = _object({"type": TEXT}, {"properties": ANY})
ACTION = _object({"name": TEXT}, {"properties": ANY})
PAGE = _object(
    {}, {"limit": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}, "token": TEXT, "properties": ANY}
)
ASKED = {"subject": NAMED, "action": ACTION, "resource": NAMED}
DECISION = _object({"decision": {"type": "boolean"}}, {"context": ANY})
OPTIONS = _object({}, {"evaluations_semantic": {"type": "string", "enum": list(SEMANTICS)}})
NONE = {"type": "array", "maxItems": 0}
SEVERAL = {"type": "array", "minItems": 1, "maxItems": MOST_EVALUATIONS, "description": "Each with what differs."}
EVALUATIONS = {
    "anyOf": [
        _object({"evaluations": SEVERAL}, {"options": OPTIONS}),
        _object(ASKED, {"context": ANY, "evaluations": NONE}),
    ]
}
DECISIONS = {"anyOf": [_object({"evaluations": {"type": "array", "items": DECISION}}, {}), DECISION]}
MORE = {"context": ANY, "page": PAGE}
TOLD_PAGE = _object({"next_token": TEXT}, {"count": {"type": "integer"}, "total": {"type": "integer"}})


def _results(result: Json) -> Json:
    return _object({"results": {"type": "array", "items": result}}, {"page": TOLD_PAGE})


QUESTIONS: Mapping[str, tuple[str, Json, Json]] = {
    "access_evaluation_endpoint": ("Whether a subject may do something", _object(ASKED, {"context": ANY}), DECISION),
    "access_evaluations_endpoint": ("Several evaluations", EVALUATIONS, DECISIONS),
    "search_subject_endpoint": ("Who may do something", _object({**ASKED, "subject": OF_TYPE}, MORE), _results(NAMED)),
    "search_resource_endpoint": (
        "With which resources something may be done",
        _object({**ASKED, "resource": OF_TYPE}, MORE),
        _results(NAMED),
    ),
    "search_action_endpoint": (
        "What a subject may do",
        _object({"subject": NAMED, "resource": NAMED}, MORE),
        _results(ACTION),
    ),
}
"""What each address is for, what is sent to it, and what it answers."""


def authzen_paths(tenants: Tenants) -> dict[str, Json]:
    """The addresses of the service itself, if it has permissions, and those of its tenants, if it has any."""
    named = sorted(name for name in tenants.tenants if name)
    places = [("", tenants.tenants[""])] if "" in tenants.tenants else []
    places += [(TENANT, tenants.tenants[named[0]])] if named else []
    return {path: item for place, tenant in places for path, item in _paths(place, tenant, named)}


def _paths(place: str, tenant: Tenant, named: list[str]) -> Iterator[tuple[str, Json]]:
    own: Json = {"tags": [TAG["name"]]}
    if place:
        schema = {"type": "string", "enum": named}
        own["parameters"] = [{"name": "tenant", "in": "path", "required": True, "schema": schema}]
    begins = "tenant_" if place else ""
    for name, path in ENDPOINTS.items():
        summary, asked, told = QUESTIONS[name]
        content = {"application/json": {"schema": asked, "example": _example(tenant)}}
        body = {"required": True, "content": content}
        responses = {"200": _json("The answer", told), **_refusals(*REFUSALS)}
        operation = {"operationId": f"{begins}{name.removesuffix('_endpoint')}", "summary": summary}
        yield f"{place}{path}", {"post": {**own, **operation, "requestBody": body, "responses": responses}}
    known = _object(dict.fromkeys(metadata("", ""), TEXT), {})
    responses = {"200": _json("The metadata", known), **_refusals(*OF_METADATA)}
    operation = {"operationId": f"{begins}authzen_configuration", "summary": "Where each question is asked"}
    yield f"{WELL_KNOWN}{place}", {"get": {**own, **operation, "responses": responses}}


def _example(tenant: Tenant) -> Json:
    """A request that every address answers."""
    permission = tenant.granted[0].permission
    return {
        "subject": {"type": permission.subject, "id": "alice"},
        "action": {"name": permission.actions[0]},
        "resource": {"type": permission.resource, "id": "1"},
    }


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(*statuses: str) -> Json:
    text = {"text/plain": {"schema": TEXT}}
    return {status: {"description": REFUSALS[status], "content": text} for status in statuses}
