"""Bulk ingestion by a distributed Map of Step Functions: its run counts the documents."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from pentad.api.ports import BulkIngest, BulkStatus
from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import NotFound
from pentad.domain.ids import check_id
from pentad.domain.knowledge import BULK_MACHINE
from pentad.orchestration.runs.ports import MACHINE_ALIAS

_STATUSES: Mapping[str, BulkStatus] = {
    "RUNNING": "running",
    "PENDING_REDRIVE": "running",
    "SUCCEEDED": "done",
    "ABORTED": "stopped",
    "FAILED": "failed",
    "TIMED_OUT": "failed",
}
_ENDED = ("succeeded", "failed", "timedOut", "aborted")
_FAILED = ("failed", "timedOut", "aborted")


class StepFunctionsBulk:
    """A `BulkIngestion`.

    Args:
        client: a low-level Step Functions client.
        prefix: ARN of the state machines up to their names without the stage.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._machine = f"{prefix}{BULK_MACHINE}"

    def start(self, tenant_id: str, name: str, prefix: str) -> None:
        """See `BulkIngestion`."""
        given = {"prefix": f"{check_id('tenant', tenant_id)}/{prefix}"}
        with translate_errors("Step Functions"):
            try:
                self._client.start_execution(
                    stateMachineArn=f"{self._machine}:{MACHINE_ALIAS}", name=name, input=json.dumps(given)
                )
            except ClientError as error:
                if code_of(error) != "ExecutionAlreadyExists":
                    raise

    def get(self, name: str) -> BulkIngest:
        """See `BulkIngestion`."""
        execution_arn = f"{self._machine.replace(':stateMachine:', ':execution:', 1)}:{name}"
        with translate_errors("Step Functions"):
            try:
                found = self._client.describe_execution(executionArn=execution_arn)
            except ClientError as error:
                if code_of(error) != "ExecutionDoesNotExist":
                    raise
                raise NotFound("no such bulk ingestion", field="bulk") from error
            counts = self._count_items(execution_arn)
        return BulkIngest(
            status=_STATUSES[found["status"]],
            documents=counts.get("total", 0),
            done=sum(counts.get(field, 0) for field in _ENDED),
            failed=sum(counts.get(field, 0) for field in _FAILED),
            running=counts.get("running", 0),
            error=found.get("error"),
            started_at=found["startDate"],
            ended_at=found.get("stopDate"),
        )

    def _count_items(self, execution_arn: str) -> dict[str, int]:
        """Return what the map run counts; nothing before it has begun."""
        runs = self._client.list_map_runs(executionArn=execution_arn)["mapRuns"]
        if not runs:
            return {}
        counts: dict[str, int] = self._client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
        return counts
