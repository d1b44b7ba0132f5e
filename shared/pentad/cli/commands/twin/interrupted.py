"""Runs that were under way when the twin stopped: their executions are gone, so they end at the next start."""

import json
import logging
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pentad.cli.operator import TWIN_STAGE

if TYPE_CHECKING:
    from twin.running.twin import Twin

logger = logging.getLogger(__name__)
Json = dict[str, Any]
MOST = 1_000
"""Runs that are ended at a start; a reader or the next request of its session finds any other."""
_BATCH = 10
_PREFIX = f"pentad-{TWIN_STAGE}"


def end_interrupted(twin: "Twin") -> int:
    """End the runs whose executions are gone, as the event of an execution that was aborted does; return how many.

    So they fail, their sessions are free, the runs that wait for those begin, and `pentad runs redrive` knows them.
    """
    found = list(_iter_interrupted(twin))
    if not found:
        return 0
    address = twin.get_admin_client("sqs").get_queue_url(QueueName=f"{_PREFIX}-lifecycle")["QueueUrl"]
    wanted = {"QueueUrl": address, "AttributeNames": ["QueueArn"]}
    queue = twin.get_admin_client("sqs").get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
    functions, failed = twin.get_admin_client("lambda"), 0
    for first in range(0, len(found), _BATCH):
        records = [_build_record(queue, run) for run in found[first : first + _BATCH]]
        payload = json.dumps({"Records": records}).encode()
        failed += _count_failed(functions.invoke(FunctionName=f"{_PREFIX}-trigger", Payload=payload), len(records))
    if failed or len(found) == MOST:
        more = f" Only the first {MOST:,} were checked." if len(found) == MOST else ""
        logger.warning("%d of the runs that were under way could not be marked failed.%s", failed, more)
    return len(found) - failed


def _count_failed(reply: Json, records: int) -> int:
    """Return how many records of a batch the function did not handle: it names them, unless it failed as a whole."""
    if reply.get("FunctionError"):
        return records
    return len(json.load(reply["Payload"]).get("batchItemFailures", ()))


def _iter_interrupted(twin: "Twin") -> Iterator[Json]:
    """Yield tenant and id of each run that is open and has had an execution; one that waits for its turn has none."""
    from pentad.domain.runs import RunStatus

    table = twin.outputs[f"{_PREFIX}-state"]["StateTable"]
    open_ = {f":s{index}": {"S": one.value} for index, one in enumerate(RunStatus) if not one.ended}
    pages = (
        twin.get_admin_client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            FilterExpression=f"#type = :run AND attribute_exists(execution_arn) AND #status IN ({', '.join(open_)})",
            ExpressionAttributeNames={"#type": "type", "#status": "status"},
            ExpressionAttributeValues={":run": {"S": "run"}, **open_},
            ProjectionExpression="pk",
        )
    )
    keys = (item["pk"]["S"] for page in pages for item in page["Items"])
    for _, key in zip(range(MOST), keys, strict=False):
        _, tenant_id, _, run_id = key.split("#", 3)
        yield {"tenant": tenant_id, "run": run_id}


def _build_record(queue: str, run: Json) -> Json:
    """Return the message by which EventBridge would tell of the end of a run's execution."""
    from pentad.orchestration.lifecycle.queue_messages import EXECUTION_CHANGED

    detail = {"status": "ABORTED", "input": json.dumps(run)}
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "a start of the twin",
        "body": json.dumps({"detail-type": EXECUTION_CHANGED, "detail": detail}),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
    }
