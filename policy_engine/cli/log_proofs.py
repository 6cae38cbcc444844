"""`policy log checkpoint` and `prove`: what others keep of a decision log, and what convinces them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.cli.log_options import KeysOption, LogArgument, OutOption, give, keys_for, read_kept, reading
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole

if TYPE_CHECKING:
    from policy_engine.decision_log.notes import Checkpoint
    from policy_engine.decision_log.sealing import KeyFile
    from policy_engine.decision_log.stores import ReadStore


def checkpoint(
    log: LogArgument,
    size: Annotated[int | None, typer.Option("--size", help="Of so many records; the newest if left out.")] = None,
    out: OutOption = None,
) -> None:
    """Print a checkpoint. Who keeps it elsewhere can show later that nothing up to it was changed or cut off."""
    with reading(log) as store:
        from policy_engine.decision_log.proofs import checkpoint_of  # noqa: PLC0415 - needs an extra

        give(checkpoint_of(store, size).text, out)


def prove(
    log: LogArgument,
    id: Annotated[str | None, typer.Argument(metavar="ID", help="A record.")] = None,  # noqa: A002 - the word for it
    consistency: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--consistency",
            metavar="OLD NEW",
            help="Two checkpoints in place of a record: files, or numbers of records at which commits ended.",
        ),
    ] = None,
    out: OutOption = None,
    payload: Annotated[
        Path | None,
        typer.Option("--payload", metavar="FILE", help="Write also the record's payload, after its salt, to a file."),
    ] = None,
    keys: KeysOption = None,
) -> None:
    """Prove that a record is under the newest checkpoint, or that a checkpoint continues an older one.

    `docs/check_log_proof.py` checks such a proof without this package.
    """
    if (id is None) == (consistency is None):
        raise CannotRun("prove what? give the id of a record, or --consistency OLD NEW")
    with reading(log) as store:
        if consistency is not None:
            give(_consistency(store, *consistency), out)
        elif id is not None:
            salted = _payload(store, id, keys_for(store, log, keys)) if payload else b""
            give(_inclusion(store, id), out)
            if payload:
                write_whole(payload, salted)


def _inclusion(store: ReadStore, id: str) -> str:  # noqa: A002 - the word for it
    from policy_engine.decision_log.proofs import checkpoint_of, prove_inclusion  # noqa: PLC0415 - needs an extra
    from policy_engine.decision_log.reading import position_of  # noqa: PLC0415 - needs an extra

    return prove_inclusion(store, position_of(store, id), checkpoint_of(store)).text


def _payload(store: ReadStore, id: str, keys: KeyFile | None) -> bytes:  # noqa: A002 - the word for it
    """The salt and the payload of a record; raises `CannotRun` where they are not at hand."""
    from policy_engine.decision_log.reading import position_of, salted_payload  # noqa: PLC0415 - needs an extra

    position = position_of(store, id)
    return salted_payload(next(iter(store.records(position, position + 1))), keys)


def _consistency(store: ReadStore, old: str, new: str) -> str:
    from policy_engine.decision_log.proofs import prove_consistency  # noqa: PLC0415 - needs an extra

    return prove_consistency(store, _checkpoint(store, old), _checkpoint(store, new)).text


def _checkpoint(store: ReadStore, said: str) -> Checkpoint:
    from policy_engine.decision_log.proofs import checkpoint_of  # noqa: PLC0415 - needs an extra

    return checkpoint_of(store, int(said)) if said.isdecimal() and said.isascii() else read_kept(Path(said))
