"""The client of the decision service: questions over HTTP, answers as values, in Python with threads or with `asyncio`.

It knows nothing of rules and does not import the engine. What a call sends and what its answer means is written without any
connection (`questions.py`, `answers.py`, `problems.py`, `retries.py`); `blocking.py` and `awaiting.py` send it.
"""

from policy_engine.client.answers import Answer, Line, RulesetReference, Section
from policy_engine.client.awaiting import AsyncClient
from policy_engine.client.batches import Answered
from policy_engine.client.blocking import Client
from policy_engine.client.catalogue import Readiness, RulesetSummary, VersionSummary
from policy_engine.client.problems import (
    Forbidden,
    InvalidFacts,
    NoAnswer,
    NotInForce,
    Problem,
    Refused,
    ServiceError,
    TooMany,
    UnknownCaller,
    UnknownDecision,
    UnknownReading,
    Violation,
)
from policy_engine.client.questions import Question
from policy_engine.client.retries import NEVER, Retries

__all__ = [
    "NEVER",
    "Answer",
    "Answered",
    "AsyncClient",
    "Client",
    "Forbidden",
    "InvalidFacts",
    "Line",
    "NoAnswer",
    "NotInForce",
    "Problem",
    "Question",
    "Readiness",
    "Refused",
    "Retries",
    "RulesetReference",
    "RulesetSummary",
    "Section",
    "ServiceError",
    "TooMany",
    "UnknownCaller",
    "UnknownDecision",
    "UnknownReading",
    "VersionSummary",
    "Violation",
]
