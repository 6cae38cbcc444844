"""The results over tables as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report import table

Found = Mapping[str, Any]
NOT_YET = "not measured"
Target = tuple[str, str, str, bool | None]
"""What, the target, the figure, and whether it is met; None where nothing was measured."""


def report(found: Found) -> str:
    """The whole page."""
    parts = (_head, _targets, _memory, _openfisca, _rows, _files, _texts, _bar, _accounted)
    return "\n".join(line for part in parts for line in part(found)) + "\n"


def _head(found: Found) -> Iterator[str]:
    yield "# Results over tables"
    yield ""
    yield "Written by `make bench-tables`; how to read it is in [README.md](README.md)."
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    yield f"{', '.join(found['machine'].values())}. {versions}."
    sizes = found["sizes"]
    yield (
        f"{sizes['memory']:,} accounts in memory, medians of {sizes['rounds']} rounds in turns; {sizes['files']:,} in files,"
        f" medians of {sizes['file rounds']} processes in turns."
    )
    yield f"Every way of working was checked against `decide_many` over {sizes['sample']:,} accounts of each kind first."
    yield ""


def _targets(found: Found) -> Iterator[str]:
    yield "## Targets"
    yield ""
    verdicts = {True: "pass", False: "**miss**", None: ""}
    rows = ((what, target, figure, verdicts[met]) for what, target, figure, met in targets(found))
    yield from table(("what", "target", "measured", "verdict"), rows)


def targets(found: Found) -> Iterator[Target]:
    """Each target with what was measured, and whether that meets it."""
    for ruleset, ways in found["memory"].items():
        for form, most in (("outcomes", 1.05), ("reasons", 1.3)):
            what = f"`{ruleset}` in memory, trusted, {form}, against hand-written Polars"
            yield _at_most(what, most, ways[f"ours, {form}"][f"against by hand, {form}"])
    for ruleset, ways in found["validation"].items():
        yield _at_least(f"`{ruleset}`, validation in columns", 1.5, ways.get("ours"))
    suppression = found["memory"]["email_suppression"]["ours, reasons"]
    yield _at_least("suppression over histories of 1 to 6 entries", 5, suppression)
    yield from _file_targets(found)
    for ruleset, ways in found["openfisca"].items():
        times = 1 / ways["ours, outcomes"]["against OpenFisca, outcomes, digest included"]
        yield f"`{ruleset}` against OpenFisca-core, digest included", "at least 4x", _times(times), times >= 4
    ours = found["accounted"].get("ours")
    told = f"{ours['valid']:,} + {ours['invalid']:,}" if ours else NOT_YET
    yield (
        "1 % invalid, 5 % undetermined: valid + invalid = input",
        f"{found['sizes']['files']:,}",
        told,
        bool(ours) or None,
    )


def _file_targets(found: Found) -> Iterator[Target]:
    ours, html = (found["parquet"].get(way) for way in ("ours, no HTML", "ours, with HTML"))
    size = f"{found['sizes']['files']:,} accounts"
    yield _at_most(f"{size}, Parquet to Parquet, against hand-written", 1.2, ours["ratio"] if ours else None)
    yield _within(f"{size}, Parquet to Parquet, peak memory", 500, ours)
    for what in ("JSON Lines", "CSV"):
        sizes = {name: each for name, each in found["texts"].items() if name.startswith(what)}
        for name, each in sizes.items() or {what: None}.items():
            yield _at_least(name, 0.15, each)
    yield _at_most(f"full report with HTML over {size}, against the decisions alone", 2, _quotient(html, ours))
    yield _within("full report with HTML, peak memory", 1_000, html)


def _at_most(what: str, most: float, times: float | None) -> Target:
    met = None if times is None else times <= most
    return what, f"at most {most:g}x", NOT_YET if times is None else _times(times), met


def _at_least(what: str, millions: float, way: Found | None) -> Target:
    figure = NOT_YET if way is None else _millions(way["rows_s"])
    return (
        what,
        f"at least {millions:g} million rows/s",
        figure,
        None if way is None else way["rows_s"] >= millions * 1e6,
    )


def _within(what: str, megabytes: float, process: Found | None) -> Target:
    figure = NOT_YET if process is None else f"{process['together_mb']:,.0f} MB"
    met = None if process is None else process["together_mb"] <= megabytes
    return what, f"within {megabytes:,} MB", figure, met


def _quotient(one: Found | None, other: Found | None) -> float | None:
    return None if one is None or other is None else one["seconds"] / other["seconds"]


def _memory(found: Found) -> Iterator[str]:
    yield "## In memory, trusted"
    yield ""
    yield "Millions of rows a second, and in brackets the time against hand-written Polars that gives outcomes alone. By hand and"
    yield "ours decide the whole ruleset, both on Polars' streaming engine. DuckDB decides what is named beside it."
    yield ""
    yield from _ways(found["memory"])
    yield from (f"- `{ruleset}` in DuckDB: {what}." for ruleset, what in found["duckdb"].items())
    yield ""
    yield "## Validation in columns"
    yield ""
    yield from _ways(found["validation"])


def _openfisca(found: Found) -> Iterator[str]:
    yield "## OpenFisca"
    yield ""
    yield "Millions of rows a second, and in brackets the time against ours. OpenFisca is given days and marks of what is known;"
    yield 'the digest that makes them of the same columns is Polars. "By numbers" leaves out OpenFisca\'s own encoding of items.'
    yield "Ours and OpenFisca decide `new_account_bonus` and `revenue_share` of the first, and of the second `set_limit` alone."
    yield "By hand decides the whole ruleset."
    yield ""
    yield from _ways(found["openfisca"])


def _rows(found: Found) -> Iterator[str]:
    yield "## One row at a time"
    yield ""
    yield "Rows a second over a few thousand rows, and the minutes that ten million would take at that pace."
    yield ""
    ways = list(next(iter(found["rows"].values())))
    rows = (
        [f"`{ruleset}`", *(f"{each[way]['rows_s']:,.0f} ({1e7 / each[way]['rows_s'] / 60:,.1f} min)" for way in ways)]
        for ruleset, each in found["rows"].items()
    )
    yield from table(("decision of", *ways), rows)


def _files(found: Found) -> Iterator[str]:
    yield "## Parquet to Parquet"
    yield ""
    yield from _processes(found["parquet"])


def _texts(found: Found) -> Iterator[str]:
    if found["texts"]:
        yield "## JSON Lines and CSV"
        yield ""
        yield from _processes(found["texts"])


def _bar(found: Found) -> Iterator[str]:
    yield "## Where the time of a pass by hand goes"
    yield ""
    yield from _processes(found["parts"])
    yield "## Morsels and row groups of the pass by hand"
    yield ""
    yield from _processes(found["morsels"])


def _accounted(found: Found) -> Iterator[str]:
    yield "## All accounted for"
    yield ""
    names = ("valid", "undetermined", "invalid")
    rows = ((who, *(f"{counts[name]:,}" for name in names)) for who, counts in found["accounted"].items())
    yield from table(("who", *names), rows)


def _ways(rulesets: Found) -> Iterator[str]:
    ways = list(dict.fromkeys(way for each in rulesets.values() for way in each))
    rows = ([f"`{ruleset}`", *(_both(each.get(way)) for way in ways)] for ruleset, each in rulesets.items())
    yield from table(("ruleset", *ways), rows)


def _processes(processes: Found) -> Iterator[str]:
    rows = (
        (
            what,
            f"{one['seconds']:.2f} ({_times(one['ratio'])})",
            f"{one['cpu']:.2f} ({_times(one['cpu_ratio'])})",
            _millions(one["rows_s"]),
            f"{one['together_mb']:,.0f}",
        )
        for what, one in processes.items()
    )
    yield from table(("what", "seconds", "processor seconds", "rows/s", "MB at the peak"), rows)


def _both(way: Found | None) -> str:
    return f"{way['rows_s'] / 1e6:.2f} ({_times(way['ratio'])})" if way else ""


def _millions(rows_s: float) -> str:
    return f"{rows_s / 1e6:.2f} million"


def _times(times: float) -> str:
    return f"{times:.2f}x" if times < 10 else f"{times:,.1f}x"
