"""What both clients share: the address, what is sent with each request, and what failures of a connection mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from policy_engine.client.problems import NoAnswer
from policy_engine.client.questions import Call
from policy_engine.client.retries import Failure, Reply

Key: TypeAlias = "str | Callable[[], str] | None"
"""A key or a token, or what gives one that is valid now."""
PATIENCE = 10.0
"""Seconds to wait for a connection, and for each further part of an answer."""
PASSES = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)
"""What may be otherwise in a moment. An answer that takes too long is not among it: asking again would take longer still."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where questions go, and by whom they are asked; raises `ValueError` where that is no address."""

    address: str
    key: Key = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.address)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
            raise ValueError(f"the address of a service is such as http://localhost:8000, not `{self.address}`")

    def request(self, call: Call, request_id: str | None) -> dict[str, Any]:
        """What httpx is told of a request."""
        headers = {"accept": "*/*", "content-type": call.media} if call.body is not None else {"accept": "*/*"}
        key = self.key() if callable(self.key) else self.key
        if key:
            headers["authorization"] = f"Bearer {_sendable('key', key)}"
        if request_id:
            headers["x-request-id"] = _sendable("request id", request_id)
        url = f"{self.address.rstrip('/')}{call.path}"
        return {"method": call.method, "url": url, "content": call.body, "headers": headers}


def _sendable(what: str, text: str) -> str:
    """A text that a header can hold; raises `ValueError`, which does not tell it, for a key is a secret."""
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"the {what} has characters that cannot be sent")
    return text


def reply_of(response: httpx.Response) -> Reply:
    """An answer that was read whole."""
    return Reply(response.status_code, dict(response.headers.items()), response.content)


def failure_of(target: Target, error: httpx.TransportError | httpx.DecodingError) -> Failure:
    """What it means that no answer came."""
    kind, why = type(error).__name__, str(error) or "no more is known"
    return Failure(NoAnswer(f"no answer from {target.address}: {kind}: {why}"), isinstance(error, PASSES))
