"""The wiring of tools that run a graph: a part of the bootstrap, apart because it loads LangGraph."""

from pentad.domain.errors import ConfigurationError
from pentad.runtime import bootstrap
from pentad.runtime.settings import ToolSettings
from pentad.tools.graphs.equipment import Equipment

_SECONDS = 310.0
"""How long to wait for the gateway's answer; more than its own time."""


def equipment(values: ToolSettings) -> Equipment:
    """Return what a graph needs at run time.

    Raises:
        ConfigurationError: the function is not told where the gateway is.
    """
    from pentad.aws.clients import client
    from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel
    from pentad.tools.graphs.adapters.langgraph_checkpoints import DynamoDBSaver
    from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
    from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit

    if values.gateway_function is None:
        raise ConfigurationError("GATEWAY_FUNCTION is not set", fix="deploy the graph's tool with infra/tools/tool.py")
    table, objects = bootstrap.table(values.state_table), bootstrap.objects(values.payload_bucket)
    return Equipment(
        # One attempt: a second one would ask, and bill, twice. The retry of the state goes on at the checkpoint.
        gateway=LambdaChatModel(client("lambda", read_timeout=_SECONDS, attempts=1), values.gateway_function),
        checkpoints=lambda tenant: DynamoDBSaver(table, objects, tenant),
        audit=DynamoAudit(bootstrap.table(values.ledger_table)),
        nodes=DynamoGraphNodes(table),
        telemetry=bootstrap.telemetry(bootstrap.tool_service()),
        runs=bootstrap.runs(),
        catalog=bootstrap.catalog(),
        now=bootstrap.now,
    )
