"""`policy log init`, `erase` and `prune`: what makes and changes a decision log."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.cli.log_options import (
    KeysOption,
    LogArgument,
    needs_cryptography,
    now_milliseconds,
    read_text,
    writing,
)
from policy_engine.cli.options import read_day, today_in
from policy_engine.cli.show import console, safe
from policy_engine.errors import CannotRun

if TYPE_CHECKING:
    from policy_engine.decision_log.stores import ReadStore

ByOption = Annotated[str, typer.Option("--by", help="Who does it; this stands in the log.")]
BY = "policy log"
_DAYS = re.compile("([1-9][0-9]{0,5})d")


def init(
    log: LogArgument,
    name: Annotated[
        str, typer.Option("--name", help="The name of the log in checkpoints, such as example.com/decisions.")
    ],
    keys: KeysOption = None,
) -> None:
    """Make a log and the folder of its keys. Keep the folder apart, and never in the same backups as the log."""
    needs_cryptography()
    from policy_engine.decision_log.opening import VERIFIER_KEY, create_log, default_keys  # noqa: PLC0415 - an extra

    folder = keys or default_keys(log)
    made = create_log(log, folder, name, os.urandom)
    out = console()
    out.print(safe(f"made: {log}, and its keys in {folder}"))
    out.print(safe(f"hand out the public key, which also stands in {folder / VERIFIER_KEY}:"))
    out.print(safe(made.verifier.text), soft_wrap=True)


def erase(
    log: LogArgument,
    accounts: Annotated[list[str] | None, typer.Argument(metavar="ACCOUNT", help="Accounts.")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="A single record; may be repeated.")] = None,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A file with an account on each line.")
    ] = None,
    by: ByOption = BY,
    keys: KeysOption = None,
) -> None:
    """Erase the payloads of accounts, their salts, keys and places in the index; entries stay, and all proofs still verify.

    That it was done is itself an entry. Files are rewritten, so that nothing of what was erased is left in them.
    """
    names = [*(accounts or ()), *(_lines(file) if file else ())]
    if not (names or ids):
        raise CannotRun("whose payloads? name accounts, or records with --id, or a file with --from")
    with writing(log, keys) as writer:
        from policy_engine.decision_log import erasing  # noqa: PLC0415 - needs an extra

        done = erasing.erase(writer, names, _ids(ids), caller=by, milliseconds=now_milliseconds())
    for one in done.unknown:
        console(stderr=True).print(safe(f"the index of the log has nothing of `{one}`"))
    if len(done.unknown) == len({*names, *(ids or ())}):
        raise CannotRun("nothing was erased")
    console().print(safe(f"erased: {_counted(done.payloads, 'payload')}; the log has {done.checkpoint.size} records"))


def prune(
    log: LogArgument,
    entries: Annotated[
        str | None, typer.Option("--entries-before", metavar="DAY", help="A day, or an age in days, such as 3650d.")
    ] = None,
    payloads: Annotated[
        str | None,
        typer.Option(
            "--payloads-before", metavar="DAY", help="The same for payloads alone; they go with entries in any case."
        ),
    ] = None,
    by: ByOption = BY,
    keys: KeysOption = None,
) -> None:
    """Let go of what is older than a day (UTC): of entries, whose hashes stay, and of payloads.

    Records go from the first on, up to the first that is not old enough. That it was done is itself an entry.
    """
    if entries is None and payloads is None:
        raise CannotRun(
            "which? give --entries-before or --payloads-before, a day such as 2019-01-01 or an age such as 3650d"
        )
    with writing(log, keys) as writer:
        from policy_engine.decision_log import erasing  # noqa: PLC0415 - needs an extra

        before = _position(writer.store, _moment(entries, "--entries-before"))
        payloads_before = max(before, _position(writer.store, _moment(payloads, "--payloads-before")))
        if not erasing.has_anything_before(writer.store, before, payloads_before):
            raise CannotRun("nothing is as old as that, and nothing was pruned")
        checkpoint = erasing.prune(
            writer,
            entries_before=before,
            payloads_before=payloads_before,
            caller=by,
            milliseconds=now_milliseconds(),
        )
    told = f"pruned: the first {_counted(before, 'entry')}, and the payloads of the first {_counted(payloads_before, 'record')}"
    console().print(safe(f"{told}; the log has {checkpoint.size} records"))


def _lines(file: Path) -> list[str]:
    """The lines of a file that are not empty, without the mark that spreadsheets begin a file with."""
    return [line for line in read_text(file).removeprefix("\ufeff").splitlines() if line]


def _ids(said: list[str] | None) -> list[str]:
    from policy_engine.decision_log.records import id_bytes  # noqa: PLC0415 - needs an extra

    for one in said or ():
        try:
            id_bytes(one)
        except ValueError:
            raise CannotRun(f"--id: `{one}` is no id of a record; that is a UUID") from None
    return said or []


def _moment(said: str | None, option: str) -> int:
    """The first millisecond of a day, or of the day that was so many days ago; 0 where none is said."""
    if said is None:
        return 0
    days = _DAYS.fullmatch(said)
    try:
        day = today_in("UTC") - timedelta(days=int(days[1])) if days else read_day(said, option)
    except OverflowError:
        raise CannotRun(f"{option}: `{said}` is before the first year") from None
    if day > today_in("UTC"):
        raise CannotRun(f"{option}: `{said}` is after today, and nothing was pruned")
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def _position(store: ReadStore, milliseconds: int) -> int:
    """The position of the first record that was made then or later."""
    from policy_engine.decision_log.reading import first_since  # noqa: PLC0415 - needs an extra

    return first_since(store, milliseconds) if milliseconds else 0


def _counted(count: int, what: str) -> str:
    """A number of things in words."""
    plural = {"entry": "entries"}.get(what, f"{what}s")
    return f"{count:,} {what if count == 1 else plural}"
