"""What is answered to AuthZEN requests that are wrong: a text, as the specification asks, in the place of a problem document."""

from __future__ import annotations

from policy_engine.service.problems import Problem
from policy_engine.service.responses import TEXT, Response

BAD_REQUEST = 400
BAD_REQUESTS = (415, 422)
"""Statuses that AuthZEN does not tell from 400."""


def status_of(problem: Problem) -> int:
    """The status of a problem as AuthZEN has it."""
    return BAD_REQUEST if problem.kind.status in BAD_REQUESTS else problem.kind.status


def message_response(problem: Problem) -> Response:
    """A problem as one line of text."""
    return Response(
        status_of(problem), f"{problem.detail}\n".encode("utf-8", "backslashreplace"), (*TEXT, *problem.headers)
    )
