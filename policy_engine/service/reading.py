"""Requests as they come on a connection: httptools reads HTTP/1.1, and what is no such thing, or too long, is a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head

LARGEST_HEAD = 64_000
"""Bytes of a head; one that comes all at once may pass it by what is read at once."""
MOST_HEADERS = 100


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
        self.is_broken = self.has_ended = False
        self.measured = 0
        self.on_message_begin()

    def feed(self, data: bytes) -> None:
        """Read a part of what comes."""
        while data and not self.is_broken:
            data = self._rest_after(data)

    def _rest_after(self, data: bytes) -> bytes:
        """Read, and give what comes after a request that asks for another protocol; it is answered in this one."""
        self.has_ended = False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except HttpParserError as error:
            self._break(Problem("not-http", f"this is no request of HTTP/1.1: {error}"))
        self._measure(data)
        return b""

    def _measure(self, data: bytes) -> None:
        """Refuse a head that goes on and on."""
        self.measured = 0 if self.has_ended or self.request is not None else self.measured + len(data)
        if self.measured > LARGEST_HEAD:
            self._break(Problem("long-head", f"the headers have more than {LARGEST_HEAD} bytes"))

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
        self.url, self.headers, self.number, self.has_two_hosts = b"", dict[str, str](), 0, False

    def on_url(self, url: bytes) -> None:
        """A part of its address."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; of several of one name the first, but of the host there is one."""
        key = name.lower().decode("latin-1")
        self.number += 1
        if key in self.headers:
            self.has_two_hosts |= key == "host"
        else:
            self.headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is there."""
        if self.is_broken:
            return
        version, path, query = self.parser.get_http_version(), _path(self.url), self.url.partition(b"?")[2]
        fault = self._fault(version, path)
        if fault is not None:
            self._break(fault)
            return
        head = Head(self.parser.get_method().decode("ascii"), path or "", self.headers.get, self.peer, query.decode())
        self.request = Arriving(head, self.parser.should_keep_alive(), version == "1.1")
        self.taker.begun(self.request)

    def _fault(self, version: str, path: str | None) -> Problem | None:
        """What is wrong with a head that could be read."""
        if self.number > MOST_HEADERS:
            return Problem("long-head", f"there are more than {MOST_HEADERS} headers")
        if version not in ("1.0", "1.1"):
            return Problem("not-http", f"this service speaks HTTP/1.1, not {version}")
        if self.has_two_hosts:
            return Problem("not-http", "there are two headers `Host`")
        return None if path else Problem("not-http", "the address is none of HTTP")

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        if self.request is not None:
            self.request.body += body
            self.taker.more_came(self.request)

    def on_message_complete(self) -> None:
        """It is whole."""
        self.has_ended = True
        if self.request is not None:
            whole, self.request = self.request, None
            whole.is_whole = True
            self.taker.more_came(whole)


def _path(url: bytes) -> str | None:
    """The path of an address, without its question; None where it is none."""
    if not url.isascii():
        return None
    target = url.decode("ascii")
    if target[:1] != "/":
        target = urlsplit(target).path
    path = target.partition("?")[0]
    return (unquote(path) if "%" in path else path) or None
