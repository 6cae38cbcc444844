"""Changes to a report in the folder `out`, and to what it was made from."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from tests.test_cli import put

Change = Callable[[], object]


def manifest() -> Any:
    """What the report's manifest says."""
    return json.loads(Path("out/manifest.json").read_text("utf-8"))


def say(content: Any) -> None:
    """Put another manifest in its place, written as a report writes it."""
    put(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "out/manifest.json")


def set_to(value: Any, *place: str | int) -> Change:
    """Change one part of the manifest, or add it."""

    def change() -> None:
        content = manifest()
        part = content
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
        say(content)

    return change


def without(*place: str | int) -> Change:
    """Take one part out of the manifest."""

    def change() -> None:
        content = manifest()
        part = content
        for key in place[:-1]:
            part = part[key]
        del part[place[-1]]
        say(content)

    return change


def rewrite(name: str, text: str) -> Change:
    """Write a file."""
    return lambda: put(text, name)


def replace(name: str, old: str, new: str) -> Change:
    """Change a text in a file."""
    return lambda: put(Path(name).read_text("utf-8").replace(old, new), name)


def delete(name: str) -> Change:
    """Delete a file."""
    return lambda: Path(name).unlink()


def link(name: str) -> Change:
    """Put a link to the same bytes in the place of a file."""

    def change() -> None:
        Path(name).rename("elsewhere")
        Path(name).symlink_to(Path("elsewhere").absolute())

    return change


def fifo(name: str) -> Change:
    """Put a pipe in the place of a file."""

    def change() -> None:
        Path(name).unlink(missing_ok=True)
        os.mkfifo(name)

    return change


def listed(name: str) -> None:
    """List a file in the manifest with the digest that it has now."""
    content, found = manifest(), Path("out", name).read_bytes()
    entry = {"name": name, "bytes": len(found), "sha256": sha256(found).hexdigest()}
    content["outputs"] = [entry if one["name"] == name else one for one in content["outputs"]]
    content["outputs"] += [entry] if entry not in content["outputs"] else []
    say(content)


def forge() -> None:
    """Change an answer, and the digest beside it."""
    table = pl.read_parquet("out/decisions.parquet")
    forged = table.with_columns(pl.lit("free").cast(table["shipping.outcome"].dtype).alias("shipping.outcome"))
    forged.write_parquet("out/decisions.parquet")
    listed("decisions.parquet")


def forge_value() -> None:
    """Change a value, and the digest beside it."""
    table = pl.read_parquet("out/decisions.parquet")
    column = "shipping.values.above"
    table.with_columns((pl.col(column) + 1).cast(table[column].dtype)).write_parquet("out/decisions.parquet")
    listed("decisions.parquet")


def forge_violation() -> None:
    """Take the violations of a row away, and change the digest beside them."""
    table = pl.read_parquet("out/invalid.parquet")
    table.with_columns(pl.col("violations").list.head(0)).write_parquet("out/invalid.parquet")
    listed("invalid.parquet")


def forged(name: str, old: str, new: str) -> Change:
    """Change a text in a file of the report, and the digest beside it."""

    def change() -> None:
        text = Path("out", name).read_text("utf-8")
        assert old in text
        put(text.replace(old, new), f"out/{name}")
        listed(name)

    return change


def exchange(one: str, other: str) -> Change:
    """Put each of two files in the place of the other."""

    def change() -> None:
        Path(one).rename("aside")
        Path(other).rename(one)
        Path("aside").rename(other)

    return change


def drop_row() -> None:
    """Take a row out of the answers, and change the digest beside them."""
    pl.read_parquet("out/decisions.parquet").head(2).write_parquet("out/decisions.parquet")
    listed("decisions.parquet")


def no_table() -> None:
    """Something that is no table, with its digest."""
    put("PAR1", "out/decisions.parquet")
    listed("decisions.parquet")


def more() -> None:
    """A file that no report has, with its digest."""
    put("x", "out/more.txt")
    listed("more.txt")


def emptied() -> None:
    """Delete all that the report is, and claim a million rows."""
    for name in (file["name"] for file in manifest()["outputs"]):
        Path("out", name).unlink()
    content = manifest()
    content["outputs"] = []
    content["counts"] = [{"ruleset": "orders", "rows": 10**6, "valid": 10**6, "invalid": 0}]
    say(content)


def unlist(name: str) -> Change:
    """Delete an output, and what the manifest says of it."""

    def change() -> None:
        Path("out", name).unlink()
        say({**manifest(), "outputs": [one for one in manifest()["outputs"] if one["name"] != name]})

    return change


def file_in_place_of(folder: str) -> Change:
    """Put a file in the place of a folder."""

    def change() -> None:
        shutil.rmtree(folder)
        put("x", folder)

    return change
