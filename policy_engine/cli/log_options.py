"""What the commands of `policy log` share: their arguments, and opening a log and its keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Annotated

import typer

from policy_engine.errors import CannotRun
from policy_engine.files import write_whole

if TYPE_CHECKING:
    from policy_engine.decision_log.notes import Checkpoint, Verifier
    from policy_engine.decision_log.sealing import KeyFile
    from policy_engine.decision_log.stores import ReadStore
    from policy_engine.decision_log.writing import LogWriter

LogArgument = Annotated[
    str, typer.Argument(metavar="LOG", help="The decision log: its file, or the address of its database.")
]
KeysOption = Annotated[
    Path | None, typer.Option("--keys", help="The folder of the log's keys; beside a file by default, as NAME.keys.")
]
VerifierOption = Annotated[
    str | None, typer.Option("--verifier", metavar="KEY", help="The public key of the log, or a file with it.")
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file.")]
AccountOption = Annotated[str, typer.Option(help="Records about this account.")]
DecisionOption = Annotated[str, typer.Option(help="Records of this decision, or of all of a ruleset.")]
StatusOption = Annotated[str, typer.Option(help="Answers with this status.")]
OutcomeOption = Annotated[str, typer.Option(help="Answers with this outcome.")]
RuleOption = Annotated[str, typer.Option(help="Answers by this rule.")]
CallerOption = Annotated[str, typer.Option(help="Records of this caller.")]
KindOption = Annotated[str, typer.Option(help="Records of this kind: answer, refusal, search, erasure, pruning.")]
SinceOption = Annotated[str, typer.Option(metavar="TIME", help="From this time on (UTC), such as 2026-03-01.")]
UntilOption = Annotated[str, typer.Option(metavar="TIME", help="Before this time (UTC).")]

KINDS = ("answer", "refusal", "search", "erasure", "pruning")


def needs_cryptography() -> None:
    """Raises `CannotRun` where what the log needs is not installed."""
    if find_spec("cryptography") is None:
        raise CannotRun('`policy log` needs the package `cryptography`: pip install "policy_engine[log]"')


@contextmanager
def reading(location: str) -> Iterator[ReadStore]:
    """A log for reading, as it is at this moment; raises `CannotRun`."""
    needs_cryptography()
    from policy_engine.decision_log.opening import open_reader  # noqa: PLC0415 - needs an extra

    store = open_reader(location)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def writing(location: str, keys: Path | None) -> Iterator[LogWriter]:
    """The writer of a log; raises `CannotRun`."""
    needs_cryptography()
    from policy_engine.decision_log.opening import default_keys, open_writer  # noqa: PLC0415 - needs an extra

    writer = open_writer(location, keys or default_keys(location), os.urandom)
    try:
        yield writer
    finally:
        writer.close()


def keys_of(location: str, keys: Path | None) -> KeyFile | None:
    """The keys of accounts; None where none are named and none lie beside the log. Raises `CannotRun`."""
    from policy_engine.decision_log.opening import ACCOUNT_KEYS, default_keys, is_database  # noqa: PLC0415 - an extra
    from policy_engine.decision_log.sealing import KeyFile  # noqa: PLC0415 - needs an extra

    if keys is None and (is_database(location) or not default_keys(location).is_dir()):
        return None
    return KeyFile((keys or default_keys(location)) / ACCOUNT_KEYS)


def keys_for(store: ReadStore, location: str, keys: Path | None) -> KeyFile | None:
    """The keys of accounts, which must be those of this log; None where there are none at hand. Raises `CannotRun`."""
    from policy_engine.decision_log.opening import VERIFIER_KEY, default_keys  # noqa: PLC0415 - needs an extra

    found = keys_of(location, keys)
    if found is None:
        return None
    folder = keys or default_keys(location)
    public = folder / VERIFIER_KEY
    if public.is_file() and read_text(public).strip() != store.identity().verifier:
        raise CannotRun(
            f"`{folder}` has the keys of another log, by its `{VERIFIER_KEY}`; name those of this with --keys"
        )
    return found


def verifier_of(store: ReadStore, said: str | None) -> Verifier:
    """The public key that was said, or else that which the log itself names; raises `CannotRun`."""
    from policy_engine.decision_log.notes import read_verifier  # noqa: PLC0415 - needs an extra

    if said is not None:
        return public_key(said)
    try:
        return read_verifier(store.identity().verifier)
    except ValueError as error:
        raise CannotRun(
            f"the key that the log itself names is damaged: {error}; give its public key with --verifier"
        ) from None


def public_key(said: str) -> Verifier:
    """The public key in a text, or in the file of that name; raises `CannotRun`."""
    from policy_engine.decision_log.notes import read_verifier  # noqa: PLC0415 - needs an extra

    try:
        return read_verifier(said if "+" in said else read_text(Path(said)))
    except ValueError as error:
        raise CannotRun(f"--verifier: {error}") from None


def read_kept(path: Path) -> Checkpoint:
    """The checkpoint in a file; raises `CannotRun`."""
    from policy_engine.decision_log.notes import read_checkpoint  # noqa: PLC0415 - needs an extra

    try:
        return read_checkpoint(read_text(path))
    except ValueError as error:
        raise CannotRun(f"`{path}` is no checkpoint: {error}") from None


def read_text(path: Path) -> str:
    """The text of a file; raises `CannotRun`."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CannotRun(f"`{path}` is not UTF-8") from None


def give(text: str, out: Path | None) -> None:
    """Write a text to a file, or print it as it is."""
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_whole(out, text)


def now_milliseconds() -> int:
    """The time, in milliseconds since 1970 in UTC."""
    return time_ns() // 1_000_000
