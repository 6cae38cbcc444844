"""Clients that mean harm are closed or told so, in bounded time and memory, while others are served."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from policy_engine.service.callers import ANYBODY, Callers
from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head
from tests.support.served import PATIENCE, Server, serving

PATH = b"/v1/decisions/can_spam/opt_out_deadline"
QUESTION = b'{"facts":{"opt_out_received_on":"2025-06-27"},"as_of":"2025-06-30"}'
SECONDS = 1
MORE_MEMORY = 40_000_000
"""Bytes that a body of any length may take at most while it is refused."""
CLOSE = b"connection: close\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"header_seconds": SECONDS, "body_seconds": SECONDS}
    with serving(tmp_path_factory.mktemp("served"), only=["can_spam"], settings=settings) as running:
        yield running


def post(body: bytes, *headers: bytes, path: bytes = PATH) -> bytes:
    """A request; without headers of its own it says how long its body is."""
    own = b"".join(headers) if headers else b"content-length: %d\r\n" % len(body)
    return b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n%b\r\n%b" % (path, own, body)


def get(path: bytes = b"/healthz", *headers: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nhost: 127.0.0.1\r\n%b\r\n" % (path, b"".join(headers))


def long_head(*headers: bytes) -> bytes:
    return get(b"/healthz", *headers, CLOSE)


def sized(body: bytes) -> bytes:
    """A request with a body, after which the connection closes."""
    return post(body, b"content-length: %d\r\n" % len(body), CLOSE)


CHUNKED = b"transfer-encoding: chunked\r\n"
HARMFUL: list[tuple[str, bytes, list[int]]] = [
    ("nothing at all", b"", []),
    ("headers that do not end", b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: 1", []),
    ("a connection kept for nothing", get(), [200]),
    ("a hundred headers and more", long_head(*(b"x%d: 1\r\n" % number for number in range(200))), [431]),
    ("a body that does not come", post(b"{", b"content-length: 100\r\n"), [408]),
    ("a body that is announced too large", post(b"{", b"content-length: 1000000001\r\n"), [413]),
    ("a body of no possible length", post(b"{", b"content-length: 99999999999999999999999999\r\n"), [400]),
    ("a body of a length below nothing", post(b"{", b"content-length: -1\r\n"), [400]),
    ("a body that is 100,000 levels deep", sized(b'{"facts":' + b"[" * 100_000), [400]),
    ("a body of objects that is as deep", sized(b'{"facts":' + b'{"a":' * 100_000), [400]),
    ("a body that is no UTF-8", sized(b'{"facts":"\xff"}'), [400]),
    ("a body in UTF-16", sized('{"facts":{}}'.encode("utf-16")), [400]),
    ("two lengths", post(b"abcdef", b"content-length: 5\r\n", b"content-length: 6\r\n"), [400]),
    ("a blank before a colon", post(b"0\r\n\r\n", b"transfer-encoding : chunked\r\n"), [400]),
    ("an unknown coding", post(b"0\r\n\r\n", b"transfer-encoding: xchunked\r\n"), [400]),
    ("a chunk of no length", post(b"zz\r\nabc\r\n", CHUNKED), [400]),
    ("a request within another", post(b"0\r\n\r\n" + get(b"/smuggled"), b"content-length: 60\r\n", CHUNKED), [400]),
    ("a greeting of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, [400]),
    ("a greeting of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    ("no version", b"GET /healthz\r\n\r\n", [400]),
    ("a path of half characters", get(b"/v1/rulesets/\xff\xfe"), [400]),
    ("a path of zeros and dots", get(b"/v1/rulesets/%00%ff%2e%2e", CLOSE), [404]),
    ("a path that climbs", get(b"/docs/../../../../etc/passwd", CLOSE), [404]),
    ("an id that is no ASCII", get(b"/healthz", b"x-request-id: a\xffb\r\n", CLOSE), [200]),
    ("a request and then none", post(QUESTION) + b"NONE\r\n\r\n", [200, 400]),
    ("four requests at once", post(QUESTION) * 3 + sized(QUESTION), [200] * 4),
    ("no name of a host", b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", [400]),
    ("no name of a host in HTTP/1.0", b"GET /v1/rulesets HTTP/1.0\r\n\r\n", [421]),
    ("another name in a whole address", get(b"http://evil.example/v1/rulesets", CLOSE), [421]),
    ("a whole address without a path", get(b"http://localhost?x", CLOSE), [404]),
    ("two who ask", get(b"/healthz", b"authorization: Bearer a\r\n", b"authorization: Bearer b\r\n"), [400]),
    ("two types of a body", post(QUESTION, b"content-type: text/plain\r\n", CLOSE), [400]),
    ("a body that is compressed on the way", post(b"", b"transfer-encoding: gzip, chunked\r\n"), [400]),
    ("a body in parts of HTTP/1.0", post(b"0\r\n\r\n", CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0"), [400]),
    ("a way through to others", b"CONNECT evil.example:80 HTTP/1.1\r\nhost: evil.example:80\r\n\r\n" + get(), [400]),
    ("another name", b"GET /v1/rulesets HTTP/1.1\r\nhost: evil.example:80\r\nconnection: close\r\n\r\n", [421]),
]


def statuses(came: bytes) -> list[int]:
    """The statuses of the answers that came."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", came)]


@pytest.mark.parametrize(("what", "sent", "expected"), HARMFUL, ids=[what for what, _, _ in HARMFUL])
def test_each_is_answered_or_closed_in_time(server: Server, what: str, sent: bytes, expected: list[int]) -> None:
    begun = time.monotonic()
    came = server.raw(sent, seconds=PATIENCE)
    assert statuses(came) == expected, came[-300:]
    assert time.monotonic() - begun < SECONDS + 10
    assert server.ask("GET", "/healthz").status == 200


def test_nothing_comes_of_a_request_within_another(server: Server) -> None:
    came = server.raw(post(b"0\r\n\r\n" + get(b"/smuggled"), b"content-length: 60\r\n", CHUNKED), seconds=PATIENCE)
    assert b"smuggled" not in came


WISHES = [b"h2c", b"websocket"]


@pytest.mark.parametrize("protocol", WISHES)
def test_a_body_is_no_request_whatever_protocol_is_wished_for(server: Server, protocol: bytes) -> None:
    wish = b"connection: upgrade, close\r\nupgrade: %b\r\ncontent-length: %d\r\n" % (protocol, len(QUESTION))
    came = server.raw(post(QUESTION, wish), seconds=PATIENCE)
    assert statuses(came) == [200]
    assert b"2025-07-11" in came


def test_what_comes_after_a_wish_is_the_next_request(server: Server) -> None:
    wish = get(b"/healthz", b"connection: upgrade\r\nupgrade: h2c\r\n")
    assert statuses(server.raw(wish + get(b"/nothing", CLOSE), seconds=PATIENCE)) == [200, 404]


def test_a_batch_that_breaks_off_is_answered_as_far_as_it_came(server: Server) -> None:
    line = json.dumps({"ruleset": "can_spam", "decision": "opt_out_deadline", **json.loads(QUESTION)}).encode() + b"\n"
    head = b"POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/jsonl\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"content-length: 1000\r\n\r\n" + line * 2)
        connection.shutdown(socket.SHUT_WR)
        came = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert came.count(b"2025-07-11") == 2
    assert b'"line":3' in came
    assert b"the body breaks off" in came
    assert came.endswith(b"0\r\n\r\n")


EXPECTING = b"expect: 100-continue\r\n"


def test_a_body_is_asked_for_where_the_caller_waits_for_that(server: Server) -> None:
    expecting = sized(QUESTION).replace(CLOSE, CLOSE + EXPECTING)
    assert statuses(server.raw(expecting, seconds=PATIENCE)) == [100, 200]
    for other in (expecting.replace(b"HTTP/1.1", b"HTTP/1.0"), expecting.replace(EXPECTING, b"expect: more\r\n")):
        assert statuses(server.raw(other, seconds=PATIENCE)) == [200]


def test_headers_after_a_body_say_nothing(server: Server) -> None:
    ended = b"%x\r\n%b\r\n0\r\nx-request-id: behind\r\n\r\n" % (len(QUESTION), QUESTION)
    came = server.raw(post(QUESTION) + post(ended, CHUNKED, CLOSE), seconds=PATIENCE)
    assert statuses(came) == [200, 200]
    assert b"behind" not in came


@pytest.mark.parametrize("begun", [b"0\r\nx: ", b"0\r\n", b"1;x="], ids=["one", "many", "of a part"])
def test_headers_of_five_megabytes_after_a_body_are_not_read(server: Server, begun: bytes) -> None:
    part = b"y%0*d: z\r\n" % (65_000, 0) if begun == b"0\r\n" else b"a" * 65_536
    assert 431 in statuses(_pushed(server, post(begun, CHUNKED), part, 80))


def test_headers_of_five_megabytes_are_not_read(server: Server) -> None:
    assert 431 in statuses(_pushed(server, b"GET / HTTP/1.1\r\nx: ", b"a" * 65_536, 80))


def test_a_gigabyte_is_not_read(server: Server) -> None:
    before = _memory(server)
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    came = _pushed(server, post(b"", CHUNKED), chunk, 16_000)
    assert statuses(came) == [413]
    assert _memory(server) - before < MORE_MEMORY


def _pushed(server: Server, head: bytes, part: bytes, times: int) -> bytes:
    """What comes back where a client goes on sending, whether or not anybody reads."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(head)
            for _ in range(times):
                connection.sendall(part)
        except ConnectionError:
            pass  # it was closed, as it should be
        try:
            return connection.recv(65_536)
        except ConnectionError:
            return b""


def _memory(server: Server) -> int:
    """Bytes of memory of the worker."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children)
    return pages * 4_096


def test_batches_whose_answers_nobody_reads_take_little_memory(server: Server) -> None:
    line = json.dumps({"ruleset": "can_spam", "decision": "opt_out_deadline", **json.loads(QUESTION)}).encode() + b"\n"
    head = b"POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/jsonl\r\n%b\r\n" % CHUNKED
    chunk = b"%x\r\n%b\r\n" % (len(line) * 500, line * 500)
    before, most = _memory(server), 0
    with ExitStack() as held:
        for _ in range(30):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=0.05))
            with suppress(TimeoutError, ConnectionError):  # nothing more is taken, as it should be
                connection.sendall(head + chunk * 200)
            most = max(most, _memory(server))
        assert server.ask("GET", "/healthz").status == 200
        most = max(most, _memory(server))
    assert most - before < MORE_MEMORY


def test_answers_to_requests_in_one_go_are_made_when_the_others_are_read(server: Server) -> None:
    """Each answer has 400 times the bytes of its request."""
    before = _memory(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=1.0) as connection:
        with suppress(TimeoutError, ConnectionError):
            connection.sendall(get(b"/docs/scalar-1.46.0.js") * 1_000)
        assert server.ask("GET", "/healthz").status == 200
        assert _memory(server) - before < MORE_MEMORY


def test_a_thousand_idle_connections_keep_nobody_out(server: Server) -> None:
    with ExitStack() as held:
        for _ in range(1_000):
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
        assert server.ask("POST", PATH.decode(), QUESTION).status == 200


def test_a_long_batch_keeps_nobody_waiting(server: Server) -> None:
    """While 100,000 lines are answered, other questions are too."""
    line = json.dumps({"ruleset": "can_spam", "decision": "opt_out_deadline", **json.loads(QUESTION)}).encode() + b"\n"
    done: list[int] = []

    def ask() -> None:
        headers = {"content-type": "application/jsonl"}
        done.append(server.ask("POST", "/v1/batch", line * 20_000, headers).body.count(b"\n"))

    batch = threading.Thread(target=ask)
    batch.start()
    longest, others = 0.0, 0
    while batch.is_alive():
        begun = time.monotonic()
        assert server.ask("POST", PATH.decode(), QUESTION).status == 200
        longest, others = max(longest, time.monotonic() - begun), others + 1
    assert done == [20_000]
    assert others > 3
    assert longest < 5


def test_who_asks_a_service_without_keys_must_know_its_name() -> None:
    local = Callers(is_local=True)
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000", "[::1]"):
        assert local.known(Head("GET", "/", {"host": host}.get)) is ANYBODY
    for host in ("", "evil.example", "localhost.evil.example:8000", "127.0.0.1.evil.example", "[::2]:1"):
        with pytest.raises(Problem) as refused:
            local.known(Head("GET", "/", {"host": host}.get))
        assert refused.value.kind.status == 421


def test_what_was_begun_is_answered_when_the_service_is_told_to_stop(tmp_path: Path) -> None:
    with serving(tmp_path, only=["can_spam"]) as server, socket.create_connection(("127.0.0.1", server.port)) as begun:
        begun.settimeout(PATIENCE)
        begun.sendall(post(QUESTION[:10], b"content-length: %d\r\n" % len(QUESTION)))
        server.ask("GET", "/healthz")  # after which the request before has surely come
        server.process.terminate()
        while _is_open(server):
            time.sleep(0.01)
        begun.sendall(QUESTION[10:])
        assert statuses(b"".join(iter(lambda: begun.recv(65_536), b""))) == [200]
        assert server.process.wait(PATIENCE) == 0


def _is_open(server: Server) -> bool:
    """Whether new connections are taken."""
    try:
        server.ask("GET", "/healthz")
    except ConnectionError:
        return False
    return True
