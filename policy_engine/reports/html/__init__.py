"""A report as one page of HTML that needs nothing else: no script, no font, no request."""

from policy_engine.reports.html.page import report_html
from policy_engine.reports.html.views import Chapter, Report

__all__ = ["Chapter", "Report", "report_html"]
