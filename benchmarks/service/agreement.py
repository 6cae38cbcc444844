"""That all servers answer the same, looked at before anything is timed."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Sequence

from benchmarks.service.questions import CERBOS, ONE, OURS, Case, one_of
from benchmarks.service.servers import Server

Answer = tuple[str, str]
"""An outcome and its reason."""
EFFECTS = {"EFFECT_ALLOW": "allow", "EFFECT_DENY": "deny"}
VARIES = re.compile(rb"(?im)^(x-request-id|date): .*\r\n")


class DifferentAnswersError(Exception):
    """Two servers answer otherwise."""


def check_cerbos(ours: Server, cerbos: Server, cases: Sequence[Case]) -> int:
    """How many answers were compared with those of Cerbos, outcome and reason; raises at the first difference."""
    for case in cases:
        expected, given = answers_of_ours(ours, case), answers_of_cerbos(cerbos, case)
        if expected != given:
            raise DifferentAnswersError(f"{case}: ours {expected}, Cerbos {given}")
    return sum(len(case.activities) for case in cases)


def answers_of_ours(server: Server, case: Case) -> dict[str, Answer]:
    """The answer to each activity."""
    lines = map(json.loads, _post(server, OURS, case.for_ours).splitlines())
    answers = [(line["answer"]["outcome"], line["answer"]["reason"]) for line in lines]
    return dict(zip(case.activities, answers, strict=True))


def answers_of_cerbos(server: Server, case: Case) -> dict[str, Answer]:
    """The answer to each activity."""
    result = json.loads(_post(server, CERBOS, case.for_cerbos))["results"][0]
    reasons = {output["action"]: output["val"] for output in result["outputs"]}
    return {activity: (EFFECTS[effect], reasons[activity]) for activity, effect in result["actions"].items()}


def check_by_hand(ours: Server, by_hand: Server, cases: Sequence[Case]) -> int:
    """How many answers were compared with those of the server by hand, to the byte; raises at the first difference."""
    questions = [one_of(case, activity) for case in cases for activity in case.activities]
    for question in questions:
        if (expected := _all(ours, question)) != (given := _all(by_hand, question)):
            raise DifferentAnswersError(f"{question!r}: ours {expected!r}, by hand {given!r}")
    return len(questions)


def _post(server: Server, place: tuple[str, str], body: bytes) -> bytes:
    address, content_type = place
    request = urllib.request.Request(server.address(address), body, {"content-type": content_type})
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content


def _all(server: Server, question: bytes) -> bytes:
    """All bytes of an answer but the id of the request and the date."""
    return VARIES.sub(b"", server.raw(ONE, question))
