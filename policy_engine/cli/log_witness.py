"""`policy log witness`: signing checkpoints of a log as somebody else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.cli.log_options import (
    OutOption,
    give,
    needs_cryptography,
    now_milliseconds,
    public_key,
    read_kept,
    read_text,
)
from policy_engine.cli.show import console, safe
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole

if TYPE_CHECKING:
    from policy_engine.decision_log.notes import Checkpoint, Signer


def witness(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A file with a checkpoint.")],
    key: Annotated[Path, typer.Option("--key", help="The private key of the witness.")],
    verifier: Annotated[str, typer.Option("--verifier", metavar="KEY", help="The public key of the log, or its file.")],
    proof: Annotated[
        Path | None,
        typer.Option("--proof", help="A proof that the checkpoint continues the one that was signed before."),
    ] = None,
    is_first: Annotated[bool, typer.Option("--first", help="Sign the first checkpoint, which continues none.")] = False,
    out: OutOption = None,
) -> None:
    """Sign a checkpoint as a witness, with the time, after a proof that it continues the one that was signed before.

    A witness signs no two states of a log of which neither continues the other; so nobody can be shown another log.
    """
    needs_cryptography()
    from policy_engine.decision_log.notes import is_signed, signed  # noqa: PLC0415 - needs an extra

    if (proof is None) != is_first:
        raise CannotRun(
            "give --proof, made by `policy log prove --consistency OLD NEW`; or --first, for the first checkpoint"
        )
    found, by = read_kept(checkpoint), _witness_key(key)
    if not is_signed(found, public_key(verifier)):
        raise CannotRun(f"`{checkpoint}` is not signed by the key of the log, and was not signed")
    if proof is not None:
        _check_proof(proof, found, by)
    give(signed(found, by, now_milliseconds() // 1000).text, out)


def _check_proof(path: Path, found: Checkpoint, by: Signer) -> None:
    """Raises `CannotRun` where a proof does not show that a checkpoint continues one that the witness signed."""
    from policy_engine.decision_log.notes import witnessed_at  # noqa: PLC0415 - needs an extra
    from policy_engine.decision_log.proofs import read_consistency_proof  # noqa: PLC0415 - needs an extra

    try:
        proof = read_consistency_proof(read_text(path))
    except ValueError as error:
        raise CannotRun(f"`{path}` is no proof: {error}") from None
    if witnessed_at(proof.old, by.verifier) is None:
        raise CannotRun(
            f"the older checkpoint in `{path}` is not signed by this witness; make the proof from the one that is"
        )
    if proof.new.body != found.body:
        raise CannotRun(f"`{path}` leads to another checkpoint, of {proof.new.size} records")
    if not proof.is_right:
        raise CannotRun(f"`{path}` does not show that the log only grew, and nothing was signed")


def witness_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the witness, such as witness.example/w1.")],
    key: Annotated[Path, typer.Option("--key", help="The file for the private key.")],
) -> None:
    """Make the key of a witness, and print its public key."""
    needs_cryptography()
    from policy_engine.decision_log.notes import KEY_BYTES, KeyKind, signer  # noqa: PLC0415 - needs an extra

    if key.exists():
        raise CannotRun(f"`{key}` is there already; name another file")
    try:
        made = signer(name, KeyKind.WITNESS, os.urandom(KEY_BYTES))
    except ValueError as error:
        raise CannotRun(str(error)) from None
    write_whole(key, f"{made.text}\n", 0o600)
    console().print(safe(made.verifier.text), soft_wrap=True)


def _witness_key(path: Path) -> Signer:
    from policy_engine.decision_log.notes import KeyKind  # noqa: PLC0415 - needs an extra
    from policy_engine.decision_log.opening import read_signing_key  # noqa: PLC0415 - needs an extra

    key = read_signing_key(path)
    if key.kind is not KeyKind.WITNESS:
        raise CannotRun(f"`{path}` is the key of a log, and no witness of it; `policy log witness-key` makes one")
    return key
