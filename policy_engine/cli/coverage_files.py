"""`policy test --coverage-out`: coverage as a page, and in the forms that other tools read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from policy_engine.analysis.accounts import Accounts, in_words
from policy_engine.analysis.coverage import Coverage
from policy_engine.analysis.coverage_files import as_cobertura, as_json, as_lcov, hits, share_of
from policy_engine.analysis.gaps import told
from policy_engine.analysis.items import Counted
from policy_engine.analysis.source_lines import Lines, by_file, lines_of
from policy_engine.cli.accounts_in_words import limits, summary
from policy_engine.cli.coverage import limits_of
from policy_engine.errors import CannotRun
from policy_engine.files import make_folder, write_whole
from policy_engine.reports.html.coverage import (
    CoveragePage,
    CoveredFile,
    CoveredLine,
    CoveredPart,
    UsedTable,
    coverage_html,
)

MOST_LINES = 5_000
"""Of a file with more lines, such as a large look-up table, only those with gaps are on the page, up to so many."""
BEGINNING = 4_000
"""So many bytes of a file tell who wrote it."""
OURS: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {
        "coverage.html": re.compile(rb"\A<!DOCTYPE html>[^\0]*?<title>What the tests try: "),
        "coverage.json": re.compile(rb'\A\{\n "percent": [0-9.]+,\n "items": '),
        "cobertura.xml": re.compile(rb'\A<\?xml [^\n]*\n[^\n]*\n<coverage line-rate="[^\n]*" timestamp="0">'),
        "lcov.info": re.compile(rb"\ATN:\nSF:[^\n]*\nBRDA:"),
    }
)
"""How the files begin that are written here."""
Remarks = Mapping[tuple[str, int], Sequence[str]]


def write_coverage(coverage: Coverage, cases: int, accounts: Sequence[Accounts], folder: Path) -> tuple[str, ...]:
    """Write coverage into a folder, each file whole, and give the names of the files.

    Raises `CannotRun` where it cannot be written, or would replace a file that this did not write; then none is written.
    """
    files = {
        "coverage.html": coverage_html(page_of(coverage, cases, accounts)),
        "coverage.json": as_json(coverage, accounts),
        "cobertura.xml": as_cobertura(coverage),
        "lcov.info": as_lcov(coverage),
    }
    make_folder(folder)
    for name in files:
        _refuse_others(folder / name)
    for name, text in files.items():
        write_whole(folder / name, text)
    return tuple(files)


def _refuse_others(path: Path) -> None:
    """Raises `CannotRun` for a file that does not begin as one written here; one that is empty holds nothing to lose."""
    try:
        with path.open("rb") as file:
            start = file.read(BEGINNING)
    except (FileNotFoundError, IsADirectoryError):  # nothing to replace, or refused where it is written
        return
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None
    if start and not OURS[path.name].search(start):
        raise CannotRun(
            f"`{path}` was not written by `policy test --coverage-out`, and is not replaced; name another folder"
        )


def page_of(coverage: Coverage, cases: int, accounts: Sequence[Accounts]) -> CoveragePage:
    """What the page shows of coverage by so many cases, and of accounts."""
    remarks = _remarks(accounts)
    return CoveragePage(
        percent=coverage.percent,
        tried=coverage.tried,
        items=len(coverage.items),
        cases=cases,
        parts=tuple(
            CoveredPart(owner, share_of(tallies), tuple((str(each.kind), each.tried, each.all) for each in tallies))
            for owner, tallies in coverage.by_owner.items()
        ),
        files=tuple(_file(path, lines, remarks) for path, lines in by_file(coverage).items()),
        remarks=tuple(limits_of(coverage)),
        accounts=tuple(map(_accounts, accounts)),
    )


def _accounts(each: Accounts) -> UsedTable:
    first, *_ = summary(each)
    ways = ((used.item.what, "no account" if used.use is None else in_words(used.use)) for used in each.ways)
    return UsedTable(first, tuple(ways), tuple(limits(each)))


def _remarks(accounts: Sequence[Accounts]) -> Remarks:
    """What is said of lines over accounts, by file and line."""
    found: dict[tuple[str, int], list[str]] = {}
    for remark in (remark for one in accounts for remark in one.remarks):
        found.setdefault((remark.span.path, remark.span.line), []).append(remark.message)
    return found


def _file(path: str, items: Lines, remarks: Remarks) -> CoveredFile:
    texts = lines_of(Path(path))
    lines = list(_lines(path, texts if texts[-1] else texts[:-1], items, remarks))
    shown = lines if len(lines) <= MOST_LINES else [line for line in lines if line.notes][:MOST_LINES]
    return CoveredFile(path, sum(len(line.notes) for line in lines), tuple(shown), len(lines) - len(shown))


def _lines(path: str, texts: Sequence[str], items: Lines, remarks: Remarks) -> Iterator[CoveredLine]:
    for number in range(1, max(len(texts), *items) + 1):
        text, here = "".join(texts[number - 1 : number]), items.get(number, [])
        notes = tuple(gap.message for gap in told(each.item for each in here if not each.cases))
        of_accounts = tuple(remarks.get((path, number), ()))
        yield CoveredLine(number, text, _state(here), hits(here) if here else 0, notes, of_accounts)


def _state(items: Sequence[Counted]) -> str:
    if not items:
        return ""
    tried = sum(each.cases > 0 for each in items)
    return "tried" if tried == len(items) else "partly" if tried else "missed"
