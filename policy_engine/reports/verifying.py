"""Verifying a report: everything it was made from is compared, it is made again, and the first difference is named."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.reports.manifest import EDITION, MANIFEST, Arguments, digested
from policy_engine.reports.run import Done
from policy_engine.version import VERSION

Again = Callable[[Arguments, Path], tuple[Engine, Done]]
"""Makes a report anew in a folder, from the arguments of an old one."""


def first_difference(report: Path, again: Again) -> str | None:
    """What first differs between a report and the same made again, as a sentence; None where all is the same.

    Raises `CannotRun` where there is no report, or it cannot be made again.
    """
    manifest = read_manifest(report)
    return next(_differences(report, manifest, again), None)


def read_manifest(report: Path) -> dict[str, Any]:
    """The manifest of a report; raises `CannotRun`."""
    path = report / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        known = manifest["manifest"] == EDITION
        Arguments.from_dict(manifest["arguments"])
    except FileNotFoundError:
        raise CannotRun(f"`{report}` holds no report: there is no `{path}`") from None
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        raise CannotRun(f"`{path}` is not the manifest of a report") from None
    if not known:
        raise CannotRun(f"`{path}` was written by another edition of this program ({manifest['engine']})")
    return dict(manifest)


def _differences(report: Path, manifest: Mapping[str, Any], again: Again) -> Iterator[str]:
    """The differences in the order in which they lead to one another: what it was made from first."""
    yield from _of_files("output", report, manifest["outputs"])
    yield from _unlisted(report, manifest["outputs"])
    yield from _of_files("input", Path(), manifest["inputs"])
    if manifest["engine"] != VERSION:
        yield f"the report was made by version {manifest['engine']} of this program, and this is {VERSION}"
    with tempfile.TemporaryDirectory() as folder:
        anew = Path(folder) / "report"
        again(Arguments.from_dict(manifest["arguments"]), anew)
        made = read_manifest(anew)
        yield from _of_rulesets(manifest["rulesets"], made["rulesets"])
        yield from _of_outputs(report, anew, manifest["outputs"], made["outputs"])


def _of_files(kind: str, folder: Path, files: list[dict[str, Any]]) -> Iterator[str]:
    for file in files:
        path = folder / file["name"]
        if not path.is_file():
            yield f"the {kind} `{path}` is not there any more"
        elif digested(path, file["name"]).sha256 != file["sha256"]:
            yield f"the {kind} `{path}` has changed since the report was made"


def _unlisted(report: Path, files: list[dict[str, Any]]) -> Iterator[str]:
    listed = {file["name"] for file in files} | {MANIFEST}
    there = (path.relative_to(report).as_posix() for path in sorted(report.rglob("*")) if path.is_file())
    yield from (f"`{report / name}` is none of the report's files" for name in there if name not in listed)


def _of_rulesets(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    for old, new in zip(before, now, strict=True):
        if old["digest"] != new["digest"]:
            yield (
                f"the ruleset `{old['id']}` has changed: it was version {old['version']} with {old['digest']}, "
                f"and is version {new['version']} with {new['digest']}"
            )


def _of_outputs(report: Path, anew: Path, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    made = {file["name"]: file["sha256"] for file in now}
    for file in before:
        name = file["name"]
        if name not in made:
            yield f"made again, the report has no `{name}`"
        elif made[name] != file["sha256"]:
            yield f"made again, `{name}` is different{_where(report / name, anew / name)}"


def _where(before: Path, now: Path) -> str:
    """The first row of a table that differs."""
    if before.suffix != ".parquet":
        return ""
    old, new = pl.read_parquet(before, glob=False), pl.read_parquet(now, glob=False)
    for column in old.columns:
        if column not in new.columns:
            return f": there is no column `{column}`"
        differs = old[column].ne_missing(new[column]) if old.height == new.height else pl.Series([True])
        if differs.any():
            place = differs.arg_true()[0]
            return f": first in `{column}`, row {old['row'][place] if old.height else 0}"
    return ""
