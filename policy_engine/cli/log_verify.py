"""`policy log verify`: what shows that nobody changed a decision log, or which record is the first that somebody did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.cli.log_options import (
    KeysOption,
    LogArgument,
    VerifierOption,
    keys_for,
    read_kept,
    reading,
    verifier_of,
)
from policy_engine.cli.options import Exit, JsonOption
from policy_engine.cli.show import console, safe

if TYPE_CHECKING:
    from policy_engine.decision_log.verifying import Verification

SHOWN_FAULTS = 20


def verify(
    log: LogArgument,
    kept: Annotated[
        list[Path] | None, typer.Option("--kept", metavar="FILE", help="A checkpoint that was kept; may be repeated.")
    ] = None,
    verifier: VerifierOption = None,
    keys: KeysOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a whole log: entries by the tree, checkpoints by the key, payloads by their entries. Exit code 1 for faults.

    Without --verifier the log's own word is taken for its key; without the keys of accounts payloads are counted, not opened.
    """
    with reading(log) as store:
        from policy_engine.decision_log.verifying import verify as verify_store  # noqa: PLC0415 - needs an extra

        by = verifier_of(store, verifier)
        key_file = keys_for(store, log, keys)
        found = verify_store(store, by, key_file, [read_kept(path) for path in kept or ()])
    if as_json:
        typer.echo(json.dumps(_members(found)))
    else:
        _tell(log, found, by.text, is_said=verifier is not None)
    if found.fault_count:
        raise typer.Exit(Exit.FAULTS)


def _members(found: Verification) -> dict[str, object]:
    counts = ("records", "pruned", "checkpoints", "payloads", "unopened", "gone", "fault_count")
    faults = [{"position": fault.position, "sentence": fault.sentence} for fault in found.faults]
    return {**{name: getattr(found, name) for name in counts}, "faults": faults}


def _tell(log: str, found: Verification, key: str, *, is_said: bool) -> None:
    out = console()
    pruned = f", of {found.pruned:,} of them the hash alone" if found.pruned else ""
    out.print(safe(f"{log}: {found.records:,} records{pruned}, and {found.checkpoints:,} checkpoints"))
    out.print(safe(f"payloads: {found.payloads:,} fit their entries, {found.gone:,} were erased or pruned"))
    if found.unopened:
        out.print(
            safe(f"not checked: {found.unopened:,} payloads, whose keys are not at hand; name their folder with --keys")
        )
    out.print(
        safe(f"signed by {key}{'' if is_said else ', by the word of the log itself; give --verifier'}"), soft_wrap=True
    )
    for fault in found.faults[:SHOWN_FAULTS]:
        out.print(safe(f"fault: {fault.sentence}", "red"), soft_wrap=True)
    if found.fault_count > SHOWN_FAULTS:
        out.print(safe(f"and {found.fault_count - SHOWN_FAULTS:,} faults more"))
    out.print(
        safe(
            f"{found.fault_count:,} faults"
            if found.fault_count > 1
            else "1 fault"
            if found.fault_count
            else "no faults"
        )
    )
