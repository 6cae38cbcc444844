"""The metadata of a policy decision point: where it is, and the address of each question that it answers."""

from __future__ import annotations

import re

from policy_engine.diagnostics import shown_text
from policy_engine.service.problems import Problem

WELL_KNOWN = "/.well-known/authzen-configuration"
TENANT = "/tenants/{tenant}"
"""The place of a tenant below the address of the service."""
ENDPOINTS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}
"""The members of the metadata, and where each question is asked below the address of the service or of a tenant."""
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")


def metadata(public: str, place: str) -> dict[str, str]:
    """The metadata of the service, or with a place below it that of a tenant."""
    point = f"{public}{place}"
    return {"policy_decision_point": point, **{name: f"{point}{path}" for name, path in ENDPOINTS.items()}}


def address_of(host: str, *, is_encrypted: bool) -> str:
    """The address of the service by the name that a caller asked it by; raises `Problem`."""
    if not HOST.fullmatch(host):
        raise Problem("invalid-question", f"the header `Host` names no host: `{shown_text(host, 60)}`")
    return f"{'https' if is_encrypted else 'http'}://{host}"
