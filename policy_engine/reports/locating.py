"""Where that lies now from which a report was made: where it was, by its name in another folder, or anywhere by its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, PolicyError
from policy_engine.reports.manifest import Digested, FetchedRows, Manifest, digested

SPELLED = {"/": "%root", "..": "%up"}
"""Parts of names that would lead out of the folder of links."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where tables, mapping files, rules and schemas lie now.

    `moved` has the places by name of those that do not lie where they did. Tables in databases lie where they were fetched to:
    `rows` are their digests, `answers` what the databases decided, by ruleset, and `notes` what is to be told of them.
    """

    moved: Mapping[str, Path] = field(default_factory=dict)
    rows: tuple[FetchedRows, ...] = ()
    answers: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, name: str) -> Path:
        """Where what had this name lies now."""
        return self.moved.get(name, Path(name))

    def told(self, message: str) -> str:
        """A message in which every place has its name."""
        for name, place in self.moved.items():
            message = message.replace(f"`{place}`", f"`{name}`")
        return message

    def name(self, path: Path) -> str:
        """The name that a file, or the folder above it, had when the report was made."""
        for name, place in self.moved.items():
            if path == place:
                return name  # of a database it is no path
            if path.is_relative_to(place):
                return str(Path(name) / path.relative_to(place))
        return str(path)


WHERE_NAMED = Located()


def located(manifest: Manifest, report: Path, links: Path, inputs: Path | None) -> Located:
    """All that a report was made from; raises `CannotRun` where an input is gone or has changed.

    It is looked for where it was, below `inputs`, and below the folders that hold the report. Where a table lies elsewhere,
    links to all inputs are made below `links`, so that files come together again that were in one folder.
    """
    if inputs is not None and not inputs.is_dir():
        raise CannotRun(f"--inputs: `{inputs}` is not a folder")
    roots = [Path(), *([inputs] if inputs is not None else []), *report.resolve().parents]
    found = {file.name: _found(file, roots, inputs) for file in manifest.inputs}
    moved = _rules_and_schemas(manifest, roots, inputs)
    if all(place == Path(name) for name, place in found.items()):
        return Located(moved)
    arguments = manifest.arguments
    for name, place in found.items():
        moved[name] = _below(links, name)
        moved[name].parent.mkdir(parents=True, exist_ok=True)
        moved[name].symlink_to(place.resolve())
    moved |= {facts: _below(links, facts) for _, facts in arguments.tables}
    return Located(moved)


def _below(folder: Path, name: str) -> Path:
    """A place below a folder for whatever name, so that names in one folder lead to places in one folder."""
    return folder.joinpath(*(SPELLED.get(part, part) for part in Path(name).parts))


def _found(file: Digested, roots: Sequence[Path], inputs: Path | None) -> Path:
    """A file with the bytes that were read when the report was made."""
    for path in chain((root / file.name for root in roots), inputs.rglob("*") if inputs is not None else ()):
        if path.is_file() and path.stat().st_size == file.size and digested(path, file.name) == file:
            return path
    if inputs is not None:
        raise CannotRun(
            f"no file in `{inputs}` has the bytes of the input `{file.name}`: the report cannot be made again"
        )
    if file.name == "-":
        raise CannotRun(
            "the report was made from standard input, which is not there any more: the report cannot be made again; if a file "
            "has its bytes, give the folder of that as --inputs DIR"
        )
    if Path(file.name).exists():
        raise CannotRun(f"the input `{file.name}` has changed since the report was made: it cannot be made again")
    raise CannotRun(
        f"the input `{file.name}` is not there any more: the report cannot be made again; if it lies elsewhere, give that folder "
        "as --inputs DIR"
    )


def _rules_and_schemas(manifest: Manifest, roots: Sequence[Path], inputs: Path | None) -> dict[str, Path]:
    """The folders of rules and schemas that have the digests of the report, where these do not lie where they did."""
    names = (manifest.arguments.rules, manifest.arguments.schemas)
    for folders in _pairs(names, roots, inputs):
        if _have_digests(manifest, *folders):
            return {name: folder for name, folder in zip(names, folders, strict=True) if folder != Path(name)}
    if Path(names[0]).exists():
        return {}  # whoever loads them says what is different
    raise CannotRun(
        f"no rules with the digests of the report are here, neither in `{names[0]}` nor below the folders that hold the "
        "report: it cannot be made again; give the folder that holds rules and schemas as --inputs DIR"
    )


def _pairs(names: tuple[str, str], roots: Sequence[Path], inputs: Path | None) -> Iterator[tuple[Path, Path]]:
    """Folders of rules and schemas that may be those of the report, by their whole names and then by their last parts."""
    rules, schemas = map(Path, names)
    yield from ((root / rules, root / schemas) for root in roots)
    if inputs is not None:
        yield inputs / rules.name, inputs / schemas.name


def _have_digests(manifest: Manifest, rules: Path, schemas: Path) -> bool:
    wanted = {one["id"]: one["digest"] for one in manifest.content["rulesets"]}
    try:
        engine = Engine.load(rules, schemas, only=list(wanted))
        return all(engine.ruleset(name, manifest.arguments.as_of).digest == wanted[name] for name in wanted)
    except PolicyError:
        return False
