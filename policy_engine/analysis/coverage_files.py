"""Coverage as files that other tools read: JSON with every item, and Cobertura XML and LCOV by lines.

In both of these a line is one that has items, it is hit where a case tries any of them, and its items are its branches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from policy_engine.analysis.accounts import Accounts
from policy_engine.analysis.coverage import Coverage, Tally, percent_of
from policy_engine.analysis.items import Counted, Item
from policy_engine.analysis.source_lines import Lines, by_file
from policy_engine.diagnostics import shown_text
from policy_engine.language.uses import Use
from policy_engine.version import VERSION

MCDC = "masking"
"""The form of MC/DC by which conditions are shown to decide alone."""
DOCTYPE = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'


def as_json(coverage: Coverage, accounts: Sequence[Accounts] = ()) -> str:
    """Every item by file and line, with the number of cases that try it; how much is tried of each kind and each ruleset.

    Of accounts, for each item that is counted over them, how many use it, and when one last did.
    """
    told = {
        "percent": coverage.percent,
        "items": len(coverage.items),
        "tried": coverage.tried,
        "times": coverage.times,
        "mcdc": MCDC,
        "kinds": _kinds(coverage.tallies),
        "rulesets": [
            {"name": owner, "percent": share_of(tallies), "kinds": _kinds(tallies)}
            for owner, tallies in coverage.by_owner.items()
        ],
        "boundaries_without_next_value": coverage.without_next,
        "decided_by_an_earlier_rule": coverage.decided_earlier,
        "files": [
            {"path": path, "items": [_item(each) for line in lines.values() for each in line]}
            for path, lines in by_file(coverage).items()
        ],
        "accounts": [_accounts(each) for each in accounts],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _accounts(accounts: Accounts) -> Mapping[str, Any]:
    uses = accounts.uses
    return {
        "ruleset": f"{accounts.ruleset.id} {accounts.ruleset.version}",
        "table": accounts.table,
        "as_of": str(accounts.as_of),
        "rows": uses.rows,
        "valid": uses.valid,
        "items": [{**_place(each.item), **_use(each.use), "cases": each.cases} for each in accounts.used],
        "facts": dict(uses.filled),
        "values_of_no_case": [{"fact": fact, "region": words, **_use(use)} for fact, words, use in accounts.untried],
        "conditions_on_elements_of_lists": uses.left_out,
        "conditions_on_no_fact": accounts.constant,
    }


def _use(use: Use | None) -> Mapping[str, Any]:
    if use is None:
        return {"accounts": 0}
    last = None if use.last is None else str(use.last)
    return {"accounts": use.accounts, "last": last, "first_row": use.row, "first_key": use.key}


def share_of(tallies: Iterable[Tally]) -> float:
    """What is tried of items of several kinds, in percent."""
    both = [(tally.tried, tally.all) for tally in tallies]
    return percent_of(sum(tried for tried, _ in both), sum(all_ for _, all_ in both))


def _kinds(tallies: Iterable[Tally]) -> Mapping[str, Mapping[str, int]]:
    return {str(tally.kind): {"tried": tally.tried, "items": tally.all} for tally in tallies}


def _item(counted: Counted) -> Mapping[str, Any]:
    told = {**_place(counted.item), "cases": counted.cases}
    return told if counted.cases else {**told, "gap": counted.item.message}


def _place(item: Item) -> Mapping[str, Any]:
    place = {"line": item.span.line, "column": item.span.column}
    return {"kind": item.kind, "ruleset": item.owner, **place, "what": item.what, "of": item.of}


def as_lcov(coverage: Coverage) -> str:
    """A tracefile of LCOV."""
    lines = (line for path, lines in by_file(coverage).items() for line in _record(path, lines))
    return "".join(f"{line}\n" for line in lines)


def _record(path: str, lines: Lines) -> Iterator[str]:
    yield from ("TN:", f"SF:{shown_text(path)}")
    branches = [(number, at, each.cases) for number, items in lines.items() for at, each in enumerate(items)]
    yield from (f"BRDA:{number},0,{at},{cases}" for number, at, cases in branches)
    yield from (f"BRF:{len(branches)}", f"BRH:{sum(cases > 0 for _, _, cases in branches)}")
    yield from (f"DA:{number},{hits(items)}" for number, items in lines.items())
    yield from (f"LF:{len(lines)}", f"LH:{sum(hits(items) > 0 for items in lines.values())}", "end_of_record")


def hits(items: Sequence[Counted]) -> int:
    """By how many cases a line is hit: those that try the item on it which is tried most."""
    return max(each.cases for each in items)


def as_cobertura(coverage: Coverage) -> str:
    """Coverage as Cobertura writes it: each file a class, all in one package. It was made at no time that it tells."""
    files = by_file(coverage)
    whole = [items for lines in files.values() for items in lines.values()]
    root = ElementTree.Element("coverage", {**_rates(whole), **_counts(whole), "version": VERSION, "timestamp": "0"})
    ElementTree.SubElement(ElementTree.SubElement(root, "sources"), "source").text = "."
    packages = ElementTree.SubElement(root, "packages")
    package = ElementTree.SubElement(packages, "package", {"name": "rules", **_rates(whole)})
    classes = ElementTree.SubElement(package, "classes")
    for path, lines in files.items():
        _add_class(classes, shown_text(path), lines)
    ElementTree.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{DOCTYPE}\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add_class(classes: ElementTree.Element, path: str, lines: Lines) -> None:
    made = ElementTree.SubElement(classes, "class", {"name": path, "filename": path, **_rates(list(lines.values()))})
    ElementTree.SubElement(made, "methods")
    within = ElementTree.SubElement(made, "lines")
    for number, items in lines.items():
        _add_line(within, number, items)


def _add_line(within: ElementTree.Element, number: int, items: Sequence[Counted]) -> None:
    tried = sum(each.cases > 0 for each in items)
    share = f"{100 * tried // len(items)}%"
    said = {"number": str(number), "hits": str(hits(items)), "branch": "true"}
    line = ElementTree.SubElement(within, "line", {**said, "condition-coverage": f"{share} ({tried}/{len(items)})"})
    conditions = ElementTree.SubElement(line, "conditions")
    ElementTree.SubElement(conditions, "condition", {"number": "0", "type": "jump", "coverage": share})


def _rates(lines: Sequence[Sequence[Counted]]) -> dict[str, str]:
    items = [each.cases > 0 for line in lines for each in line]
    hit = sum(hits(line) > 0 for line in lines)
    return {"line-rate": _rate(hit, len(lines)), "branch-rate": _rate(sum(items), len(items)), "complexity": "0"}


def _counts(lines: Sequence[Sequence[Counted]]) -> dict[str, str]:
    items = [each.cases > 0 for line in lines for each in line]
    hit = sum(hits(line) > 0 for line in lines)
    counts = {
        "lines-covered": hit,
        "lines-valid": len(lines),
        "branches-covered": sum(items),
        "branches-valid": len(items),
    }
    return {name: str(count) for name, count in counts.items()}


def _rate(part: int, whole: int) -> str:
    """A share from 0 to 1, rounded down to four places."""
    return f"{10_000 * part // whole / 10_000 if whole else 1:.4f}"
