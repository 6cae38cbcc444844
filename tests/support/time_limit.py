"""A limit on the processor time of what a test does."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest


class TooSlow(BaseException):
    """Not an `Exception`, so that nothing swallows it."""


@contextmanager
def within_two_seconds() -> Iterator[None]:
    """Two seconds of this process's own time, so that a busy machine does not matter.

    The collector rests meanwhile: what the other tests have left behind is none of this input's cost, and an exception
    raised while a callback of the collector runs would be lost.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    gc.disable()
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, 2.0)
    try:
        yield
    except TooSlow:
        pytest.fail("it takes more than two seconds", pytrace=False)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        gc.enable()
