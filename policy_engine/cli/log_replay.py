"""`policy log replay`: what a decision log remembers, decided again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from policy_engine.cli.log_options import (
    AccountOption,
    CallerOption,
    DecisionOption,
    KeysOption,
    LogArgument,
    SinceOption,
    UntilOption,
    keys_for,
    reading,
)
from policy_engine.cli.log_reading import selection_of
from policy_engine.cli.options import RULES, SCHEMAS, Exit, JsonOption, RulesOption, SchemasOption
from policy_engine.cli.show import console, safe
from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole

if TYPE_CHECKING:
    from policy_engine.analysis.replaying import Difference, NotReplayed, Replayed, Under

RECORDED, IN_FORCE = "recorded", "in-force"
LONGEST = 300
"""Characters of a reason that are shown."""
LISTED = 20
"""So many differences are shown; all are in the file of --out."""


def replay(
    log: LogArgument,
    under: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Which rules decide: recorded (those that decided), in-force (those in force on the day of the question), "
            "or RULESET@VERSION.",
        ),
    ] = RECORDED,
    account: AccountOption = "",
    decision: DecisionOption = "",
    caller: CallerOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Write all that differs, and all that cannot be decided again, as JSON Lines to this file."),
    ] = None,
    as_json: JsonOption = False,
    keys: KeysOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide again what a log remembers, and show what comes out otherwise, with both reasons.

    Under the recorded text everything must come out the same, reasons included. Under another, status, outcome, rules, missing
    facts and the values that both have are compared. What cannot be decided again is counted, with the reason. Exit code 0:
    nothing differs. 3: something does. 2: nothing could be decided again.
    """
    asked = selection_of(account, decision, "", "", "", caller, "", since, until)
    engine = Engine.load(rules, schemas)
    with reading(log) as store:
        from policy_engine.analysis.replaying import replay as decide_again  # noqa: PLC0415 - needs an extra
        from policy_engine.decision_log.reading import select  # noqa: PLC0415 - needs an extra

        records = select(store, keys_for(store, log, keys), asked)
        found = _tally(decide_again(records, _under(under, engine), engine.rulebook), keep=out is not None)
    if out is not None:
        write_whole(out, b"".join(found.lines))
    typer.echo(json.dumps(found.to_dict())) if as_json else _show(found, out)
    if not found.replayed:
        raise typer.Exit(Exit.COULD_NOT_RUN)
    raise typer.Exit(Exit.DIFFERENT if found.differing else Exit.FINE)


def _under(said: str, engine: Engine) -> Under:
    """Which rules decide; raises `CannotRun` for what is none."""
    from policy_engine.analysis.replaying import under_in_force, under_recorded, under_version  # noqa: PLC0415 - an extra

    if said in (RECORDED, IN_FORCE):
        return under_recorded(engine.rulebook) if said == RECORDED else under_in_force(engine.rulebook)
    name, at, version = said.partition("@")
    if not at:
        raise CannotRun(f"--under: `{shown_text(said)}` is none of {RECORDED}, {IN_FORCE} and RULESET@VERSION")
    versions = [ruleset for ruleset in engine.rulesets if ruleset.id == name]
    if not versions:
        raise CannotRun(f"--under: {unknown_name('ruleset', name, [ruleset.id for ruleset in engine.rulesets])}")
    found = next((ruleset for ruleset in versions if ruleset.version == version), None)
    if found is None:
        told = unknown_name(f"version of `{name}`", version, [ruleset.version for ruleset in versions])
        raise CannotRun(f"--under: {told}")
    return under_version(found)


@dataclass(slots=True)
class _Found:
    """What came of all records: how many were decided again, how many of them differ, and why others were not."""

    replayed: int = 0
    differing: int = 0
    not_replayed: Counter[str] = field(default_factory=Counter)
    one_sided: dict[str, None] = field(default_factory=dict)
    first: list[Difference] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The counts in JSON types."""
        return {
            "replayed": self.replayed,
            "differing": self.differing,
            "not_replayed": dict(self.not_replayed),
            "one_sided": list(self.one_sided),
        }


def _tally(results: Iterable[Replayed | NotReplayed], *, keep: bool) -> _Found:
    """Count all results; their lines are kept where they are to be written."""
    found = _Found()
    for result in results:
        told = _counted(found, result)
        found.lines += map(_line, told if keep else ())
    return found


def _counted(found: _Found, result: Replayed | NotReplayed) -> Sequence[Mapping[str, object]]:
    """Count a result; gives what is written of it."""
    from policy_engine.analysis.replaying import NotReplayed  # noqa: PLC0415 - needs an extra

    if isinstance(result, NotReplayed):
        found.not_replayed[result.why] += 1
        return [{"id": result.id, "not_replayed": result.why}]
    found.replayed += 1
    found.differing += bool(result.differences)
    found.one_sided |= dict.fromkeys(result.one_sided)
    found.first += result.differences[: LISTED - len(found.first)]
    return [difference.to_dict() for difference in result.differences]


def _line(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _show(found: _Found, out: Path | None) -> None:
    screen = console()
    for difference in found.first:
        for line in _lines(difference):
            screen.print(safe(line))
    more = "" if out is None else f"; all are in {out}"
    if found.differing:
        screen.print(safe(f"{_records(found.differing)} of {found.replayed:,} come out otherwise{more}"))
    elif found.replayed:
        screen.print(safe(f"{_records(found.replayed)} decided again: all come out as recorded"))
    else:
        screen.print(safe("no record was decided again"))
    for why, count in sorted(found.not_replayed.items()):
        screen.print(safe(f"not decided again: {_records(count)}, {why}"))
    for name in found.one_sided:
        screen.print(safe(f"not compared, since only one side has it: {name}"))


def _records(count: int) -> str:
    return f"{count:,} {'record' if count == 1 else 'records'}"


def _lines(difference: Difference) -> Iterator[str]:
    about = f" of {shown_text(difference.account)}" if difference.account else ""
    yield f"{difference.decision}{about} on {difference.as_of}, record {difference.id}"
    for side, told in (("recorded", difference.recorded), ("replayed", difference.replayed)):
        outcome = told["outcome"] if told["status"] == "decided" else told["status"]
        shown = ", ".join(outcome) if isinstance(outcome, list) else outcome or "calculated"
        yield f"  {side}: {shown}; {shown_text(str(told['reason']), LONGEST)}"
    yield from _values(difference)


def _values(difference: Difference) -> Iterator[str]:
    """The values that differ."""
    old, new = difference.recorded["values"], difference.replayed["values"]
    for name in old:
        if name in new and old[name] != new[name]:
            yield f"  {name}: {json.dumps(old[name])} recorded, {json.dumps(new[name])} replayed"
