"""Count that a call's function failed for good; that the call ends must not fail with the count."""

from pentad.domain.errors import PentadError
from pentad.domain.runs import ToolCall
from pentad.observability.ports import Telemetry
from pentad.orchestration.switches.ports import Switchboard


def count_failure(switchboard: Switchboard | None, telemetry: Telemetry | None, call: ToolCall, error: str) -> None:
    """Count a call that has failed for good against its tool.

    Args:
        switchboard: counts; None where nobody does.
        telemetry: is told where the count was lost; None for nobody.
        call: the call.
        error: the name of what its function ended with.
    """
    if switchboard is None:
        return
    try:
        switchboard.record_failure(call.tenant_id, call.tool, error)
    except PentadError as unheard:
        if telemetry is not None:
            telemetry.log_event("tool.not_counted", level="WARNING", error=type(unheard).__name__)
