"""The log: one JSON object a line on standard error, about requests and never about facts."""

from __future__ import annotations

import json
import logging
import traceback
from types import TracebackType

LOG = logging.getLogger("policy_engine.service")


class JsonLines(logging.Formatter):
    """A record as one line of JSON, with the members that it was given under `told`; an error by its type and its place."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {"at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        told |= {"event": record.getMessage(), **getattr(record, "told", {})}
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["place"] = _place(record.exc_info[2])
        return json.dumps(told)


def _place(trace: TracebackType | None) -> str:
    """Where an error was raised; not what it says, for that may hold facts."""
    last = traceback.extract_tb(trace)[-1]
    return f"{last.filename}:{last.lineno}"


def log(event: str, **told: object) -> None:
    """Write what happened."""
    LOG.info(event, extra={"told": told})


def log_trouble(event: str, why: object, **told: object) -> None:
    """Write what somebody has to mend who runs the service, and why."""
    LOG.warning(event, extra={"told": {"why": str(why), **told}})


def log_fault(event: str, error: BaseException, **told: object) -> None:
    """Write that this program failed, and where."""
    LOG.error(event, exc_info=error, extra={"told": told})


CONFIGURATION = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": JsonLines}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
    "loggers": {
        LOG.name: {"handlers": ["lines"], "level": "INFO", "propagate": False},
        "opentelemetry": {"handlers": ["lines"], "level": "WARNING", "propagate": False},
    },
}
"""For `logging.config.dictConfig`."""
