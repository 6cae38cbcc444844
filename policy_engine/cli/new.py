"""`policy new`: a ruleset to begin with, from answers or from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich import box
from rich.table import Table

from policy_engine.cli.asking import Asking, read_option
from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    DelimiterOption,
    EncodingOption,
    HeaderRowOption,
    InputFormatOption,
    RulesOption,
    SchemasOption,
    SheetOption,
    read_day,
    read_input_format,
    today_in,
)
from policy_engine.cli.show import console, safe
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.yaml_reader import top_level_text
from policy_engine.errors import CannotRun
from policy_engine.files import make_folder, write_whole
from policy_engine.frontend.loader import rule_files
from policy_engine.frontend.schemas import is_name
from policy_engine.language.timezones import is_timezone

if TYPE_CHECKING:
    from policy_engine.analysis.beginning import Beginning, FirstFact, FirstFiles
    from policy_engine.analysis.first_facts import FactOfColumn
    from policy_engine.tables import FileOptions

ROWS = 10_000
FACT = "amount=decimal"
"""What is taken where nobody names a fact."""
LONGEST_TOLD = 200
NO_MAPPING = "columns: {}\n"
MADE = "# Made by `policy new`: which column is which fact, and how the file writes it. What is marked was guessed.\n"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The ruleset's id, such as late_fees.")],
    title: Annotated[str | None, typer.Option(help="What the ruleset is about, in words.")] = None,
    question: Annotated[str | None, typer.Option(help="The question that it answers.")] = None,
    outcome: Annotated[list[str] | None, typer.Option(help="A possible outcome; may be repeated.")] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day in force, as 2025-02-28.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="The time zone, as Europe/Berlin.")] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TYPE",
            help="A fact; TYPE is text, integer, decimal, decimal(3), boolean, date, date-time, time, or a set as low|high.",
        ),
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="FACT", help="The fact that names a row in reports.")] = None,
    from_table: Annotated[
        Path | None, typer.Option("--from-table", metavar="FILE", help="Take the facts from a table's columns.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="So many rows of the table are read.")] = ROWS,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take what is proposed.")] = False,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Begin a ruleset: a rule file, its schema and its tests, which `policy check --strict` and `policy test` accept.

    What is not given is asked on the terminal. With --from-table types, closed sets, bounds and forms are taken from what the
    rows hold, and shown before anything is written. No file is replaced.
    """
    from policy_engine.analysis.beginning import first_files  # noqa: PLC0415 - Polars is slow to import
    from policy_engine.tables import FileOptions  # noqa: PLC0415

    places = Places(rules / f"{name}.yaml", schemas / f"{name}.schema.json", rules / f"{name}_test.yaml")
    mapping = Path(f"{name}.map.yaml")
    _refuse(name, rules, [*places, *([mapping] if from_table is not None else [])])
    ask, given = Asking(yes), Given(title, question, outcome, first_day, timezone, fact or [], key)
    if from_table is None:
        files = first_files(_answers(name, given, ask, _named_facts(given.facts, ask), []))
        _write(dict(zip(places, (files.rules, files.schema, files.tests), strict=True)))
    else:
        table = SeenTable(
            from_table, FileOptions(encoding, delimiter, sheet, header_row, read_input_format(input_format)), rows
        )
        columns = _columns(table, given.facts, ask)
        asked = _answers(name, given, ask, [one.fact for one in columns if one.fact is not None], columns)
        files = first_files(asked)
        made, told = _tried(table, columns, files)
        texts = dict(zip(places, (files.rules, files.schema, files.tests), strict=True))
        _write({**texts, **({mapping: made} if made is not None else {})})
        console().print(safe(told))
    _tell_next(name, from_table, mapping, rules, schemas)


class Places(NamedTuple):
    """The files that are written."""

    rules: Path
    schema: Path
    tests: Path


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say."""

    title: str | None
    question: str | None
    outcomes: list[str] | None
    first_day: str | None
    timezone: str | None
    facts: list[str]
    key: str | None


@dataclass(frozen=True, slots=True)
class SeenTable:
    """A table whose columns become facts, how its file is written, and how many rows are read."""

    place: Path
    file: FileOptions
    rows: int


def _refuse(name: str, rules: Path, places: Sequence[Path]) -> None:
    """Raises `CannotRun` for a name that is none, and for what is there already."""
    from policy_engine.analysis.beginning import fact_names  # noqa: PLC0415

    if not is_name(name):
        raise CannotRun(f"`{shown_text(name)}` cannot be a ruleset's id; write it as {fact_names([name])[name]}")
    for place in places:
        if place.exists():
            raise CannotRun(f"`{place}` is there already, and is not replaced; nothing was written")
    for path in rule_files([rules]) if rules.exists() else ():
        if top_level_text(path, "ruleset") == name:
            raise CannotRun(f"`{path}` holds the ruleset `{name}` already; nothing was written")


# Questions.


def _answers(
    name: str, given: Given, ask: Asking, facts: Sequence[FirstFact], columns: Sequence[FactOfColumn]
) -> Beginning:
    from policy_engine.analysis.beginning import Beginning  # noqa: PLC0415

    outcomes = ", ".join(given.outcomes) if given.outcomes else None
    timezone = ask("--timezone", given.timezone, "The time zone", "UTC", _timezone)
    return Beginning(
        name,
        ask("--title", given.title, "What is it about?", name.replace("_", " ").capitalize(), _words),
        ask("--question", given.question, "Which question does it answer?", "May this be done?", _words),
        ask("--outcome", outcomes, "The possible answers, the usual one last", "allow, deny", _outcomes),
        ask("--from", given.first_day, "The first day in force", f"{today_in(timezone)}", _day),
        timezone,
        tuple(facts),
        _key(given, ask, facts, columns),
    )


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise CannotRun("write it in words")
    return words


def _outcomes(text: str) -> tuple[str, ...]:
    found = tuple(" ".join(word.split()) for word in text.split(","))
    if not all(found) or len(set(found)) < len(found):
        raise CannotRun("write each outcome once, with commas between: allow, deny")
    return found


def _day(text: str) -> date:
    return read_day(text, "the first day")


def _timezone(text: str) -> str:
    if not is_timezone(text):
        raise CannotRun(f"`{shown_text(text)}` is no time zone; it is written as Europe/Berlin")
    return text


def _key(given: Given, ask: Asking, facts: Sequence[FirstFact], columns: Sequence[FactOfColumn]) -> str | None:
    """The fact that names a row; none is asked for where none can be."""
    from policy_engine.analysis.first_facts import key_of  # noqa: PLC0415

    names = [fact.name for fact in facts]
    proposed, could = key_of(columns)

    def read(text: str) -> str:
        if text not in names:
            near = did_you_mean(text, names) or f"there are {', '.join(names)}"
            raise CannotRun(f"`{shown_text(text)}` is no fact; {near}")
        return text

    if given.key is None and proposed is None:
        return None
    return ask("--key", given.key, f"Which fact names a row ({', '.join(could)})?", proposed or "", read)


def _named_facts(given: Sequence[str], ask: Asking) -> list[FirstFact]:
    """The facts that options or answers name, each once."""
    from policy_engine.analysis.first_facts import TYPES, named_fact  # noqa: PLC0415

    facts = [read_option("--fact", text, named_fact) for text in given]
    if not facts:
        ask.need_terminal("no --fact is given", f"take `{FACT}`")
        console().print(f"The facts, each as NAME=TYPE. A type is {TYPES}.") if not ask.yes else None
        facts = ask.more("A fact (Enter ends)", named_fact) or [named_fact(FACT)]
    twice = next(
        (fact.name for at, fact in enumerate(facts) if fact.name in {other.name for other in facts[:at]}), None
    )
    if twice is not None:
        raise CannotRun(f"the fact `{twice}` is named twice")
    return facts


# Tables.


def _columns(table: SeenTable, given: Sequence[str], ask: Asking) -> list[FactOfColumn]:
    """What the columns become, after it was shown and types were changed."""
    from policy_engine.analysis.first_facts import facts_of_columns, named_fact, with_types  # noqa: PLC0415
    from policy_engine.tables.inferring import seen_columns  # noqa: PLC0415

    found = facts_of_columns(seen_columns(table.place, table.file, table.rows))
    if not any(one.column.present for one in found):
        raise CannotRun(f"`{table.place}` has no row with a value, so nothing can be told of its columns")
    found = read_option("--fact", "", lambda _: with_types(found, [named_fact(text) for text in given]))
    _show(table.place, found)
    ask.need_terminal("what is shown has to be confirmed", "take it")

    def read(text: str) -> FirstFact:
        fact = named_fact(text)
        with_types(found, [fact])
        return fact

    changed = ask.more("Another type, as NAME=TYPE (Enter takes what is shown)", read)
    if changed:
        found = with_types(found, changed)
        _show(table.place, found)
    if all(one.fact is None for one in found):
        raise CannotRun("no column is left from which a fact could be made; name one with its type: --fact NAME=TYPE")
    return found


def _show(place: Path, found: Sequence[FactOfColumn]) -> None:
    from policy_engine.analysis.first_facts import key_of, type_in_words  # noqa: PLC0415

    rows = max((one.column.rows for one in found), default=0)
    console().print(safe(f"{place}: seen in {rows:,} row{'s' * (rows != 1)}", "bold"))
    grid = Table("column", "fact", "type", "rows with it", "what was seen", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in found:
        kind = type_in_words(one.fact.schema) if one.fact is not None else "(left out)"
        seen = safe(one.column.seen.told, limit=LONGEST_TOLD)
        grid.add_row(safe(one.column.name), one.name if one.fact else "-", safe(kind), f"{one.column.present:,}", seen)
    console().print(grid)
    proposed, could = key_of(found)
    others = [name for name in could if name != proposed]
    more = f"; {', '.join(others)} could do so too: --key {others[0]}" if others else ""
    console().print(
        safe(f"{proposed} names a row in reports{more}" if proposed else "no column names each row in reports")
    )


def _tried(table: SeenTable, columns: Sequence[FactOfColumn], files: FirstFiles) -> tuple[str | None, str]:
    """The mapping file that the table needs, None where it needs none, and how many of its rows the new schema refuses."""
    from policy_engine.tables import NOTHING, read_mapping  # noqa: PLC0415
    from policy_engine.tables.first_mappings import first_mapping  # noqa: PLC0415
    from policy_engine.tables.inspecting import inspect, raw_columns  # noqa: PLC0415

    facts = files.ruleset.facts
    raw = raw_columns(table.place, table.file, table.rows)
    known = {one.column.name: one.name if one.fact is not None else None for one in columns}
    made = first_mapping(raw, facts, table.file, known)
    with TemporaryDirectory(prefix="policy-") as folder:
        path = Path(folder) / "map.yaml"
        path.write_text(made, "utf-8")
        mapping = read_mapping(path, facts) if made != NO_MAPPING else NOTHING
        found = inspect(table.place, raw, facts, mapping, table.file.before(mapping.file), table.rows)
    told = (
        f"{table.place} by the new schema: {found.rows:,} row{'s' * (found.rows != 1)} read, {found.invalid:,} invalid"
    )
    return (MADE + made if made != NO_MAPPING else None), told


# What is written.


def _write(texts: Mapping[Path, str]) -> None:
    """Write all files or none."""
    done: list[Path] = []
    try:
        for path, text in texts.items():
            make_folder(path.parent)
            write_whole(path, text)
            done.append(path)
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise
    for path in done:
        console().print(safe(f"written: {path}"))


def _tell_next(name: str, table: Path | None, mapping: Path, rules: Path, schemas: Path) -> None:
    """The commands that come next; a table may have needed no mapping file."""
    places = (f" --rules {rules}" if rules != RULES else "", f" --schemas {schemas}" if schemas != SCHEMAS else "")
    console().print(
        safe(f"next: policy check --strict{f' {rules}' if places[0] else ''}{places[1]}; policy test{''.join(places)}")
    )
    if table is not None:
        map_ = f" --map {mapping}" if mapping.exists() else ""
        console().print(safe(f"then: policy report {name}={table}{map_} --out report{''.join(places)}"))
