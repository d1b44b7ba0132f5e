"""What AWS's services measure of themselves without a log line: Lambda, SQS, Step Functions, API Gateway.

Of each just what an alarm is likely to ask for; `MEASURED` lists it, and an alarm over another metric of these
namespaces is refused when it is made, since it would never go on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from twin.alarms.emf import Measured
from twin.alarms.metric_store import MetricKey
from twin.host.model import InvocationReport

MEASURED: Final[Mapping[str, frozenset[str]]] = {
    "AWS/Lambda": frozenset({"Invocations", "Errors", "Duration", "ConcurrentExecutions"}),
    "AWS/SQS": frozenset({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
    "AWS/States": frozenset({"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionsSucceeded"}),
    "AWS/ApiGateway": frozenset({"Count", "4xx", "5xx", "Latency"}),
}
_OF_STATUS: Final = {
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
    "SUCCEEDED": "ExecutionsSucceeded",
}


def check_measured(namespace: str, name: str) -> None:
    """Refuse a metric of a service that the twin does not measure.

    Raises:
        ValueError: an alarm over it would never go on.
    """
    if namespace.startswith("AWS/") and name not in MEASURED.get(namespace, frozenset()):
        known = ", ".join(f"{space} {', '.join(sorted(names))}" for space, names in sorted(MEASURED.items()))
        raise ValueError(f"the twin does not measure {namespace} {name}; it measures {known}")


def measure_functions(
    list_reports: Callable[[], Sequence[InvocationReport]], count_instances: Callable[[], Mapping[str, int]]
) -> Callable[[float, float], list[Measured]]:
    """Return what measures the invocations that ended between two times.

    Args:
        list_reports: the last REPORT records.
        count_instances: the processes by function: what runs at once at most.
    """

    def sample(since: float, until: float) -> list[Measured]:
        found = [Measured(_key("AWS/Lambda", "ConcurrentExecutions"), float(sum(count_instances().values())), until)]
        for report in list_reports():
            ended = (report.started_ms + report.duration_ms) / 1000
            if since <= ended < until:
                failed = float(report.failed)
                for name, value in (("Invocations", 1.0), ("Errors", failed), ("Duration", report.duration_ms)):
                    found.append(Measured(_key("AWS/Lambda", name, FunctionName=report.function), value, ended))
                    found.append(Measured(_key("AWS/Lambda", name), value, ended))
        return found

    return sample


def measure_queues(list_queues: Callable[[], Iterable[Any]]) -> Callable[[float, float], list[Measured]]:
    """Return what measures queues: how many messages can be received, and how old the oldest is that is not deleted.

    Args:
        list_queues: moto's queues.
    """

    def sample(since: float, until: float) -> list[Measured]:
        found = []
        for queue in list_queues():
            messages = [one for one in list(queue._messages) if one.sent_timestamp is not None]
            visible = sum(one.visible and not one.delayed for one in messages)
            age = max((until - one.sent_timestamp / 1000 for one in messages), default=0.0)
            for name, value in (
                ("ApproximateNumberOfMessagesVisible", float(visible)),
                ("ApproximateAgeOfOldestMessage", max(0.0, age)),
            ):
                found.append(Measured(_key("AWS/SQS", name, QueueName=queue.name), value, until))
        return found

    return sample


def measure_execution(detail: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield what an execution's new status counts for: its machine, and the version and alias it was started by.

    Args:
        detail: of the event ``Step Functions Execution Status Change``.
    """
    name = _OF_STATUS.get(detail["status"])
    if name is None or detail.get("stopDate") is None:
        return
    at, machine = detail["stopDate"] / 1000, detail["stateMachineArn"]
    yield Measured(_key("AWS/States", name, StateMachineArn=machine), 1.0, at)
    for kind, arn in (("Alias", detail.get("stateMachineAliasArn")), ("Version", detail.get("stateMachineVersionArn"))):
        if arn:
            which = {"StateMachineArn": machine, kind: arn.rpartition(":")[2]}
            yield Measured(_key("AWS/States", name, **which), 1.0, at)


def measure_request(api_id: str, status: int, milliseconds: float, at: float) -> Iterator[Measured]:
    """Yield what one answer of an HTTP API counts for.

    Args:
        api_id: the API's.
        status: the answer's.
        milliseconds: how long it took.
        at: when, in seconds since the epoch.
    """
    values = {"Count": 1.0, "4xx": float(400 <= status < 500), "5xx": float(status >= 500), "Latency": milliseconds}
    for name, value in values.items():
        yield Measured(_key("AWS/ApiGateway", name, ApiId=api_id), value, at)


def _key(namespace: str, name: str, **dimensions: str) -> MetricKey:
    return MetricKey.of(namespace, name, dimensions)
