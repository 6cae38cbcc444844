"""What is answered where something is wrong: problem documents (RFC 9457), each of a kind that is documented here alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from policy_engine.errors import (
    FactsError,
    NotInForce,
    UnknownDecision,
    UnknownReading,
    Violation,
)

CONTENT_TYPE = "application/problem+json"
CLOSE = ("connection", "close")
"""The header of an answer after which the connection is closed."""
PLACE = "/problems/"
"""Where the service explains its kinds of problems."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name, the HTTP status, a title, and what a caller can do."""

    name: str
    status: int
    title: str
    advice: str


KINDS: tuple[Kind, ...] = (
    Kind("not-http", 400, "The request is not HTTP", "Send a request of HTTP/1.1; the detail says what is wrong."),
    Kind("not-json", 400, "The body cannot be read", "Send one JSON object in UTF-8, without a name twice in one object."),
    Kind("unknown-caller", 401, "Who asks is not known", "Send `Authorization: Bearer` with a key or a token that is valid."),
    Kind("forbidden", 403, "The caller may not ask this", "The detail says why; `decision` is the answer that refuses."),
    Kind("not-found", 404, "There is nothing at this address", "The documentation lists all addresses."),
    Kind("unknown-decision", 404, "There is no such ruleset or decision", "The detail names the nearest, or all."),
    Kind("wrong-method", 405, "This address does not take this method", "The header `Allow` names those that it takes."),
    Kind("too-slow", 408, "The body did not arrive in time", "Send the request again, faster or in smaller parts."),
    Kind("too-large", 413, "The body is too large", "Send less at once; the detail names the limit."),
    Kind("wrong-content-type", 415, "The body is of another type", "Set the header `Content-Type` as the detail says."),
    Kind("wrong-host", 421, "The service has another name", "Ask it as 127.0.0.1 or localhost, or give it keys or tokens."),
    Kind("invalid-question", 422, "The question is not as it must be", "Mend what the detail names."),
    Kind("invalid-facts", 422, "The facts are invalid, and nothing was decided", "Mend each of `violations`."),
    Kind("not-in-force", 422, "No version of the ruleset is in force on this day", "Ask `as_of` a day in one of its periods."),
    Kind("unknown-reading", 422, "There is no such reading, or no such choice of it", "The detail names the nearest, or all."),
    Kind("too-many", 429, "The caller asks too often", "Wait for the seconds that the header `Retry-After` names."),
    Kind("long-head", 431, "The headers are too many or too long", "Send fewer; the detail names the limit."),
    Kind("own-fault", 500, "The service itself is at fault", "Please report it, with the X-Request-ID of the answer."),
    Kind("log-unavailable", 503, "The answer cannot be logged", "Ask again later: nothing is answered that is not logged."),
)  # fmt: skip
BY_NAME: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in KINDS})
OF_ERRORS: Mapping[type[Exception], str] = MappingProxyType(
    {
        FactsError: "invalid-facts",
        UnknownDecision: "unknown-decision",
        NotInForce: "not-in-force",
        UnknownReading: "unknown-reading",
    }
)


class Problem(Exception):  # noqa: N818 - it is what is answered, in the words of RFC 9457
    """An answer that says what is wrong: its kind, a sentence, headers of its own, and further members of the document."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.members = BY_NAME[kind], detail, headers, members or {}

    def document(self) -> dict[str, object]:
        """The problem document, in JSON types."""
        kind = self.kind
        told = {"type": f"{PLACE}{kind.name}", "title": kind.title, "status": kind.status, "detail": self.detail}
        return {**told, **self.members}

    def to_json(self) -> bytes:
        """The document as JSON in UTF-8."""
        return json_bytes(self.document())


def problem_of(error: Exception) -> Problem:
    """What is answered where the engine raised an error of these kinds."""
    if isinstance(error, FactsError):
        number = len(error.violations)
        detail = f"there {'is 1 violation' if number == 1 else f'are {number} violations'}"
        return Problem("invalid-facts", detail, members={"violations": [_violation(each) for each in error.violations]})
    return Problem(OF_ERRORS[type(error)], str(error))


def own_fault() -> Problem:
    """What is answered where the service or the engine itself fails; why is not told, for it may hold facts."""
    return Problem("own-fault", "the question may be right; nothing was decided")


def _violation(violation: Violation) -> dict[str, object]:
    """A violation without the value, which the caller has and which may be long."""
    return {name: value for name, value in violation.to_dict().items() if name != "value"}


def json_bytes(value: Any) -> bytes:
    """A value in JSON types as UTF-8 without blanks; half a character is written as JSON escapes it."""
    return _write(value).encode("utf-8", "backslashreplace")


_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
