"""The results as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report import table

Found = Mapping[str, Any]


def report(found: Found) -> str:
    """The whole page."""
    return "\n".join((*_head(found), *_targets(found), *_loads(found), *_reloads(found)))


def targets(found: Found) -> Iterator[tuple[str, str, str, bool]]:
    """Each target with what was measured, and whether that meets it."""
    many, alone, hand = (found["ratios"][name] for name in ("six, 16 connections", "six, 1 connection", "one by hand"))
    yield (
        "six decisions with reasons, requests a second, against Cerbos",
        "at least 5x",
        f"{many['rate']:.2f}x",
        many["rate"] >= 5,
    )
    yield "the same, processor time a request", "at most 0.2x", f"{many['each']:.2f}x", many["each"] <= 0.2
    yield "one connection, median time, against Cerbos", "at most 0.5x", f"{alone['p50']:.2f}x", alone["p50"] <= 0.5
    yield (
        "processor time a request, against a server by hand",
        "at most 2.5x",
        f"{hand['each']:.2f}x",
        hand["each"] <= 2.5,
    )
    one = found["reloads"]["with reloads"]
    longest = one["longest"] / one["p99"]
    yield "failed answers while rules are saved", "none", str(one["failed"]), one["failed"] == 0
    yield "answers by rules that had been left", "none", str(one["turned_back"]), one["turned_back"] == 0
    yield "the longest answer, against 99 in 100", "at most 3x", f"{longest:.1f}x", longest <= 3


def _head(found: Found) -> Iterator[str]:
    yield from ("# Results", "", "Written by `make bench-service`; how to read it is in [README.md](README.md).", "")
    yield f"{', '.join(found['machine'].values())}. Cerbos {found['cerbos']}. Medians of {found['rounds']} rounds in turns."
    yield ""
    told = "load of the machine beside the benchmark when it began"
    yield f"{found['compared']:,} answers were compared first; none differed. The {told}: {found['load']:.1f}."
    yield ""


def _targets(found: Found) -> Iterator[str]:
    yield from ("## Targets", "")
    rows = ((what, most, figure, "pass" if met else "**miss**") for what, most, figure, met in targets(found))
    yield from table(("what", "target", "measured", "verdict"), rows)


def _loads(found: Found) -> Iterator[str]:
    yield from ("## Loads", "", "Times in microseconds; processor time is that of all processes of the server.", "")
    columns = ("rate", "each", "p50", "p99", "longest")
    rows = ([name, *(f"{one[column]:,.0f}" for column in columns)] for name, one in found["loads"].items())
    yield from table(("load", "requests a second", "processor time a request", "p50", "p99", "longest"), rows)


def _reloads(found: Found) -> Iterator[str]:
    yield from ("## Reloading", "", "Two workers, 16 connections; times in milliseconds.", "")
    rows = (
        [name, *map("{:,}".format, _counts(one)), *map("{:.2f}".format, _times(one))]
        for name, one in found["reloads"].items()
    )
    yield from table(("", "broken and whole rules saved", "answers", "failed", "turned back", "p99", "longest"), rows)


def _counts(one: Found) -> list[int]:
    return [one[name] for name in ("reloads", "answers", "failed", "turned_back")]


def _times(one: Found) -> list[float]:
    """In milliseconds."""
    return [one[name] * 1e3 for name in ("p99", "longest")]
