"""Alarms on the stack's own functions, API and queues."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names
from pentad.observability.metrics.functions import RUN_FUNCTIONS

_DEAD_LETTERS = {
    "runs": "Requests for runs could not be started",
    "lifecycle": "Ends of runs could not be followed",
    "ingest": "Documents could not be taken in",
}
"""Of the queues that have no alarm of their own beside them."""

_WATCHED = {name.replace("-", "_"): name for name in RUN_FUNCTIONS}
"""By the id of their query: an alarm has ten metrics and expressions at most."""


def build_platform_alarms(limits: AlarmLimits, api_id: str) -> list[AlarmSpec]:
    """Return the alarms on functions and the API."""
    return [
        AlarmSpec(
            name="functions-failing",
            group="platform",
            severity="page",
            says="Functions fail",
            why="a failed invocation is tried again; so many at once are a fault of code, of a right or of a store. "
            "What a function refuses (a share that is used up, a budget) is none",
            runbook="functions-failing",
            signals={"faults": AlarmMetric(metric=names.FAULTS)},
            threshold=limits.function_errors,
            periods=3,
            to_alarm=2,
        ),
        _build_killed_alarm(limits),
        AlarmSpec(
            name="api-failing",
            group="platform",
            severity="page",
            says="The API answers with 5xx",
            why="at least five answers, so that one in a quiet night is no alarm",
            runbook="functions-failing",
            signals={
                "failed": AlarmMetric(namespace="AWS/ApiGateway", metric="5xx", where={"ApiId": api_id}),
                "count": AlarmMetric(namespace="AWS/ApiGateway", metric="Count", where={"ApiId": api_id}),
            },
            expression="IF(failed >= 5, 100 * failed / count, 0)",
            threshold=limits.api_errors_percent,
            periods=3,
            to_alarm=2,
        ),
    ]


def _build_killed_alarm(limits: AlarmLimits) -> AlarmSpec:
    return AlarmSpec(
        name="functions-killed",
        group="platform",
        severity="page",
        says="Lambda ends functions: their time or memory is used up, or they do not begin",
        why="Lambda counts every failed invocation of these functions, they count the errors that they raised: it "
        "ended the rest. Twice of three, since an invocation and its error may be counted in two periods",
        runbook="functions-failing",
        signals={
            query_id: AlarmMetric(namespace="AWS/Lambda", metric="Errors", where={"FunctionName": name})
            for query_id, name in _WATCHED.items()
        }
        | {"raised": AlarmMetric(metric=names.RAISED)},
        expression=f"{' + '.join(f'FILL({one}, 0)' for one in _WATCHED)} - FILL(raised, 0)",
        threshold=limits.functions_killed,
        periods=3,
        to_alarm=2,
    )


def build_queue_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on queues."""
    return [
        AlarmSpec(
            name="requests-waiting",
            group="platform",
            severity="page",
            says="Requests wait in the queue of runs and are not taken",
            why="a request is taken within seconds; this old it waits for something that is broken",
            runbook="requests-waiting",
            signals={
                "age": AlarmMetric(
                    namespace="AWS/SQS",
                    metric="ApproximateAgeOfOldestMessage",
                    statistic="Maximum",
                    where={"QueueName": "runs"},
                )
            },
            threshold=limits.queue_seconds,
            periods=2,
            to_alarm=2,
        ),
        *(_build_dead_letter_alarm(queue, says) for queue, says in _DEAD_LETTERS.items()),
    ]


def _build_dead_letter_alarm(queue: str, says: str) -> AlarmSpec:
    return AlarmSpec(
        name=f"{queue}-dead",
        group="platform",
        severity="ticket",
        says=says,
        why="what is in a dead-letter queue is lost to whoever waits for it until somebody looks",
        runbook="dead-letters",
        signals={
            "visible": AlarmMetric(
                namespace="AWS/SQS",
                metric="ApproximateNumberOfMessagesVisible",
                statistic="Maximum",
                where={"QueueName": f"{queue}-dlq"},
            )
        },
    )
