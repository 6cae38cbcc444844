"""The decision log over HTTP: its newest checkpoint, entries with their proofs, and that it was continued and not rewritten.

What is told is the text that `policy log prove` writes, for the same program to check. Payloads are not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from policy_engine.decision_log.opening import open_reader
from policy_engine.decision_log.proofs import checkpoint_of, prove_consistency, prove_inclusion
from policy_engine.decision_log.records import id_bytes
from policy_engine.decision_log.stores import ReadStore
from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun, LogUnavailable
from policy_engine.service.exchanges import Exchange, Step
from policy_engine.service.problems import Problem
from policy_engine.service.responses import TEXT, Response


def checkpoint(call: Exchange) -> Step:
    """The newest checkpoint: a signed note."""
    return _read(call, "verify_log", lambda store: checkpoint_of(store).text)


def entry(call: Exchange) -> Step:
    """The entry of a record, and the proof that it is in the log."""
    id_ = call.named["id"]

    def proof(store: ReadStore) -> str:
        position = store.position_of(_id(id_))
        if position is None:
            raise Problem("not-found", f"there is no record `{shown_text(id_, 40)}` in the decision log")
        return prove_inclusion(store, position, checkpoint_of(store)).text

    return _read(call, "read_log", proof)


def consistency(call: Exchange) -> Step:
    """That the log at one size is the beginning of the log at another."""
    old, new = (_size(call.head.query, name) for name in ("from", "to"))
    if old is None:
        raise Problem("invalid-question", "from which size on? Ask with `?from=` and a number of records")
    return _read(
        call,
        "verify_log",
        lambda store: prove_consistency(store, checkpoint_of(store, old), checkpoint_of(store, new)).text,
    )


def _read(call: Exchange, operation: str, told: Callable[[ReadStore], str]) -> Step:
    """What to do where something of the log is asked for; raises `Problem` where the caller may not."""
    location = call.service.settings.log_location
    call.service.require(call.caller, operation)

    def answer() -> Response:
        with _opened(location) as store:
            return Response(200, told(store).encode(), TEXT)

    return call.apart(answer)


@contextmanager
def _opened(location: str) -> Iterator[ReadStore]:
    """The log as it is at this moment; raises `Problem` where it cannot be read, or has not what is asked for."""
    try:
        store = open_reader(location)
        try:
            store.snapshot()
            yield store
        finally:
            store.close()
    except LogUnavailable as error:
        raise Problem("log-unavailable", str(error)) from None
    except CannotRun as error:
        raise Problem("not-found", str(error)) from None


def _id(text: str) -> bytes:
    try:
        return id_bytes(text)
    except ValueError:
        raise Problem("not-found", f"`{shown_text(text, 40)}` is no id of a record") from None


def _size(query: str, name: str) -> int | None:
    """A size that a query names, None where it does not; raises `Problem`."""
    given = parse_qs(query, keep_blank_values=True).get(name, [])
    if not given:
        return None
    if len(given) > 1 or not (given[0].isascii() and given[0].isdigit()) or len(given[0]) > 15:
        raise Problem("invalid-question", f"`{name}` must be a number of records, such as {name}=100")
    return int(given[0])
