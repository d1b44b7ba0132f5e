"""The wiring of a tool's function; the variable TOOL_MODULE says which tool."""

from collections.abc import Callable
from functools import cache

from pentad.domain.errors import ConfigurationError
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import ToolSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_runs, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.declare.discovery import load_tool
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.records.ports import RecordStore
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects
from pentad.tools.runtime.runtime import ToolRuntime


def tool_service() -> str:
    """Return the name of this tool's function without the deployment's prefix."""
    module = read_settings(ToolSettings).tool_module
    return f"tool-{module.rsplit('.', 1)[-1].replace('_', '-')}"


@cache
def make_tool_runtime() -> ToolRuntime:
    """Return the runtime of the tool that this function is for."""
    values, telemetry = read_settings(ToolSettings), telemetry_of(tool_service())
    tool = load_tool(values.tool_module)
    if "checkpoints" in tool.needs:
        # LangGraph takes a second to import, and is only in the functions of tools that run a graph.
        from pentad.runtime.wiring.ground.graphs import make_equipment

        tool = tool.with_equipment(make_equipment(values, telemetry))
    return ToolRuntime(
        tool,
        catalog=load_catalog(),
        runs=make_runs(values),
        effects=DynamoEffects(make_table(values.state_table)),
        audit=DynamoAudit(make_table(values.ledger_table)),
        records=_records_of(values.records_table),
        telemetry=telemetry,
        now=now,
        gate=Switches(DynamoSwitches(make_table(values.transient_table)), telemetry, now),
    )


def _records_of(name: str | None) -> Callable[[str], RecordStore]:
    def of(tenant_id: str) -> RecordStore:
        if name is None:
            raise ConfigurationError("the tool has no records table", fix="declare a Grant on records")
        return DynamoRecords(make_table(name), tenant_id)

    return of
