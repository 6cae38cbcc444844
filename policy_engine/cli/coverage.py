"""`policy test --coverage`: what no case tries, beside the lines of the rule files, and how much is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from policy_engine.analysis.coverage import Coverage
from policy_engine.analysis.coverage_files import share_of
from policy_engine.analysis.gaps import Gap, told
from policy_engine.analysis.source_lines import lines_of
from policy_engine.cli.show import console, safe
from policy_engine.diagnostics import shown_text

AROUND = 1
"""So many lines are shown before and after one with a gap."""
MOST_GAPS = 100
"""So many gaps are shown of a file."""
WIDEST = 160


def show_coverage(coverage: Coverage, fail_under: float | None) -> bool:
    """Show gaps and numbers, and tell whether it is enough: everything, or the percentage that is asked for."""
    out = console()
    show_gaps(told(each.item for each in coverage.gaps), "gap")
    for line in _numbers(coverage):
        out.print(safe(line), soft_wrap=True)
    wanted = 100.0 if fail_under is None else fail_under
    if coverage.percent < wanted and fail_under is not None:
        out.print(safe(f"coverage is below the {wanted:g}% asked for"))
    return coverage.percent >= wanted


def _numbers(coverage: Coverage) -> Iterator[str]:
    for owner, tallies in coverage.by_owner.items():
        yield f"{owner}: {share_of(tallies):g}%: {', '.join(map(str, tallies))}"
    tried = f"{coverage.tried:,} of {len(coverage.items):,} items are tried, {coverage.times:,} times in all"
    yield f"coverage {coverage.percent:g}%: {tried}"
    yield from limits_of(coverage)


def limits_of(coverage: Coverage) -> Iterator[str]:
    """What was not looked for, in a sentence each."""
    limits = (
        (coverage.without_next, "of ratios or instants, which have no next value: any distance is just above or below"),
        (coverage.decided_earlier, "or conditions with a side on which an earlier rule decides: not looked for there"),
    )
    yield from (f"boundaries {why}: {count}" for count, why in limits if count)


def show_gaps(gaps: Iterable[Gap], what: str) -> None:
    """Show gaps, or what else there is to say of lines, file by file."""
    for path, group in groupby(gaps, lambda gap: gap.span.path):
        here = list(group)
        console().print(safe(f"{path}: {len(here)} {what}{'s' * (len(here) != 1)}", "bold"))
        _show_file(console(), path, here)


def _show_file(out: Console, path: str, gaps: Sequence[Gap]) -> None:
    """The lines of a file that have gaps, each with what is missing below, and lines around them."""
    lines, shown = lines_of(Path(path)), gaps[:MOST_GAPS]
    there = {number: list(group) for number, group in groupby(shown, lambda gap: gap.span.line)}
    wide, last = len(str(max(there) + AROUND)), 0
    near = {line + step for line in there for step in range(-AROUND, AROUND + 1)}
    for number in sorted(line for line in near if line in there or 0 < line <= len(lines)):
        if last and number > last + 1:
            out.print(safe(f"  {'':>{wide}} ...", "dim"))
        _show_line(out, number, "".join(lines[number - 1 : number]), there.get(number, []), wide)
        last = number
    if len(gaps) > len(shown):
        out.print(safe(f"  and {len(gaps) - len(shown)} more; --coverage-out has all"))


def _show_line(out: Console, number: int, line: str, gaps: Sequence[Gap], wide: int) -> None:
    mark, style = (">", "bold") if gaps else (" ", "dim")
    out.print(Text.assemble((f"{mark} {number:>{wide}} | ", "dim"), safe(line, style, WIDEST)), soft_wrap=True)
    for gap in gaps:
        before = len(shown_text(line[: gap.span.column - 1], WIDEST))
        out.print(
            Text.assemble((f"  {'':>{wide}} | {' ' * before}", "dim"), ("^ ", "bold red"), safe(gap.message)),
            soft_wrap=True,
        )
