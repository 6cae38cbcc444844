"""The engine as callers get it: that of `engine.py`, which also decides whole tables and writes reports.

What that needs is imported when it is first asked for, since it takes longer than all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from secrets import token_bytes
from time import time_ns
from typing import TYPE_CHECKING, Any, TypeVar, overload

from policy_engine import engine
from policy_engine.engine import NO_READINGS
from policy_engine.errors import CannotRun
from policy_engine.reports.arguments import Arguments

if TYPE_CHECKING:
    from polars import DataFrame

    from policy_engine.decision_log.in_process import DecisionLog
    from policy_engine.reports.frames import DecidedTable
    from policy_engine.reports.run import ReportResult

Frame = TypeVar("Frame")


def open_log(location: str | Path, *, keys: str | Path | None = None, caller: str = "") -> DecisionLog:
    """A decision log that `policy log init` made, to be given to `Engine(log=...)`: every answer is in it before it is returned.

    `location` is its file or the address of its database, `keys` the folder of its keys (beside the file if left out), `caller`
    the name that its records tell of who asks. One process writes a log. Close it, or use it in a `with` block.

    Raises `CannotRun` where it cannot be opened or is being written already, or without cryptography; `TypeError` for a
    caller that is no text.
    """
    if not isinstance(caller, str):
        raise TypeError(f"`caller` is a text, not {type(caller).__name__}")
    if find_spec("cryptography") is None:
        raise CannotRun('a decision log needs the package `cryptography`: pip install "policy_engine[log]"')
    from policy_engine.decision_log.in_process import DecisionLog  # noqa: PLC0415 - cryptography need not be there
    from policy_engine.decision_log.opening import default_keys, open_writer  # noqa: PLC0415
    from policy_engine.decision_log.recording import Recorder  # noqa: PLC0415

    folder = Path(keys) if keys is not None else default_keys(str(location))
    writer = open_writer(str(location), folder, token_bytes)
    return DecisionLog(writer, Recorder(writer.keys.masking_key), caller, _milliseconds, token_bytes)


def _milliseconds() -> int:
    return time_ns() // 1_000_000


class Engine(engine.Engine):
    """Checked rulesets, and what was compiled of them so far. It reads no clock. Threads may share it."""

    __slots__ = ()

    @overload
    def decide_table(
        self,
        table: str | Path,
        ruleset: str,
        *,
        as_of: date,
        decisions: Iterable[str] | None = None,
        readings: Mapping[str, str] = NO_READINGS,
        mapping: str | Path | None = None,
        reasons: bool = False,
    ) -> DecidedTable[DataFrame]: ...

    @overload
    def decide_table(
        self,
        table: Frame,
        ruleset: str,
        *,
        as_of: date,
        decisions: Iterable[str] | None = None,
        readings: Mapping[str, str] = NO_READINGS,
        mapping: str | Path | None = None,
        reasons: bool = False,
    ) -> DecidedTable[Frame]: ...

    def decide_table(
        self,
        table: object,
        ruleset: str,
        *,
        as_of: date,
        decisions: Iterable[str] | None = None,
        readings: Mapping[str, str] = NO_READINGS,
        mapping: str | Path | None = None,
        reasons: bool = False,
    ) -> DecidedTable[Any]:
        """The decisions of a ruleset about every row of a table, and its invalid rows, in frames of the table's kind.

        A table is a Polars or pandas frame, an Arrow table or reader, a DuckDB relation, or a frame of Spark; anything else that
        gives columns by Arrow's PyCapsule interface gets frames of Polars, and so does the name of a file that `policy report`
        reads. A lazy frame, as Spark's are, is not read before one of the results is. Spark's rows have no numbers: its results
        have all columns of the frame in place of `row`. `decisions` names those that are wanted, `mapping` is the mapping file.
        With `reasons` each decision has its sentence in words.

        Raises `CannotRun` where the table cannot be read, `TypeError` where it is none, `UnknownDecision`, `NotInForce`,
        `UnknownReading`, and `RulesetError` where the numbers of the rules are too wide for columns.
        """
        from policy_engine.reports.frames import decide_file, decide_frame, question_of  # noqa: PLC0415 - Polars is slow to import

        place = Path(mapping) if mapping is not None else None
        question = question_of(self.ruleset(ruleset, as_of), as_of, readings, decisions, place, reasons=reasons)
        if isinstance(table, str | Path):
            return decide_file(Path(table), question, place)
        if type(table).__module__.startswith("pyspark."):
            from policy_engine.reports.spark_frames import decide_spark_frame  # noqa: PLC0415 - the same

            return decide_spark_frame(table, question)
        return decide_frame(table, question)

    def sql(
        self,
        ruleset: str,
        dialect: str,
        *,
        as_of: date,
        table: str | None = None,
        keep: Iterable[str] | None = None,
        view: str | None = None,
        readings: Mapping[str, str] = NO_READINGS,
        trusted: bool = False,
        invalid: bool = False,
        any_day: bool = False,
    ) -> str:
        """A ruleset as one query for a database, or with `view` the definition of a view, as `policy sql` prints it.

        `dialect` is `duckdb`, `postgres` or `spark`, `table` the name of the table, as schema.table; named like the facts if left
        out. `keep` are columns that stand before the decisions; the keys if left out. Rows that are not valid get the status
        `invalid`; with `trusted` they are not looked for. `invalid` gives the query that says what is wrong with them.
        With `any_day` the day is a parameter of the query, for the days around `as_of` on which no rule changes.

        Raises `CannotRun` for a dialect or a name that is none, or without sqlglot, `UnknownDecision`, `NotInForce`,
        `UnknownReading`, and `RulesetError` where the database cannot give the exact answer.
        """
        from policy_engine.reports.queries import query_text  # noqa: PLC0415 - sqlglot need not be there

        kept = None if keep is None else list(keep)
        return query_text(
            self.ruleset(ruleset, as_of),
            dialect,
            as_of,
            readings,
            table=table,
            keep=kept,
            view=view,
            trusted=trusted,
            invalid=invalid,
            any_day=any_day,
        )

    def report(
        self,
        tables: Mapping[str, str | Path],
        out: str | Path,
        *,
        as_of: date,
        readings: Mapping[str, str] = NO_READINGS,
        maps: Mapping[str, str | Path] | None = None,
        **options: Any,
    ) -> ReportResult:
        """Write a report to the folder `out`, as `policy report` does, and give its totals and the names of its files.

        `tables` has a file for each ruleset, `maps` a mapping file for each, or one under "" for all. The other options are those
        of `Arguments`: `encoding`, `delimiter`, `over`, `formats`, `seed`, `samples` and so on. Before anything is written it
        raises `CannotRun`, also where one of them is not what it must be, or where the rules were not loaded from one folder or
        file, since nobody could make such a report again.
        """
        from policy_engine.reports.databases import report_fetched  # noqa: PLC0415 - Polars is slow to import
        from policy_engine.reports.jobs import jobs_of  # noqa: PLC0415
        from policy_engine.reports.locating import WHERE_NAMED  # noqa: PLC0415
        from policy_engine.reports.manifest import refuse_unreadable  # noqa: PLC0415
        from policy_engine.reports.run import run_report  # noqa: PLC0415
        from policy_engine.reports.settings import given_settings  # noqa: PLC0415

        if self._files is None or len(self._files.rules) != 1:
            raise CannotRun("a report names the one folder or file that its rules came from; load the engine from one")
        arguments = Arguments(
            tables=tuple((ruleset, str(file)) for ruleset, file in tables.items()),
            as_of=as_of,
            rules=str(self._files.rules[0]),
            schemas=str(self._files.schemas),
            readings=readings,
            maps={ruleset: str(file) for ruleset, file in (maps or {}).items()},
            **options,
        )
        refuse_unreadable(arguments)
        arguments = replace(arguments, settings=given_settings(arguments.settings))
        rules = engine.Engine(self.rulebook)  # which stays as it is while others call `reload`
        with report_fetched(rules, arguments, WHERE_NAMED) as located:
            jobs = jobs_of(rules, arguments, located)
            result = run_report(rules, jobs, arguments, Path(out), located=located)
        told = (located.told(warning) for job in jobs for warning in job.source.warnings)
        warnings = dict.fromkeys([*located.notes, *told])
        return replace(result, notes=(*warnings, *result.notes))
