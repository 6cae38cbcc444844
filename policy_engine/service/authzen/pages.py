"""Pages of results, and the tokens by which a caller goes on: opaque, and good only for the request that they came from."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_engine.service.authzen.requests import Page
from policy_engine.service.problems import Problem

USUAL_PAGE = 1_000
"""Results of a page where the request has no limit."""
LARGEST_PAGE = 10_000
"""Results of a page, whatever its limit."""
BOUND = ("subject", "action", "resource", "context")
NUMBER, MAC = 5, 16
"""Bytes of a number and of the message authentication code in a token."""
NO_LIMIT = 2 ** (8 * NUMBER) - 1


@dataclass(frozen=True, slots=True)
class Part:
    """A part of all results, and what is told of it under `page`, None where it is all of them and nobody asked for pages."""

    results: Sequence[str]
    page: Mapping[str, object] | None


def part_of(results: Sequence[str], page: Page | None, members: Mapping[str, Any], address: str, key: bytes) -> Part:
    """The part that is asked for; its token is bound to the address and the `members` of the request. Raises `Problem`."""
    start, limit = 0, page.limit if page else None
    if page is not None and page.token:
        start, limit = _read(page, members, address, key)
    shown = results[start : start + min(USUAL_PAGE if limit is None else limit, LARGEST_PAGE)]
    end = start + len(shown)
    if page is None and end == len(results):
        return Part(shown, None)
    following = _token(end, limit, members, address, key) if end < len(results) else ""
    return Part(shown, {"next_token": following, "count": len(shown), "total": len(results)})


def _read(page: Page, members: Mapping[str, Any], address: str, key: bytes) -> tuple[int, int | None]:
    """Where a page begins and the limit of the first; raises `Problem` where the token is not one for this request."""
    try:
        raw = urlsafe_b64decode(page.token.encode("ascii") + b"=" * (-len(page.token) % 4))
    except ValueError:
        raw = b""
    start, told = int.from_bytes(raw[:NUMBER]), int.from_bytes(raw[NUMBER : 2 * NUMBER])
    limit = None if told == NO_LIMIT else told
    if not hmac.compare_digest(
        page.token.encode("utf-8", "replace"), _token(start, limit, members, address, key).encode()
    ):
        told_of = "it is no token of this service, or something of the request was changed since the page before"
        raise Problem("invalid-question", f"`page.token`: {told_of}; begin again without a token")
    if page.limit is not None and page.limit != limit:
        raise Problem("invalid-question", "`page.limit` was changed since the page before; leave it out or begin again")
    return start, limit


def _token(start: int, limit: int | None, members: Mapping[str, Any], address: str, key: bytes) -> str:
    numbers = start.to_bytes(NUMBER) + (NO_LIMIT if limit is None else limit).to_bytes(NUMBER)
    asked = json.dumps([address, [members.get(name) for name in BOUND]], sort_keys=True, default=str)
    code = hmac.digest(key, numbers + asked.encode("utf-8", "surrogatepass"), hashlib.sha256)[:MAC]
    return urlsafe_b64encode(numbers + code).rstrip(b"=").decode()
