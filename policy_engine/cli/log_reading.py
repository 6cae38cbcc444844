"""`policy log show`, `query`, `stats` and `export`: reading records of a decision log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from policy_engine.cli.log_options import (
    KINDS,
    AccountOption,
    CallerOption,
    DecisionOption,
    KeysOption,
    KindOption,
    LogArgument,
    OutcomeOption,
    RuleOption,
    SinceOption,
    StatusOption,
    UntilOption,
    keys_for,
    reading,
)
from policy_engine.cli.options import JsonOption
from policy_engine.cli.show import console, safe
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import read_date

if TYPE_CHECKING:
    from policy_engine.decision_log.reading import ReadRecord, Selection
    from policy_engine.decision_log.records import Entry
    from policy_engine.decision_log.sealing import KeyFile
    from policy_engine.decision_log.stores import ReadStore

LISTED = 100
_CLOCK = re.compile(r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?Z?)?", re.ASCII)


def show(
    log: LogArgument,
    id: Annotated[str, typer.Argument(metavar="ID", help="The record.")],  # noqa: A002 - the word for it
    keys: KeysOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a record: its entry, and its payload where it is there and its key is at hand."""
    with reading(log) as store:
        from policy_engine.decision_log import reading as records  # noqa: PLC0415 - needs an extra

        position = records.position_of(store, id)
        found = records.read_record(next(iter(store.records(position, position + 1))), keys_for(store, log, keys))
    if as_json:
        typer.echo(json.dumps(_members(found)))
        return
    out = console()
    out.print(safe(f"record {found.position}"))
    for name, value in json.loads(found.entry_bytes).items():
        out.print(safe(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"))
    out.print(safe(f"the payload is {found.state}" if found.payload is None else _pretty(found.payload)))


def query(
    log: LogArgument,
    account: AccountOption = "",
    decision: DecisionOption = "",
    status: StatusOption = "",
    outcome: OutcomeOption = "",
    rule: RuleOption = "",
    caller: CallerOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option(min=1, help="List so many at most.")] = LISTED,
    keys: KeysOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object on each line and nothing else.")] = False,
) -> None:
    """List records, the oldest first: all that fit every option."""
    asked = selection_of(account, decision, status, outcome, rule, caller, kind, since, until)
    with reading(log) as store:
        from policy_engine.decision_log.reading import select  # noqa: PLC0415 - needs an extra

        key_file = keys_for(store, log, keys)
        found = list(islice(select(store, key_file, asked), limit + 1))
        notes = _not_found(store, key_file, asked, found=bool(found))
    if as_json:
        for one in found[:limit]:
            typer.echo(json.dumps(_members(one)))
    else:
        _list(found[:limit])
    _note(notes)
    if len(found) > limit:
        console(stderr=True).print(
            safe(f"there are more than {limit}; ask for more with --limit, or narrow the question")
        )


def stats(log: LogArgument, keys: KeysOption = None, as_json: JsonOption = False) -> None:
    """Count what is in a log: records by kind, caller, decision, outcome, and what is left of payloads."""
    with reading(log) as store:
        from policy_engine.decision_log.statistics import statistics  # noqa: PLC0415 - needs an extra

        found = statistics(store)
    if as_json:
        typer.echo(json.dumps(found))
        return
    out = console()
    for name, value in found.items():
        if isinstance(value, dict):
            out.print(safe(f"{name}:"))
            for key, count in value.items():
                out.print(safe(f"  {key}: {count:,}"))
        else:
            out.print(safe(f"{name}: {value if isinstance(value, str) else f'{value:,}'}"))


def export(
    log: LogArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A file .jsonl or .parquet.")],
    account: AccountOption = "",
    decision: DecisionOption = "",
    status: StatusOption = "",
    outcome: OutcomeOption = "",
    rule: RuleOption = "",
    caller: CallerOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    without_payloads: Annotated[bool, typer.Option("--without-payloads", help="Leave personal data out.")] = False,
    keys: KeysOption = None,
) -> None:
    """Write records: as JSON Lines one for each line, as Parquet a row for each answer, or each record without any."""
    asked = selection_of(account, decision, status, outcome, rule, caller, kind, since, until)
    with reading(log) as store:
        from policy_engine.decision_log.exporting import export as write  # noqa: PLC0415 - needs an extra
        from policy_engine.decision_log.reading import select  # noqa: PLC0415 - needs an extra

        key_file = keys_for(store, log, keys)
        count = write(select(store, key_file, asked), out, without_payloads=without_payloads)
        notes = _not_found(store, key_file, asked, found=count > 0)
    console().print(safe(f"written: {count:,} {'record' if count == 1 else 'records'} to {out}"))
    _note(notes)


def _not_found(store: ReadStore, keys: KeyFile | None, asked: Selection, *, found: bool) -> list[str]:
    """What was not read, and, where nothing was found, what is named nowhere in the log."""
    from policy_engine.decision_log.statistics import pruned_entries, unknown_names  # noqa: PLC0415 - needs an extra

    pruned = pruned_entries(store)
    told = [f"not read: {pruned:,} pruned {'entry' if pruned == 1 else 'entries'}, of which only hashes are left"]
    return [*(told if pruned else ()), *(() if found else unknown_names(store, keys, asked))]


def _note(sentences: list[str]) -> None:
    for sentence in sentences:
        console(stderr=True).print(safe(sentence), soft_wrap=True)


def selection_of(*texts: str) -> Selection:
    """What is asked for; raises `CannotRun` for a kind or a time that there cannot be."""
    from policy_engine.decision_log.reading import Selection  # noqa: PLC0415 - needs an extra

    asked = Selection(*texts)
    if asked.kind and asked.kind not in KINDS:
        raise CannotRun(
            f"--kind: `{asked.kind}` is none; {did_you_mean(asked.kind, KINDS) or 'there is ' + ', '.join(KINDS)}"
        )
    return replace(asked, since=_time(asked.since, "--since"), until=_time(asked.until, "--until"))


def _time(said: str, option: str) -> str:
    """A time as entries begin with it; raises `CannotRun`."""
    try:
        if said:
            read_date(said[:10])
    except ValueError:
        raise CannotRun(
            f"{option}: `{said}` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC"
        ) from None
    if not _CLOCK.fullmatch(said[10:]):
        raise CannotRun(f"{option}: `{said}` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC")
    return said.removesuffix("Z")


def _members(found: ReadRecord) -> dict[str, Any]:
    """A record as JSON."""
    payload = None if found.payload is None else json.loads(found.payload)
    return {
        "position": found.position,
        "entry": json.loads(found.entry_bytes),
        "payload": payload,
        "payload_state": found.state,
    }


def _list(found: list[ReadRecord]) -> None:
    grid = Table(
        "time", "id", "what", "status", "outcome", "rules", "caller", "payload", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for one in found:
        for row in _rows(one.entry):
            grid.add_row(*map(_cell, (one.entry.time, one.entry.id, *row, one.entry.caller, one.state)))
    out = console()
    if found:
        out.print(grid)
    out.print(safe(f"{len(found):,} {'record' if len(found) == 1 else 'records'}"))


def _rows(entry: Entry) -> list[tuple[str, str, str, str]]:
    """What a record says of each of its answers; of itself where it has none."""
    if not entry.answers:
        return [(entry.question or entry.kind, "invalid facts" if entry.kind == "refusal" else "", "", "")]
    return [(one.decision, one.status, _outcome(one.outcome), ", ".join(one.rules)) for one in entry.answers]


def _outcome(outcome: str | tuple[str, ...] | None) -> str:
    return outcome if isinstance(outcome, str) else ", ".join(outcome or ())


def _cell(text: str) -> Text:
    return safe(shown_text(text))


def _pretty(payload: bytes) -> str:
    return f"payload: {payload.decode('utf-8', 'backslashreplace')}"
