"""The facts of a decision log as tables that other commands read, in files that are there while they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from policy_engine.cli.log_options import keys_for, reading
from policy_engine.cli.show import console, safe
from policy_engine.errors import CannotRun
from policy_engine.reports.locating import Located


@contextmanager
def logged_tables(
    location: str, keys: Path | None, rulesets: Sequence[str]
) -> Iterator[tuple[dict[str, str], Located]]:
    """The table of the facts that a log remembers of each ruleset, and where they lie; what is left out is told.

    Only who runs the command can read the files, which are gone when it ends. Raises `CannotRun`.
    """
    with TemporaryDirectory(prefix="policy-") as folder:
        places = {name: Path(folder) / f"{name}.jsonl" for name in rulesets}
        counts = _written(location, keys, places)
        for name, count in counts.items():
            _tell(name, count)
        found = {name: f"{location}, {name}" for name in places if counts[name][""]}
        if not found:
            raise CannotRun(f"the log holds no facts of {', '.join(f'`{name}`' for name in rulesets)} that can be read")
        located = Located({told: places[name] for name, told in found.items()})
        try:
            yield found, located
        except CannotRun as error:
            raise CannotRun(located.told(str(error))) from None


def _written(location: str, keys: Path | None, places: dict[str, Path]) -> dict[str, Counter[str]]:
    with reading(location) as store, ExitStack() as stack:
        from policy_engine.decision_log.facts_tables import write_facts  # noqa: PLC0415 - needs an extra
        from policy_engine.decision_log.reading import Selection, select  # noqa: PLC0415 - needs an extra

        files = {name: stack.enter_context(place.open("wb")) for name, place in places.items()}
        return write_facts(select(store, keys_for(store, location, keys), Selection()), files)


def _tell(name: str, count: Counter[str]) -> None:
    for why, number in sorted(count.items()):
        if why:
            records = f"{number:,} {'record' if number == 1 else 'records'} of `{name}`"
            console(stderr=True).print(safe(f"note: {records} left out: {why}"))
