"""When the Python client asks again: of real servers that refuse for a while, hang up, are not there yet, or talk nonsense."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest

from policy_engine.client import (
    NEVER,
    AsyncClient,
    Client,
    NoAnswer,
    Readiness,
    Refused,
    Retries,
    ServiceError,
    TooMany,
)
from tests.support.served import free_port


class Does(NamedTuple):
    """What the server does with a request: it answers so, or, with the status 0, hangs up."""

    status: int
    body: bytes = b""
    media: str = "text/html"
    wait: str | None = None


FINE = Does(200, b'{"status":"ready","epoch":1,"rulesets":2,"reload":"fine"}', "application/json")
BUSY = b'{"type":"/problems/too-many","title":"The caller asks too often","status":429,"detail":"slowly"}'
TOLD_TO_WAIT = Does(429, BUSY, "application/problem+json", "0")
HANGS_UP = Does(0)


@contextmanager
def doing(*steps: Does, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server that does one after another with what it is asked; its address, and what it was asked."""
    waiting, asked = list(steps), list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            step = waiting.pop(0)
            if not step.status:
                self.close_connection = True
                return
            self.send_response(step.status)
            self.send_header("content-type", step.media)
            self.send_header("content-length", str(len(step.body)))
            if step.wait is not None:
                self.send_header("retry-after", step.wait)
            self.end_headers()
            self.wfile.write(step.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def at_once(most: int = 3) -> Retries:
    """Retries that wait no longer than they are told to."""
    return Retries(most, jitter=lambda: 0.0)


def _blocking(address: str, retries: Retries) -> Readiness:
    with Client(address, retries=retries) as client:
        return client.ready()


def _awaiting(address: str, retries: Retries) -> Readiness:
    async def ask() -> Readiness:
        async with AsyncClient(address, retries=retries) as client:
            return await client.ready()

    return asyncio.run(ask())


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited, instead of waiting them."""
    asked: list[float] = []
    monkeypatch.setattr("policy_engine.client.blocking.sleep", asked.append)
    return asked


BOTH = pytest.mark.parametrize("ask", [_blocking, _awaiting])
Ask = Callable[[str, Retries], Readiness]


@BOTH
@pytest.mark.parametrize(
    "refusals",
    [
        [Does(503)],
        [Does(502), Does(504)],
        [TOLD_TO_WAIT] * 3,
        [HANGS_UP],
        [Does(503, wait="0"), HANGS_UP, TOLD_TO_WAIT],
    ],
    ids=str,
)
def test_who_is_refused_for_a_while_asks_again(ask: Ask, refusals: list[Does]) -> None:
    with doing(*refusals, FINE) as (address, asked):
        assert ask(address, at_once()).rulesets == 2
        assert asked == ["/readyz"] * (len(refusals) + 1)


@BOTH
@pytest.mark.parametrize(
    ("does", "error", "says"),
    [
        (
            Does(503),
            Refused,
            "503 There is no answer: what answered gave no reason; it may be a proxy before the service",
        ),
        (TOLD_TO_WAIT, TooMany, "429 The caller asks too often: slowly"),
        (
            HANGS_UP,
            NoAnswer,
            "no answer from http://127.0.0.1:PORT: RemoteProtocolError: Server disconnected without sending",
        ),
    ],
)
def test_who_is_refused_again_and_again_gives_up(ask: Ask, does: Does, error: type[ServiceError], says: str) -> None:
    with doing(*[does] * 3) as (address, asked):
        with pytest.raises(error) as caught:
            ask(address, at_once(2))
        assert str(caught.value).startswith(says.replace("PORT", address.rpartition(":")[2]))
        assert len(asked) == 3


@pytest.mark.parametrize(
    "does",
    [
        Does(500),
        Does(404),
        Does(429),
        Does(429, wait="Tue, 01 Dec 2026 10:00:00 GMT"),
        Does(503, wait="3600"),
        Does(302),
    ],
    ids=str,
)
def test_what_waiting_does_not_mend_is_asked_once(does: Does) -> None:
    with doing(does) as (address, asked):
        with pytest.raises(Refused) as caught:
            _blocking(address, at_once())
        assert caught.value.problem.status == does.status
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>Welcome</html>", "what came is not JSON, so it is no answer of this service: is the address right?"),
        (b"{}", "what came is no answer of this service: KeyError 'epoch'"),
        (b"[]", "what came is no answer of this service: TypeError"),
    ],
)
def test_an_answer_of_something_else_is_told(body: bytes, says: str) -> None:
    with doing(Does(200, body)) as (address, _), pytest.raises(NoAnswer) as caught:
        _blocking(address, NEVER)
    assert str(caught.value).startswith(says)


@BOTH
def test_a_service_that_is_not_there_yet_is_asked_again(ask: Ask) -> None:
    port = free_port()
    with pytest.raises(NoAnswer, match=f"no answer from http://127.0.0.1:{port}: ConnectError"):
        ask(f"http://127.0.0.1:{port}", NEVER)
    told: list[Readiness] = []
    patient = Retries(most=200, first=0.05, longest=0.05, jitter=lambda: 1.0)
    asking = threading.Thread(target=lambda: told.append(ask(f"http://127.0.0.1:{port}", patient)))
    asking.start()
    time.sleep(0.2)
    assert told == []
    with doing(FINE, port=port):
        asking.join(10)
    assert [each.rulesets for each in told] == [2]


def test_an_answer_that_takes_too_long_is_not_asked_for_again() -> None:
    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            over.wait(10)

    asked, over = list[str](), threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        client = Client(f"http://127.0.0.1:{server.server_port}", timeout=0.2)
        with client, pytest.raises(NoAnswer, match="ReadTimeout: timed out"):
            client.ready()
        over.set()
        server.shutdown()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("jitter", "waits"), [(0.0, [0.0, 0.0, 0.0, 0.0]), (0.5, [0.5, 1.0, 2.0, 2.5]), (1.0, [1.0, 2.0, 4.0, 5.0])]
)
def test_each_wait_is_twice_the_one_before_up_to_the_longest(
    jitter: float, waits: list[float], waited: list[float]
) -> None:
    retries = Retries(most=4, first=1.0, longest=5.0, jitter=lambda: jitter)
    with doing(*[Does(503)] * 5) as (address, _), pytest.raises(Refused):
        _blocking(address, retries)
    assert waited == waits


def test_who_is_told_how_long_to_wait_waits_so_long_and_a_little_more(waited: list[float]) -> None:
    with doing(TOLD_TO_WAIT._replace(wait="7"), FINE) as (address, _):
        assert _blocking(address, Retries(first=1.0, jitter=lambda: 0.25)).epoch == 1
    assert waited == [7.25]
