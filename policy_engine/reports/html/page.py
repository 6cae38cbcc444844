"""The page of a report, written from the templates beside this module."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from policy_engine.diagnostics import shown_text
from policy_engine.reports.html import charts, words
from policy_engine.reports.html.views import Report, chapter_views
from policy_engine.reports.markdown import web_address

if TYPE_CHECKING:
    from jinja2 import Environment


SPREAD_ROWS = (
    ("records", "known"),
    ("sum", "sum"),
    ("mean", "mean"),
    ("lowest", "lowest"),
    ("5 %", "low"),
    ("a quarter", "quarter"),
    ("median", "median"),
    ("three quarters", "three_quarters"),
    ("95 %", "high"),
    ("highest", "highest"),
)
"""The rows of a table of values: what each is called, and its name in a `Spread`."""
MARGIN = "font: 8pt sans-serif; color: #57606a;"
MOST_IN_MARGIN = 100
"""The characters of a text in the margin of a printed page."""


def report_html(report: Report) -> str:
    """One page of HTML that shows a report, without a script and without anything to fetch; equal reports give equal pages."""
    templates = environment()
    style = style_of(templates, "style.css") + margins(report)
    page = templates.get_template("report.html.j2")
    return page.render(report=report, chapters=chapter_views(report), style=style, policy=policy(style))


@cache
def environment() -> Environment:
    """The templates. What they print is escaped, and a name that is not there is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - imported on use

    made = Environment(
        loader=PackageLoader("policy_engine.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=words.printable,
    )
    made.filters |= {
        "number": words.number,
        "spoken": words.spoken,
        "records": words.records,
        "value": words.value_or_none,
        "listed": words.listed,
    }
    made.globals |= {
        "share": words.share,
        "spread_rows": SPREAD_ROWS,
        "width": words.width,
        "margin_chart": charts.margin_chart,
        "threshold": charts.threshold,
        "web_address": web_address,
    }
    return made


def style_of(templates: Environment, *sheets: str) -> str:
    """Style sheets as one."""
    assert templates.loader is not None
    return "".join(templates.loader.get_source(templates, sheet)[0] for sheet in sheets)


def margins(report: Report) -> str:
    """The rules of a style sheet by which each printed page says what the report says of itself."""
    said = report.settings
    by = [f"{words.spoken(name).capitalize()} {said[name]}" for name in ("prepared_by", "reviewed_by") if name in said]
    boxes = {
        "top-left": ". ".join(said[name] for name in ("organisation", "title", "purpose") if name in said),
        "top-right": said.get("confidentiality", ""),
        "bottom-left": ". ".join(by),
    }
    rules = [f"@{box} {{ content: {css_text(text)}; {MARGIN} }}" for box, text in boxes.items() if text]
    return f"@page {{ {' '.join(rules)} }}\n" if rules else ""


def css_text(text: str) -> str:
    r"""A text as a string of a style sheet, in which all but letters and digits of ASCII is escaped.

    >>> print(css_text('A "b"</style>'))
    "A\20 \22 b\22 \3c \2f style\3e "
    """
    shown = shown_text(text, MOST_IN_MARGIN)
    return '"' + "".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):x} " for sign in shown) + '"'


def policy(style: str) -> str:
    """The Content-Security-Policy of a page with this style sheet: nothing else is allowed, from anywhere."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
