"""The forms of a comparison as files: a page, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from policy_engine.reports.comparison.folder import JSON, MARKDOWN, PAGE
from policy_engine.reports.comparison.json_form import to_json
from policy_engine.reports.comparison.markdown_form import as_markdown
from policy_engine.reports.comparison.result import Compared
from policy_engine.reports.html.comparison import comparison_html


def write_forms(found: Compared, folder: Path) -> None:
    """Write all forms of a comparison into its folder."""
    text = json.dumps(to_json(found), indent=2, ensure_ascii=False)
    (folder / JSON).write_text(f"{text}\n", "utf-8")
    (folder / MARKDOWN).write_text(as_markdown(found), "utf-8")
    (folder / PAGE).write_text(comparison_html(found), "utf-8")
