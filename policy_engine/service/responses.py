"""What is sent back: status, headers and body."""

from __future__ import annotations

from typing import NamedTuple

from policy_engine.service.problems import CLOSE, CONTENT_TYPE, Problem, json_bytes

Headers = tuple[tuple[str, str], ...]
SAFE: Headers = (
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
"""Nobody keeps an answer, shows it in a frame, takes it for a page or is told where a link in it stood."""
JSON: Headers = (("content-type", "application/json"), *SAFE)
JSON_LINES: Headers = (("content-type", "application/jsonl"), *SAFE)
TEXT: Headers = (("content-type", "text/plain; charset=utf-8"), *SAFE)
METRICS: Headers = (("content-type", "text/plain; version=0.0.4; charset=utf-8"), *SAFE)
PROBLEM: Headers = (("content-type", CONTENT_TYPE), *SAFE)


class Response(NamedTuple):
    """An answer over HTTP, but for the header `X-Request-ID`, which every answer has."""

    status: int
    body: bytes
    headers: Headers = JSON

    def with_header(self, name: str, value: str) -> Response:
        """The same with one more header."""
        return Response(self.status, self.body, (*self.headers, (name, value)))

    @property
    def is_last(self) -> bool:
        """Whether the connection is closed after it."""
        return self.headers is not JSON and CLOSE in self.headers


def json_response(value: object, status: int = 200) -> Response:
    """A value in JSON types."""
    return Response(status, json_bytes(value))


def problem_response(problem: Problem) -> Response:
    """A problem document."""
    return Response(problem.kind.status, problem.to_json(), (*PROBLEM, *problem.headers))
