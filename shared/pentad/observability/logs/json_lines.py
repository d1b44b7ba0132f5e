"""Write what the standard library's logging is told as lines of JSON: one logger for each function.

A formatter of our own: Powertools' Logger, which it took the place of, brings 50 modules into each cold start, and of
them we used this. Batches of queues and the API's routes are Powertools' as before.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from pentad.observability.logs.redact import serialize_line

RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "level", "location", "timestamp"}
"""Names that a record's own fields have: what is added to a record may not have them."""


class JsonLines(logging.Formatter):
    """Makes a record one line: redacted, last of all, with its fields, its error and its traceback.

    Args:
        service: whose lines these are.
        xray_id: gives X-Ray's id of the invocation, where there is one.
    """

    def __init__(self, service: str, xray_id: Callable[[], str | None]) -> None:
        super().__init__()
        self._service = service
        self._xray_id = xray_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
            **{name: value for name, value in vars(record).items() if name not in RESERVED},
            **self._describe_error(record),
            "xray_trace_id": self._xray_id(),
        }
        return serialize_line({name: value for name, value in line.items() if value is not None})

    def _describe_error(self, record: logging.LogRecord) -> Mapping[str, Any]:
        if not record.exc_info or record.exc_info[0] is None:
            return {}
        kind, error, trace = record.exc_info
        frames = [
            {"file": one.filename, "line": one.lineno, "function": one.name, "statement": one.line}
            for one in traceback.extract_tb(trace)
        ]
        return {
            "exception": self.formatException(record.exc_info),
            "exception_name": kind.__name__,
            "stack_trace": {"type": kind.__name__, "value": error, "module": kind.__module__, "frames": frames},
        }


def make_logger(
    service: str, *, level: str, stream: TextIO | None, xray_id: Callable[[], str | None]
) -> logging.Logger:
    """Return the logger of a function: its lines are written once, whatever handlers the runtime has.

    Args:
        service: the logger's name; a logger that has been made before stays as it is.
        level: the least level that is written.
        stream: where lines go; standard output where None.
        xray_id: see `JsonLines`.
    """
    logger = logging.getLogger(service)
    if not any(isinstance(one.formatter, JsonLines) for one in logger.handlers):
        handler = logging.StreamHandler(stream or sys.stdout)
        handler.setFormatter(JsonLines(service, xray_id))
        logger.addHandler(handler)
        logger.setLevel(level.upper())
        logger.propagate = False  # the runtime's own handler would write each record a second time
    return logger
