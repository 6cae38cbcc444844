"""What columns cannot do exactly is refused at the rule, never answered slightly differently."""

from __future__ import annotations

from policy_engine.source import Span


class Refused(Exception):  # noqa: N818 - not an error of the file: another back end can do it
    """A part of a rule that this back end cannot do exactly: where it stands, and why."""

    def __init__(self, span: Span, why: str) -> None:
        self.span, self.why = span, why
        super().__init__(f"{span}: {why}")
