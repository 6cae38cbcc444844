"""Mappings: how the columns of a table become the facts of a schema. `mapping_files` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun
from policy_engine.source import Span
from policy_engine.tables.cells import CellStyle
from policy_engine.tables.file_options import FileOptions


@dataclass(frozen=True, slots=True)
class ListItem:
    """An element of a list: the columns that its members stand in, by member, and the texts of those that are constants.

    The one value of an element that is no record has the name "".
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """A list whose elements are the rows of another file, each in a list of the row with the same value of the fact `by`.

    A row to whose value the file has no rows has an empty list if `empty`, else the list is absent. `written` says how the file
    is written.
    """

    file: Path
    by: str
    columns: Mapping[str, str | None]
    empty: bool
    places: Mapping[str, Span] = field(default_factory=dict)
    written: FileOptions = field(default_factory=FileOptions)


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What a mapping file says.

    `columns` gives for a column of the file its fact, None where it is not read; `constants` gives for a fact that the file
    lacks its text in every row, as in a file of facts; `places` says where columns are named. `styles` says how single
    facts are written, `absent` which texts stand for no value in any other column. `lists` gives for a fact the elements that
    are gathered from columns, `histories` the file whose rows they are; `file` says how the file is written.
    `zones` gives for instants, by path, the time zone in which those without an offset are read, by its IANA name. With
    `named_alone` no other column is read than those that `columns` names.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    styles: Mapping[str, CellStyle] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Span] = field(default_factory=dict)
    file: FileOptions = field(default_factory=FileOptions)
    lists: Mapping[str, tuple[ListItem, ...]] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    named_alone: bool = False

    @property
    def gathered(self) -> tuple[str, ...]:
        """The facts that are put together from several columns or rows."""
        return (*self.lists, *self.histories)

    @property
    def files(self) -> tuple[Path, ...]:
        """The other files whose rows are gathered."""
        return tuple(history.file for history in self.histories.values())

    def style(self, name: str) -> CellStyle:
        """How the fact of a name is written."""
        return self.styles.get(name) or CellStyle(absent=self.absent)

    def facts_of(self, where: str, header: list[str]) -> dict[str, str]:
        """For each column that is read the name it goes by: its fact, or its own; raises `CannotRun`."""
        faults = [self._no_column(name, where, header) for name in self.columns if name not in header]
        names = {column: self.columns.get(column, None if self.named_alone else column) for column in header}
        read = {column: name for column, name in names.items() if name is not None}
        faults += _twice(where, read)
        given = {*self.constants, *self.gathered}
        faults += [self._given(column, where) for column, name in read.items() if name in given]
        if faults:
            raise CannotRun("\n".join(faults))
        return read

    def _no_column(self, name: str, where: str, header: list[str]) -> str:
        does = did_you_mean(name, header) or f"it has {', '.join(map(shown_text, header))}"
        return f"{self.places[name]}: {where} has no column `{shown_text(name)}`; {does}"

    def _given(self, column: str, where: str) -> str:
        name = self.columns.get(column) or column
        told = f"the column `{shown_text(column)}` is the fact `{shown_text(name)}`, which the mapping file gives otherwise"
        return f"{where}: {told}; map the column to null: columns: {{{shown_text(column)}: null}}"


NOTHING = TableMapping()
"""Columns are called as their facts are."""


def _twice(where: str, read: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for column, name in read.items():
        if name in first:
            both = f"`{shown_text(first[name])}` and `{shown_text(column)}`"
            yield f"{where}: the columns {both} are both the fact `{shown_text(name)}`; map one of them to null"
        first.setdefault(name, column)
