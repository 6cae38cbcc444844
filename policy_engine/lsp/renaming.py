"""Renaming in all files of a project, refused where the files would not be as sound afterwards."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, Severity
from policy_engine.errors import CannotRun
from policy_engine.fixes import Edit, Fix, applied, is_exact
from policy_engine.frontend.fields import KEBAB
from policy_engine.frontend.schemas import is_name
from policy_engine.lsp import index
from policy_engine.lsp.symbols import Occurrence, Symbol, with_article
from policy_engine.lsp.workspace import Project, Snapshot, Workspace, trial_of

OUTCOME = re.compile(r"[A-Za-z](?:[\w .-]*\w)?")
NO_OUTCOMES = frozenset({"true", "false", "null", "yes", "no"})
A_NAME = "small letters, digits and underscores, beginning with a letter, and no word that has a meaning of its own"
AN_ID = "small letters, digits and hyphens"
Valid = tuple[Callable[[str], bool], str]


def _is_id(name: str) -> bool:
    return KEBAB.fullmatch(name) is not None and name != "otherwise"


def _is_outcome(name: str) -> bool:
    return OUTCOME.fullmatch(name) is not None and name.lower() not in NO_OUTCOMES


NAME, ID = (is_name, A_NAME), (_is_id, AN_ID)
VALID: Mapping[str, Valid] = MappingProxyType(
    {
        **dict.fromkeys(("fact", "parameter", "definition", "reading", "table", "decision", "choice", "value"), NAME),
        **dict.fromkeys(("rule", "source"), ID),
        "outcome": (_is_outcome, "letters, digits, blanks, hyphens and underscores, beginning with a letter"),
    }
)
"""What can be renamed, and how its names are written."""


class CannotRename(CannotRun):
    """The renaming is refused, and why."""


def renamed_at(snapshot: Snapshot, path: Path, line: int, column: int) -> Occurrence:
    """The name at a caret that can be renamed; line and column count from 1; raises `CannotRename`."""
    found = index.at(snapshot, path, line, column)
    if found is None:
        raise CannotRename("there is no name here that could be renamed")
    if found.symbol.kind not in VALID:
        kind = with_article(found.symbol.kind)
        raise CannotRename(f"`{found.symbol.name}` is {kind}, and cannot be renamed here")
    return found


def rename(workspace: Workspace, project: Project, found: Occurrence, name: str) -> list[Edit]:
    """The edits that give something a new name wherever it stands; raises `CannotRename`."""
    snapshot = workspace.look(project)
    _refuse_faulty(snapshot)
    is_valid, form = VALID[found.symbol.kind]
    if not is_valid(name) or keyword.iskeyword(name):
        raise CannotRename(f"`{name}` cannot be the name of {with_article(found.symbol.kind)}: use {form}")
    places = index.places_of(snapshot, found.symbol)
    if not any(place.defines for place in places):
        raise CannotRename(f"`{found.symbol.word}` is defined in no file of this project")
    _refuse_twice(snapshot, {place.symbol for place in places}, name)
    edits = [_edit(place, name) for place in places]
    if not all(_stands(workspace, edit) for edit in edits):
        raise CannotRename("a file has changed since it was read: try again")
    _refuse_faults(workspace, project, snapshot, edits)
    return edits


def _refuse_faulty(snapshot: Snapshot) -> None:
    """Raises where a file has an error: a place of the name might stand in what could not be read."""
    fault = next((each for each in snapshot.diagnostics if each.severity is Severity.ERROR), None)
    if fault is not None or snapshot.refused:
        why = snapshot.refused if fault is None else f"{fault.span}: {fault.message}"
        raise CannotRename(f"mend the faults first, so that no place of the name is overlooked: {why}")


def _edit(place: Occurrence, name: str) -> Edit:
    span = place.span
    return Edit(span.path, span.line, span.column, place.symbol.word, name)


def _stands(workspace: Workspace, edit: Edit) -> bool:
    """Whether what an edit replaces stands in its file."""
    return is_exact(Fix("", (edit,)), {edit.path: workspace.text(Path(edit.path)).split("\n")})


def _refuse_twice(snapshot: Snapshot, symbols: Iterable[Symbol], name: str) -> None:
    """Raises where something of the same kind has the name already."""
    taken = {Symbol(symbol.kind, symbol.owner, symbol.name.removesuffix(symbol.word) + name) for symbol in symbols}
    other = next((each for each in index.occurrences(snapshot) if each.symbol in taken and each.defines), None)
    if other is not None:
        raise CannotRename(f"there is already {with_article(other.symbol.kind)} `{name}`, at {other.span}")


def _refuse_faults(workspace: Workspace, project: Project, before: Snapshot, edits: Sequence[Edit]) -> None:
    """Raises where the edited files would have more faults than they have now, by trying it."""
    texts = edited(workspace, edits)
    trial = Workspace({**workspace.texts, **texts})
    after = trial.look(trial_of(project, texts))
    new = _more(after.diagnostics, before.diagnostics)
    if after.refused or new is not None:
        why = after.refused if new is None else f"{new.span}: {new.message}"
        raise CannotRename(f"this would leave a fault: {why}")


def _more(after: Iterable[Diagnostic], before: Iterable[Diagnostic]) -> Diagnostic | None:
    """The first fault of a kind that there are more of than before."""
    counts: dict[tuple[str, str], int] = {}
    for each in before:
        counts[each.span.path, each.code] = counts.get((each.span.path, each.code), 0) + 1
    for each in after:
        counts[each.span.path, each.code] = counts.get((each.span.path, each.code), 0) - 1
        if counts[each.span.path, each.code] < 0:
            return each
    return None


def edited(workspace: Workspace, edits: Sequence[Edit]) -> dict[Path, str]:
    """The texts of the files that edits change, by their paths."""
    paths = {edit.path for edit in edits}
    texts = {path: workspace.text(Path(path)) for path in paths}
    return {Path(path): applied(texts[path], (edit for edit in edits if edit.path == path)) for path in paths}
