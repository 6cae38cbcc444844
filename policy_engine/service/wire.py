"""Answers as bytes of HTTP/1.1."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from policy_engine.service.responses import Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What a client that announced a body waits for before it sends it."""
LAST_PART = b"0\r\n\r\n"
"""What ends a body that is sent in parts."""
CLOSED = b"connection: close\r\n"


def head(status: int, headers: Headers, request_id: str, length: int, connection: bytes = b"") -> bytes:
    """The head of an answer whose body has so many bytes."""
    shared = _shared(status, headers, int(time.time()))
    return b"%bx-request-id: %b\r\ncontent-length: %d\r\n%b\r\n" % (shared, request_id.encode(), length, connection)


def head_of_parts(headers: Headers, request_id: str, *, in_chunks: bool) -> bytes:
    """The head of an answer that is sent in parts; HTTP/1.0 knows none, and takes all until the connection ends."""
    way = b"transfer-encoding: chunked\r\n" if in_chunks else CLOSED
    return b"%bx-request-id: %b\r\n%b\r\n" % (_shared(200, headers, int(time.time())), request_id.encode(), way)


def part(content: bytes) -> bytes:
    """A part of a body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


@lru_cache(maxsize=256)
def _shared(status: int, headers: Headers, second: int) -> bytes:
    """What answers of one kind within a second share."""
    told = (*headers, ("date", formatdate(second, usegmt=True)))
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in told), ""]
    return "\r\n".join(lines).encode("latin-1")
