"""Diagnostics as other programs take them: SARIF 2.1.0, the commands by which GitHub marks lines, and GitLab's code quality."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from policy_engine.diagnostics import Diagnostic, Severity
from policy_engine.fixes import Edit, Fix, edits_by_path
from policy_engine.version import VERSION

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """A SARIF log of one run; files are named as they were given, with `/` between folders."""
    diagnostics = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {"name": "policy check", "version": VERSION, "rules": [{"id": code} for code in codes]}
    return {
        "$schema": SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic) for diagnostic in diagnostics],
            }
        ],
    }


def _result(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.column + max(1, span.length)}
    place = {"artifactLocation": _file(span.path), "region": region}
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "level": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "message": {"text": _words(diagnostic)},
        "locations": [{"physicalLocation": place}],
    }
    return result if diagnostic.fix is None else result | {"fixes": [_fix(diagnostic.fix)]}


def _file(path: str) -> dict[str, object]:
    return {"uri": quote(Path(path).as_posix())}


def _fix(fix: Fix) -> dict[str, object]:
    changes = [
        {"artifactLocation": _file(path), "replacements": [_replacement(edit) for edit in edits]}
        for path, edits in edits_by_path(fix.edits).items()
    ]
    return {"description": {"text": fix.title}, "artifactChanges": changes, "properties": {"sure": fix.sure}}


def _replacement(edit: Edit) -> dict[str, object]:
    (line, column), (end_line, end_column) = edit.start, edit.end
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"deletedRegion": region, "insertedContent": {"text": edit.new}}


def github(diagnostic: Diagnostic) -> str:
    """The workflow command that marks the line of a diagnostic."""
    span, kind = diagnostic.span, "error" if diagnostic.severity is Severity.ERROR else "warning"
    places = f"file={_property(span.path)},line={span.line},col={span.column},title={_property(diagnostic.code)}"
    return f"::{kind} {places}::{_data(_words(diagnostic))}"


def gitlab(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """A code quality report of GitLab; the fingerprint of a diagnostic stays where lines before it come or go."""
    met: Counter[tuple[str, str, str]] = Counter()
    return [_issue(diagnostic, met) for diagnostic in diagnostics]


def _issue(diagnostic: Diagnostic, met: Counter[tuple[str, str, str]]) -> dict[str, object]:
    path = Path(diagnostic.span.path).as_posix()
    said = path, diagnostic.code, _words(diagnostic)
    met[said] += 1
    return {
        "description": said[2],
        "check_name": diagnostic.code,
        "fingerprint": hashlib.sha256("\0".join([*said, str(met[said])]).encode()).hexdigest(),
        "severity": "major" if diagnostic.severity is Severity.ERROR else "minor",
        "location": {"path": path, "lines": {"begin": diagnostic.span.line}},
    }


def _words(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message} ({diagnostic.hint})" if diagnostic.hint else diagnostic.message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
