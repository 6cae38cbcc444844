"""Clients that ask a service all the time and remember what was answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

DEADLINE = "/v1/decisions/can_spam/opt_out_deadline"
BODY = json.dumps({"as_of": "2025-06-30", "facts": {"opt_out_received_on": "2025-06-27"}, "account": "A-1"}).encode()
HEADERS = {"content-type": "application/json"}


@dataclass
class Asking:
    """Clients that ask until it is over, each over a connection of its own that it opens again where it is lost.

    `port` may change. `logged` are the ids of the records of answers that came whole, `statuses` what else was answered.
    """

    port: int
    logged: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    unlogged: int = 0
    is_over: bool = False

    def run(self) -> None:
        """Ask until it is over."""
        while not self.is_over:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                while not self.is_over:
                    self._ask(connection)
            except (OSError, HTTPException):  # it was killed: nothing was answered
                pass
            finally:
                connection.close()

    def _ask(self, connection: HTTPConnection) -> None:
        connection.request("POST", DEADLINE, BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        id_ = answer.getheader("x-log-id")
        self.statuses.add(answer.status)
        if id_ is not None:
            self.logged.append(id_)
        elif answer.status == 200:
            self.unlogged += 1


@contextmanager
def asking(port: int, clients: int = 8) -> Iterator[Asking]:
    """Clients while this lasts."""
    told = Asking(port)
    threads = [threading.Thread(target=told.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        told.is_over = True
        for thread in threads:
            thread.join()
