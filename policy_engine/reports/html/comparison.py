"""The page of a comparison, in the style of a report."""

from __future__ import annotations

from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.result import Compared
from policy_engine.reports.html.page import environment, policy, style_of
from policy_engine.version import VERSION

MOST_SHOWN = 50
"""The number of kinds of change, and of changes of the rules, that a page shows of each ruleset."""
MOVES = (
    ("least", "least"),
    ("5 %", 5),
    ("a quarter", 25),
    ("half", 50),
    ("three quarters", 75),
    ("95 %", 95),
    ("greatest", "greatest"),
)
"""The columns of how far a value moves: what each is called, and which of its numbers it is."""


def comparison_html(found: Compared) -> str:
    """One page of HTML, without a script and without anything to fetch; equal comparisons give equal pages."""
    templates = environment()
    style = style_of(templates, "style.css")
    page = templates.get_template("comparison.html.j2")
    return page.render(
        found=found, words=words, style=style, policy=policy(style), most=MOST_SHOWN, moves=MOVES, version=VERSION
    )
