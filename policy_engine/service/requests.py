"""From what came over HTTP to a question for the engine. Nothing here knows a server."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.facts_files import read_json
from policy_engine.language.date_texts import read_date
from policy_engine.reports.explanations import Reader
from policy_engine.service.limits import refuse_many_values
from policy_engine.service.problems import Problem

JSON = ("application/json",)
JSON_LINES = ("application/jsonl", "application/x-ndjson")
CHARSETS = ("utf-8", "utf8")


class Detail(StrEnum):
    """How much of the way to an answer is told."""

    NONE = "none"
    REASON = "reason"
    TRACE = "trace"


class Head(NamedTuple):  # made for every request, in a third of the time of a frozen dataclass; so is `Question`
    """A request without its body. `header` gives a header by its name in small letters; `peer` is the caller's address.

    `query` is what follows the address behind its question mark, as it was sent.
    """

    method: str
    path: str
    header: Callable[[str], str | None]
    peer: str = ""
    query: str = ""


class Question(NamedTuple):
    """What a caller asks; all decisions of the ruleset where `decision` is empty, and today where `as_of` is None.

    `account` is under which the decision log keeps it; where it is None a fact may say so.
    """

    ruleset: str
    decision: str
    facts: Any
    as_of: date | None = None
    readings: Mapping[str, str] | None = None
    detail: Detail = Detail.REASON
    reader: Reader | None = None
    account: str | None = None

    @property
    def name(self) -> str:
        """The question as the engine names it."""
        return f"{self.ruleset}.{self.decision}" if self.decision else self.ruleset

    @property
    def is_explained(self) -> bool:
        """Whether every step is asked for, or the words of a reader who is told them."""
        return self.detail is Detail.TRACE or (self.reader is not None and self.reader is not Reader.CUSTOMER)


MEMBERS = ("facts", "as_of", "readings", "explain", "for", "account")
LINE_MEMBERS = ("ruleset", "decision", *MEMBERS)


def require_type(head: Head, wanted: Collection[str]) -> None:
    """Raises `Problem` where the body is of another type, encoded, or not in UTF-8."""
    given = head.header("content-type") or ""
    if given not in wanted and not _is_in_utf8(given, wanted):
        asked = f"not `{shown_text(given, 60)}`" if given else "and it must be named"
        raise Problem("wrong-content-type", f"the body must be `{' or '.join(wanted)}` in UTF-8, {asked}")
    if (head.header("content-encoding") or "identity").lower() != "identity":
        raise Problem("wrong-content-type", "the body must not be compressed: send it without `Content-Encoding`")


def _is_in_utf8(given: str, wanted: Collection[str]) -> bool:
    name, *parameters = (part.strip() for part in given.lower().split(";"))
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    return name in wanted and all(charset in CHARSETS for charset in charsets)


def read_object(body: bytes, what: str = "the body", example: str = '{"facts": {...}}') -> dict[str, Any]:
    """The JSON object of a body, or of what is named; raises `Problem`."""
    if not body.strip():
        raise Problem("not-json", f"{what} is empty")
    try:
        value = read_json(body.removeprefix(BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        raise Problem("not-json", f"{what} is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise Problem("not-json", f"{what}: {shown_text(str(error)).replace('line 1, ', '')}") from None
    refuse_many_values(body, value)
    if not isinstance(value, dict):
        raise Problem("not-json", f"{what} must be one JSON object, such as {example}")
    return value


def question_of(ruleset: str, decision: str, body: bytes) -> Question:
    """The question about a ruleset, or a decision of it, that a body asks; raises `Problem`."""
    members = read_object(body)
    _refuse_unknown(members, MEMBERS)
    return _question(ruleset, decision, members)


def question_of_line(line: bytes) -> Question:
    """The question of a line of a batch, which names its ruleset and may name a decision; raises `Problem`."""
    members = read_object(line, "the line")
    _refuse_unknown(members, LINE_MEMBERS)
    ruleset, decision = _text(members, "ruleset"), _text(members, "decision") if "decision" in members else ""
    return _question(ruleset, decision, members)


def _question(ruleset: str, decision: str, members: Mapping[str, Any]) -> Question:
    if "facts" not in members:
        raise Problem("invalid-question", "`facts` is missing: give an object, {} where nothing is known")
    given = {name: value for name, value in members.items() if value is not None}
    account = _text(given, "account") if "account" in given else None
    question = Question(
        ruleset, decision, members["facts"], _day(given), _readings(given), _detail(given), _reader(given), account
    )
    if question.reader is Reader.CUSTOMER and question.detail is Detail.TRACE:
        raise Problem("invalid-question", "a trace tells what is withheld from customers: leave out `explain` or `for`")
    return question


def _refuse_unknown(members: Mapping[str, Any], known: Collection[str]) -> None:
    for name in members:
        if name not in known:
            hint = did_you_mean(name, known) or f"there is {', '.join(known)}"
            raise Problem("invalid-question", f"there is no member `{shown_text(name)}`; {hint}")


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Problem("invalid-question", f"`{name}` must be a text" if name in members else f"`{name}` is missing")
    return value


def _day(members: Mapping[str, Any]) -> date | None:
    if "as_of" not in members:
        return None
    try:
        return read_date(_text(members, "as_of"))
    except ValueError:
        shown = shown_text(members["as_of"], 40)
        raise Problem("invalid-question", f"`as_of`: `{shown}` is not a date; write it as 2025-02-28") from None


def _readings(members: Mapping[str, Any]) -> Mapping[str, str] | None:
    readings = members.get("readings")
    if readings is None or (
        isinstance(readings, dict) and all(isinstance(choice, str) for choice in readings.values())
    ):
        return readings
    raise Problem("invalid-question", '`readings` must be an object of texts, such as {"day_60": "does_not_count"}')


def _detail(members: Mapping[str, Any]) -> Detail:
    return Detail(_one_of(members, "explain", list(Detail))) if "explain" in members else Detail.REASON


def _reader(members: Mapping[str, Any]) -> Reader | None:
    return Reader(_one_of(members, "for", list(Reader))) if "for" in members else None


def _one_of(members: Mapping[str, Any], name: str, known: Collection[str]) -> str:
    value = _text(members, name)
    if value not in known:
        raise Problem("invalid-question", f"`{name}`: `{shown_text(value, 40)}` is none of {', '.join(known)}")
    return value
