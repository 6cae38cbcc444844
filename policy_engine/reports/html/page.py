"""The page of a report, written from the templates beside this module."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from policy_engine.reports.html import charts, words
from policy_engine.reports.html.views import Report, chapter_views
from policy_engine.reports.markdown import web_address

if TYPE_CHECKING:
    from jinja2 import Environment


def report_html(report: Report) -> str:
    """One page of HTML that shows a report, without a script and without anything to fetch; equal reports give equal pages."""
    return _environment().get_template("report.html.j2").render(report=report, chapters=chapter_views(report))


@cache
def _environment() -> Environment:
    """The templates. What they print is escaped, and a name that is not there is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - imported on use

    environment = Environment(
        loader=PackageLoader("policy_engine.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=words.printable,
    )
    environment.filters |= {
        "number": words.number,
        "spoken": words.spoken,
        "records": words.records,
        "value": words.value_or_none,
        "listed": words.listed,
    }
    style = _style(environment)
    environment.globals |= {
        "share": words.share,
        "width": words.width,
        "margin_chart": charts.margin_chart,
        "threshold": charts.threshold,
        "web_address": web_address,
        "style": style,
        "policy": policy(style),
    }
    return environment


def _style(environment: Environment) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, "style.css")[0]


def policy(style: str) -> str:
    """The Content-Security-Policy of a page with this style sheet: nothing else is allowed, from anywhere."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
