"""Approvals, and what asks humans for them."""

from pentad.aws.clients import get_client
from pentad.aws.kms_text import KmsText
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.adapters.approvals_dynamodb import DynamoApprovals
from pentad.orchestration.approvals.adapters.ciphers import KmsCipher
from pentad.orchestration.approvals.ask import Asking
from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions
from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge
from pentad.orchestration.runs.spill import Spill
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import AwaitHumanSettings, StateTable, WorkflowSettings
from pentad.runtime.wiring.ground.stores import make_objects, make_runs, make_sessions, make_table


def make_approvals(values: StateTable, key: str | None = None) -> DynamoApprovals:
    """Return the approval store.

    Args:
        values: the function's settings.
        key: ARN of the KMS key of task tokens; without one the store neither writes nor reads them.
    """
    cipher = None if key is None else KmsCipher(KmsText(get_client("kms"), key))
    return DynamoApprovals(make_table(values.state_table), Spill(make_objects(values.payload_bucket)), cipher)


def make_asking(values: AwaitHumanSettings | WorkflowSettings, telemetry: Telemetry) -> Asking:
    """Return what asks humans, reminds them and hands on."""
    return Asking(
        load_catalog(),
        make_runs(values),
        make_sessions(values),
        make_approvals(values, values.approval_key),
        # It wakes tasks by their tokens and starts nothing, so it needs no name of a state machine.
        StepFunctions(get_client("stepfunctions")),
        EventBridge(get_client("events"), values.event_bus),
        telemetry,
        now=now,
    )
