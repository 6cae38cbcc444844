"""What came of a request, and whether and when it is sent again. Questions change nothing, so all may be asked twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from policy_engine.client.problems import NoAnswer

OVERLOADED = 429
UNAVAILABLE = (502, 503, 504)
"""What proxies answer where a service starts, stops or does not answer them in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP; headers by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """The id by which the service names the request in its log."""
        return self.headers.get("x-request-id", "")


@dataclass(frozen=True, slots=True)
class Failure:
    """That no answer came; `may_pass` where that may be otherwise in a moment, such as of a refused connection."""

    error: NoAnswer
    may_pass: bool


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent again, and after how long: `first` seconds doubled each time, at most `longest`.

    Of these a random part is waited, so that callers who failed together do not come back together; `jitter` gives it, from 0
    to 1. Where the service says how long to wait (`Retry-After`) that is waited as well; if it is more than `longest`, the
    request is not sent again.
    """

    most: int = 3
    first: float = 0.2
    longest: float = 10.0
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def wait(self, number: int, came: Reply | Failure) -> float | None:
        """Seconds to wait after so many tries, the last of which came to this; None where it is not tried again."""
        asked = _asked_to_wait(came)
        if number > self.most or asked is None or asked > self.longest:
            return None
        return asked + self.jitter() * min(self.longest, self.first * 2.0 ** (number - 1))


USUAL = Retries()
NEVER = Retries(most=0)
"""No request is sent again."""


def _asked_to_wait(came: Reply | Failure) -> float | None:
    """Seconds that the service asks to wait before it is asked again; None where there is no use in asking again."""
    if isinstance(came, Failure):
        return 0.0 if came.may_pass else None
    given = came.headers.get("retry-after", "")
    seconds = float(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
    if came.status == OVERLOADED:
        return seconds
    return (seconds or 0.0) if came.status in UNAVAILABLE else None
