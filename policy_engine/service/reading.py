"""Requests as they come on a connection: httptools reads HTTP/1.1, and what is no such thing, or too long, is a problem.

httptools leaves out the body of a request that wishes for another protocol, as those of `curl --http2` do. Nobody here speaks
another, so such a head is read again without the wish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from policy_engine.diagnostics import shown_text
from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head

WHOLE_ADDRESS = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE)
LARGEST_HEAD = 64_000
"""Bytes of a head; one that comes all at once may pass it by what is read at once."""
MOST_HEADERS = 100
SINGLE = ("host", "authorization", "content-type")
"""Headers of which there is one: of two, whoever stands in front of this service may have looked at the other."""


class Target(NamedTuple):
    """What a request is for; `host` is empty where only a header names it."""

    host: str
    path: str
    query: str


@dataclass(slots=True)
class Arriving:
    """A request of which the head is there, with what came of its body; where it cannot be answered, the problem."""

    head: Head
    is_kept: bool = False
    takes_parts: bool = False
    problem: Problem | None = None
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    @property
    def kept(self) -> bytes:
        """What a client is told that may go on; those of HTTP/1.1 know it."""
        return b"" if self.takes_parts else b"connection: keep-alive\r\n"

    @property
    def is_withheld(self) -> bool:
        """Whether its body comes only once it is asked for; HTTP/1.0 knows no such thing."""
        return self.takes_parts and (self.head.header("expect") or "").lower() == "100-continue"


class Taker(Protocol):
    """What hears of requests."""

    def begun(self, request: Arriving) -> None:
        """The head of a request is there."""

    def more_came(self, request: Arriving) -> None:
        """More of its body is there, or all."""


class Reader:
    """Reads what comes on one connection; after a problem nothing more."""

    def __init__(self, peer: str, taker: Taker) -> None:
        self.peer, self.taker, self.parser = peer, taker, HttpRequestParser(self)
        self.request: Arriving | None = None
        self.is_broken = self.has_advanced = False
        self.measured = 0
        self.on_message_begin()

    def feed(self, data: bytes) -> None:
        """Read a part of what comes."""
        while data and not self.is_broken:
            data = self._rest_after(data)

    def end(self) -> None:
        """Nothing more comes, so a body that is not whole never will be."""
        if self.request is not None:
            self._break(Problem("not-http", "the body breaks off"))

    def _rest_after(self, data: bytes) -> bytes:
        """Read, and give what is still to be read: after a wish for another protocol, the request without it."""
        self.has_advanced = False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            head, self.parser = self._head_without_wish(), HttpRequestParser(self)
            return head + data[upgrade.args[0] :]
        except HttpParserError as error:
            self._break(Problem("not-http", f"this is no request of HTTP/1.1: {error}"))
        self._measure(data)
        return b""

    def _measure(self, data: bytes) -> None:
        """Refuse headers that go on and on, before a body or after it."""
        self.measured = 0 if self.has_advanced else self.measured + len(data)
        if self.measured > LARGEST_HEAD:
            self._break(Problem("long-head", f"the headers have more than {LARGEST_HEAD} bytes"))

    def _head_without_wish(self) -> bytes:
        """The head that was read last, but for its header `Upgrade`."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = (f"{name}: {value}\r\n" for name, value in self.headers.items() if name != "upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, "".join(headers).encode("latin-1"))

    def _break(self, problem: Problem) -> None:
        """Give a problem instead of a request. One whose body breaks off is not answered twice."""
        if self.is_broken:
            return
        self.is_broken = True
        if self.request is None:
            self.taker.begun(Arriving(Head("", "", self.headers.get, self.peer), problem=problem))
        else:
            self.request.problem = problem
            self.taker.more_came(self.request)

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request begins."""
        self.url, self.headers, self.number, self.twice = b"", dict[str, str](), 0, ""

    def on_url(self, url: bytes) -> None:
        """A part of its address."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; of several of one name the first. What comes after the body says nothing here."""
        if self.request is not None:
            return
        key = name.lower().decode("latin-1")
        self.number += 1
        if key in self.headers:
            self.twice = key if key in SINGLE else self.twice
        else:
            self.headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is there."""
        self.has_advanced = True
        if self.is_broken:
            return
        method, version, target = self.parser.get_method(), self.parser.get_http_version(), _target(self.url)
        if self.number > MOST_HEADERS:
            self._break(Problem("long-head", f"there are more than {MOST_HEADERS} headers"))
        elif detail := self._fault(method, version):
            self._break(Problem("not-http", detail))
        elif target is None:
            self._break(Problem("not-http", "the address is none of HTTP"))
        elif not self.parser.should_upgrade():
            self._begin(method, version, target)

    def _begin(self, method: bytes, version: str, target: Target) -> None:
        if target.host:
            self.headers["host"] = target.host
        head = Head(method.decode("ascii"), target.path, self.headers.get, self.peer, target.query)
        self.request = Arriving(head, self.parser.should_keep_alive(), version == "1.1")
        self.taker.begun(self.request)

    def _fault(self, method: bytes, version: str) -> str:
        """What is wrong with a head that could be read; "" where nothing is."""
        coding = self.headers.get("transfer-encoding", "chunked")
        if version not in ("1.0", "1.1"):
            return f"this service speaks HTTP/1.1, not {version}"
        if self.twice:
            return f"there are two headers `{self.twice.title()}`"
        if version == "1.1" and "host" not in self.headers:
            return "the header `Host` is missing"
        if coding.lower() != "chunked":
            return f"a body comes as it is or `chunked`, not `{shown_text(coding, 40)}`"
        if version == "1.0" and "transfer-encoding" in self.headers:
            return "HTTP/1.0 has no `Transfer-Encoding`"
        return "this service is no proxy" if method == b"CONNECT" else ""

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self.has_advanced = True
        if self.request is not None:
            self.request.body += body
            self.taker.more_came(self.request)

    def on_message_complete(self) -> None:
        """It is whole."""
        self.has_advanced = True
        if self.request is not None:
            whole, self.request = self.request, None
            whole.is_whole = True
            self.taker.more_came(whole)


def _target(url: bytes) -> Target | None:
    """What an address names; None where it is none."""
    if not url.isascii():
        return None
    host, rest = "", url.decode("ascii")
    if rest[:1] != "/" and (whole := WHOLE_ADDRESS.fullmatch(rest)):
        host, rest = whole.groups()
    path, _, query = rest.partition("?")
    return Target(host, (unquote(path) if "%" in path else path) or "/", query)
