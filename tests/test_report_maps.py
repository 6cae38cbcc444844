"""Which mapping file is for which ruleset: `--map [RULESET=]FILE`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.test_cli import Run, refused, run

__all__ = ["run"]
ARGUMENTS = ("report", "orders=a.csv", "--as-of", "2025-07-01", "--out", "out")
REFUSED = [
    (("ordres=m.yaml",), "--map: no ruleset `ordres` is asked for; did you mean `orders`?"),
    (("zzz=m.yaml",), "--map: no ruleset `zzz` is asked for; there is orders"),
    (("=m.yaml",), "--map: no ruleset `` is asked for; there is orders"),
    (("m.yaml", "n.yaml"), "--map: there are two mapping files for all rulesets, `m.yaml` and `n.yaml`; give one"),
    (
        ("orders=m.yaml", "orders=m.yaml"),
        "--map: there are two mapping files for `orders`, `m.yaml` and `m.yaml`; give one",
    ),
    (("no.yaml",), "no.yaml:1:1: the file cannot be read: No such file or directory"),
    (("orders=no.yaml",), "no.yaml:1:1: the file cannot be read: No such file or directory"),
]


def put() -> None:
    """A table whose column has another name, and mapping files, some in places with odd names."""
    Path("a.csv").write_text("cost\n60\n")
    for name in ("m.yaml", "n.yaml", "d=1/m.yaml", "orders=x.yaml", "zzz=m2.yaml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("columns: {cost: price}\n")


@pytest.mark.parametrize(("maps", "told"), REFUSED)
def test_c6_a_mapping_file_that_nobody_asks_for(run: Run, maps: tuple[str, ...], told: str) -> None:
    put()
    ran = run(*ARGUMENTS, *(word for one in maps for word in ("--map", one)))
    refused(ran, told, code=2)
    assert not Path("out").exists()


def test_c6_compare_reads_mapping_files_alike(run: Run) -> None:
    put()
    ran = run("compare", "orders", "--facts", "a.csv", "--new-as-of", "2025-07-02", "--map", "ordres=m.yaml")
    refused(ran, "--map: no ruleset `ordres` is asked for; did you mean `orders`?", code=2)


@pytest.mark.parametrize(
    "maps",
    [
        ("m.yaml",),
        ("orders=m.yaml",),
        ("d=1/m.yaml",),
        ("orders=d=1/m.yaml",),
        ("orders=orders=x.yaml",),
        ("zzz=m2.yaml",),
        ("n.yaml", "orders=m.yaml"),
    ],
)
def test_c6_a_mapping_file_in_any_place(run: Run, maps: tuple[str, ...]) -> None:
    put()
    ran = run(*ARGUMENTS, *(word for one in maps for word in ("--map", one)))
    assert (ran.code, ran.err) == (0, "")
    assert pl.read_parquet("out/decisions.parquet")["shipping.outcome"].to_list() == ["free"]
    assert run("report", "verify", "out").code == 0
