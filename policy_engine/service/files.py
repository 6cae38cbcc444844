"""The pages that come with the service: Scalar, which shows `/openapi.json` to people."""

from __future__ import annotations

import gzip
from functools import cache
from importlib import resources

from policy_engine.service.requests import Head
from policy_engine.service.responses import SAFE, Headers, Response

SCALAR = "scalar-1.46.0.js"
YEAR = 31_536_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is fetched from outside, and no script runs but the two files of ours."""


def page() -> Response:
    """The page."""
    return Response(200, _read("docs.html"), _headers("text/html; charset=utf-8", ("content-security-policy", POLICY)))


def start() -> Response:
    """The script that starts Scalar."""
    return Response(200, _read("docs.js"), _headers("text/javascript; charset=utf-8"))


def scalar(head: Head) -> Response:
    """Scalar itself: its name has its version, so a browser may keep it."""
    keep = ("cache-control", f"public, max-age={YEAR}, immutable")
    packed = _read(f"{SCALAR}.gz")
    if "gzip" in (head.header("accept-encoding") or ""):
        encoded = ("content-encoding", "gzip"), ("vary", "accept-encoding")
        return Response(200, packed, _headers("text/javascript; charset=utf-8", keep, *encoded))
    return Response(
        200, gzip.decompress(packed), _headers("text/javascript; charset=utf-8", keep, ("vary", "accept-encoding"))
    )


@cache
def _read(name: str) -> bytes:
    return resources.files("policy_engine.service").joinpath("pages", name).read_bytes()


def _headers(media: str, *own: tuple[str, str]) -> Headers:
    """The safe headers, but for those that a file has of its own."""
    named = {name for name, _ in own}
    return (("content-type", media), *own, *(header for header in SAFE if header[0] not in named))
