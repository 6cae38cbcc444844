"""The results as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.peers import CANNOT

Found = Mapping[str, Any]
REASONED = ("zen-engine, decision table", "cedarpy")
"""The engines that tell by themselves which rule or policy decided."""
PROSE_MISSED = "No target was missed."


def report(found: Found) -> str:
    """The whole page."""
    parts = (
        _head(found),
        _targets(found),
        _decisions(found),
        _more(found),
        _peers(found),
        _sizes(found),
        _loading(found),
    )
    return "\n".join(line for part in (*parts, _where(found)) for line in part) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A Markdown table; every column but the first is of figures."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"| --- |{' ---: |' * (len(names) - 1)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def _head(found: Found) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "Written by `make bench`; how to read it is in [README.md](README.md)."
    yield ""
    yield (
        ", ".join(found["machine"].values())
        + ". "
        + ", ".join(f"{name} {v}" for name, v in found["versions"].items())
        + "."
    )
    yield f"Medians of {found['rounds']} rounds in turns."
    yield ""


def _targets(found: Found) -> Iterator[str]:
    yield "## Targets"
    yield ""
    verdicts = [(what, most, figure, "pass" if met else "**miss**") for what, most, figure, met in targets(found)]
    yield from table(("what", "target", "measured", "verdict"), verdicts)


def targets(found: Found) -> Iterator[tuple[str, str, str, bool]]:
    """Each target with what was measured, and whether that meets it."""
    for decision, rows in found["decisions"].items():
        one = rows["fast"]["trusted"]["ratio"]
        yield f"`{decision}`, trusted, against hand-written", "at most 1.2x", _times(one), one <= 1.2
    five = found["five"]["fast"]
    trusted, validated = five["trusted"]["ratio"], five["validated"]["ratio"]
    yield "all five, one call each, trusted, against hand-written", "at most 1.1x", _times(trusted), trusted <= 1.1
    complete = five["values and missing read"]["ratio"]
    yield "the same with the values and the missing facts read", "at most 1.1x", _times(complete), complete <= 1.1
    yield "all five with validation, against hand-written without", "at most 3x", _times(validated), validated <= 3
    best = min(rows[peer]["ratio"] for rows in found["peers"].values() for peer in REASONED if peer in rows)
    yield "the next best engine that gives a reason, against ours", "at least 20x", _times(best), best >= 20
    trace = found["five"]["slow"]["explain"]["ratio"]
    for way, what in (("with reason", "the decision and its reason"), ("to_json", "the decision as JSON")):
        if way in found["five"]["slow"]:
            cost = found["five"]["slow"][way]["ratio"]
            yield f"{what}, against the decision", "at most 2.5x", _times(cost), cost <= 2.5
    yield "full trace, recorded, against the decision", "at most 10x", _times(trace), trace <= 10
    for what, sizes in found["sizes"].items():
        grown = list(sizes.values())[-1]["ratio"]
        yield f"10,000 {what} against 10", "at most 1.5x", _times(grown), grown <= 1.5
    load = found["loading"]["100 rulesets of 50 rules"]
    seconds, peak = load["seconds"], load["peak_mb"]
    figure = f"{seconds:.2f} s, {peak:.0f} MB"
    yield "loading and checking 100 rulesets of 50 rules", "2 s, 200 MB", figure, seconds <= 2 and peak <= 200


def _decisions(found: Found) -> Iterator[str]:
    yield "## One decision"
    yield ""
    yield "Nanoseconds for one decision, and in brackets the ratio to the function by hand."
    yield ""
    rows = {name: each["fast"] for name, each in found["decisions"].items()} | {"all five": found["five"]["fast"]}
    ways = list(found["five"]["fast"])
    yield from table(
        ("decision", *ways), ([f"`{name}`", *(_both(row[way]) for way in ways)] for name, row in rows.items())
    )
    yield "`decide_all` gives every decision of the ruleset, which is more than the function by hand gives."
    yield ""


def _more(found: Found) -> Iterator[str]:
    yield "## What is made when somebody asks"
    yield ""
    yield "Nanoseconds for one decision, and in brackets the ratio to the trusted decision. `.missing` costs something only"
    yield "where a decision is undetermined, which one in twenty is here. When `explain` returns, every step is recorded with"
    yield "its value; the two columns after it make objects of them, and JSON types, which write shared steps out each time."
    yield ""
    rows = {name: each["slow"] for name, each in found["decisions"].items()} | {"all five": found["five"]["slow"]}
    ways = list(found["five"]["slow"])
    yield from table(
        ("decision", *ways), ([f"`{name}`", *(_both(row[way]) for way in ways)] for name, row in rows.items())
    )


def _peers(found: Found) -> Iterator[str]:
    yield "## Other engines"
    yield ""
    yield "Nanoseconds for one decision, and in brackets the ratio to ours, trusted, from the facts as they come. All others get"
    yield "facts that are digested for them: days counted, lists tallied. The last column is the time of that digest in Python,"
    yield "which theirs leave out."
    yield ""
    columns = list(next(iter(found["peers"].values())))
    rows = ([f"`{name}`", *(_both(row.get(c)) for c in columns)] for name, row in found["peers"].items())
    yield from table(("decision", *columns), rows)
    yield "What they cannot express:"
    yield ""
    yield from (f"- {peer}: {why}." for peer, why in CANNOT.items())
    yield ""
    yield "Only zen-engine's table and Cedar tell by themselves which rule decided; of the others it is we who let the"
    yield "expression, or the loop around it, give a rule's name."
    yield ""


def _sizes(found: Found) -> Iterator[str]:
    yield "## Size of a ruleset"
    yield ""
    for what, sizes in found["sizes"].items():
        rows = ((size, f"{row['ns']:.0f}", _times(row["ratio"]), f"{row['load_s']:.2f}") for size, row in sizes.items())
        yield from table((what, "ns a decision", "ratio", "seconds to load and check"), rows)


def _loading(found: Found) -> Iterator[str]:
    yield "## Loading, memory, cold starts"
    yield ""
    names = ("seconds", "peak_mb", "loaded_mb", "asked_mb")
    rows = ((what, *(f"{row[name]:.2f}" for name in names)) for what, row in found["loading"].items())
    yield from table(("what", "seconds", "MB at the peak", "MB more once loaded", "MB more once each was asked"), rows)
    yield from table(("process", "ms"), ((name, f"{ms:.0f}") for name, ms in found["cold_starts"].items()))


def _where(found: Found) -> Iterator[str]:
    yield "## Where the time goes"
    yield ""
    missed = [what for what, _, _, met in targets(found) if not met]
    yield "Missed: " + "; ".join(missed) + "." if missed else PROSE_MISSED
    yield ""
    yield "Nanoseconds for one decision, by parts; the ratio is to the function by hand."
    yield ""
    columns = list(next(iter(found["parts"].values())))
    rows = ([f"`{name}`", *(_both(row[c]) for c in columns)] for name, row in found["parts"].items())
    yield from table(("decision", *columns), rows)
    for what, lines in found["profiles"].items():
        yield f"### {what[:1].upper()}{what[1:]}" if what[0] != "`" else f"### {what}"
        yield ""
        shown = ((f"`{x['function']}`", x["calls"], f"{x['own']:.0%}", f"{x['with callees']:.0%}") for x in lines)
        yield from table(("function", "calls", "own time", "with what it calls"), shown)


def _times(ratio: float) -> str:
    if ratio < 10:
        return f"{ratio:.2f}x"
    return f"{ratio:.1f}x" if ratio < 100 else f"{ratio:,.0f}x"


def _both(row: Mapping[str, float] | None) -> str:
    return f"{row['ns']:,.0f} ({_times(row['ratio'])})" if row else "cannot"
