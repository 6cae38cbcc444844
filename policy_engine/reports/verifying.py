"""Verifying a report: its files are compared with its manifest, then with the same report made again from the manifest.

The result is the first difference, or none. `CannotRun` is raised where that cannot be found out: the manifest is damaged, or the
inputs, rules or programs that the report was made with are not here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.reports.locating import located
from policy_engine.reports.manifest import MANIFEST, Digested, Manifest, libraries, read_manifest
from policy_engine.reports.report_folder import missing, moved_aside, strangers
from policy_engine.reports.run import make_report
from policy_engine.version import VERSION

TABLE = ".parquet"
SHOWN = 200
"""The number of characters that are shown of a value in a manifest."""


def first_difference(report: Path, inputs: Path | None = None) -> str | None:
    """What first differs between a report and the same made again, as a sentence; None where all is the same.

    What it was made from is looked for where it was, below `inputs`, and below the folders that hold the report.
    Raises `CannotRun` where there is no report, or it cannot be made again from what it was made from.
    """
    aside = moved_aside(report)
    if aside is not None:
        why = f"there is no `{report}`: a run was killed when it was about to replace it"
        raise CannotRun(f"{why}; the report lies in `{aside}`, and the next run puts it back")
    if report.is_symlink():
        raise CannotRun(f"`{report}` is a link to `{report.readlink()}`; name the folder itself")
    manifest = read_manifest(report)
    return next(_differences(report, manifest, inputs), None)


def _differences(report: Path, manifest: Manifest, inputs: Path | None) -> Iterator[str]:
    """The differences, causes before their effects."""
    yield from missing(report, manifest.outputs)
    yield from strangers(report, manifest.outputs)
    _refuse_other_makers(manifest.content)
    with tempfile.TemporaryDirectory() as folder:
        anew = Path(folder) / "report"
        make_report(manifest.arguments, anew, located(manifest, report, Path(folder) / "inputs", inputs))
        made = read_manifest(anew)
        _refuse_other_rulesets(manifest.content["rulesets"], made.content["rulesets"])
        _refuse_other_rows(manifest.content["fetched"], made.content["fetched"])
        _refuse_more_inputs(manifest, made)
        yield from _of_outputs(report, anew, manifest.outputs, made.outputs)
        yield from _of_values(manifest.content, made.content, "")
        if manifest.text != made.text:
            yield f"`{MANIFEST}` says the same as when the report is made again, and is written otherwise"


def _refuse_other_makers(manifest: Mapping[str, Any]) -> None:
    """Raises `CannotRun` where the report was made by other programs, which may write the same in other bytes."""
    makers = {"policy_engine": manifest["engine"], **manifest["libraries"]}
    here = {"policy_engine": VERSION, **libraries()}
    for name in dict.fromkeys(chain(here, makers)):
        if makers.get(name) != here.get(name):
            why = f"the report was made by {_version(name, makers)}, and here is {_version(name, here)}"
            raise CannotRun(f"{why}: whether it is right cannot be told; verify it with what it was made by")


def _version(name: str, versions: Mapping[str, str]) -> str:
    return f"{name} {versions[name]}" if name in versions else f"no {name}"


def _refuse_more_inputs(before: Manifest, now: Manifest) -> None:
    """Raises `CannotRun` where a file has come into a folder of tables, so that another report comes out."""
    names = {file.name for file in before.inputs}
    come = [file.name for file in now.inputs if file.name not in names]
    if come and before.outputs != now.outputs:
        raise CannotRun(f"the input `{come[0]}` came after the report was made: it cannot be made again without it")


def _refuse_other_rows(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Raises `CannotRun` where a table in a database has other rows than when the report was made."""
    for old, new in zip(before, now, strict=False):
        if (old["name"], old["sha256"]) != (new["name"], new["sha256"]):
            raise CannotRun(
                f"the rows of `{old['name']}` have changed since the report was made (there were {old['rows']:,}, and are "
                f"{new['rows']:,} now): the report cannot be made again"
            )


def _refuse_other_rulesets(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Raises `CannotRun` where rules or schemas say something else than when the report was made."""
    for old, new in zip(before, now, strict=False):
        if old["digest"] != new["digest"]:
            raise CannotRun(
                f"the ruleset `{old['id']}` has changed: it was version {old['version']} with {old['digest']}, and is version "
                f"{new['version']} with {new['digest']}: the report cannot be made again"
            )


def _of_outputs(report: Path, anew: Path, before: Sequence[Digested], now: Sequence[Digested]) -> Iterator[str]:
    """Files that only one of the reports has, then tables that differ, then other files, which are made from tables."""
    old, new = ({file.name: file for file in files} for files in (before, now))
    yield from (f"made again, the report has no `{name}`" for name in old if name not in new)
    yield from (f"made again, the report has a `{name}` too" for name in new if name not in old)
    for name in sorted(new, key=lambda name: not name.endswith(TABLE)):
        if old[name].sha256 != new[name].sha256:
            yield f"made again, `{name}` is different{_first_row(report / name, anew / name)}"


def _first_row(before: Path, now: Path) -> str:
    """The first row of a table that differs."""
    if before.suffix != TABLE:
        return ""
    try:
        old, new = pl.read_parquet(before, glob=False), pl.read_parquet(now, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return ": it is not a whole Parquet file"
    if old.columns != new.columns:
        return _which_columns(old.columns, new.columns)
    if old.height != new.height:
        return f": it has {new.height:,} rows in place of {old.height:,}"
    for column in old.columns:
        if old[column].dtype != new[column].dtype:
            return f": `{column}` is {new[column].dtype} in place of {old[column].dtype}"
        differs = old[column].ne_missing(new[column])
        if differs.any():
            return f": first in `{column}`, row {new['row'][differs.arg_true()[0]]}"
    return ""


def _which_columns(old: Sequence[str], new: Sequence[str]) -> str:
    gone, come = ([name for name in one if name not in other] for one, other in ((old, new), (new, old)))
    if gone:
        return f": there is no column `{gone[0]}`"
    return f": there is a column `{come[0]}` too" if come else ": its columns are in another order"


def _of_values(said: Any, made: Any, place: str) -> Iterator[str]:
    """The fields in which two manifests differ, in the order of the one made again."""
    match said, made:
        case dict(), dict():
            start = f"{place}." if place else ""
            for name in dict.fromkeys(chain(made, said)):
                yield from _of_values(said.get(name), made.get(name), f"{start}{name}")
        case list(), list() if len(said) == len(made):
            for number, (one, other) in enumerate(zip(said, made, strict=True)):
                yield from _of_values(one, other, f"{place}[{number}]")
        case list(), list():
            yield f"`{MANIFEST}` lists {len(said)} `{place}`; made again, there are {len(made)}"
        case _ if said != made:
            yield f"`{MANIFEST}` says {_shown(said)} for `{place}`; made again, it is {_shown(made)}"


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{value}"[:SHOWN]
