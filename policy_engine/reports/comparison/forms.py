"""The forms of a comparison as files: a page, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from policy_engine.reports.comparison.folder import JSON, MARKDOWN, PAGE
from policy_engine.reports.comparison.json_form import comparison_in_json
from policy_engine.reports.comparison.markdown_form import as_markdown
from policy_engine.reports.comparison.result import Compared
from policy_engine.reports.html.comparison import comparison_html


def json_text(found: Compared, indent: int | None = None) -> str:
    """A comparison as JSON; decimals among facts are texts."""
    return json.dumps(comparison_in_json(found), indent=indent, ensure_ascii=False, default=str) + "\n"


def write_forms(found: Compared, folder: Path) -> None:
    """Write all forms of a comparison into its folder."""
    (folder / JSON).write_text(json_text(found, indent=2), "utf-8")
    (folder / MARKDOWN).write_text(as_markdown(found), "utf-8")
    (folder / PAGE).write_text(comparison_html(found), "utf-8")
