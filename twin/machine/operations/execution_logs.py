"""Execution logs: the events of a history as lines in CloudWatch Logs, as a machine's `loggingConfiguration` asks.

Source: "Using CloudWatch Logs to log execution history" and "Log levels for Step Functions execution events" of the
developer guide. Delivery is at best effort there, too: nothing waits for it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from moto.core.exceptions import AWSError

from twin.host.model import LogEvent, LogSink
from twin.machine.encoding import dump_json

Json = dict[str, Any]

DATA: Final = frozenset(
    ("input", "output", "inputDetails", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails")
)
"""Fields of an event that are execution data; a task's token stands in its parameters."""
_MOST_BYTES: Final = 248 * 1024
"""Of an input or output, escaped; what is larger is cut."""
_DETAILS: Final = {"input": "inputDetails", "output": "outputDetails"}
_FATAL: Final = frozenset(("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"))
_ERROR: Final = _FATAL | frozenset(
    (
        *("ActivityFailed", "ActivityScheduleFailed", "ActivityTimedOut", "EvaluationFailed", "FailStateEntered"),
        *("LambdaFunctionFailed", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed"),
        *("LambdaFunctionTimedOut", "MapIterationAborted", "MapIterationFailed", "MapRunAborted", "MapRunFailed"),
        *("MapStateAborted", "MapStateFailed", "ParallelStateAborted", "ParallelStateFailed", "TaskFailed"),
        *("TaskStartFailed", "TaskStateAborted", "TaskSubmitFailed", "TaskTimedOut", "WaitStateAborted"),
    )
)
_sink: LogSink | None = None


class InvalidLoggingError(AWSError):
    """A machine's logging configuration that cannot be."""

    TYPE = "InvalidLoggingConfiguration"
    STATUS = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Logging Configuration: {reason}")


def use(sink: LogSink | None) -> None:
    """Set where lines go; None for nowhere."""
    global _sink
    _sink = sink


def find_group(configuration: Mapping[str, Any] | None) -> str | None:
    """Return the log group that a configuration names; None where nothing is logged.

    Raises:
        InvalidLoggingError: it has a level and not exactly one log group.
    """
    found = configuration or {}
    if found.get("level", "OFF") == "OFF":
        return None
    destinations = found.get("destinations") or []
    if len(destinations) != 1:
        raise InvalidLoggingError("Must specify exactly one Log Destination.")
    arn = str((destinations[0].get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", ""))
    parts = arn.split(":")
    if parts[2:3] != ["logs"] or parts[5:6] != ["log-group"] or parts[7:] != ["*"]:
        raise InvalidLoggingError("Log Destination must be the ARN of a CloudWatch Logs log group that ends with ':*'.")
    return parts[6]


class ExecutionLog:
    """The log of one execution.

    Args:
        group: the log group.
        machine: the machine's name.
        execution: its ARN and its redrives are told.
        configuration: level, and whether execution data is logged.
    """

    def __init__(self, group: str, machine: str, execution: Any, configuration: Mapping[str, Any]) -> None:
        self._group = group
        self._execution = execution
        self._level = configuration["level"]
        self._with_data = bool(configuration.get("includeExecutionData", False))
        hashed = sha256(execution.state_machine_arn.encode()).hexdigest()[:8]
        self._stream = f"states/{machine}/{datetime.now(UTC):%Y-%m-%d-%H}-00/{hashed}"

    def take(self, event: Mapping[str, Any]) -> None:
        """Write an event of the history, if the level has it."""
        kind = str(getattr(event["type"], "value", event["type"]))
        if _sink is None or not self._is_logged(kind):
            return
        at = round(datetime.fromisoformat(str(event["timestamp"])).timestamp() * 1000)
        line: Json = {"id": str(event["id"]), "type": kind}
        details = next((value for name, value in event.items() if name.endswith("EventDetails")), None)
        if details is not None:
            line["details"] = _cut(details) if self._with_data else strip_data(details)
        line["redrive_count"] = str(self._execution.redrives.count)
        line["previous_event_id"] = str(event["previousEventId"])
        line["event_timestamp"] = str(at)
        line["execution_arn"] = self._execution.exec_arn
        _sink.write(self._group, self._stream, [LogEvent(at, dump_json(line))])

    def _is_logged(self, kind: str) -> bool:
        if self._level == "ALL":
            return True
        return kind in (_ERROR if self._level == "ERROR" else _FATAL)


def strip_data(details: Mapping[str, Any]) -> Json:
    """Return an event's details without the execution's data."""
    return {name: value for name, value in details.items() if name not in DATA}


def _cut(details: Mapping[str, Any]) -> Json:
    """Cut what is too large for CloudWatch Logs, and say so."""
    found = dict(details)
    for name, told in _DETAILS.items():
        value = found.get(name)
        if isinstance(value, str) and len(dump_json(value).encode("utf-8", "surrogatepass")) > _MOST_BYTES:
            found[name] = _shorten(value)
            found[told] = {"truncated": True}
    return found


def _shorten(text: str) -> str:
    """Return as much of a text as fits, escaped."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(dump_json(text[:middle]).encode("utf-8", "surrogatepass")) <= _MOST_BYTES
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low]
