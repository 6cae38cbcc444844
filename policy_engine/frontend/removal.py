"""Fixes that take something away which nothing needs, with all its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic
from policy_engine.fixes import Edit, Fix
from policy_engine.source import Span

NOT_NEEDED: Mapping[str, bool] = MappingProxyType(
    {
        "unused-silence": True,
        "unused-definition": False,
        "unused-parameter": False,
        "unused-source": False,
        "unused-table": False,
    }
)
"""The codes of what can be left out, and whether it surely should be: a definition may be waiting for its rule."""


def removal_of(diagnostic: Diagnostic, lines: Sequence[str]) -> Fix | None:
    """The fix that takes away what a diagnostic says is not needed; None where that does not stand on lines of its own."""
    if diagnostic.code not in NOT_NEEDED:
        return None
    found = _lines_of_entry(diagnostic.span, lines)
    if found is None:
        return None
    first, end = found
    last = len(lines) <= end  # and then no line follows whose place the next could take
    old = "\n".join(lines[first:end]) + ("" if last else "\n")
    edit = Edit(diagnostic.span.path, first + 1, 1, old, "")
    return Fix(f"leave `{lines[first].strip()}` out", (edit,), sure=NOT_NEEDED[diagnostic.code])


def _lines_of_entry(span: Span, lines: Sequence[str]) -> tuple[int, int] | None:
    """From which line to before which an entry stands, counted from 0; with its key where it is the only one below that."""
    first = _first_line(span, lines)
    if first is None:
        return None
    end = _end(first, lines)
    above = next((at for at in range(first - 1, -1, -1) if lines[at].strip()), None)
    behind = next((line for line in lines[end:] if line.strip()), "")
    follows = _indentation(behind) == _indentation(lines[first]) and _is_item(behind) == _is_item(lines[first])
    only = above is not None and lines[above].rstrip().endswith(":") and not follows
    return (above if above is not None and only else first), end


def _first_line(span: Span, lines: Sequence[str]) -> int | None:
    """The line on which the entry with a place begins."""
    at = span.line - 1
    if not lines[at][: span.column - 1].strip():
        return at
    column = span.column
    while at >= 0 and not (_is_item(lines[at]) and _indentation(lines[at]) < column):
        column = min(column, _indentation(lines[at])) if lines[at].strip() else column
        at -= 1
    return at if at >= 0 else None


def _end(first: int, lines: Sequence[str]) -> int:
    indentation = _indentation(lines[first])
    rest = range(first + 1, len(lines))
    end = next((at for at in rest if lines[at].strip() and _indentation(lines[at]) <= indentation), len(lines))
    blank = next(at for at in range(end, first, -1) if lines[at - 1].strip())
    return blank if end < len(lines) else end


def _is_item(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
