"""A server by hand, as quick as Python can be: httptools and uvloop, one address, and nothing that a service needs beside.

`python -m benchmarks.service.by_hand PORT`. It answers a question with the same bytes as ours, headers and all.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from datetime import date
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from typing import Any

import httptools
import orjson
import uvloop

from benchmarks.questions import ROOT
from policy_engine import Engine

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
    b"content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n"
    b"x-content-type-options: nosniff\r\ndate: %b\r\nx-request-id: by-hand-%d\r\ncontent-length: %d\r\n\r\n%b"
)


@lru_cache(maxsize=1)
def date_of(second: int) -> bytes:
    """The date as HTTP writes it."""
    return formatdate(second, usegmt=True).encode()


class Connection(asyncio.Protocol):
    """One connection; requests come one after another."""

    engine: Engine
    numbers = count(1)

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport, self.parser = transport, httptools.HttpRequestParser(self)
        self.url, self.body = b"", b""

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """The address."""
        self.url = url

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Answer."""
        asked = orjson.loads(self.body)
        name = self.url.decode().removeprefix("/v1/decisions/").replace("/", ".")
        decision = self.engine.decide(name, asked["facts"], as_of=date.fromisoformat(asked["as_of"]))
        answer = decision.to_json()
        self.transport.write(HEAD % (date_of(int(time.time())), next(self.numbers), len(answer), answer))
        self.body = b""


async def main(port: int) -> None:
    """Serve until a signal comes."""
    Connection.engine = Engine.load(ROOT / "rules", ROOT / "schemas")
    gc.freeze()
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
