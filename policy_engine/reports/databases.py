"""Tables in databases: decided there, and fetched with what was decided, so that all parts of a report can be made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from policy_engine.backends.columnar import prepare
from policy_engine.diagnostics import shown_text
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.language.types import Member
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.deciding import answers_schema
from policy_engine.reports.jobs import own_readings
from policy_engine.reports.locating import Located
from policy_engine.reports.queries import dialect_named
from policy_engine.reports.rows_digest import fetched_rows
from policy_engine.tables.databases.arrow_rows import write_frames
from policy_engine.tables.databases.base import Database
from policy_engine.tables.databases.opening import connected, notes_of, refuse_unfit
from policy_engine.tables.databases.places import EXAMPLES, POSTGRES, DatabasePlace, database_place, is_in_database
from policy_engine.tables.databases.writing import refuse_no_place, write_as_table
from policy_engine.tables.opening_tables import Options, source_of

if TYPE_CHECKING:
    from policy_engine.backends.sql.dialects.base import Dialect


@dataclass(frozen=True, slots=True)
class Asked:
    """A ruleset as it is asked on a day under readings."""

    ruleset: Ruleset
    as_of: date
    readings: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def report_fetched(engine: Engine, arguments: Arguments, located: Located) -> Iterator[Located]:
    """Where the tables of a report lie: those in databases are fetched, and decided there. Raises `PolicyError`s."""
    asked: dict[str, list[Asked]] = {}
    for name, place in arguments.tables:
        if is_in_database(place):
            ruleset = engine.ruleset(name, arguments.as_of)
            own = Asked(ruleset, arguments.as_of, own_readings(ruleset, arguments.readings))
            asked.setdefault(place, []).append(own)
            _refuse_options(name in arguments.maps or "" in arguments.maps, arguments.input_format)
    with _fetched_tables(asked, located, decided=True) as found:
        yield found


@contextmanager
def table_fetched(place: str, asked: Sequence[Asked], options: Options, located: Located) -> Iterator[Located]:
    """Where a table lies that all these ask for: one in a database is fetched. Raises `PolicyError`s."""
    if is_in_database(place):
        _refuse_options(bool(options.maps), options.file.input_format)
    with _fetched_tables({place: asked} if is_in_database(place) else {}, located) as found:
        yield found


def decisions_written(name: str | None, arguments: Arguments) -> Callable[[Path], object]:
    """What makes a table of `decisions.parquet`, or does nothing where none is named; raises `CannotRun`."""
    if name is None:
        return lambda file: None
    if not is_in_database(name):
        raise CannotRun(f"--decisions-to: `{shown_text(name)}` is no table in a database; write {EXAMPLES[POSTGRES]}")
    if len(arguments.tables) > 1:
        raise CannotRun("--decisions-to is for one ruleset; make a report for each")
    place = database_place(name)
    refuse_no_place(place)
    return lambda file: write_as_table(file, place)


def _refuse_options(is_mapped: bool, input_format: str | None) -> None:
    """Raises `CannotRun` for options that say how files are read."""
    if is_mapped or input_format:
        raise CannotRun("--map and --input-format are for files; rows of a database are put in another form by a query")


@contextmanager
def _fetched_tables(
    asked: Mapping[str, Sequence[Asked]], located: Located, *, decided: bool = False
) -> Iterator[Located]:
    """Where tables lie while they are fetched to a temporary folder, for the rulesets that ask for them, by the tables' names.

    Where `decided`, the databases decide about their rows. Raises `CannotRun`.
    """
    if not asked:
        yield located
        return
    with TemporaryDirectory(prefix="policy-") as folder:
        for number, (name, own) in enumerate(asked.items()):
            place = Path(folder) / str(number)
            place.mkdir()
            located = _fetched(database_place(name), own, place, located, decided=decided)
        try:
            yield located
        except CannotRun as error:
            raise CannotRun(located.told(str(error))) from None


def _fetched(place: DatabasePlace, asked: Sequence[Asked], folder: Path, located: Located, *, decided: bool) -> Located:
    """Where a table lies once it is fetched, beside the others."""
    dialect = dialect_named(place.kind)
    from policy_engine.backends.sql import rows  # noqa: PLC0415 - sqlglot need not be there

    members = _members(one.ruleset.facts for one in asked)
    with connected(place, folder) as database:
        whole = rows.all_of(dialect, place.table) if place.query is None else place.query
        columns = database.columns(whole)
        refuse_unfit(place, columns, members, {m.name: dialect.column_kind(m.type) for m in members})
        held = database.held(rows.facts_of(dialect, members, whole, columns))
        table = database.write_facts(rows.ordered_facts(dialect, members, held), folder)
        rows_read = [fetched_rows(one.ruleset.id, place.name, source_of(table, one.ruleset.facts)) for one in asked]
        answers, notes = dict(located.answers), [*located.notes, *notes_of(place, columns, members)]
        for one in asked if decided else ():
            try:
                answers[one.ruleset.id] = _decided(database, one, members, held, dialect, folder)
            except RulesetError as refused:
                first = refused.diagnostics[0]
                notes.append(f"`{one.ruleset.id}` is decided here, not in {dialect.title}: {first.message}")
    return Located({**located.moved, place.name: table}, (*located.rows, *rows_read), answers, tuple(notes))


def _decided(
    database: Database, asked: Asked, members: Sequence[Member], held: str, dialect: Dialect, folder: Path
) -> Path:
    """The file of what a database decides; raises `RulesetError` where it cannot do so exactly."""
    from policy_engine.backends.sql import rows  # noqa: PLC0415 - sqlglot need not be there
    from policy_engine.backends.sql.program import prepare as prepare_query  # noqa: PLC0415 - the same

    schema = answers_schema(prepare(asked.ruleset, asked.readings, asked.as_of))
    asks = prepare_query(asked.ruleset, asked.readings, asked.as_of, dialect, checked=True)
    query = rows.ordered_answers(asks, members, held)
    return write_frames(partial(database.frames, query, schema), folder / f"{asked.ruleset.id}.parquet")


def _members(facts: Iterable[FactsSchema]) -> list[Member]:
    """The members of all schemas, each name once."""
    return list({member.name: member for schema in facts for member in schema.type.members}.values())
