"""What a tool that runs a graph is given at run time: the only wiring that imports LangGraph."""

from pentad.aws.clients import get_client
from pentad.domain.errors import ConfigurationError
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel
from pentad.observability.ports import Telemetry
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import ToolSettings
from pentad.runtime.wiring.ground.stores import make_objects, make_runs, make_table
from pentad.tools.graphs.adapters.langgraph_checkpoints import DynamoDBSaver
from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
from pentad.tools.graphs.equipment import Equipment
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit

_SECONDS = 310.0
"""How long to wait for the gateway's answer; more than its own time."""


def make_equipment(values: ToolSettings, telemetry: Telemetry) -> Equipment:
    """Return what a graph needs at run time.

    Raises:
        ConfigurationError: the function is not told where the gateway is.
    """
    if values.gateway_function is None:
        raise ConfigurationError("GATEWAY_FUNCTION is not set", fix="deploy the graph's tool with infra/tools/tool.py")
    table, objects = make_table(values.state_table), make_objects(values.payload_bucket)
    return Equipment(
        # One attempt: a second one would ask, and bill, twice. The retry of the state goes on at the checkpoint.
        gateway=LambdaChatModel(get_client("lambda", read_timeout=_SECONDS, attempts=1), values.gateway_function),
        checkpoints=lambda tenant: DynamoDBSaver(table, objects, tenant),
        audit=DynamoAudit(make_table(values.ledger_table)),
        nodes=DynamoGraphNodes(table),
        telemetry=telemetry,
        runs=make_runs(values),
        catalog=load_catalog(),
        now=now,
    )
